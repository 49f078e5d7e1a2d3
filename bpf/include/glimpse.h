/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * The one contract between the kernel side (C) and the Python side: every struct, enum and limit
 * that both read. Python's twin is simulator/layout.py; a test compares the two through BTF.
 */
#ifndef GLIMPSE_H
#define GLIMPSE_H

#include <linux/types.h>

enum glimpse_limits {
	GLIMPSE_VLAN_TAGS = 2,         /* 802.1Q inside 802.1ad; a third tag is not_ip */
	GLIMPSE_EXTENSION_HEADERS = 6, /* IPv6, before the key loses its ports */
	GLIMPSE_SLOTS = 8,             /* per heavy bucket */
	GLIMPSE_MAX_ROWS = 8,          /* of the light part */
	GLIMPSE_COUNTER_MAX = 255,     /* counters of the rows are u8 and saturate here */
	GLIMPSE_CELL_COUNT_BITS = 5,   /* of a light cell; the other 11 are the fingerprint */
	GLIMPSE_CELL_MAX = 31,         /* the largest count of a cell */
	GLIMPSE_FINGERPRINTS = 2047,   /* 1 to 2047: a used cell is never 0 */
	GLIMPSE_CARRY = 8,             /* packets that a full cell carries into the rows at once */
	GLIMPSE_CELL_PLAIN = 24,       /* smaller counts of a cell have never carried */
	GLIMPSE_HASH_WORDS = 33,       /* three pair-multiply-shift hashes of a 40-byte key */
};

enum glimpse_outcome {
	GLIMPSE_IP = 0,
	GLIMPSE_NOT_IP = 1,
	GLIMPSE_MALFORMED = 2,
};

enum glimpse_detail {
	GLIMPSE_HIGH = 0, /* exact table */
	GLIMPSE_LOW = 1,  /* TFM */
};

/* What the person asked for; the data path decides by itself only in `auto`. */
enum glimpse_setting {
	GLIMPSE_SETTING_AUTO = 0,
	GLIMPSE_SETTING_HIGH = 1, /* refused packets are sketched, without a trip */
	GLIMPSE_SETTING_LOW = 2,
};

enum glimpse_cause {
	GLIMPSE_CAUSE_NONE = 0,
	GLIMPSE_CAUSE_BUDGET = 1,     /* the new-key budget was spent */
	GLIMPSE_CAUSE_TABLE_FULL = 2, /* the exact table refused an insert */
};

enum glimpse_hash {
	GLIMPSE_HASH_MURMUR3 = 0, /* MurmurHash3 x64 128 */
	GLIMPSE_HASH_JHASH = 1,   /* Jenkins lookup3 */
	GLIMPSE_HASH_PMS = 2,     /* pair-multiply-shift, random 64-bit keys */
};

/* Source address; IPv4 as ::ffff:a.b.c.d (RFC 4291, section 2.5.5.2). */
struct src_key {
	__u8 address[16];
};

/* 5-tuple. Ports are in network order; an ICMP echo has its identifier as `sport`. */
struct flow_key {
	__u8 source[16];
	__u8 destination[16];
	__be16 sport;
	__be16 dport;
	__u8 protocol;
	__u8 zero[3];
};

/* One exact record; also the value of the baseline's table (its first two fields). */
struct exact_record {
	__u64 packets;
	__u64 bytes;
	__u64 first_ns;
	__u64 last_ns;
};

struct baseline_record {
	__u64 packets;
	__u64 bytes;
};

/*
 * Each field has one writer and is written by single 8-byte stores (user space, through mmap) or
 * atomics (kernel), so neither side can undo the other's work.
 */
