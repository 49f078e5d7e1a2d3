// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/* An iterator is made before it is advanced. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "expect.h"

int bpf_iter_num_new(struct bpf_iter_num *it, int start, int end) __ksym;
int *bpf_iter_num_next(struct bpf_iter_num *it) __ksym;
void bpf_iter_num_destroy(struct bpf_iter_num *it) __ksym;

EXPECT_REJECT("expected an initialized iter_num")
EXPECT_AT("bpf_iter_num_next(&it);")
SEC("?xdp")
int iterator_bad(struct xdp_md *ctx)
{
	struct bpf_iter_num it;

	bpf_iter_num_next(&it);
	bpf_iter_num_destroy(&it);
	return XDP_PASS;
}

SEC("?xdp")
int iterator_good(struct xdp_md *ctx)
{
	struct bpf_iter_num it;

	bpf_iter_num_new(&it, 0, 3);
	bpf_iter_num_next(&it);
	bpf_iter_num_destroy(&it);
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
