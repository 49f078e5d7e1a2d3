// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * Kernels differ: an index that is at most 16 and is not 16 is below 16. Linux 6.1 does not
 * conclude that from `!=` and refuses; later ones do (6.12 was tried). A plain `<` is understood by
 * all.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "expect.h"

struct queues {
	__u32 seen[16];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct queues);
} queue_map SEC(".maps");

EXPECT_REJECT("invalid access to map value")
EXPECT_AT("queues->seen[queue] = 1;")
SEC("?xdp")
int not_equal_bad(struct xdp_md *ctx)
{
	__u32 key = 0, queue = ctx->rx_queue_index;
	struct queues *queues = bpf_map_lookup_elem(&queue_map, &key);

	if (!queues || queue > 16)
		return XDP_DROP;
	barrier_var(queue); /* or clang makes one comparison of the two */
	if (queue == 16)
		return XDP_DROP;
	queues->seen[queue] = 1;
	return XDP_PASS;
}

SEC("?xdp")
int not_equal_good(struct xdp_md *ctx)
{
	__u32 key = 0, queue = ctx->rx_queue_index;
	struct queues *queues = bpf_map_lookup_elem(&queue_map, &key);

	if (!queues || queue >= 16)
		return XDP_DROP;
	queues->seen[queue] = 1;
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
