// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * What a whole program costs: bench_packets gives the frame the next stored source address and goes
 * on in the program under test by a tail call; BPF_PROG_TEST_RUN repeats that. Minus the same with
 * bench_pass. Python's side: lab/bench/packets.py.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <bpf/bpf_helpers.h>

/* Source addresses in network order, in the order of sending; their number is set at load. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} bench_sources SEC(".maps");

/* The next of them; user space sets it back. One test run at a time. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} bench_position SEC(".maps");

/* The program under test. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
} bench_target SEC(".maps");

SEC("xdp.frags")
int bench_packets(struct xdp_md *ctx)
{
	struct iphdr *ip = (void *)(long)ctx->data + sizeof(struct ethhdr);
	__u32 zero = 0, index, *source;
	__u64 *position;

	if ((void *)(ip + 1) > (void *)(long)ctx->data_end)
		return XDP_ABORTED;
	position = bpf_map_lookup_elem(&bench_position, &zero);
	if (!position)
		return XDP_ABORTED;
	index = *position;
	source = bpf_map_lookup_elem(&bench_sources, &index);
	if (!source)
		return XDP_ABORTED;
	++*position;
	ip->saddr = *source;
	bpf_tail_call(ctx, &bench_target, 0);
	return XDP_ABORTED; /* no program under test */
}

SEC("xdp.frags")
int bench_pass(struct xdp_md *ctx)
{
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
