/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * What a program counts. A source that includes this is built twice: build/<name>_src.bpf.o, and
 * with -DGLIMPSE_KEY_FLOW build/<name>_flow.bpf.o.
 */
#ifndef GLIMPSE_KEY_H
#define GLIMPSE_KEY_H

#include "parse.h"

#ifdef GLIMPSE_KEY_FLOW
#define GLIMPSE_KEY_HAS_PORTS 1
typedef struct flow_key glimpse_key;
typedef struct flow_bucket glimpse_bucket;
#else
#define GLIMPSE_KEY_HAS_PORTS 0
typedef struct src_key glimpse_key;
typedef struct src_bucket glimpse_bucket;
#endif

#define GLIMPSE_KEY_WORDS (sizeof(glimpse_key) / 8)

/* The key in the forms in which it is parsed, looked up and hashed; it has no padding. */
union packet_key {
	struct flow_key flow;
	glimpse_key key; /* a source is the first 16 bytes of its flow */
	__u64 words[GLIMPSE_KEY_WORDS];
};

/* Read the key of a frame of `length` bytes. */
static __always_inline enum glimpse_outcome parse_key(struct xdp_md *ctx, __u32 length,
						      union packet_key *key)
{
	return parse_frame(ctx, length, GLIMPSE_KEY_HAS_PORTS, &key->flow);
}

#endif
