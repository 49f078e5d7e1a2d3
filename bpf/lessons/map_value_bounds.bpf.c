// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/* An index is compared with the number of elements, not with the last one plus one. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "expect.h"

struct counts {
	__u32 of[16];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct counts);
} counters SEC(".maps");

EXPECT_REJECT("invalid access to map value")
EXPECT_AT("counts->of[index] = 1;")
SEC("?xdp")
int map_value_bounds_bad(struct xdp_md *ctx)
{
	__u32 key = 0, index = ctx->rx_queue_index;
	struct counts *counts = bpf_map_lookup_elem(&counters, &key);

	if (!counts || index > 16)
		return XDP_DROP;
	counts->of[index] = 1;
	return XDP_PASS;
}

SEC("?xdp")
int map_value_bounds_good(struct xdp_md *ctx)
{
	__u32 key = 0, index = ctx->rx_queue_index;
	struct counts *counts = bpf_map_lookup_elem(&counters, &key);

	if (!counts || index >= 16)
		return XDP_DROP;
	counts->of[index] = 1;
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
