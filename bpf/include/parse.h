/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * From a frame to its 5-tuple. Offsets count from the start of the frame; `end` is the first byte
 * that no longer belongs to the IP datagram or the frame. Twin: simulator/parsing.py.
 */
#ifndef GLIMPSE_PARSE_H
#define GLIMPSE_PARSE_H

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <stdbool.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include "glimpse.h"

#define IP_FRAGMENT_OFFSET  0x1fff /* of iphdr.frag_off, RFC 791 */
#define IP6_FRAGMENT_OFFSET 0xfff8 /* of the fragment header, RFC 8200, section 4.5 */
#define ICMP_ECHO_REPLY     0
#define ICMP_ECHO           8
#define ICMP6_ECHO          128
#define ICMP6_ECHO_REPLY    129

/* Knob: the kernel has bpf_xdp_get_buff_len() and bpf_xdp_load_bytes() (Linux 5.18). */
const volatile __u32 frame_helpers = 1;

/* Length of the whole frame, the fragments of a jumbo frame included. */
static __always_inline __u32 frame_length(struct xdp_md *ctx)
{
	if (frame_helpers)
		return bpf_xdp_get_buff_len(ctx);
	return ctx->data_end - ctx->data;
}

/* Copy `size` bytes at `offset`; false if the frame ends before. */
static __always_inline bool read_bytes(struct xdp_md *ctx, __u32 offset, void *to, __u32 size)
{
	void *from = (void *)(long)ctx->data + offset;

	if (from + size <= (void *)(long)ctx->data_end) {
		/* Without this promise clang copies packets byte by byte. */
		__builtin_memcpy(to, __builtin_assume_aligned(from, 8), size);
		return true;
	}
	/* Headers may reach into a fragment: 6 extension headers can be 12 KiB. */
	return frame_helpers && !bpf_xdp_load_bytes(ctx, offset, to, size);
}

/* Bytes that must be there before the ports (or the echo identifier) count; 0: no ports. */
static __always_inline __u32 l4_header_size(__u8 protocol)
{
	switch (protocol) {
	case IPPROTO_TCP:
		return 20;
	case IPPROTO_UDP:
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return 8;
	case IPPROTO_SCTP:
		return 12;
	}
	return 0;
}

static __always_inline bool is_echo(__u8 protocol, __u8 type)
{
	if (protocol == IPPROTO_ICMP)
		return type == ICMP_ECHO || type == ICMP_ECHO_REPLY;
	return type == ICMP6_ECHO || type == ICMP6_ECHO_REPLY;
}

/* The first 8 bytes of the layer 4 headers that are read. */
union l4_start {
	struct {
		__be16 sport, dport;
	} ports;
	struct {
		__u8 type, code;
		__be16 checksum, identifier;
	} icmp;
	__u64 all;
};

/* Fill in the ports; they stay 0 where the header is cut short or has none. */
static __always_inline void parse_ports(struct xdp_md *ctx, __u32 offset, __u32 end,
					struct flow_key *flow)
{
	__u32 need = l4_header_size(flow->protocol);
	union l4_start l4;

	if (!need || offset + need > end || !read_bytes(ctx, offset, &l4, sizeof(l4)))
		return;
	if (flow->protocol != IPPROTO_ICMP && flow->protocol != IPPROTO_ICMPV6) {
		flow->sport = l4.ports.sport;
		flow->dport = l4.ports.dport;
	} else if (is_echo(flow->protocol, l4.icmp.type)) {
		flow->sport = l4.icmp.identifier;
	}
}

static __always_inline void map_ipv4(__u8 *address, __be32 ipv4)
{
	*(__u64 *)address = 0;
	*(__u32 *)(address + 8) = bpf_htonl(0xffff);
	*(__u32 *)(address + 12) = ipv4;
}

static __always_inline enum glimpse_outcome
parse_ipv4(struct xdp_md *ctx, __u32 offset, __u32 length, bool ports, struct flow_key *flow)
{
	__u32 header, total;
	struct iphdr ip;

	if (!read_bytes(ctx, offset, &ip, sizeof(ip)) || ip.version != 4)
		return GLIMPSE_MALFORMED;
	header = ip.ihl * 4;
	if (header < sizeof(ip) || offset + header > length)
		return GLIMPSE_MALFORMED;
	map_ipv4(flow->source, ip.saddr);
	map_ipv4(flow->destination, ip.daddr);
	flow->protocol = ip.protocol;
	if (!ports || ip.frag_off & bpf_htons(IP_FRAGMENT_OFFSET))
		return GLIMPSE_IP;
	/* Captures of a sender's own packets hold total lengths of 0 or worse: offload fills them
	 * in. */
	total = bpf_ntohs(ip.tot_len);
	if (total >= header && offset + total < length)
		length = offset + total;
	parse_ports(ctx, offset + header, length, flow);
	return GLIMPSE_IP;
}

