/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * The Traffic Feature Map: a heavy part of full keys over a light part of cells and rows. A key
 * enters a full bucket when the light part's estimate of it passes the smallest count there
 * (Roy et al., "Augmented Sketch", SIGMOD 2016). One writer per TFM, so nothing here is atomic.
 * Twin: simulator/sketches/tfm.py.
 *
 *	tfm_header | buckets x glimpse_bucket | groups x 4 cells | rows x width u8
 */
#ifndef GLIMPSE_SKETCH_H
#define GLIMPSE_SKETCH_H

#include "light.h"

/* Packets of one key on their way into the light part. */
struct light_share {
	struct light_place place;
	__u64 target; /* the estimate that they make */
	__u64 packets;
	__u64 bytes;
};

static __always_inline glimpse_bucket *heavy_bucket(struct tfm_header *tfm, __u64 h2)
{
	return (glimpse_bucket *)(tfm + 1) + reduce(h2, config.buckets);
}

static __always_inline struct hashed tfm_hash(struct tfm_header *tfm, const __u64 *words)
{
	return hash_words(config.hash, words, GLIMPSE_KEY_WORDS, tfm->hash_key);
}

static __always_inline bool same_key(const glimpse_key *stored, const union packet_key *key)
{
	const __u64 *words = (const __u64 *)stored;
	__u64 difference = 0;

#pragma unroll
	for (__u32 i = 0; i < GLIMPSE_KEY_WORDS; i++)
		difference |= words[i] ^ key->words[i];
	return !difference;
}

/* The upper bound of a slot's key. */
static __always_inline __u64 heavy_estimate(const glimpse_bucket *bucket, __u32 slot)
{
	return (__u64)bucket->packets[slot] + bucket->light[slot];
}

/* Give slot `victim` to a new key; `share` becomes what its old key takes to the light part. */
static __always_inline void heavy_evict(struct tfm_header *tfm, glimpse_bucket *bucket,
					__u32 victim, const union packet_key *key,
					struct light_share *share)
{
	const __u64 *loser = (const __u64 *)&bucket->keys[victim];
	__u32 newcomer = share->place.estimate, bytes = share->bytes;

	share->place = light_find(tfm, tfm_hash(tfm, loser));
	share->target = heavy_estimate(bucket, victim);
	share->packets = bucket->packets[victim];
	share->bytes = bucket->bytes[victim];
	bucket->keys[victim] = key->key;
	bucket->packets[victim] = 1;
	bucket->bytes[victim] = bytes;
	bucket->light[victim] = newcomer;
	tfm->evictions++;
}

/* Count a packet in the heavy part; false if it found neither its key nor a free slot. */
static __always_inline bool heavy_count(glimpse_bucket *bucket, const union packet_key *key,
					__u32 bytes)
{
#pragma unroll
	for (__u32 i = 0; i < GLIMPSE_SLOTS; i++) {
		__u32 packets = bucket->packets[i];

		if (!packets)
			bucket->keys[i] = key->key;
		if (!packets || same_key(&bucket->keys[i], key)) {
			bucket->packets[i] = packets + 1;
			bucket->bytes[i] += bytes;
			return true;
		}
	}
	return false;
}

/* The slot with the smallest upper bound; these only grow, so it is the bucket's new floor. */
static __always_inline __u32 heavy_smallest(glimpse_bucket *bucket)
{
	__u64 smallest = heavy_estimate(bucket, 0);
	__u32 slot = 0;

#pragma unroll
	for (__u32 i = 1; i < GLIMPSE_SLOTS; i++) {
		if (heavy_estimate(bucket, i) < smallest) {
			smallest = heavy_estimate(bucket, i);
			slot = i;
		}
	}
	bucket->floor = smallest;
	return slot;
}

/* Count one packet of `bytes` bytes in the TFM. */
static __always_inline void tfm_count(struct tfm_header *tfm, const union packet_key *key,
				      __u32 bytes)
{
	struct hashed hash = tfm_hash(tfm, key->words);
	glimpse_bucket *bucket = heavy_bucket(tfm, hash.h2);
	struct light_share share = {.packets = 1, .bytes = bytes};

	tfm->sketched++;
	tfm->sketched_bytes += bytes;
	if (heavy_count(bucket, key, bytes))
		return;
	share.place = light_find(tfm, hash);
	share.target = (__u64)share.place.estimate + 1;
	if (share.target > bucket->floor) {
		__u32 victim = heavy_smallest(bucket);

		if (share.target > heavy_estimate(bucket, victim))
			heavy_evict(tfm, bucket, victim, key, &share);
	}
	if (share.target > share.place.estimate)
		light_raise(tfm, &share.place, share.target);
	tfm->light_packets += share.packets;
	tfm->light_bytes += share.bytes;
}

#endif
