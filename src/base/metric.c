// SPDX-License-Identifier: Apache-2.0
// Series of every metric: found without a lock, added under one, counted with atomic adds.
#include "enrolld/base/metric.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/metric_series.h"
#include "enrolld/base/fault.h"
#include "enrolld/base/utf8.h"

static const struct metric_row metric_rows[] = {
#define METRIC(id, kind, name, labels, text) [METRIC_##id] = {METRIC_KIND_##kind, name, labels, text},
#include "enrolld/base/metrics.def"
#undef METRIC
};

// Upper bounds of the buckets; the last bucket, +Inf, has none.
static const double seconds_bounds[] = {0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60};
static const double sizes_bounds[] = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384};

_Static_assert(ARRAY_LEN(seconds_bounds) < METRIC_BUCKETS_MAX, "each bound has a bucket, and +Inf has one");
_Static_assert(ARRAY_LEN(sizes_bounds) < METRIC_BUCKETS_MAX, "each bound has a bucket, and +Inf has one");

struct metric_bounds metric_bounds(enum metric_kind kind)
{
	switch (kind) {
	case METRIC_KIND_SECONDS: return (struct metric_bounds){seconds_bounds, ARRAY_LEN(seconds_bounds)};
	case METRIC_KIND_SIZES: return (struct metric_bounds){sizes_bounds, ARRAY_LEN(sizes_bounds)};
	case METRIC_KIND_COUNTER:
	case METRIC_KIND_GAUGE: break;
	}
	return (struct metric_bounds){NULL, 0};
}

const struct metric_row *metric_row(enum metric metric)
{
	if ((size_t)metric >= ARRAY_LEN(metric_rows))
		PANIC("metric: there is no metric %u", (unsigned)metric);
	return &metric_rows[metric];
}

// Open addressing; at most half full, so a search ends soon.
#define TABLE_SIZE 2048
_Static_assert(TABLE_SIZE > 2 * (METRIC_SERIES_MAX + 1), "the table stays half empty");

struct family {
	pthread_mutex_t lock; // held to add a series
	atomic_size_t count;  // series in order[]
	_Atomic(struct metric_series *) order[METRIC_SERIES_MAX + 1];
	_Atomic(struct metric_series *) table[TABLE_SIZE];
};

static struct family families[METRIC_COUNT] = {
#define METRIC(id, kind, name, labels, text) [METRIC_##id] = {.lock = PTHREAD_MUTEX_INITIALIZER},
#include "enrolld/base/metrics.def"
#undef METRIC
};

struct key {
	uint64_t hash;
	size_t len;
	char bytes[METRIC_LABELS_MAX * (METRIC_LABEL_VALUE_MAX + 1)];
};

static size_t label_count(const struct metric_row *row)
{
	size_t count = row->labels[0] != '\0' ? 1 : 0;
	for (const char *c = row->labels; *c; c++)
		count += *c == ',' ? 1 : 0;
	return count;
}

static uint64_t hash_bytes(const char *bytes, size_t len)
{
	uint64_t hash = 0xcbf29ce484222325; // FNV-1a: values come from our own settings, nobody can choose collisions
	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (unsigned char)bytes[i]) * 0x100000001b3;
	return hash ^ hash >> 32;
}

static struct key key_of(const struct metric_row *row, const struct metric_labels *labels)
{
	struct key key;
	key.len = 0;
	size_t count = label_count(row);
	for (size_t i = 0; i < count; i++) {
		struct slice value = slice_of(labels->value[i] ? labels->value[i] : "");
		value = utf8_cut(value, METRIC_LABEL_VALUE_MAX);
		memcpy(key.bytes + key.len, value.ptr, value.len);
		key.len += value.len;
		key.bytes[key.len++] = '\0';
	}
	for (size_t i = count; i < METRIC_LABELS_MAX; i++) {
		if (labels->value[i])
			PANIC("metric %s: label value %zu has no label", row->name, i + 1);
	}
	key.hash = hash_bytes(key.bytes, key.len);
	return key;
}

// The series of a key, or NULL and the free place where it belongs.
static struct metric_series *find(struct family *family, const struct key *key, size_t *ret_place)
{
	size_t place = key->hash % TABLE_SIZE;
	for (;;) {
		struct metric_series *series = atomic_load_explicit(&family->table[place], memory_order_acquire);
		if (!series) {
			*ret_place = place;
			return NULL;
		}
		if (series->hash == key->hash && series->key_len == key->len && memcmp(series->key, key->bytes, key->len) == 0)
			return series;
		place = (place + 1) % TABLE_SIZE;
	}
}

