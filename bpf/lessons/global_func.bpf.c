// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/* A function that is not static is verified by itself, and must know how much it may read. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "expect.h"

struct unknown;
struct known {
	__u32 first;
};

/* Whatever this points to, its size is nowhere. */
__noinline int read_unknown(struct unknown *from)
{
	return from ? *(__u32 *)from : 0;
}

/* Four bytes. */
__noinline int read_known(struct known *from)
{
	return from ? from->first : 0;
}

EXPECT_REJECT("reference type('FWD unknown')")
EXPECT_AT("return read_unknown((void *)&local) ? XDP_PASS : XDP_DROP;")
SEC("?xdp")
int global_func_bad(struct xdp_md *ctx)
{
	struct known local = {ctx->rx_queue_index};

	return read_unknown((void *)&local) ? XDP_PASS : XDP_DROP;
}

SEC("?xdp")
int global_func_good(struct xdp_md *ctx)
{
	struct known local = {ctx->rx_queue_index};

	return read_known(&local) ? XDP_PASS : XDP_DROP;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
