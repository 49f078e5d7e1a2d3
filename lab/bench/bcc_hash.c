// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * The usual BCC program, BPF_HASH and increment(), fed with the same key stream as the programs of
 * bpf/bench.bpf.c. BCC knows no callbacks, so instead of bpf_loop() a loop of BURST keys, and
 * BPF_PROG_TEST_RUN repeats it. Without COUNT it is its own no-op.
 */
#include <uapi/linux/bpf.h>
#include "bench_request.h"

struct bench_key {
	u64 words[WORDS];
};

BPF_F_TABLE("array", u32, struct bench_key, bench_keys, KEYS, BPF_F_MMAPABLE);
BPF_HASH(counts, struct bench_key, u64, ROOM);

int bench_bcc(struct xdp_md *ctx)
{
	struct bench_request *request = (void *)(long)ctx->data;
	u32 first, left;

	if ((void *)(request + 1) > (void *)(long)ctx->data_end)
		return XDP_ABORTED;
	first = request->first + request->done;
	left = request->count - request->done;
#pragma clang loop unroll(disable)
	for (u32 i = 0; i < BURST; i++) {
		u32 at = first + i;
		struct bench_key key, *stored = bench_keys.lookup(&at);

		if (i >= left || !stored)
			break;
		key = *stored;
		/* The key is read and written, as in bench.h. */
		asm volatile("" : : "r"(&key) : "memory");
#ifdef COUNT
		counts.increment(key);
#endif
		request->done++;
	}
	return XDP_PASS;
}
