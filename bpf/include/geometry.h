/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * The default geometry of a TFM. User space sizes the map `tfm` and `config` together when it
 * loads; these are what the programs are compiled with. Twin: simulator/geometry.py.
 */
#ifndef GLIMPSE_GEOMETRY_H
#define GLIMPSE_GEOMETRY_H

#include "key.h"

enum { BUCKETS = 128, GROUPS = 3072, ROWS = 3, WIDTH = 2048 };

#define TFM_SIZE                                                                                   \
	(sizeof(struct tfm_header) + BUCKETS * sizeof(glimpse_bucket) + GROUPS * sizeof(__u64) +   \
	 ROWS * WIDTH)

#endif
