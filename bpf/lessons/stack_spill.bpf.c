// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/* A pointer is saved whole, in 8 bytes. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "expect.h"

EXPECT_REJECT("invalid size of register spill")
EXPECT_AT("asm volatile")
SEC("?xdp")
LESSON_NAKED int stack_spill_bad(void)
{
	asm volatile("*(u32 *)(r10 - 8) = r1;"
		     "r0 = 2;"
		     "exit;");
}

SEC("?xdp")
LESSON_NAKED int stack_spill_good(void)
{
	asm volatile("*(u64 *)(r10 - 8) = r1;"
		     "r0 = 2;"
		     "exit;");
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
