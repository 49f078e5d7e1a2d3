// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/* A lock is for the lock helpers, not for loads and stores. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "expect.h"

struct locked {
	struct bpf_spin_lock lock;
	__u32 count;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct locked);
} counters SEC(".maps");

EXPECT_REJECT("bpf_spin_lock cannot be accessed directly by load/store")
EXPECT_AT("counter->lock.val = 0;")
SEC("?xdp")
int special_field_bad(struct xdp_md *ctx)
{
	__u32 key = 0;
	struct locked *counter = bpf_map_lookup_elem(&counters, &key);

	if (counter)
		counter->lock.val = 0;
	return XDP_PASS;
}

SEC("?xdp")
int special_field_good(struct xdp_md *ctx)
{
	__u32 key = 0;
	struct locked *counter = bpf_map_lookup_elem(&counters, &key);

	if (counter)
		counter->count = 0;
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
