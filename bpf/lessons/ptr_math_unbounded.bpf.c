// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/* What is added to a pointer is bounded first. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "expect.h"

char names[64];
__s64 place;

EXPECT_REJECT("register with unbounded min value is not allowed")
EXPECT_AT("return names[at] ? XDP_PASS : XDP_DROP;")
SEC("?xdp")
int ptr_math_unbounded_bad(struct xdp_md *ctx)
{
	__s64 at = place;

	if (at >= 64)
		return XDP_DROP;
	return names[at] ? XDP_PASS : XDP_DROP;
}

SEC("?xdp")
int ptr_math_unbounded_good(struct xdp_md *ctx)
{
	__s64 at = place;

	if (at < 0 || at >= 64)
		return XDP_DROP;
	return names[at] ? XDP_PASS : XDP_DROP;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
