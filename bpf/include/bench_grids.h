/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * The plain sketches of the benchmark: rows x width u32 counters. As the TFM has it, each CPU
 * writes a grid of its own, without atomics.
 */
#ifndef GLIMPSE_BENCH_GRIDS_H
#define GLIMPSE_BENCH_GRIDS_H

#include "hash.h"
#include "key.h"

enum { BENCH_ROWS = 4, BENCH_WIDTH = 16384 };

const volatile __u32 bench_rows = BENCH_ROWS; /* at most GLIMPSE_MAX_ROWS */
const volatile __u32 bench_width = BENCH_WIDTH;
__u64 bench_secret[GLIMPSE_HASH_WORDS]; /* not const, or clang folds its zeros */

/* One value per CPU: rows x width u32; sized at load together with the two knobs. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, BENCH_ROWS *BENCH_WIDTH * sizeof(__u32));
} bench_grid SEC(".maps");

static __always_inline __u32 *grid_of_this_cpu(void)
{
	__u32 cpu = bpf_get_smp_processor_id();

	return bpf_map_lookup_elem(&bench_grid, &cpu);
}

static __always_inline __u32 *grid_counter(__u32 *grid, __u64 h1, __u32 row)
{
	__u32 column = reduce(row_bits(h1, row), bench_width);

	/*
	 * verifier: clang folds `>> 32` and `* 4` into a shift and a mask, and the upper bound of
	 * the result is then not a multiple of 4; log: "R9 max value is outside of the allowed
	 * memory range"; lesson: map_value_bounds
	 */
	barrier_var(column);
	return grid + row * bench_width + column;
}

/* Count-min (Cormode and Muthukrishnan, 2005): add one in every row. */
static __always_inline __u64 grid_add(const union packet_key *key)
{
	__u32 *grid = grid_of_this_cpu();
	struct hashed hash;

	if (!grid)
		return 0;
	hash = hash_words(GLIMPSE_HASH_MURMUR3, key->words, GLIMPSE_KEY_WORDS, bench_secret);
#pragma unroll
	for (__u32 row = 0; row < GLIMPSE_MAX_ROWS; row++) {
		if (row >= bench_rows)
			break;
		++*grid_counter(grid, hash.h1, row);
	}
	return 0;
}

/* Conservative update (Estan and Varghese, 2002): raise the counters that are smallest. */
static __always_inline __u64 grid_raise(const union packet_key *key)
{
	__u32 *grid = grid_of_this_cpu(), smallest = ~0U;
	struct hashed hash;

	if (!grid)
		return 0;
	hash = hash_words(GLIMPSE_HASH_MURMUR3, key->words, GLIMPSE_KEY_WORDS, bench_secret);
#pragma unroll
	for (__u32 row = 0; row < GLIMPSE_MAX_ROWS; row++) {
		if (row >= bench_rows)
			break;
		__u32 counter = *grid_counter(grid, hash.h1, row);
		if (counter < smallest)
			smallest = counter;
	}
#pragma unroll
	for (__u32 row = 0; row < GLIMPSE_MAX_ROWS; row++) {
		if (row >= bench_rows)
			break;
		__u32 *counter = grid_counter(grid, hash.h1, row);
		if (*counter == smallest)
			*counter = smallest + 1;
	}
	return 0;
}

#endif
