// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/* A cgroup's hook takes 0 (refuse) or 1 (allow). */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "expect.h"

EXPECT_REJECT("At program exit the register R0")
EXPECT_AT("return 2;")
SEC("?cgroup/sock_create")
int return_value_bad(struct bpf_sock *ctx)
{
	return 2;
}

SEC("?cgroup/sock_create")
int return_value_good(struct bpf_sock *ctx)
{
	return 1;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
