// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/* A dynptr's stack bytes are no buffer that a helper could read. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "expect.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__uint(key_size, 16);
	__uint(value_size, 8);
} seen SEC(".maps");

char buffer[64];

EXPECT_REJECT("read from stack")
EXPECT_AT("return bpf_map_lookup_elem(&seen, &view) ? XDP_PASS : XDP_DROP;")
SEC("?xdp")
int stack_uninit_bad(struct xdp_md *ctx)
{
	struct bpf_dynptr view;

	bpf_dynptr_from_mem(buffer, sizeof(buffer), 0, &view);
	return bpf_map_lookup_elem(&seen, &view) ? XDP_PASS : XDP_DROP;
}

SEC("?xdp")
int stack_uninit_good(struct xdp_md *ctx)
{
	char key[16] = {};
	struct bpf_dynptr view;

	bpf_dynptr_from_mem(buffer, sizeof(buffer), 0, &view);
	return bpf_map_lookup_elem(&seen, key) ? XDP_PASS : XDP_DROP;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
