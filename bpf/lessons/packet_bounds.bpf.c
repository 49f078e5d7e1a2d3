// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/* A packet byte exists only as far as a comparison with data_end has shown. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "expect.h"

EXPECT_REJECT("invalid access to packet")
EXPECT_AT("return data[14] ? XDP_PASS : XDP_DROP;")
SEC("?xdp")
int packet_bounds_bad(struct xdp_md *ctx)
{
	__u8 *data = (void *)(long)ctx->data;
	__u8 *end = (void *)(long)ctx->data_end;

	if (data + 14 > end)
		return XDP_DROP;
	return data[14] ? XDP_PASS : XDP_DROP;
}

SEC("?xdp")
int packet_bounds_good(struct xdp_md *ctx)
{
	__u8 *data = (void *)(long)ctx->data;
	__u8 *end = (void *)(long)ctx->data_end;

	if (data + 15 > end)
		return XDP_DROP;
	return data[14] ? XDP_PASS : XDP_DROP;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
