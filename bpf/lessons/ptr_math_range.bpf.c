// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/* An offset stays below 2^29, even when it is a constant. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "expect.h"

char names[64];

EXPECT_REJECT("makes map_value pointer be out of bounds", "math between map_value pointer")
EXPECT_AT("asm volatile")
SEC("?xdp")
int ptr_math_range_bad(struct xdp_md *ctx)
{
	char *name = names;

	asm volatile("%0 += 0x40000000" : "+r"(name));
	return *name ? XDP_PASS : XDP_DROP;
}

SEC("?xdp")
int ptr_math_range_good(struct xdp_md *ctx)
{
	char *name = names;

	asm volatile("%0 += 0x3f" : "+r"(name));
	return *name ? XDP_PASS : XDP_DROP;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
