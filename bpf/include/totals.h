/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/* The packet accounts of the plain programs: seen = counted + refused + not_ip + malformed. */
#ifndef GLIMPSE_TOTALS_H
#define GLIMPSE_TOTALS_H

#include <stdbool.h>
#include <bpf/bpf_helpers.h>
#include "glimpse.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct packet_totals);
} totals SEC(".maps");

/* Account for one frame of `bytes` bytes. */
static __always_inline void add_to_totals(enum glimpse_outcome outcome, bool counted, __u32 bytes)
{
	__u32 zero = 0;
	struct packet_totals *sum = bpf_map_lookup_elem(&totals, &zero);

	if (!sum)
		return;
	__sync_fetch_and_add(&sum->seen, 1);
	__sync_fetch_and_add(&sum->seen_bytes, bytes);
	if (outcome == GLIMPSE_NOT_IP)
		__sync_fetch_and_add(&sum->not_ip, 1);
	else if (outcome == GLIMPSE_MALFORMED)
		__sync_fetch_and_add(&sum->malformed, 1);
	else if (counted)
		__sync_fetch_and_add(&sum->counted, 1);
	else
		__sync_fetch_and_add(&sum->refused, 1);
}

#endif
