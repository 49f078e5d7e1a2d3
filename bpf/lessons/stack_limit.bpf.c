// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/* The frames of a chain of calls share 512 bytes. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "expect.h"

/* Write one byte of a large local buffer. */
static __noinline int use_stack(__u32 at)
{
	volatile char buffer[300] = {};

	return buffer[at & 127];
}

/* The same with a small one. */
static __noinline int use_less_stack(__u32 at)
{
	volatile char buffer[128] = {};

	return buffer[at & 127];
}

EXPECT_REJECT("combined stack size of")
EXPECT_AT("int stack_limit_bad")
SEC("?xdp")
int stack_limit_bad(struct xdp_md *ctx)
{
	volatile char buffer[300] = {};

	buffer[0] = use_stack(ctx->rx_queue_index);
	return buffer[0] ? XDP_PASS : XDP_DROP;
}

SEC("?xdp")
int stack_limit_good(struct xdp_md *ctx)
{
	volatile char buffer[300] = {};

	buffer[0] = use_less_stack(ctx->rx_queue_index);
	return buffer[0] ? XDP_PASS : XDP_DROP;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
