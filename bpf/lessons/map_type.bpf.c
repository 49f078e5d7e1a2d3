// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/* A redirection goes through a DEVMAP, CPUMAP or XSKMAP, not through any map of numbers. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "expect.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} numbers SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} devices SEC(".maps");

EXPECT_REJECT("cannot pass map_type")
EXPECT_AT("return bpf_redirect_map(&numbers, 0, 0);")
SEC("?xdp")
int map_type_bad(struct xdp_md *ctx)
{
	return bpf_redirect_map(&numbers, 0, 0);
}

SEC("?xdp")
int map_type_good(struct xdp_md *ctx)
{
	return bpf_redirect_map(&devices, 0, 0);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
