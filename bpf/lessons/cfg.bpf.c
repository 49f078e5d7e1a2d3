// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/* Every instruction can be reached. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "expect.h"

EXPECT_REJECT("unreachable insn")
EXPECT_AT("int cfg_bad")
SEC("?xdp")
LESSON_NAKED int cfg_bad(void)
{
	asm volatile("r0 = 2;"
		     "exit;"
		     "r0 = 1;"
		     "exit;");
}

SEC("?xdp")
LESSON_NAKED int cfg_good(void)
{
	asm volatile("r0 = 2;"
		     "if r1 == 0 goto +1;"
		     "exit;"
		     "r0 = 1;"
		     "exit;");
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
