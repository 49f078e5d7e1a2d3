// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/* Nobody writes the frame pointer. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "expect.h"

EXPECT_REJECT("frame pointer is read only")
EXPECT_AT("asm volatile")
SEC("?xdp")
LESSON_NAKED int insn_encoding_bad(void)
{
	asm volatile("r10 += -8;"
		     "r0 = 2;"
		     "exit;");
}

SEC("?xdp")
LESSON_NAKED int insn_encoding_good(void)
{
	asm volatile("r1 = r10;"
		     "r1 += -8;"
		     "r0 = 2;"
		     "exit;");
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
