// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/* A region that was entered is left on every path. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "expect.h"

void bpf_rcu_read_lock(void) __ksym;
void bpf_rcu_read_unlock(void) __ksym;

EXPECT_REJECT("inside bpf_rcu_read_lock-ed region", "bpf_rcu_read_unlock is missing")
EXPECT_AT("if (ctx->len > 1500)")
SEC("?tc")
int rcu_preempt_irq_bad(struct __sk_buff *ctx)
{
	bpf_rcu_read_lock();
	if (ctx->len > 1500)
		return 0;
	bpf_rcu_read_unlock();
	return 0;
}

SEC("?tc")
int rcu_preempt_irq_good(struct __sk_buff *ctx)
{
	bpf_rcu_read_lock();
	if (ctx->len > 1500)
		bpf_printk("long");
	bpf_rcu_read_unlock();
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
