// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * Phase 2: a plain count-min sketch (Cormode and Muthukrishnan, 2005), u32 counters in one array
 * value that all CPUs add to atomically. Twin: simulator/sketches/count_min.py.
 */
#include "hash.h"
#include "key.h"
#include "totals.h"

enum { ROWS = 4, WIDTH = 16384 };

const volatile __u32 count_min_rows = ROWS; /* at most GLIMPSE_MAX_ROWS */
const volatile __u32 count_min_width = WIDTH;
const volatile __u32 count_min_hash = GLIMPSE_HASH_MURMUR3;
__u64 count_min_hash_key[GLIMPSE_HASH_WORDS]; /* the secret; not const, or clang folds its zeros */

/* One value: rows x width u32; its size is set at load together with the two knobs. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, ROWS *WIDTH * sizeof(__u32));
} count_min_grid SEC(".maps");

/* Add one to the key's counter in every row. */
static __always_inline bool count_min_count(const union packet_key *key)
{
	__u32 zero = 0;
	__u32 *grid = bpf_map_lookup_elem(&count_min_grid, &zero);
	struct hashed hash;

	if (!grid)
		return false;
	hash = hash_words(count_min_hash, key->words, GLIMPSE_KEY_WORDS, count_min_hash_key);
#pragma unroll
	for (__u32 row = 0; row < GLIMPSE_MAX_ROWS; row++) {
		if (row >= count_min_rows)
			break;
		__u32 column = reduce(row_bits(hash.h1, row), count_min_width);
		/*
		 * verifier: clang folds `>> 32` and `* 4` into a shift and a mask, and the upper
		 * bound of the result is then not a multiple of 4; log: "R9 max value is outside of
		 * the allowed memory range"; lesson: map_value_bounds
		 */
		barrier_var(column);
		__sync_fetch_and_add(grid + row * count_min_width + column, 1);
	}
	return true;
}

SEC("xdp.frags")
int count_min(struct xdp_md *ctx)
{
	__u32 bytes = frame_length(ctx);
	enum glimpse_outcome outcome;
	union packet_key key;
	bool counted = false;

	outcome = parse_key(ctx, bytes, &key);
	if (outcome == GLIMPSE_IP)
		counted = count_min_count(&key);
	add_to_totals(outcome, counted, bytes);
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
