// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/* The old packet loads are for socket filters and tc; XDP reads through data. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "expect.h"

EXPECT_REJECT("BPF_LD_[ABS|IND] instructions not allowed for this program type")
EXPECT_AT("asm volatile")
SEC("?xdp")
LESSON_NAKED int ld_abs_bad(void)
{
	asm volatile("r6 = r1;"
		     "r0 = *(u8 *)skb[0];"
		     "r0 = 2;"
		     "exit;");
}

SEC("?tc")
LESSON_NAKED int ld_abs_good(void)
{
	asm volatile("r6 = r1;"
		     "r0 = *(u8 *)skb[0];"
		     "r0 = 2;"
		     "exit;");
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
