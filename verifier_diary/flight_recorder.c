// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/* The flight recorder's kernel side: hand over every BPF_PROG_LOAD that fails, log included.
 *
 * Compiled by BCC, with the names in capitals defined by recorder_program.py; recorder_events.py is
 * the twin of the structs. A load is a number of chunks (who loads, the instructions, the log), and
 * then one `struct load`.
 */
#include <uapi/linux/bpf.h>

enum { CODE = 1, LOG = 2, LOAD = 3, ARGUMENTS = 4, ENVIRONMENT = 5 };
enum { DIRTY = 1, UNREADABLE = 2, DROPPED = 4 }; /* flags of a load */
enum { FAILED, LOST, COUNTS };

/* The leading members of union bpf_attr for BPF_PROG_LOAD, which grow from kernel to kernel. */
struct load_attr {
	u32 prog_type;
	u32 insn_cnt;
	u64 insns;
	u64 license;
	u32 log_level;
	u32 log_size;
	u64 log_buf;
	u32 kern_version;
	u32 prog_flags;
	char prog_name[16];
	u32 prog_ifindex;
	u32 expected_attach_type;
};
#define LOG_TRUE_SIZE 140 /* its offset, from Linux 6.4 on */

struct pending {
	u64 uattr;
	u64 entered_ns;
	u32 attr_size;
	u32 dirty; /* the log buffer held something before */
	struct load_attr attr;
};

struct chunk {
	u32 kind;
	u32 length; /* bytes of data */
	u64 thread; /* tgid << 32 | tid; with time_ns it names the load */
	u64 time_ns;
	u64 offset; /* of data within instructions or log */
	char data[CHUNK];
};
_Static_assert(offsetof(struct chunk, data) == CHUNK_HEAD, "recorder_events.py disagrees");

struct load {
	u32 kind;
	u32 flags;
	u64 thread;
	u64 time_ns; /* when it ended, CLOCK_MONOTONIC */
	u64 duration_ns;
	s64 result;
	u64 code_length; /* bytes handed over, or tried */
	u64 log_start;   /* bytes left out before the first chunk */
	u64 log_length;  /* bytes in the loader's buffer, without the NUL */
	u32 uid;
	u32 attr_size;
	u32 log_true_size; /* 0: not known */
	u32 verified;      /* instructions, of an accepted program; 0: not known */
	struct load_attr attr;
	char comm[16];
};
_Static_assert(sizeof(struct load) == LOAD_BYTES, "recorder_events.py disagrees");

/* Of the tracepoints: 8 bytes that all have in common, the number of the call, its arguments. */
struct enter {
	u64 common;
	u64 number;
	u64 cmd;
	u64 uattr;
	u64 size;
};

struct leave {
	u64 common;
	u64 number;
	s64 result;
};

struct fork {
	u64 common;
	u32 parent_comm;
	u32 parent;
	u32 child_comm;
	u32 child;
};

BPF_RINGBUF_OUTPUT(events, RING_PAGES);
BPF_TABLE("lru_hash", u64, struct pending, pending, 10240);
BPF_TABLE("lru_hash", u32, u32, tree, 65536); /* who called with MARK, and all its children */
BPF_ARRAY(scratch, struct chunk, CPUS);       /* these tracepoints do not migrate, nor nest */
BPF_ARRAY(counts, u64, COUNTS);

static __always_inline bool watched(u64 thread)
{
	u32 process = thread >> 32;

	return !TREE_ONLY || tree.lookup(&process);
}

int on_enter(struct enter *ctx)
{
	u64 thread = bpf_get_current_pid_tgid();
	struct pending p = {.uattr = ctx->uattr, .entered_ns = bpf_ktime_get_ns()};
	u32 size = ctx->size, process = thread >> 32, one = 1;
	char first = 0;

	if (ctx->uattr == MARK)
		tree.update(&process, &one);
	pending.delete(&thread);
	if ((u32)ctx->cmd != BPF_PROG_LOAD || !watched(thread))
		return 0;
	p.attr_size = size;
	if (size > sizeof(p.attr))
		size = sizeof(p.attr);
	if (bpf_probe_read_user(&p.attr, size, (void *)p.uattr))
		return 0;
	if (p.attr.log_buf && !bpf_probe_read_user(&first, 1, (void *)p.attr.log_buf))
		p.dirty = first != 0;
	pending.update(&thread, &p);
	return 0;
}

static __always_inline void count(int which)
{
	u64 *number = counts.lookup(&which);

	if (number)
		__sync_fetch_and_add(number, 1);
}

/* The process's own memory from where the kernel says that it starts; 0: not known where. */
static __always_inline void send_process(struct chunk *c, u32 kind, u32 start_at, u32 end_at)
{
	u64 mm = 0, start = 0, end = 0, n;

	if (!MM_OF_TASK)
		return;
	bpf_probe_read_kernel(&mm, 8, (void *)bpf_get_current_task() + MM_OF_TASK);
	bpf_probe_read_kernel(&start, 8, (void *)mm + start_at);
	bpf_probe_read_kernel(&end, 8, (void *)mm + end_at);
	n = end - start;
	if (n > PROCESS_BYTES)
		n = PROCESS_BYTES;
	if (bpf_probe_read_user(c->data, n, (void *)start))
		return;
	c->kind = kind;
	c->offset = 0;
	c->length = n;
	events.ringbuf_output(c, CHUNK_HEAD + n, BPF_RB_NO_WAKEUP);
}

