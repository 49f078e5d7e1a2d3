// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/* A record that was reserved is submitted or discarded on every path. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "expect.h"

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} records SEC(".maps");

EXPECT_REJECT("Unreleased reference id=")
EXPECT_AT("if (*record > 7)")
SEC("?xdp")
int ref_leak_bad(struct xdp_md *ctx)
{
	__u64 *record = bpf_ringbuf_reserve(&records, sizeof(*record), 0);

	if (!record)
		return XDP_DROP;
	*record = ctx->rx_queue_index;
	if (*record > 7)
		return XDP_DROP;
	bpf_ringbuf_submit(record, 0);
	return XDP_PASS;
}

SEC("?xdp")
int ref_leak_good(struct xdp_md *ctx)
{
	__u64 *record = bpf_ringbuf_reserve(&records, sizeof(*record), 0);

	if (!record)
		return XDP_DROP;
	*record = ctx->rx_queue_index;
	if (*record > 7) {
		bpf_ringbuf_discard(record, 0);
		return XDP_DROP;
	}
	bpf_ringbuf_submit(record, 0);
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
