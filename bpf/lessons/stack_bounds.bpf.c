// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/* The index into a local array is bounded by the array's size. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "expect.h"

EXPECT_REJECT("invalid variable-offset write to stack", "variable stack")
EXPECT_AT("marks[at] = 1;")
SEC("?xdp")
int stack_bounds_bad(struct xdp_md *ctx)
{
	volatile char marks[16] = {};
	__u32 at = ctx->rx_queue_index;

	if (at > 16)
		return XDP_DROP;
	marks[at] = 1;
	return marks[3] ? XDP_PASS : XDP_DROP;
}

SEC("?xdp")
int stack_bounds_good(struct xdp_md *ctx)
{
	volatile char marks[16] = {};
	__u32 at = ctx->rx_queue_index;

	if (at >= 16)
		return XDP_DROP;
	marks[at] = 1;
	return marks[3] ? XDP_PASS : XDP_DROP;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
