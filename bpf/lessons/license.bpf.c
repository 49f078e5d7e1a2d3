// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/* Some helpers are for GPL-compatible programs only. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "expect.h"

EXPECT_REJECT("cannot call GPL-restricted function from non-GPL compatible program")
EXPECT_AT("return bpf_get_current_task() ? XDP_PASS : XDP_DROP;")
SEC("?xdp")
int license_bad(struct xdp_md *ctx)
{
	return bpf_get_current_task() ? XDP_PASS : XDP_DROP;
}

SEC("?xdp")
int license_good(struct xdp_md *ctx)
{
	return bpf_ktime_get_ns() ? XDP_PASS : XDP_DROP;
}

/* With "GPL", or "Dual BSD/GPL" as everywhere else, both are accepted. */
char LICENSE[] SEC("license") = "Proprietary";
