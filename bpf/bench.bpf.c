// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * What an update costs: each program feeds stored keys to one subject of `lab bench`. The no-op
 * reads and consumes the keys the same way; its cost is subtracted. See docs/bench.md.
 */
#include "key.h"
#include "geometry.h"

const volatile struct glimpse_config config = {
    .hash = GLIMPSE_HASH_MURMUR3,
    .instances = 1,
    .buckets = BUCKETS,
    .rows = ROWS,
    .width = WIDTH,
    .groups = GROUPS,
};

#include "bench.h"
#include "bench_grids.h"
#include "bench_tables.h"
#include "sketch.h"

/* One value per CPU; no BTF value type, because its size is set at load. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, TFM_SIZE);
} tfm SEC(".maps");

static __always_inline __u64 noop_update(const union packet_key *key, __u32 bytes)
{
	return key->words[0] + key->words[GLIMPSE_KEY_WORDS - 1];
}

static __always_inline __u64 hash_update(const union packet_key *key, __u32 bytes)
{
	return count_shared(&bench_hash_table, key, bytes);
}

static __always_inline __u64 percpu_hash_update(const union packet_key *key, __u32 bytes)
{
	return count_percpu(&bench_percpu_table, key, bytes);
}

static __always_inline __u64 lru_hash_update(const union packet_key *key, __u32 bytes)
{
	return count_shared(&bench_lru_table, key, bytes);
}

static __always_inline __u64 lru_percpu_hash_update(const union packet_key *key, __u32 bytes)
{
	return count_percpu(&bench_lru_percpu_table, key, bytes);
}

static __always_inline __u64 sampled_update(const union packet_key *key, __u32 bytes)
{
	return count_sampled(&bench_hash_table, key, bytes);
}

static __always_inline __u64 count_min_update(const union packet_key *key, __u32 bytes)
{
	return grid_add(key);
}

static __always_inline __u64 conservative_update(const union packet_key *key, __u32 bytes)
{
	return grid_raise(key);
}

static __always_inline __u64 tfm_update(const union packet_key *key, __u32 bytes)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct tfm_header *sketch = bpf_map_lookup_elem(&tfm, &cpu);

	if (sketch)
		tfm_count(sketch, key, bytes);
	return 0;
}

static __always_inline __u64 both(struct hashed hash)
{
	return hash.h1 + hash.h2;
}

static __always_inline __u64 murmur3_update(const union packet_key *key, __u32 bytes)
{
	return both(hash_murmur3(key->words, GLIMPSE_KEY_WORDS, bench_secret[0]));
}

static __always_inline __u64 jhash_update(const union packet_key *key, __u32 bytes)
{
	return both(hash_jhash(key->words, GLIMPSE_KEY_WORDS, bench_secret[0]));
}

static __always_inline __u64 pms_update(const union packet_key *key, __u32 bytes)
{
	return both(hash_pms(key->words, GLIMPSE_KEY_WORDS, bench_secret));
}

BENCH(noop, noop_update)
BENCH(hash, hash_update)
BENCH(percpu_hash, percpu_hash_update)
BENCH(lru_hash, lru_hash_update)
BENCH(lru_percpu_hash, lru_percpu_hash_update)
BENCH(sampled, sampled_update)
BENCH(count_min, count_min_update)
BENCH(conservative, conservative_update)
BENCH(tfm, tfm_update)
BENCH(murmur3, murmur3_update)
BENCH(jhash, jhash_update)
BENCH(pms, pms_update)

char LICENSE[] SEC("license") = "Dual BSD/GPL";