static __always_inline void send_code(struct load *load, struct chunk *c)
{
	u64 length = (u64)load->attr.insn_cnt * 8;

	c->kind = CODE;
	for (int i = 0; i < CODE_CHUNKS; i++) {
		u64 n = length - load->code_length;

		if (load->code_length >= length)
			return;
		if (n > CHUNK)
			n = CHUNK;
		if (bpf_probe_read_user(c->data, n, (void *)load->attr.insns + load->code_length)) {
			load->flags |= UNREADABLE;
			return;
		}
		c->offset = load->code_length;
		c->length = n;
		if (events.ringbuf_output(c, CHUNK_HEAD + n, BPF_RB_NO_WAKEUP))
			load->flags |= DROPPED;
		load->code_length += n;
	}
}

/* Pages behind the log's end may never have been touched: a read of fixed length would fail there.
 */
static __always_inline u64 measured(struct load *load, struct chunk *c)
{
	u64 length = 0;

	for (int i = 0; i < MEASURED_CHUNKS; i++) {
		long n =
		    bpf_probe_read_user_str(c->data, CHUNK, (void *)load->attr.log_buf + length);

		if (n <= 0)
			return length;
		length += n - 1;
		if (n < CHUNK)
			return length;
	}
	return length;
}

static __always_inline void send_log(struct load *load, struct chunk *c)
{
	u64 at, end, room = (u64)LOG_CHUNKS * (CHUNK - 1);

	if (!load->attr.log_level || !load->attr.log_buf || !load->attr.log_size)
		return;
	if (!load->log_true_size)
		end = measured(load, c);
	else if (load->log_true_size <= load->attr.log_size)
		end = load->log_true_size - 1;
	else
		end = load->attr.log_size - 1;
	at = end > room ? end - room : 0; /* above the cap the tail: the verdict is there */
	load->log_start = at;
	c->kind = LOG;
	for (int i = 0; i < LOG_CHUNKS; i++) {
		long n;

		if (at >= end)
			break;
		n = bpf_probe_read_user_str(c->data, CHUNK, (void *)load->attr.log_buf + at);
		if (n <= 0) {
			load->flags |= UNREADABLE;
			break;
		}
		/* verifier: learns a bound from each comparison, and clang would make one of both;
		 * log: "R3 min value is negative"; lesson: size_arg */
		asm volatile("" : "+r"(n));
		if (n > CHUNK)
			break;
		c->offset = at;
		c->length = n - 1;
		if (events.ringbuf_output(c, CHUNK_HEAD + n, BPF_RB_NO_WAKEUP))
			load->flags |= DROPPED;
		at += n - 1;
		if (n < CHUNK)
			break;
	}
	load->log_length = at;
}

/* What the verifier processed of a program that has just got this descriptor. */
static __always_inline u32 verified(u64 descriptor)
{
	u64 at = bpf_get_current_task();
	u32 number = 0;

	if (!FILES_OF_TASK)
		return 0;
	bpf_probe_read_kernel(&at, 8, (void *)at + FILES_OF_TASK);
	bpf_probe_read_kernel(&at, 8, (void *)at + FDT_OF_FILES);
	bpf_probe_read_kernel(&at, 8, (void *)at + FD_OF_FDT);
	bpf_probe_read_kernel(&at, 8, (void *)at + descriptor * 8);
	bpf_probe_read_kernel(&at, 8, (void *)at + PRIVATE_OF_FILE);
	bpf_probe_read_kernel(&at, 8, (void *)at + AUX_OF_PROG);
	bpf_probe_read_kernel(&number, 4, (void *)at + VERIFIED_OF_AUX);
	return number;
}

int on_leave(struct leave *ctx)
{
	u64 thread = bpf_get_current_pid_tgid();
	struct pending *p = pending.lookup(&thread);
	u32 cpu = bpf_get_smp_processor_id();
	struct load load = {.kind = LOAD, .thread = thread, .result = ctx->result};
	struct chunk *c = scratch.lookup(&cpu);

	if (!p || !c)
		return 0;
	load.time_ns = c->time_ns = bpf_ktime_get_ns();
	load.duration_ns = load.time_ns - p->entered_ns;
	load.uid = bpf_get_current_uid_gid();
	load.attr = p->attr;
	load.attr_size = p->attr_size;
	load.flags = p->dirty ? DIRTY : 0;
	bpf_get_current_comm(load.comm, sizeof(load.comm));
	if (load.attr_size >= LOG_TRUE_SIZE + 4)
		bpf_probe_read_user(&load.log_true_size, 4, (void *)p->uattr + LOG_TRUE_SIZE);
	pending.delete(&thread);
	c->thread = thread;
	if (load.result < 0) {
		count(FAILED);
		send_process(c, ARGUMENTS, ARG_START, ARG_END);
		if (TREE_ONLY)
			send_process(c, ENVIRONMENT, ENV_START, ENV_END);
		send_code(&load, c);
		send_log(&load, c);
	} else {
		load.verified = verified(load.result);
	}
	if (events.ringbuf_output(&load, sizeof(load), BPF_RB_FORCE_WAKEUP) && load.result < 0)
		count(LOST);
	return 0;
}

int on_fork(struct fork *ctx)
{
	u32 child = ctx->child, one = 1;

	if (watched(bpf_get_current_pid_tgid()))
		tree.update(&child, &one);
	else
		tree.delete(&child); /* the number belonged to another once */
	return 0;
}
