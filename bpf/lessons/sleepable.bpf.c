// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/* What may wait for a page runs in a section with .s only. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "expect.h"

char copy[16];

EXPECT_REJECT("might sleep in a non-sleepable prog", "program must be sleepable")
EXPECT_AT("bpf_copy_from_user(copy, sizeof(copy), (void *)4096);")
SEC("?iter/task")
int sleepable_bad(struct bpf_iter__task *ctx)
{
	bpf_copy_from_user(copy, sizeof(copy), (void *)4096);
	return 0;
}

SEC("?iter.s/task")
int sleepable_good(struct bpf_iter__task *ctx)
{
	bpf_copy_from_user(copy, sizeof(copy), (void *)4096);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
