/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * What a lesson's bad program is refused with, and where: a part of the verifier's message and a
 * part of the C line that the diary marks. Read from the source by the tests; expands to nothing.
 * Several texts: any of them, because kernels reword and compilers move code.
 */
#ifndef EXPECT_H
#define EXPECT_H

#define EXPECT_REJECT(...)
#define EXPECT_AT(...)

/* For lessons in assembly: the body is all there is. */
#define LESSON_NAKED __attribute__((naked))

#endif
