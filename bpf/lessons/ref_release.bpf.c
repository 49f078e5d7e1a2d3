// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/* Only what was acquired is released; a buffer's own socket was not. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "expect.h"

EXPECT_REJECT("must be referenced when passed to release function")
EXPECT_AT("bpf_sk_release(socket);")
SEC("?tc")
int ref_release_bad(struct __sk_buff *ctx)
{
	struct bpf_sock *socket = ctx->sk;

	if (socket)
		bpf_sk_release(socket);
	return 0;
}

SEC("?tc")
int ref_release_good(struct __sk_buff *ctx)
{
	struct bpf_sock_tuple tuple = {};
	struct bpf_sock *socket = bpf_sk_lookup_udp(ctx, &tuple, sizeof(tuple.ipv4), -1, 0);

	if (socket)
		bpf_sk_release(socket);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
