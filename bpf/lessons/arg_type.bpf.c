// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/* A helper that takes a key wants its address. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "expect.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__type(key, __u64);
	__type(value, __u64);
} seen SEC(".maps");

EXPECT_REJECT("R2 type=scalar expected=", "R2 type=inv expected=")
EXPECT_AT("return bpf_map_lookup_elem(&seen, (void *)key) ? XDP_PASS : XDP_DROP;")
SEC("?xdp")
int arg_type_bad(struct xdp_md *ctx)
{
	__u64 key = ctx->ingress_ifindex;

	return bpf_map_lookup_elem(&seen, (void *)key) ? XDP_PASS : XDP_DROP;
}

SEC("?xdp")
int arg_type_good(struct xdp_md *ctx)
{
	__u64 key = ctx->ingress_ifindex;

	return bpf_map_lookup_elem(&seen, &key) ? XDP_PASS : XDP_DROP;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