static bool is_full(const struct family *family)
{
	return atomic_load_explicit(&family->count, memory_order_acquire) >= METRIC_SERIES_MAX;
}

// With the lock held.
static struct metric_series *add_series(struct family *family, const struct key *key, size_t place)
{
	struct metric_series *series = calloc(1, sizeof(*series) + key->len);
	if (!series)
		PANIC("metric: out of memory");
	series->hash = key->hash;
	series->key_len = key->len;
	memcpy(series->key, key->bytes, key->len);
	size_t count = atomic_load_explicit(&family->count, memory_order_relaxed);
	atomic_store_explicit(&family->order[count], series, memory_order_relaxed);
	atomic_store_explicit(&family->table[place], series, memory_order_release);
	atomic_store_explicit(&family->count, count + 1, memory_order_release);
	return series;
}

static struct key other_key(const struct metric_row *row)
{
	struct metric_labels other = METRIC_NO_LABELS;
	size_t count = label_count(row);
	for (size_t i = 0; i < count; i++)
		other.value[i] = "other";
	return key_of(row, &other);
}

static struct metric_series *series_of(enum metric metric, const struct metric_labels *labels)
{
	const struct metric_row *row = metric_row(metric);
	struct family *family = &families[metric];
	struct key key = key_of(row, labels);
	size_t place;
	struct metric_series *series = find(family, &key, &place);
	if (series)
		return series;
	if (is_full(family)) {
		key = other_key(row);
		series = find(family, &key, &place);
		if (series)
			return series;
	}

	(void)pthread_mutex_lock(&family->lock);
	series = find(family, &key, &place); // another thread may have been first, or have taken the last place
	if (!series && is_full(family)) {
		key = other_key(row);
		series = find(family, &key, &place);
	}
	if (!series)
		series = add_series(family, &key, place);
	(void)pthread_mutex_unlock(&family->lock);
	return series;
}

static void require_kind(enum metric metric, bool right)
{
	if (!right)
		PANIC("metric %s is of another kind", metric_row(metric)->name);
}

static uint64_t bits_of(double value)
{
	uint64_t bits;
	memcpy(&bits, &value, sizeof(bits));
	return bits;
}

double metric_double(uint64_t bits)
{
	double value;
	memcpy(&value, &bits, sizeof(value));
	return value;
}

void metric_add(enum metric metric, struct metric_labels labels, uint64_t n)
{
	require_kind(metric, metric_row(metric)->kind == METRIC_KIND_COUNTER);
	atomic_fetch_add_explicit(&series_of(metric, &labels)->number, n, memory_order_relaxed);
}

void metric_set(enum metric metric, struct metric_labels labels, double value)
{
	require_kind(metric, metric_row(metric)->kind == METRIC_KIND_GAUGE);
	atomic_store_explicit(&series_of(metric, &labels)->number, bits_of(value), memory_order_relaxed);
}

void metric_observe(enum metric metric, struct metric_labels labels, double value)
{
	struct metric_bounds bounds = metric_bounds(metric_row(metric)->kind);
	require_kind(metric, bounds.count > 0);
	struct metric_series *series = series_of(metric, &labels);
	size_t bucket = 0;
	while (bucket < bounds.count && !(value <= bounds.upper[bucket]))
		bucket++;
	atomic_fetch_add_explicit(&series->buckets[bucket], 1, memory_order_relaxed);
	uint_fast64_t sum = atomic_load_explicit(&series->number, memory_order_relaxed);
	while (!atomic_compare_exchange_weak_explicit(&series->number, &sum, bits_of(metric_double(sum) + value),
						      memory_order_relaxed, memory_order_relaxed))
		continue;
}

double metric_read(enum metric metric, struct metric_labels labels)
{
	const struct metric_row *row = metric_row(metric);
	struct key key = key_of(row, &labels);
	size_t place;
	const struct metric_series *series = find(&families[metric], &key, &place);
	if (!series)
		return 0;
	uint64_t number = atomic_load_explicit(&series->number, memory_order_relaxed);
	if (row->kind == METRIC_KIND_COUNTER)
		return (double)number;
	if (row->kind == METRIC_KIND_GAUGE)
		return metric_double(number);
	uint64_t count = 0;
	for (size_t i = 0; i < METRIC_BUCKETS_MAX; i++)
		count += atomic_load_explicit(&series->buckets[i], memory_order_relaxed);
	return (double)count;
}

size_t metric_series_count(enum metric metric)
{
	return atomic_load_explicit(&families[metric].count, memory_order_acquire);
}

const struct metric_series *metric_series_at(enum metric metric, size_t index)
{
	return atomic_load_explicit(&families[metric].order[index], memory_order_relaxed);
}
