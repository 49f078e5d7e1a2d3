// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/* A kernel function is open to certain program types. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "expect.h"

int bpf_dynptr_from_skb(struct __sk_buff *skb, __u64 flags, struct bpf_dynptr *view) __ksym;
int bpf_dynptr_from_xdp(struct xdp_md *xdp, __u64 flags, struct bpf_dynptr *view) __ksym;

EXPECT_REJECT("calling kernel function bpf_dynptr_from_skb is not allowed")
EXPECT_AT("bpf_dynptr_from_skb((void *)ctx, 0, &view);")
SEC("?xdp")
int kfunc_unavailable_bad(struct xdp_md *ctx)
{
	struct bpf_dynptr view;

	bpf_dynptr_from_skb((void *)ctx, 0, &view);
	return XDP_PASS;
}

SEC("?xdp")
int kfunc_unavailable_good(struct xdp_md *ctx)
{
	struct bpf_dynptr view;

	bpf_dynptr_from_xdp(ctx, 0, &view);
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