static __always_inline bool is_extension(__u8 protocol)
{
	return protocol == IPPROTO_HOPOPTS || protocol == IPPROTO_ROUTING ||
	       protocol == IPPROTO_DSTOPTS || protocol == IPPROTO_FRAGMENT;
}

struct fragment_header {
	__u8 next, reserved;
	__be16 offset;
	__be32 identification;
};

/* Follow the extension headers to layer 4; `flow->protocol` is the header we stand before. */
static __always_inline void parse_extensions(struct xdp_md *ctx, __u32 offset, __u32 end,
					     struct flow_key *flow)
{
	struct fragment_header fragment;
	__u8 start[2]; /* next header, length in 8 bytes beyond the first 8 */

	/*
	 * verifier: Linux 6.1 takes no loop whose head is fallen into from below, as clang lays
	 * this one out; log: "back-edge from insn 341 to 342"; lesson: loop
	 */
#pragma unroll
	for (int i = 0; i <= GLIMPSE_EXTENSION_HEADERS; i++) {
		if (!is_extension(flow->protocol))
			break;
		if (i == GLIMPSE_EXTENSION_HEADERS)
			return;
		if (flow->protocol == IPPROTO_FRAGMENT) {
			if (offset + sizeof(fragment) > end ||
			    !read_bytes(ctx, offset, &fragment, sizeof(fragment)))
				return;
			flow->protocol = fragment.next;
			offset += sizeof(fragment);
			if (fragment.offset & bpf_htons(IP6_FRAGMENT_OFFSET))
				return;
			continue;
		}
		if (offset + sizeof(start) > end || !read_bytes(ctx, offset, start, sizeof(start)))
			return;
		flow->protocol = start[0];
		offset += (start[1] + 1) * 8;
	}
	parse_ports(ctx, offset, end, flow);
}

static __always_inline enum glimpse_outcome
parse_ipv6(struct xdp_md *ctx, __u32 offset, __u32 length, bool ports, struct flow_key *flow)
{
	struct ipv6hdr ip;
	__u32 end;

	if (!read_bytes(ctx, offset, &ip, sizeof(ip)) || ip.version != 6)
		return GLIMPSE_MALFORMED;
	__builtin_memcpy(flow->source, &ip.saddr, 16);
	__builtin_memcpy(flow->destination, &ip.daddr, 16);
	flow->protocol = ip.nexthdr;
	if (!ports)
		return GLIMPSE_IP;
	offset += sizeof(ip);
	/* Payload length 0: a jumbogram (RFC 2675) or an aggregate; the frame is the bound. */
	end = offset + bpf_ntohs(ip.payload_len);
	if (!ip.payload_len || end > length)
		end = length;
	parse_extensions(ctx, offset, end, flow);
	return GLIMPSE_IP;
}

/*
 * Read the 5-tuple of a frame of `length` bytes into `flow`, padding zeroed; without `ports` only
 * its addresses count. The fields are only complete when GLIMPSE_IP is returned.
 */
static __always_inline enum glimpse_outcome parse_frame(struct xdp_md *ctx, __u32 length,
							bool ports, struct flow_key *flow)
{
	__u32 offset = ETH_HLEN;
	__be16 type;

	__builtin_memset(flow, 0, sizeof(*flow));
	if (!read_bytes(ctx, offset - 2, &type, sizeof(type)))
		return GLIMPSE_NOT_IP;
#pragma unroll
	for (int i = 0; i < GLIMPSE_VLAN_TAGS; i++) {
		if (type != bpf_htons(ETH_P_8021Q) && type != bpf_htons(ETH_P_8021AD))
			break;
		offset += 4;
		if (!read_bytes(ctx, offset - 2, &type, sizeof(type)))
			return GLIMPSE_NOT_IP;
	}
	if (type == bpf_htons(ETH_P_IP))
		return parse_ipv4(ctx, offset, length, ports, flow);
	if (type == bpf_htons(ETH_P_IPV6))
		return parse_ipv6(ctx, offset, length, ports, flow);
	return GLIMPSE_NOT_IP;
}

#endif
