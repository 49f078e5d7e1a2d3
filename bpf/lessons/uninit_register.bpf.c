// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/* A call leaves nothing in R1 to R5: what is needed behind it is kept in R6 to R9. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "expect.h"

EXPECT_REJECT("R1 !read_ok")
EXPECT_AT("asm volatile")
SEC("?xdp")
LESSON_NAKED int uninit_register_bad(void)
{
	asm volatile("r1 = 2;"
		     "call 5;" /* bpf_ktime_get_ns */
		     "r0 = r1;"
		     "exit;");
}

SEC("?xdp")
LESSON_NAKED int uninit_register_good(void)
{
	asm volatile("r6 = 2;"
		     "call 5;" /* bpf_ktime_get_ns */
		     "r0 = r6;"
		     "exit;");
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
