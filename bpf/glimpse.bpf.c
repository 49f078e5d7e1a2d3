// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * The adaptive telemetry: exact records of each key in High Detail, the TFM in Low Detail, and the
 * kernel's own trip from one to the other. Twin: simulator/glimpse.py.
 */
#include "key.h"
#include "geometry.h"

const volatile struct glimpse_config config = {
    .setting = GLIMPSE_SETTING_AUTO,
    .verdict = XDP_PASS,
    .hash = GLIMPSE_HASH_MURMUR3,
    .instances = 1,
    .buckets = BUCKETS,
    .rows = ROWS,
    .width = WIDTH,
    .groups = GROUPS,
};

#include "exact.h"
#include "sketch.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct glimpse_control);
} control SEC(".maps");

/* Entry epoch % 2 * instances + instance; no BTF value type, because its size is set at load. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 2);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, TFM_SIZE);
} tfm SEC(".maps");

/* The exact tables of even and odd epochs. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, glimpse_key);
	__type(value, struct exact_record);
} exact_0 SEC(".maps"), exact_1 SEC(".maps");

static __always_inline struct tfm_header *current_tfm(struct glimpse_control *state, __u64 epoch)
{
	__u32 instance = state->instance ? state->instance - 1 : bpf_get_smp_processor_id();
	__u32 index = (epoch & 1) * config.instances + instance;

	if (instance >= config.instances)
		return NULL;
	return bpf_map_lookup_elem(&tfm, &index);
}

/* Count a packet at the detail that holds now. */
static __always_inline void count_key(struct glimpse_control *state, struct tfm_header *sketch,
				      __u64 epoch, const union packet_key *key, __u32 bytes)
{
	__u64 detail = state->detail;
	bool exact = false;

	if (!is_low(state, detail)) {
		/* Two calls, so that each knows its map and the lookup is inlined. */
		exact = epoch & 1 ? count_exact(&exact_1, state, detail, key, bytes)
				  : count_exact(&exact_0, state, detail, key, bytes);
	}
	if (!exact) {
		tfm_count(sketch, key, bytes);
		return;
	}
	sketch->exact++;
	sketch->exact_bytes += bytes;
}

SEC("xdp.frags")
int glimpse(struct xdp_md *ctx)
{
	union packet_key key;
	struct glimpse_control *state;
	struct tfm_header *sketch;
	enum glimpse_outcome outcome;
	__u32 zero = 0, bytes;
	__u64 epoch;

	state = bpf_map_lookup_elem(&control, &zero);
	if (!state)
		return config.verdict;
	epoch = *(volatile __u64 *)&state->active;
	sketch = current_tfm(state, epoch);
	if (!sketch)
		return config.verdict;
	bytes = frame_length(ctx);
	sketch->seen++;
	sketch->seen_bytes += bytes;
	outcome = parse_key(ctx, bytes, &key);
	if (outcome == GLIMPSE_IP) {
		count_key(state, sketch, epoch, &key, bytes);
		return config.verdict;
	}
	if (outcome == GLIMPSE_NOT_IP)
		sketch->not_ip++;
	else
		sketch->malformed++;
	sketch->other_bytes += bytes;
	return config.verdict;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
