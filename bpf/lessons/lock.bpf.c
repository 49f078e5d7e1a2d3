// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/* Nothing is called while a lock is held. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "expect.h"

struct locked {
	struct bpf_spin_lock lock;
	__u64 time_ns;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct locked);
} clocks SEC(".maps");

EXPECT_REJECT("function calls are not allowed while holding a lock")
EXPECT_AT("clock->time_ns = bpf_ktime_get_ns();")
SEC("?xdp")
int lock_bad(struct xdp_md *ctx)
{
	__u32 key = 0;
	struct locked *clock = bpf_map_lookup_elem(&clocks, &key);

	if (!clock)
		return XDP_DROP;
	bpf_spin_lock(&clock->lock);
	clock->time_ns = bpf_ktime_get_ns();
	bpf_spin_unlock(&clock->lock);
	return XDP_PASS;
}

SEC("?xdp")
int lock_good(struct xdp_md *ctx)
{
	__u32 key = 0;
	struct locked *clock = bpf_map_lookup_elem(&clocks, &key);
	__u64 time_ns = bpf_ktime_get_ns();

	if (!clock)
		return XDP_DROP;
	bpf_spin_lock(&clock->lock);
	clock->time_ns = time_ns;
	bpf_spin_unlock(&clock->lock);
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
