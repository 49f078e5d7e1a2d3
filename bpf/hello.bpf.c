// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/* The first program: says on the trace pipe that a packet came, and passes it on. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

/* The whole machine writes to one trace pipe: this tells the lines of one loading apart. */
const volatile __u32 hello_tag;

SEC("xdp.frags")
int hello(struct xdp_md *ctx)
{
	bpf_printk("Packet Received [%u]", hello_tag);
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
