// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/* A dynptr is made before it is read. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "expect.h"

char buffer[64];

EXPECT_REJECT("Expected an initialized dynptr")
EXPECT_AT("bpf_dynptr_read(&byte, 1, &view, 0, 0);")
SEC("?xdp")
int dynptr_bad(struct xdp_md *ctx)
{
	struct bpf_dynptr view;
	char byte = 0;

	bpf_dynptr_read(&byte, 1, &view, 0, 0);
	return byte ? XDP_PASS : XDP_DROP;
}

SEC("?xdp")
int dynptr_good(struct xdp_md *ctx)
{
	struct bpf_dynptr view;
	char byte = 0;

	bpf_dynptr_from_mem(buffer, sizeof(buffer), 0, &view);
	bpf_dynptr_read(&byte, 1, &view, 0, 0);
	return byte ? XDP_PASS : XDP_DROP;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
