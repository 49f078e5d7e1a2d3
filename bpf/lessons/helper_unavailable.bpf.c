// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/* A socket buffer's helpers are not there in XDP, which has no socket buffer yet. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "expect.h"

EXPECT_REJECT("program of this type cannot use helper bpf_skb_load_bytes",
	      "unknown func bpf_skb_load_bytes")
EXPECT_AT("bpf_skb_load_bytes(ctx, 0, &byte, 1);")
SEC("?xdp")
int helper_unavailable_bad(struct xdp_md *ctx)
{
	char byte = 0;

	bpf_skb_load_bytes(ctx, 0, &byte, 1);
	return byte ? XDP_PASS : XDP_DROP;
}

SEC("?xdp")
int helper_unavailable_good(struct xdp_md *ctx)
{
	char byte = 0;

	bpf_xdp_load_bytes(ctx, 0, &byte, 1);
	return byte ? XDP_PASS : XDP_DROP;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
