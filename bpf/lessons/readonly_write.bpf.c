// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/* What is const lies in .rodata, which programs cannot write. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "expect.h"

const volatile __u32 limit = 1;
volatile __u32 count;

EXPECT_REJECT("write into map forbidden")
EXPECT_AT("*(volatile __u32 *)&limit = 2;")
SEC("?xdp")
int readonly_write_bad(struct xdp_md *ctx)
{
	*(volatile __u32 *)&limit = 2;
	return XDP_PASS;
}

SEC("?xdp")
int readonly_write_good(struct xdp_md *ctx)
{
	*(volatile __u32 *)&count = 2;
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
