// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/* A field that this kernel may not have is guarded. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include "expect.h"

struct task_struct___other {
	int no_kernel_has_this;
} __attribute__((preserve_access_index));

EXPECT_REJECT("failed to resolve CO-RE relocation", "invalid func unknown#195896080")
EXPECT_AT("return task->no_kernel_has_this;")
SEC("?syscall")
int core_poison_bad(void *ctx)
{
	struct task_struct___other *task = (void *)bpf_get_current_task_btf();

	return task->no_kernel_has_this;
}

SEC("?syscall")
int core_poison_good(void *ctx)
{
	struct task_struct___other *task = (void *)bpf_get_current_task_btf();

	if (!bpf_core_field_exists(task->no_kernel_has_this))
		return 0;
	return task->no_kernel_has_this;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
