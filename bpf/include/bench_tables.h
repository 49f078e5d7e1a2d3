/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/* The exact subjects of the benchmark: {packets, bytes} of each key in the kernel's hash maps. */
#ifndef GLIMPSE_BENCH_TABLES_H
#define GLIMPSE_BENCH_TABLES_H

#include "key.h"

#define BENCH_TABLE(name, kind)                                                                    \
	struct {                                                                                   \
		__uint(type, kind);                                                                \
		__uint(max_entries, 1);                                                            \
		__type(key, glimpse_key);                                                          \
		__type(value, struct baseline_record);                                             \
	} name SEC(".maps")

BENCH_TABLE(bench_hash_table, BPF_MAP_TYPE_HASH);
BENCH_TABLE(bench_percpu_table, BPF_MAP_TYPE_PERCPU_HASH);
BENCH_TABLE(bench_lru_table, BPF_MAP_TYPE_LRU_HASH);
BENCH_TABLE(bench_lru_percpu_table, BPF_MAP_TYPE_LRU_PERCPU_HASH);

/* Find the key's record, or insert its first packet and return NULL; full maps refuse in silence.
 */
static __always_inline struct baseline_record *
find_or_insert(void *table, const union packet_key *key, __u32 bytes)
{
	struct baseline_record *record = bpf_map_lookup_elem(table, &key->key);
	struct baseline_record first = {.packets = 1, .bytes = bytes};

	if (record)
		return record;
	if (!bpf_map_update_elem(table, &key->key, &first, BPF_NOEXIST))
		return NULL;
	/* Full, or another CPU has just inserted the same key. */
	return bpf_map_lookup_elem(table, &key->key);
}

/* All CPUs write the same record. */
static __always_inline __u64 count_shared(void *table, const union packet_key *key, __u32 bytes)
{
	struct baseline_record *record = find_or_insert(table, key, bytes);

	if (record) {
		__sync_fetch_and_add(&record->packets, 1);
		__sync_fetch_and_add(&record->bytes, bytes);
	}
	return 0;
}

/* Each CPU has a record of its own. */
static __always_inline __u64 count_percpu(void *table, const union packet_key *key, __u32 bytes)
{
	struct baseline_record *record = find_or_insert(table, key, bytes);

	if (record) {
		record->packets++;
		record->bytes += bytes;
	}
	return 0;
}

/* One packet in `bench_one_in` goes to the hash map: systematic count-based sampling, RFC 5475. */
const volatile __u32 bench_one_in = 100;

/* Packets since the latest sample; a cache line for each CPU. */
struct bench_pause {
	__u64 packets;
	__u64 unused[7];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct bench_pause);
} bench_pauses SEC(".maps");

static __always_inline __u64 count_sampled(void *table, const union packet_key *key, __u32 bytes)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct bench_pause *pause = bpf_map_lookup_elem(&bench_pauses, &cpu);

	if (!pause || ++pause->packets < bench_one_in)
		return 0;
	pause->packets = 0;
	return count_shared(table, key, bytes);
}

#endif
