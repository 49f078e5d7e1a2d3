/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/* What a run of the key-stream harness is asked, and answers; bcc compiles this too. */
#ifndef GLIMPSE_BENCH_REQUEST_H
#define GLIMPSE_BENCH_REQUEST_H

#include <linux/types.h>

/* The whole frame of a run: each CPU has its own, so all CPUs can run at once. */
struct bench_request {
	__u64 first; /* index of the first key */
	__u64 count;
	__u64 bytes;  /* of each packet */
	__u64 done;   /* out: keys that were fed */
	__u64 digest; /* out: sum of what the update returned, so that no work is left out */
};

_Static_assert(sizeof(struct bench_request) == 40, "lab/bench/feed.py packs 5 words");

#endif
