// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/* A reference is taken through a pointer that the verifier trusts, not through one walked to. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "expect.h"

struct task_struct *bpf_task_from_pid(s32 pid) __ksym;
struct task_struct *bpf_task_acquire(struct task_struct *task) __ksym;
void bpf_task_release(struct task_struct *task) __ksym;

EXPECT_REJECT("must be referenced or trusted", "must be a rcu pointer", "must be referenced")
EXPECT_AT("other = bpf_task_acquire(task->group_leader->last_wakee);")
SEC("?syscall")
int kfunc_arg_bad(void *ctx)
{
	struct task_struct *task = bpf_task_from_pid(1), *other;

	if (!task)
		return 0;
	other = bpf_task_acquire(task->group_leader->last_wakee);
	if (other)
		bpf_task_release(other);
	bpf_task_release(task);
	return 0;
}

SEC("?syscall")
int kfunc_arg_good(void *ctx)
{
	struct task_struct *task = bpf_task_from_pid(1), *other;

	if (!task)
		return 0;
	other = bpf_task_acquire(task);
	if (other)
		bpf_task_release(other);
	bpf_task_release(task);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
