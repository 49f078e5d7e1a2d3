// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/* data moves towards data_end; data_end itself may not be moved. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "expect.h"

EXPECT_REJECT("pointer arithmetic on pkt_end prohibited")
EXPECT_AT("asm volatile")
SEC("?xdp")
int ptr_arith_prohibited_bad(struct xdp_md *ctx)
{
	__u8 *data = (void *)(long)ctx->data;
	__u8 *end = (void *)(long)ctx->data_end;

	asm volatile("%0 += -14" : "+r"(end));
	return data > end ? XDP_DROP : XDP_PASS;
}

SEC("?xdp")
int ptr_arith_prohibited_good(struct xdp_md *ctx)
{
	__u8 *data = (void *)(long)ctx->data;
	__u8 *end = (void *)(long)ctx->data_end;

	asm volatile("%0 += 14" : "+r"(data));
	return data > end ? XDP_DROP : XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
