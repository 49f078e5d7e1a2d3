// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/* A ring-buffer record is as long as was reserved. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "expect.h"

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} records SEC(".maps");

EXPECT_REJECT("invalid access to memory, mem_size=8")
EXPECT_AT("record[1] = 1;")
SEC("?xdp")
int mem_bounds_bad(struct xdp_md *ctx)
{
	__u64 *record = bpf_ringbuf_reserve(&records, 8, 0);

	if (!record)
		return XDP_DROP;
	record[1] = 1;
	bpf_ringbuf_submit(record, 0);
	return XDP_PASS;
}

SEC("?xdp")
int mem_bounds_good(struct xdp_md *ctx)
{
	__u64 *record = bpf_ringbuf_reserve(&records, 16, 0);

	if (!record)
		return XDP_DROP;
	record[1] = 1;
	bpf_ringbuf_submit(record, 0);
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
