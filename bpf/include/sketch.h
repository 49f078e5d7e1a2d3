/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * The Traffic Feature Map: a heavy part of full keys (Elastic Sketch, Yang et al., SIGCOMM 2018)
 * over a light part of count-min rows with conservative update (Estan and Varghese, 2002). One
 * writer per TFM, so nothing here is atomic. Twin: simulator/sketches/tfm.py.
 *
 *	tfm_header | buckets x glimpse_bucket | rows x width u8
 */
#ifndef GLIMPSE_SKETCH_H
#define GLIMPSE_SKETCH_H

#include "hash.h"
#include "key.h"

/* The geometry of this TFM, from .rodata. Define `config` before including this. */
extern const volatile struct glimpse_config config;

/* Packets of one key on their way into the light part. */
struct light_share {
	__u64 h1;
	__u64 packets;
	__u64 bytes;
};

static __always_inline glimpse_bucket *heavy_bucket(struct tfm_header *tfm, __u64 h2)
{
	return (glimpse_bucket *)(tfm + 1) + reduce(h2, config.buckets);
}

static __always_inline __u8 *light_counter(struct tfm_header *tfm, __u64 h1, __u32 row)
{
	__u8 *light = (void *)(tfm + 1) + config.buckets * sizeof(glimpse_bucket);

	return light + row * config.width + reduce(row_bits(h1, row), config.width);
}

/* The smallest counter of a key: never below its true count, unless saturated. */
static __always_inline __u32 light_estimate(struct tfm_header *tfm, __u64 h1)
{
	__u32 smallest = GLIMPSE_COUNTER_MAX;

#pragma unroll
	for (__u32 row = 0; row < GLIMPSE_MAX_ROWS; row++) {
		if (row >= config.rows)
			break;
		__u32 counter = *light_counter(tfm, h1, row);
		if (counter < smallest)
			smallest = counter;
	}
	return smallest;
}

/* Conservative update: raise only the counters that are below the new estimate. */
static __always_inline void light_add(struct tfm_header *tfm, const struct light_share *share)
{
	__u64 before = light_estimate(tfm, share->h1);
	__u64 after = before + share->packets;

	if (!before)
		tfm->new_keys++;
	if (after > GLIMPSE_COUNTER_MAX) {
		after = GLIMPSE_COUNTER_MAX;
		tfm->saturated++;
	}
#pragma unroll
	for (__u32 row = 0; row < GLIMPSE_MAX_ROWS; row++) {
		if (row >= config.rows)
			break;
		__u8 *counter = light_counter(tfm, share->h1, row);
		if (*counter < after)
			*counter = after;
	}
	tfm->light_packets += share->packets;
	tfm->light_bytes += share->bytes;
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

/* Give slot `victim` to a new key; returns what its old key takes to the light part. */
static __always_inline struct light_share heavy_evict(struct tfm_header *tfm,
						      glimpse_bucket *bucket, __u32 victim,
						      const union packet_key *key, __u64 h1,
						      __u32 bytes)
{
	const __u64 *loser = (const __u64 *)&bucket->keys[victim];
	struct light_share share = {
	    .h1 = tfm_hash(tfm, loser).h1,
	    .packets = bucket->packets[victim],
	    .bytes = bucket->bytes[victim],
	};

	/* An estimate of 0 proves that the newcomer has nothing in the light part. */
	bucket->light_share &= ~(1U << victim);
	bucket->light_share |= (light_estimate(tfm, h1) > 0) << victim;
	bucket->keys[victim] = key->key;
	bucket->packets[victim] = 1;
	bucket->bytes[victim] = bytes;
	bucket->votes = 0;
	tfm->evictions++;
	return share;
}

/* Count a packet in the heavy part; false if it found neither its key nor a free slot. */
static __always_inline bool heavy_count(glimpse_bucket *bucket, const union packet_key *key,
					__u32 bytes, __u32 *victim)
{
	__u32 smallest = 0;

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
		if (!i || packets < smallest) {
			smallest = packets;
			*victim = i;
		}
	}
	return false;
}

/* Count one packet of `bytes` bytes in the TFM. */
static __always_inline void tfm_count(struct tfm_header *tfm, const union packet_key *key,
				      __u32 bytes)
{
	struct hashed hash = tfm_hash(tfm, key->words);
	glimpse_bucket *bucket = heavy_bucket(tfm, hash.h2);
	struct light_share share = {.h1 = hash.h1, .packets = 1, .bytes = bytes};
	__u32 victim = 0;

	tfm->sketched++;
	tfm->sketched_bytes += bytes;
	if (heavy_count(bucket, key, bytes, &victim))
		return;
	bucket->votes++;
	if (bucket->votes >= (__u64)config.lambda * bucket->packets[victim])
		share = heavy_evict(tfm, bucket, victim, key, hash.h1, bytes);
	light_add(tfm, &share);
}

#endif
