// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * The load generator: each run of BPF_PROG_TEST_RUN with live frames gives the frame the next
 * source address and sends it out. What was sent is known exactly, from the position afterwards.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <bpf/bpf_helpers.h>

struct generator_config {
	__u32 ifindex; /* where the frames go, in the caller's network namespace */
	__u32 sources; /* entries of generator_sources */
	__u32 sum;     /* of the IPv4 header's 16-bit words, source and checksum taken as 0 */
};

const volatile struct generator_config config = {.sources = 1};

/* Source addresses, in network order and in the order of sending, over and over. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} generator_sources SEC(".maps");

/* Frames sent since the start. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} generator_position SEC(".maps");

/* The Internet checksum (RFC 1071) is the same in either byte order. */
static __always_inline __u16 checksum(__u32 sum, __u32 source)
{
	sum += (source & 0xffff) + (source >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

SEC("xdp")
int generator(struct xdp_md *ctx)
{
	struct iphdr *ip = (void *)(long)ctx->data + sizeof(struct ethhdr);
	__u32 zero = 0, index, *source;
	__u64 *position;

	/* A frame of 14 bytes asks whether the kernel can do this at all; it is not sent. */
	if ((void *)(ip + 1) > (void *)(long)ctx->data_end)
		return XDP_ABORTED;
	position = bpf_map_lookup_elem(&generator_position, &zero);
	if (!position)
		return XDP_ABORTED;
	index = *position % config.sources;
	source = bpf_map_lookup_elem(&generator_sources, &index);
	if (!source)
		return XDP_ABORTED;
	++*position;
	/* The kernel hands the same pages out again, so every frame is written whole. */
	ip->saddr = *source;
	ip->check = checksum(config.sum, *source);
	return bpf_redirect(config.ifindex, 0);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
