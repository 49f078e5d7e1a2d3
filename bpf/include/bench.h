/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * The key-stream harness: one BPF_PROG_TEST_RUN takes a request out of its frame, hands that many
 * stored keys to one update, and leaves in the frame what it did. Python's side: lab/bench/feed.py.
 */
#ifndef GLIMPSE_BENCH_H
#define GLIMPSE_BENCH_H

#include "bench_request.h"
#include "key.h"

/* The stored key sequence; its size is set at load. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, glimpse_key);
} bench_keys SEC(".maps");

/* Copy key `index` of the request to the stack, where a parser would have put it. */
static __always_inline bool bench_key(const struct bench_request *request, __u32 index,
				      union packet_key *key)
{
	__u32 at = request->first + index;
	const union packet_key *stored = bpf_map_lookup_elem(&bench_keys, &at);

	if (!stored)
		return false;
	key->key = stored->key;
	/* Whatever the update does with it, the key is read and written: also in the no-op. */
	asm volatile("" : : "r"(key) : "memory");
	return true;
}

/* Run `step` on each key of the request in the frame. */
static __always_inline int bench_feed(struct xdp_md *ctx,
				      long (*step)(__u32 index, struct bench_request *request))
{
	struct bench_request *frame = (void *)(long)ctx->data, request;

	if ((void *)(frame + 1) > (void *)(long)ctx->data_end)
		return XDP_ABORTED;
	request = *frame;
	request.done = request.digest = 0;
	if (bpf_loop(request.count, step, &request, 0) < 0)
		return XDP_ABORTED;
	/* verifier: a call of a helper may have moved the packet; lesson: packet_bounds */
	frame = (void *)(long)ctx->data;
	if ((void *)(frame + 1) > (void *)(long)ctx->data_end)
		return XDP_ABORTED;
	*frame = request;
	return XDP_PASS;
}

/* A program that feeds `update(key, bytes)`: one subject, loaded alone. */
#define BENCH(subject, update)                                                                     \
	static long subject##_step(__u32 index, struct bench_request *request)                     \
	{                                                                                          \
		union packet_key key;                                                              \
                                                                                                   \
		if (!bench_key(request, index, &key))                                              \
			return 1;                                                                  \
		request->digest += update(&key, request->bytes);                                   \
		request->done++;                                                                   \
		return 0;                                                                          \
	}                                                                                          \
                                                                                                   \
	SEC("xdp") int bench_##subject(struct xdp_md *ctx)                                         \
	{                                                                                          \
		return bench_feed(ctx, subject##_step);                                            \
	}

#endif
