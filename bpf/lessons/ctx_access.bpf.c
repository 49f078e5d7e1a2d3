// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/* Each program type may write certain fields of its context; XDP none of them. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "expect.h"

EXPECT_REJECT("invalid bpf_context access")
EXPECT_AT("ctx->rx_queue_index = 0;")
SEC("?xdp")
int ctx_access_bad(struct xdp_md *ctx)
{
	ctx->rx_queue_index = 0;
	return XDP_PASS;
}

SEC("?xdp")
int ctx_access_good(struct xdp_md *ctx)
{
	return ctx->rx_queue_index ? XDP_PASS : XDP_DROP;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
