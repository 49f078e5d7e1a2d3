/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * The light part of a TFM. A key counts in a cell: an 11-bit fingerprint over a 5-bit count, four
 * cells to a 64-bit group, in the emptier of two groups (Bonomi et al., "An Improved Construction
 * for Counting Bloom Filters", ESA 2006). The second group follows from the first and the
 * fingerprint (Fan et al., "Cuckoo Filter", CoNEXT 2014), so keys share a cell entirely or not at
 * all. A cell that is full carries into count-min rows with conservative update (Estan and
 * Varghese, 2002); a key whose groups are full counts in the rows alone. Twin: simulator/light.py.
 */
#ifndef GLIMPSE_LIGHT_H
#define GLIMPSE_LIGHT_H

#include "hash.h"
#include "key.h"

/* The geometry of this TFM, from .rodata. Define `config` before including this. */
extern const volatile struct glimpse_config config;

#define CELL_ONES 0x0001000100010001ULL /* the lowest bit of each cell of a group */
#define CELL_BITS 0xffffULL

/* Where the light part counts a key, and what it says of it now. */
struct light_place {
	__u64 h1;
	__u64 cell; /* the lowest bit of its cell, used or free; 0: its groups are full */
	/*
	 * verifier: of 64 bits, for clang scales 32 by two shifts, after which Linux 6.1 knows the
	 * bound only to a power of two; log: "invalid access to map value"; lesson:
	 * map_value_bounds
	 */
	__u64 group;
	__u32 fingerprint;
	__u32 estimate; /* never below the truth, unless saturated */
};

/* The place of group `group` < config.groups in its TFM. */
static __always_inline __u64 *light_group(struct tfm_header *tfm, __u64 group)
{
	__u64 *groups = (void *)(tfm + 1) + config.buckets * sizeof(glimpse_bucket);

	return groups + group;
}

static __always_inline __u8 *row_counter(struct tfm_header *tfm, __u64 bits, __u32 row)
{
	__u8 *rows = (void *)light_group(tfm, config.groups);

	/* Row 0 of the bits has chosen a group. */
	return rows + row * config.width + reduce(row_bits(bits, row + 1), config.width);
}

/* The smallest counter that `bits` choose. */
static __always_inline __u32 rows_estimate(struct tfm_header *tfm, __u64 bits)
{
	__u32 smallest = GLIMPSE_COUNTER_MAX;

#pragma unroll
	for (__u32 row = 0; row < GLIMPSE_MAX_ROWS; row++) {
		if (row >= config.rows)
			break;
		__u32 counter = *row_counter(tfm, bits, row);
		if (counter < smallest)
			smallest = counter;
	}
	return smallest;
}

/* Conservative update: raise only the counters that are below `target`. */
static __always_inline void rows_raise(struct tfm_header *tfm, __u64 bits, __u64 target)
{
	if (target > GLIMPSE_COUNTER_MAX) {
		target = GLIMPSE_COUNTER_MAX;
		tfm->saturated++;
	}
#pragma unroll
	for (__u32 row = 0; row < GLIMPSE_MAX_ROWS; row++) {
		if (row >= config.rows)
			break;
		__u8 *counter = row_counter(tfm, bits, row);
		if (*counter < target)
			*counter = target;
	}
}

/* The ones of the cells of `group` that are not 0; the addition cannot overflow a cell. */
static __always_inline __u64 used_cells(__u64 group)
{
	const __u64 low = 0x7fff * CELL_ONES;

	return ((group & low) + low | group) >> 15 & CELL_ONES;
}

/* The one of the cell with this fingerprint, or 0. Used cells have one, and none of them is 0. */
static __always_inline __u64 find_cell(__u64 group, __u32 fingerprint)
{
	const __u64 fingerprints = (CELL_BITS - GLIMPSE_CELL_MAX) * CELL_ONES;
	__u64 wanted = ((__u64)fingerprint << GLIMPSE_CELL_COUNT_BITS) * CELL_ONES;

	return used_cells((group ^ wanted) & fingerprints) ^ CELL_ONES;
}

/* The one of the first free cell, or 0; cells fill from the lowest on and are never freed. */
static __always_inline __u64 free_cell(__u64 group)
{
	__u64 used = used_cells(group);

	return (used << 16 | 1) ^ used;
}

/* What chooses the counters into which a cell carries. */
static __always_inline __u64 carry_bits(const struct light_place *place)
{
	return fmix64(place->group << 16 | place->fingerprint);
}

/* A count from GLIMPSE_CELL_PLAIN on may have carried. */
static __always_inline __u32 cell_estimate(struct tfm_header *tfm, const struct light_place *place,
					   __u64 group)
{
	/* Only the place's own cell is left; the product has it on top. */
	__u32 cell = (group & place->cell * CELL_BITS) * CELL_ONES >> 48;
	__u32 count = cell & GLIMPSE_CELL_MAX;

	if (count < GLIMPSE_CELL_PLAIN)
		return count;
	return count + GLIMPSE_CARRY * rows_estimate(tfm, carry_bits(place));
}

/* The other group of a fingerprint's key; the second's second is the first. */
static __always_inline __u64 second_group(__u64 first, __u32 fingerprint)
{
	__u64 groups = config.groups;
	__u64 second = reduce(fingerprint * 0x9e3779b1U, groups) + groups;

	/*
	 * verifier: Linux 6.1 follows the bound only if the subtraction comes after the addition
	 * and the register compared is the one reduced, which clang reorders; log: "R2 unbounded
	 * memory access"; lesson: unbounded_index
	 */
	asm("%0 -= %1\n\tif %0 < %2 goto +1\n\t%0 -= %2" : "+r"(second) : "r"(first), "r"(groups));
	return second;
}

/* Where a key counts: its cell, or a free one of the emptier group, or the rows. */
static __always_inline struct light_place light_find(struct tfm_header *tfm, struct hashed hash)
{
	/* The bits that do not choose the heavy bucket; all three hash families have them. */
	__u32 fingerprint = 1 + ((hash.h2 & 0xffff) * GLIMPSE_FINGERPRINTS >> 16);
	__u64 first = reduce(row_bits(hash.h1, 0), config.groups);
	__u64 second = second_group(first, fingerprint);
	struct light_place place = {.h1 = hash.h1, .group = first, .fingerprint = fingerprint};
	__u64 group, other, found;

	group = *light_group(tfm, first);
	other = *light_group(tfm, second);
	found = find_cell(group, fingerprint);
	/* As cells fill from the lowest on, the emptier group is the smaller number. */
	if (!found && (find_cell(other, fingerprint) || other < group)) {
		place.group = second;
		group = other;
		found = find_cell(other, fingerprint);
	}
	place.cell = found ? found : free_cell(group);
	if (found)
		place.estimate = cell_estimate(tfm, &place, group);
	else if (!place.cell)
		place.estimate = rows_estimate(tfm, hash.h1);
	return place;
}

/* Carry into the rows what exceeds a cell; returns the count that the cell keeps. */
static __always_inline __u32 cell_carry(struct tfm_header *tfm, const struct light_place *place,
					__u64 target)
{
	__u64 bits = carry_bits(place), carried = (target - GLIMPSE_CELL_PLAIN) / GLIMPSE_CARRY;
	__u32 count = target - GLIMPSE_CARRY * carried;

	/* Others' carries may have raised its counters above its own. */
	if (rows_estimate(tfm, bits) > carried)
		return GLIMPSE_CELL_PLAIN;
	rows_raise(tfm, bits, carried);
	return carried > GLIMPSE_COUNTER_MAX ? GLIMPSE_CELL_MAX : count;
}

/* Raise the estimate of a key to `target`, which is above it. */
static __always_inline void light_raise(struct tfm_header *tfm, const struct light_place *place,
					__u64 target)
{
	__u64 *group = light_group(tfm, place->group);
	__u64 cell = target;

	if (!place->estimate)
		tfm->new_keys++;
	if (!place->cell) {
		rows_raise(tfm, place->h1, target);
		return;
	}
	if (target >= GLIMPSE_CELL_PLAIN)
		cell = cell_carry(tfm, place, target);
	cell |= place->fingerprint << GLIMPSE_CELL_COUNT_BITS;
	*group = (*group & ~(place->cell * CELL_BITS)) | place->cell * cell;
}

#endif
