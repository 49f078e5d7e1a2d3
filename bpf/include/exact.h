/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * High Detail: exact records in a hash map, the new-key budget, and the trip to Low Detail that
 * the kernel takes by itself when a limit is met. Twin: simulator/glimpse.py.
 */
#ifndef GLIMPSE_EXACT_H
#define GLIMPSE_EXACT_H

#include <linux/errno.h>
#include "key.h"

/* From .rodata. Define `config` before including this. */
extern const volatile struct glimpse_config config;

static __always_inline __u64 current_time(const struct glimpse_control *state)
{
	return state->clock ? state->clock : bpf_ktime_get_ns();
}

/*
 * Low Detail holds while user space orders it, or while it has not yet named the latest trip: an
 * order given in ignorance of a trip does not undo it.
 */
static __always_inline bool is_low(const struct glimpse_control *state, __u64 detail)
{
	if (config.setting != GLIMPSE_SETTING_AUTO)
		return config.setting == GLIMPSE_SETTING_LOW;
	return (detail & 0xff) == GLIMPSE_LOW || detail >> 8 != state->trip >> 8;
}

/* Switch to Low Detail, once for all CPUs that meet the limit at the same time. */
static __always_inline void trip(struct glimpse_control *state, __u64 detail,
				 enum glimpse_cause cause)
{
	__u64 before = state->trip;

	if (config.setting != GLIMPSE_SETTING_AUTO || before >> 8 != detail >> 8)
		return;
	if (__sync_val_compare_and_swap(&state->trip, before, ((before >> 8) + 1) << 8 | cause) ==
	    before)
		state->trip_ns = current_time(state);
}

/* Insert a key with its first packet; false and a trip where a limit is met. */
static __always_inline bool insert_exact(void *table, struct glimpse_control *state, __u64 detail,
					 const union packet_key *key, __u32 bytes)
{
	__u64 now = current_time(state);
	struct exact_record first = {.packets = 1, .bytes = bytes, .first_ns = now, .last_ns = now};
	long error;

	if (__sync_fetch_and_add(&state->spent, 1) >= state->budget &&
	    config.setting == GLIMPSE_SETTING_AUTO) {
		trip(state, detail, GLIMPSE_CAUSE_BUDGET);
		return false;
	}
	error = bpf_map_update_elem(table, &key->key, &first, BPF_NOEXIST);
	if (error && error != -EEXIST)
		trip(state, detail, GLIMPSE_CAUSE_TABLE_FULL);
	return !error;
}

/* Count a packet in the exact table; false if it must go to the TFM. */
static __always_inline bool count_exact(void *table, struct glimpse_control *state, __u64 detail,
					const union packet_key *key, __u32 bytes)
{
	struct exact_record *record = bpf_map_lookup_elem(table, &key->key);

	if (!record) {
		if (insert_exact(table, state, detail, key, bytes))
			return true;
		/* Another CPU may have inserted the same key in between (-EEXIST). */
		record = bpf_map_lookup_elem(table, &key->key);
		if (!record)
			return false;
	}
	__sync_fetch_and_add(&record->packets, 1);
	__sync_fetch_and_add(&record->bytes, bytes);
	record->last_ns = current_time(state);
	return true;
}

#endif
