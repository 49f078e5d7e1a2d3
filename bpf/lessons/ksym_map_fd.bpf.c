// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/* An instruction names a map by its file descriptor, which a loader fills in. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "expect.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} numbers SEC(".maps");

EXPECT_REJECT("is not pointing to valid bpf_map")
EXPECT_AT("int ksym_map_fd_bad")
SEC("?xdp")
LESSON_NAKED int ksym_map_fd_bad(void)
{
	/* r1 = map of file descriptor 2147483647, as no loader would leave it */
	asm volatile(".8byte 0x7fffffff00001118, 0;"
		     "r0 = 2;"
		     "exit;");
}

SEC("?xdp")
LESSON_NAKED int ksym_map_fd_good(void)
{
	asm volatile("r1 = %[numbers] ll;"
		     "r0 = 2;"
		     "exit;" ::[numbers] "i"(&numbers));
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