struct glimpse_control {
	/* user space writes: */
	__u64 detail;   /* trip generation it has seen << 8 | enum glimpse_detail it orders */
	__u64 budget;   /* new keys granted since the start (cumulative) */
	__u64 active;   /* epoch number; its lowest bit selects the buffers */
	__u64 clock;    /* for tests and replay: now, in ns; 0 = bpf_ktime_get_ns() */
	__u64 instance; /* for tests and replay: instance + 1; 0 = this CPU */
	__u64 reserved[3];
	/* the kernel writes: */
	__u64 trip;    /* trip generation << 8 | enum glimpse_cause of the latest trip */
	__u64 trip_ns; /* when that was */
	__u64 spent;   /* new keys that drew on the budget since the start (cumulative) */
	__u64 unused[5];
};

/* Knobs, in .rodata: constants to the verifier, which prunes what they switch off. */
struct glimpse_config {
	__u32 setting;   /* enum glimpse_setting */
	__u32 verdict;   /* enum xdp_action */
	__u32 hash;      /* enum glimpse_hash */
	__u32 instances; /* TFMs per epoch buffer */
	__u32 buckets;   /* of the heavy part */
	__u32 rows;      /* under the light part's cells, at most GLIMPSE_MAX_ROWS */
	__u32 width;     /* counters in a row */
	__u32 groups;    /* of four cells of the light part */
};

/*
 * Head of one TFM: one per (epoch buffer, instance), one writer. Packets: seen = exact + sketched
 * + not_ip + malformed, and sketched = sum of heavy packets + light_packets; bytes likewise.
 */
struct tfm_header {
	__u64 epoch;
	__u64 seen;
	__u64 seen_bytes;
	__u64 exact;
	__u64 exact_bytes;
	__u64 sketched;
	__u64 sketched_bytes;
	__u64 not_ip;
	__u64 malformed;
	__u64 other_bytes; /* of not_ip and malformed frames */
	__u64 light_packets;
	__u64 light_bytes;
	__u64 new_keys;                     /* light insertions whose estimate was 0 before */
	__u64 saturated;                    /* light insertions cut off at GLIMPSE_COUNTER_MAX */
	__u64 evictions;                    /* keys moved from the heavy to the light part */
	__u64 hash_key[GLIMPSE_HASH_WORDS]; /* secret of the epoch; [0] seeds murmur3 and jhash */
};

/* A bucket of the heavy part; a slot is free while its packets are 0. */
#define GLIMPSE_BUCKET(name, key_type)                                                             \
	struct name {                                                                              \
		key_type keys[GLIMPSE_SLOTS];                                                      \
		__u64 bytes[GLIMPSE_SLOTS];                                                        \
		__u32 packets[GLIMPSE_SLOTS];                                                      \
		__u16 light[GLIMPSE_SLOTS]; /* its packets in the light part: at most so many */   \
		__u32 floor;                /* no slot has less, once all are used */              \
		__u32 zero;                                                                        \
	}

GLIMPSE_BUCKET(src_bucket, struct src_key);
GLIMPSE_BUCKET(flow_bucket, struct flow_key);

/* What the plain programs (baseline, count_min) saw; one entry, counted atomically. */
struct packet_totals {
	__u64 seen;
	__u64 seen_bytes;
	__u64 counted;
	__u64 refused; /* IP packets whose key found no room */
	__u64 not_ip;
	__u64 malformed;
};

_Static_assert(sizeof(struct src_key) == 16, "src_key is hashed as 2 words");
_Static_assert(sizeof(struct flow_key) == 40, "flow_key is hashed as 5 words");
_Static_assert(sizeof(struct exact_record) == 32, "exact_record has no padding");
_Static_assert(sizeof(struct glimpse_control) == 128, "each writer has a cache line");
_Static_assert(sizeof(struct glimpse_config) == 32, "glimpse_config has no padding");
_Static_assert(sizeof(struct tfm_header) == 384, "tfm_header fills 6 cache lines");
_Static_assert(sizeof(struct src_bucket) == 248, "src_bucket has no padding");
_Static_assert(sizeof(struct flow_bucket) == 440, "flow_bucket has no padding");
_Static_assert(sizeof(struct packet_totals) == 48, "packet_totals has no padding");

#endif
