// SPDX-License-Identifier: Apache-2.0
// The series behind metric.h, as updates (metric.c) and the text form (metric_text.c) share them.
#pragma once

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "enrolld/base/attr.h"
#include "enrolld/base/metric.h"

#define METRIC_LABELS_MAX 3
#define METRIC_SERIES_MAX 512      // then all further label values share one more series, "other"
#define METRIC_LABEL_VALUE_MAX 128 // bytes of a label value; the rest is cut
#define METRIC_BUCKETS_MAX 17

struct metric_series {
	uint64_t hash;
	size_t key_len;              // bytes of key, the label values with a NUL behind each
	atomic_uint_fast64_t number; // counter: the count; gauge: bits of the value; histogram: bits of the sum
	atomic_uint_fast64_t buckets[METRIC_BUCKETS_MAX]; // histogram: observations of each bucket alone
	char key[];
};

struct metric_bounds {
	const double *upper; // ascending, without +Inf
	size_t count;
};

struct metric_bounds metric_bounds(enum metric_kind kind) ATTR_MUST_USE;

// Series in the order in which they came; a series is never removed or moved. Both thread-safe.
size_t metric_series_count(enum metric metric) ATTR_MUST_USE;
const struct metric_series *metric_series_at(enum metric metric, size_t index) ATTR_MUST_USE;

double metric_double(uint64_t bits) ATTR_MUST_USE; // the double that a number holds
