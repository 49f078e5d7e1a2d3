// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * The comparison point: exact counts per key in a hash map, and nothing else. Keys that find the
 * map full are refused, as in any program of this kind. Twin: simulator/metrics.py, truth.
 */
#include "key.h"
#include "totals.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, glimpse_key);
	__type(value, struct baseline_record);
} baseline_counts SEC(".maps");

/* Count a packet of a key; false if the map is full. */
static __always_inline bool baseline_count(const union packet_key *key, __u32 bytes)
{
	struct baseline_record *record = bpf_map_lookup_elem(&baseline_counts, &key->key);
	struct baseline_record first = {.packets = 1, .bytes = bytes};

	if (!record) {
		if (!bpf_map_update_elem(&baseline_counts, &key->key, &first, BPF_NOEXIST))
			return true;
		/* Full, or another CPU has just inserted the same key. */
		record = bpf_map_lookup_elem(&baseline_counts, &key->key);
		if (!record)
			return false;
	}
	__sync_fetch_and_add(&record->packets, 1);
	__sync_fetch_and_add(&record->bytes, bytes);
	return true;
}

SEC("xdp.frags")
int baseline(struct xdp_md *ctx)
{
	__u32 bytes = frame_length(ctx);
	enum glimpse_outcome outcome;
	union packet_key key;
	bool counted = false;

	outcome = parse_key(ctx, bytes, &key);
	if (outcome == GLIMPSE_IP)
		counted = baseline_count(&key, bytes);
	add_to_totals(outcome, counted, bytes);
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
