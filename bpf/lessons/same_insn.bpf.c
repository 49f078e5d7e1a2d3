// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/* One load serves the context or another pointer, not both. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "expect.h"

EXPECT_REJECT("same insn cannot be used with different pointers")
EXPECT_AT("asm volatile")
SEC("?xdp")
LESSON_NAKED int same_insn_bad(void)
{
	asm volatile("r2 = r10;"
		     "r2 += -64;"
		     "r3 = 0;"
		     "*(u32 *)(r2 + 16) = r3;"
		     "r3 = *(u32 *)(r1 + 12);"
		     "if r3 == 0 goto +1;"
		     "r2 = r1;"
		     "r0 = *(u32 *)(r2 + 16);" /* the stack's, or the context's */
		     "r0 = 2;"
		     "exit;");
}

SEC("?xdp")
LESSON_NAKED int same_insn_good(void)
{
	asm volatile("r2 = r10;"
		     "r2 += -64;"
		     "r3 = 0;"
		     "*(u32 *)(r2 + 16) = r3;"
		     "r3 = *(u32 *)(r1 + 12);"
		     "if r3 == 0 goto +2;"
		     "r0 = *(u32 *)(r1 + 16);"
		     "goto +1;"
		     "r0 = *(u32 *)(r2 + 16);"
		     "r0 = 2;"
		     "exit;");
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
