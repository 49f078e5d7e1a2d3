/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * Three hash families over a key of whole 64-bit words. Each gives h1 (the light rows) and h2 (the
 * heavy bucket). Twin: simulator/hashing.py.
 */
#ifndef GLIMPSE_HASH_H
#define GLIMPSE_HASH_H

#include "glimpse.h"

struct hashed {
	__u64 h1;
	__u64 h2;
};

static __always_inline __u64 rotl64(__u64 value, int by)
{
	return value << by | value >> (64 - by);
}

static __always_inline __u32 rotl32(__u32 value, int by)
{
	return value << by | value >> (32 - by);
}

/* MurmurHash3's 64-bit finaliser. */
static __always_inline __u64 fmix64(__u64 value)
{
	value ^= value >> 33;
	value *= 0xff51afd7ed558ccdULL;
	value ^= value >> 33;
	value *= 0xc4ceb9fe1a85ec53ULL;
	return value ^ value >> 33;
}

/* MurmurHash3 x64 128 (Appleby, smhasher) of `count` words. */
static __always_inline struct hashed hash_murmur3(const __u64 *words, __u32 count, __u32 seed)
{
	const __u64 c1 = 0x87c37b91114253d5ULL, c2 = 0x4cf5ad432745937fULL;
	__u64 h1 = seed, h2 = seed;

#pragma unroll
	for (__u32 i = 0; i + 1 < count; i += 2) {
		h1 ^= rotl64(words[i] * c1, 31) * c2;
		h1 = (rotl64(h1, 27) + h2) * 5 + 0x52dce729;
		h2 ^= rotl64(words[i + 1] * c2, 33) * c1;
		h2 = (rotl64(h2, 31) + h1) * 5 + 0x38495ab5;
	}
	if (count & 1)
		h1 ^= rotl64(words[count - 1] * c1, 31) * c2;
	h1 ^= count * 8;
	h2 ^= count * 8;
	h1 += h2;
	h2 += h1;
	h1 = fmix64(h1);
	h2 = fmix64(h2);
	h1 += h2;
	h2 += h1;
	return (struct hashed){h1, h2};
}

/* The state of Jenkins lookup3. */
struct lookup3 {
	__u32 a, b, c;
};

static __always_inline void lookup3_mix(struct lookup3 *s)
{
	s->a -= s->c, s->a ^= rotl32(s->c, 4), s->c += s->b;
	s->b -= s->a, s->b ^= rotl32(s->a, 6), s->a += s->c;
	s->c -= s->b, s->c ^= rotl32(s->b, 8), s->b += s->a;
	s->a -= s->c, s->a ^= rotl32(s->c, 16), s->c += s->b;
	s->b -= s->a, s->b ^= rotl32(s->a, 19), s->a += s->c;
	s->c -= s->b, s->c ^= rotl32(s->b, 4), s->b += s->a;
}

static __always_inline void lookup3_final(struct lookup3 *s)
{
	s->c ^= s->b, s->c -= rotl32(s->b, 14);
	s->a ^= s->c, s->a -= rotl32(s->c, 11);
	s->b ^= s->a, s->b -= rotl32(s->a, 25);
	s->c ^= s->b, s->c -= rotl32(s->b, 16);
	s->a ^= s->c, s->a -= rotl32(s->c, 4);
	s->b ^= s->a, s->b -= rotl32(s->a, 14);
	s->c ^= s->b, s->c -= rotl32(s->b, 24);
}

static __always_inline __u32 half_word(const __u64 *words, __u32 index)
{
	return words[index / 2] >> index % 2 * 32;
}

/*
 * Jenkins lookup3, hashlittle2 (burtleburtle.net/bob/c/lookup3.c): h1 is its two results, c below
 * b. Its 64 bits are all it has, so h2 is only h1 mixed again.
 */
static __always_inline struct hashed hash_jhash(const __u64 *words, __u32 count, __u64 seed)
{
	__u32 left = count * 2, at = 0;
	__u32 start = 0xdeadbeef + count * 8 + (__u32)seed;
	struct lookup3 s = {start, start, start + (__u32)(seed >> 32)};
	__u64 h1;

#pragma unroll
	for (; left > 3; left -= 3, at += 3) {
		s.a += half_word(words, at);
		s.b += half_word(words, at + 1);
		s.c += half_word(words, at + 2);
		lookup3_mix(&s);
	}
	s.a += half_word(words, at);
	if (left > 1)
		s.b += half_word(words, at + 1);
	if (left > 2)
		s.c += half_word(words, at + 2);
	lookup3_final(&s);
	h1 = (__u64)s.b << 32 | s.c;
	return (struct hashed){h1, fmix64(h1)};
}

/*
 * Pair-multiply-shift: strongly universal from 32-bit pairs to 32 bits, with 2 * count + 1 random
 * 64-bit keys (Dietzfelbinger 1996; Thorup, "High Speed Hashing for Integers and Strings", 3.5).
 */
static __always_inline __u32 pair_multiply_shift(const __u64 *words, __u32 count, const __u64 *keys)
{
	__u64 sum = keys[2 * count];

#pragma unroll
	for (__u32 i = 0; i < count; i++)
		sum += (keys[2 * i] + (words[i] >> 32)) * (keys[2 * i + 1] + (__u32)words[i]);
	return sum >> 32;
}

static __always_inline struct hashed hash_pms(const __u64 *words, __u32 count, const __u64 *keys)
{
	__u32 apart = 2 * count + 1;
	__u64 low = pair_multiply_shift(words, count, keys);
	__u64 high = pair_multiply_shift(words, count, keys + apart);

	return (struct hashed){high << 32 | low,
			       pair_multiply_shift(words, count, keys + 2 * apart)};
}

/* Hash `count` words by one family; `keys` is tfm_header.hash_key. */
static __always_inline struct hashed hash_words(enum glimpse_hash family, const __u64 *words,
						__u32 count, const __u64 *keys)
{
	if (family == GLIMPSE_HASH_JHASH)
		return hash_jhash(words, count, keys[0]);
	if (family == GLIMPSE_HASH_PMS)
		return hash_pms(words, count, keys);
	return hash_murmur3(words, count, keys[0]);
}

/* Map 32 random bits to [0, size), any size (Lemire 2019); the verifier follows this bound. */
static __always_inline __u32 reduce(__u32 random, __u32 size)
{
	__u64 product = random;

	/*
	 * verifier: Linux 6.1 bounds a product only if the constant is the source operand, and
	 * clang may swap the two; log: "R6 unbounded memory access"; lesson: unbounded_index
	 */
	asm("%0 *= %1" : "+r"(product) : "r"((__u64)size));
	return product >> 32;
}

/* The random bits of light row `row` (Kirsch and Mitzenmacher 2008, with an odd step). */
static __always_inline __u32 row_bits(__u64 h1, __u32 row)
{
	return (__u32)h1 + row * ((__u32)(h1 >> 32) | 1);
}

#endif
