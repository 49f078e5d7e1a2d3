// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/* A lookup may find nothing. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "expect.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__type(key, __u32);
	__type(value, __u64);
} seen SEC(".maps");

EXPECT_REJECT("R0 invalid mem access 'map_value_or_null'")
EXPECT_AT("*count = 1;")
SEC("?xdp")
int null_deref_bad(struct xdp_md *ctx)
{
	__u32 key = ctx->ingress_ifindex;
	__u64 *count = bpf_map_lookup_elem(&seen, &key);

	*count = 1;
	return XDP_PASS;
}

SEC("?xdp")
int null_deref_good(struct xdp_md *ctx)
{
	__u32 key = ctx->ingress_ifindex;
	__u64 *count = bpf_map_lookup_elem(&seen, &key);

	if (!count)
		return XDP_DROP;
	*count = 1;
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
