// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/* A loop ends for a reason that the verifier can see. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "expect.h"

EXPECT_REJECT("infinite loop detected", "back-edge")
EXPECT_AT("for (;;)")
SEC("?xdp")
int loop_bad(struct xdp_md *ctx)
{
	for (;;)
		asm volatile("");
}

SEC("?xdp")
int loop_good(struct xdp_md *ctx)
{
	for (int i = 0; i < 8; i++)
		asm volatile("");
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
