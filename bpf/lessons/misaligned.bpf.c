// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/* Stack accesses are aligned to their size. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "expect.h"

EXPECT_REJECT("misaligned stack access")
EXPECT_AT("asm volatile")
SEC("?xdp")
int misaligned_bad(struct xdp_md *ctx)
{
	asm volatile("*(u64 *)(r10 - 15) = %0" ::"r"(1L));
	return XDP_PASS;
}

SEC("?xdp")
int misaligned_good(struct xdp_md *ctx)
{
	asm volatile("*(u64 *)(r10 - 16) = %0" ::"r"(1L));
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
