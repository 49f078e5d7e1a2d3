// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/* A kernel object is read through its type, and not written. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "expect.h"

EXPECT_REJECT("only read is supported", "cannot write into")
EXPECT_AT("task->exit_code = 1;")
SEC("?syscall")
int btf_struct_access_bad(void *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();

	task->exit_code = 1;
	return 0;
}

SEC("?syscall")
int btf_struct_access_good(void *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();

	return task->exit_code == 1;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
