// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/* An exception is thrown with nothing held. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "expect.h"

void bpf_throw(__u64 cookie) __ksym;
void bpf_rcu_read_lock(void) __ksym;
void bpf_rcu_read_unlock(void) __ksym;

EXPECT_REJECT("bpf_throw cannot be used inside bpf_rcu_read_lock-ed region")
EXPECT_AT("bpf_throw(0);")
SEC("?tc")
int exception_bad(struct __sk_buff *ctx)
{
	bpf_rcu_read_lock();
	if (ctx->len > 1500)
		bpf_throw(0);
	bpf_rcu_read_unlock();
	return 0;
}

SEC("?tc")
int exception_good(struct __sk_buff *ctx)
{
	bpf_rcu_read_lock();
	bpf_rcu_read_unlock();
	if (ctx->len > 1500)
		bpf_throw(0);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
