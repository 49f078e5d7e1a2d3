// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/* An index that nobody compared may be as large as its type. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "expect.h"

char names[64];
__u64 place;

EXPECT_REJECT("unbounded memory access, make sure to bounds check")
EXPECT_AT("return names[at] ? XDP_PASS : XDP_DROP;")
SEC("?xdp")
int unbounded_index_bad(struct xdp_md *ctx)
{
	__u32 at = place;

	return names[at] ? XDP_PASS : XDP_DROP;
}

SEC("?xdp")
int unbounded_index_good(struct xdp_md *ctx)
{
	__u32 at = place;

	if (at >= sizeof(names))
		return XDP_DROP;
	return names[at] ? XDP_PASS : XDP_DROP;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
