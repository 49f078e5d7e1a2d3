// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/* A callback is a static function: the verifier walks it with its call. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "expect.h"

/* Not static. */
__noinline int visit(__u32 i, void *nothing)
{
	return 0;
}

/* Static. */
static __noinline int visit_static(__u32 i, void *nothing)
{
	return 0;
}

EXPECT_REJECT("callback function not static")
EXPECT_AT("bpf_loop(4, visit, 0, 0);")
SEC("?xdp")
int btf_metadata_bad(struct xdp_md *ctx)
{
	bpf_loop(4, visit, 0, 0);
	return XDP_PASS;
}

SEC("?xdp")
int btf_metadata_good(struct xdp_md *ctx)
{
	bpf_loop(4, visit_static, 0, 0);
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
