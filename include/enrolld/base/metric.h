// SPDX-License-Identifier: Apache-2.0
// Counters, gauges and histograms for Prometheus (text format 0.0.4). Rows of metrics.def; prefix enrolld_.
//
// Updates are atomic adds and may come from any thread; a series is found without a lock once it is there. An update of another
// kind than the row's, or a label value without a label, is a panic. Label values must come from a bounded set (lanes, configured
// realms, reasons, states) and are cut at 128 bytes: past 512 series of one metric further values are counted under "other".
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "enrolld/base/attr.h"
#include "enrolld/base/strbuf.h"

enum metric {
#define METRIC(id, kind, name, labels, text) METRIC_##id,
#include "enrolld/base/metrics.def"
#undef METRIC
	METRIC_COUNT
};

// One value per label of the row, in its order; NULL where the row has fewer. At most three labels.
struct metric_labels {
	const char *value[3];
};
#define METRIC_LABELS(...) ((struct metric_labels){{__VA_ARGS__}})
#define METRIC_NO_LABELS ((struct metric_labels){{NULL, NULL, NULL}})

void metric_add(enum metric metric, struct metric_labels labels, uint64_t n);       // counters
void metric_set(enum metric metric, struct metric_labels labels, double value);     // gauges
void metric_observe(enum metric metric, struct metric_labels labels, double value); // histograms; times in seconds
double metric_read(enum metric metric, struct metric_labels labels) ATTR_MUST_USE;  // counter or gauge value, histogram count

// All families, HELP and TYPE first. Counters and histograms without labels are written from the start, as 0.
void metric_write(struct strbuf *out);

enum metric_kind { METRIC_KIND_COUNTER, METRIC_KIND_GAUGE, METRIC_KIND_SECONDS, METRIC_KIND_SIZES };
struct metric_row {
	enum metric_kind kind;
	const char *name;   // without prefix
	const char *labels; // comma-separated names, "" if none
	const char *text;
};
const struct metric_row *metric_row(enum metric metric) ATTR_MUST_USE;
