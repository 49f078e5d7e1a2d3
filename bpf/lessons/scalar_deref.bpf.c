// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/* A number read from memory is no pointer, whatever its C type says. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "expect.h"

int *somewhere;
int value;

EXPECT_REJECT("invalid mem access 'scalar'", "invalid mem access 'inv'")
EXPECT_AT("return *place ? XDP_PASS : XDP_DROP;")
SEC("?xdp")
int scalar_deref_bad(struct xdp_md *ctx)
{
	int *place = somewhere;

	return *place ? XDP_PASS : XDP_DROP;
}

SEC("?xdp")
int scalar_deref_good(struct xdp_md *ctx)
{
	int *place = &value;

	return *place ? XDP_PASS : XDP_DROP;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
