// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/* A length that a helper takes is bounded from both sides before the call. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "expect.h"

long length;
char copy[64];

EXPECT_REJECT("R4 min value is negative", "invalid zero-sized read")
EXPECT_AT("return bpf_skb_load_bytes(ctx, 0, copy, size);")
SEC("?tc")
int size_arg_bad(struct __sk_buff *ctx)
{
	long size = length;

	if (size > (long)sizeof(copy))
		return 0;
	return bpf_skb_load_bytes(ctx, 0, copy, size);
}

SEC("?tc")
int size_arg_good(struct __sk_buff *ctx)
{
	long size = length;

	if (size < 1 || size > (long)sizeof(copy))
		return 0;
	return bpf_skb_load_bytes(ctx, 0, copy, size);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
