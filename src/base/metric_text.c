// SPDX-License-Identifier: Apache-2.0
// The text form that Prometheus reads: exposition format 0.0.4
// (https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format).
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/metric_series.h"
#include "enrolld/base/metric.h"
#include "enrolld/base/number.h"
#include "enrolld/base/utf8.h"

#define PREFIX "enrolld_"

static const char *type_name(enum metric_kind kind)
{
	switch (kind) {
	case METRIC_KIND_COUNTER: return "counter";
	case METRIC_KIND_GAUGE: return "gauge";
	case METRIC_KIND_SECONDS:
	case METRIC_KIND_SIZES: break;
	}
	return "histogram";
}

static void write_head(struct strbuf *out, const struct metric_row *row)
{
	strbuf_printf(out, "# HELP " PREFIX "%s ", row->name);
	for (const char *c = row->text; *c; c++) {
		if (*c == '\\')
			strbuf_add_text(out, "\\\\");
		else if (*c == '\n')
			strbuf_add_text(out, "\\n");
		else
			strbuf_add_char(out, *c);
	}
	strbuf_printf(out, "\n# TYPE " PREFIX "%s %s\n", row->name, type_name(row->kind));
}

// A scrape with one ill-formed byte is refused whole, so such bytes become U+FFFD.
static void write_label_value(struct strbuf *out, const char *value)
{
	struct slice rest = {value, strlen(value)};
	while (rest.len > 0) {
		uint32_t code_point;
		size_t len = utf8_next(rest, &code_point);
		if (code_point == UTF8_INVALID)
			strbuf_add_text(out, "\xef\xbf\xbd");
		else if (code_point == '\\')
			strbuf_add_text(out, "\\\\");
		else if (code_point == '"')
			strbuf_add_text(out, "\\\"");
		else if (code_point == '\n')
			strbuf_add_text(out, "\\n");
		else
			strbuf_add(out, rest.ptr, len);
		rest.ptr += len;
		rest.len -= len;
	}
}

// {label="value",...}, with le last if it is given; nothing if there is no label at all.
static void write_labels(struct strbuf *out, const struct metric_row *row, const char *values, const char *le)
{
	const char *name = row->labels;
	const char *separator = "{";
	while (*name) {
		size_t len = strcspn(name, ",");
		strbuf_add_text(out, separator);
		strbuf_add(out, name, len);
		strbuf_add_text(out, "=\"");
		write_label_value(out, values);
		strbuf_add_text(out, "\"");
		separator = ",";
		values += strlen(values) + 1;
		name += len + (name[len] == ',' ? 1 : 0);
	}
	if (le)
		strbuf_printf(out, "%sle=\"%s\"", separator, le);
	if (le || *row->labels)
		strbuf_add_text(out, "}");
}

static void write_sample(struct strbuf *out, const struct metric_row *row, const char *suffix, const char *values, const char *le,
			 const char *number)
{
	strbuf_printf(out, PREFIX "%s%s", row->name, suffix);
	write_labels(out, row, values, le);
	strbuf_printf(out, " %s\n", number);
}

static const char *count_text(uint64_t count, char out[static NUMBER_TEXT_SIZE])
{
	(void)snprintf(out, NUMBER_TEXT_SIZE, "%" PRIu64, count);
	return out;
}

// Buckets are read once and summed, so that _count is the +Inf bucket whatever other threads add meanwhile.
static void write_histogram(struct strbuf *out, const struct metric_row *row, const struct metric_series *series)
{
	struct metric_bounds bounds = metric_bounds(row->kind);
	char number[NUMBER_TEXT_SIZE], le[NUMBER_TEXT_SIZE];
	double sum = metric_double(atomic_load_explicit(&series->number, memory_order_relaxed));
	uint64_t count = 0;
	for (size_t i = 0; i <= bounds.count; i++) {
		count += atomic_load_explicit(&series->buckets[i], memory_order_relaxed);
		write_sample(out, row, "_bucket", series->key, i < bounds.count ? number_format(bounds.upper[i], le) : "+Inf",
			     count_text(count, number));
	}
	write_sample(out, row, "_sum", series->key, NULL, number_format(sum, number));
	write_sample(out, row, "_count", series->key, NULL, count_text(count, number));
}

static void write_series(struct strbuf *out, const struct metric_row *row, const struct metric_series *series)
{
	char number[NUMBER_TEXT_SIZE];
	uint64_t value = atomic_load_explicit(&series->number, memory_order_relaxed);
	switch (row->kind) {
	case METRIC_KIND_COUNTER: write_sample(out, row, "", series->key, NULL, count_text(value, number)); break;
	case METRIC_KIND_GAUGE: write_sample(out, row, "", series->key, NULL, number_format(metric_double(value), number)); break;
	case METRIC_KIND_SECONDS:
	case METRIC_KIND_SIZES: write_histogram(out, row, series); break;
	}
}

void metric_write(struct strbuf *out)
{
	static const struct metric_series zero;
	for (size_t i = 0; i < METRIC_COUNT; i++) {
		enum metric metric = (enum metric)i;
		const struct metric_row *row = metric_row(metric);
		write_head(out, row);
		size_t count = metric_series_count(metric);
		for (size_t k = 0; k < count; k++)
			write_series(out, row, metric_series_at(metric, k));
		// What counts from 0 must be seen at 0, else rate() misses its first step. A gauge that nobody set has no value.
		if (count == 0 && !*row->labels && row->kind != METRIC_KIND_GAUGE)
			write_series(out, row, &zero);
	}
}
