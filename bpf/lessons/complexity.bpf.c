// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/* Each branch that the verifier cannot join doubles the paths; a bpf_loop() body is walked once. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "expect.h"

#define BITS 24

char marks[1 << BITS];
__u32 word;

EXPECT_REJECT("BPF program is too large", "jumps is too complex")
EXPECT_AT("if (bits & (1U << i))")
SEC("?xdp")
int complexity_bad(struct xdp_md *ctx)
{
	__u32 bits = word, place = 0;

#pragma unroll
	for (int i = 0; i < BITS; i++) {
		if (bits & (1U << i)) {
			place |= 1U << (BITS - 1 - i);
			asm volatile("" : "+r"(place)); /* a branch, whatever the compiler likes */
		}
	}
	marks[place & ((1 << BITS) - 1)] = 1;
	return XDP_PASS;
}

/* The same for one bit, as a callback: words hold what is left, and the place. */
static int move_bit(__u32 i, __u32 *words)
{
	words[1] = words[1] << 1 | (words[0] & 1);
	words[0] >>= 1;
	return 0;
}

SEC("?xdp")
int complexity_good(struct xdp_md *ctx)
{
	__u32 words[2] = {word, 0};

	bpf_loop(BITS, move_bit, words, 0);
	marks[words[1] & ((1 << BITS) - 1)] = 1;
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
