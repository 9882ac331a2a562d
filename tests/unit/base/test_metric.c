// SPDX-License-Identifier: Apache-2.0
// Metrics: sums over threads, bounds, text form.
#include "enrolld/base/metric.h"

#include <ctype.h>
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "enrolld/base/thread.h"
#include "panic.h"

static struct strbuf text = {.limit = 4 << 20};

static const char *write_all(void)
{
	strbuf_reset(&text);
	metric_write(&text);
	assert_false(strbuf_overflowed(&text));
	return text.data;
}

static bool has_line(const char *all, const char *line)
{
	size_t len = strlen(line);
	for (const char *at = all; (at = strstr(at, line)) != NULL; at++) {
		if ((at == all || at[-1] == '\n') && at[len] == '\n')
			return true;
	}
	return false;
}

// First, before anything is counted.
static void what_counts_starts_at_zero(void **state)
{
	(void)state;
	const char *all = write_all();
	assert_true(has_line(all, "enrolld_log_lines_lost_total 0"));
	assert_true(has_line(all, "enrolld_hash_seconds_bucket{le=\"0.0005\"} 0"));
	assert_true(has_line(all, "enrolld_hash_seconds_bucket{le=\"+Inf\"} 0"));
	assert_true(has_line(all, "enrolld_hash_seconds_sum 0"));
	assert_true(has_line(all, "enrolld_hash_seconds_count 0"));
	assert_null(strstr(all, "\nenrolld_store_up ")); // a gauge that nobody set has no value
	assert_null(strstr(all, "\nenrolld_records_total"));
	assert_true(metric_read(METRIC_records, METRIC_LABELS("signup")) == 0);
	assert_null(strstr(write_all(), "\nenrolld_records_total")); // reading makes no series
}

static void counters_and_gauges(void **state)
{
	(void)state;
	metric_add(METRIC_records, METRIC_LABELS("signup"), 3);
	metric_add(METRIC_records, METRIC_LABELS("signup"), 0);
	metric_add(METRIC_records, METRIC_LABELS("otp"), UINT64_MAX);
	metric_add(METRIC_requests, METRIC_LABELS("signup", "refused", "invalid"), 2);
	metric_set(METRIC_store_up, METRIC_NO_LABELS, 1);
	metric_set(METRIC_lag_records, METRIC_LABELS("otp"), -2.5);
	assert_true(metric_read(METRIC_records, METRIC_LABELS("signup")) == 3);
	assert_true(metric_read(METRIC_store_up, METRIC_NO_LABELS) == 1);
	const char *all = write_all();
	assert_true(has_line(all, "# HELP enrolld_records_total Records read from request topics."));
	assert_true(has_line(all, "# TYPE enrolld_records_total counter"));
	assert_true(has_line(all, "enrolld_records_total{lane=\"signup\"} 3"));
	assert_true(has_line(all, "enrolld_records_total{lane=\"otp\"} 18446744073709551615"));
	assert_true(has_line(all, "enrolld_requests_total{lane=\"signup\",outcome=\"refused\",reason=\"invalid\"} 2"));
	assert_true(has_line(all, "# TYPE enrolld_store_up gauge"));
	assert_true(has_line(all, "enrolld_store_up 1"));
	assert_true(has_line(all, "enrolld_lag_records{lane=\"otp\"} -2.5"));
	metric_set(METRIC_store_up, METRIC_NO_LABELS, 0);
	assert_true(has_line(write_all(), "enrolld_store_up 0"));
}

static void histograms_are_cumulative(void **state)
{
	(void)state;
	static const double seconds[] = {0, 0.0005, 0.00051, 0.1, 60, 61, 1000};
	for (size_t i = 0; i < ARRAY_LEN(seconds); i++)
		metric_observe(METRIC_stage_seconds, METRIC_LABELS("signup", "hash"), seconds[i]);
	assert_true(metric_read(METRIC_stage_seconds, METRIC_LABELS("signup", "hash")) == 7);
	const char *all = write_all();
	assert_true(has_line(all, "# TYPE enrolld_stage_seconds histogram"));
#define LINE(le, n) "enrolld_stage_seconds_bucket{lane=\"signup\",stage=\"hash\",le=\"" le "\"} " n "\n"
	assert_non_null(strstr(all, LINE("0.0005", "2") LINE("0.001", "3") LINE("0.002", "3") LINE("0.005", "3") LINE("0.01", "3")
					    LINE("0.02", "3") LINE("0.05", "3") LINE("0.1", "4") LINE("0.2", "4") LINE("0.5", "4")
						    LINE("1", "4") LINE("2", "4") LINE("5", "4") LINE("10", "4") LINE("30", "4")
							    LINE("60", "5") LINE("+Inf", "7")));
#undef LINE
	assert_true(has_line(all, "enrolld_stage_seconds_sum{lane=\"signup\",stage=\"hash\"} 1121.10101"));
	assert_true(has_line(all, "enrolld_stage_seconds_count{lane=\"signup\",stage=\"hash\"} 7"));
}

static void sizes_have_powers_of_two(void **state)
{
	(void)state;
	metric_observe(METRIC_batch_size, METRIC_LABELS("otp", "store"), 1);
	metric_observe(METRIC_batch_size, METRIC_LABELS("otp", "store"), 16384);
	metric_observe(METRIC_batch_size, METRIC_LABELS("otp", "store"), 16385);
	const char *all = write_all();
	unsigned count = 1;
	for (unsigned le = 1; le <= 16384; le *= 2) {
		char line[128];
		count += le == 16384 ? 1 : 0;
		(void)snprintf(line, sizeof(line), "enrolld_batch_size_bucket{lane=\"otp\",stage=\"store\",le=\"%u\"} %u", le,
			       count);
		assert_true(has_line(all, line));
	}
	assert_true(has_line(all, "enrolld_batch_size_bucket{lane=\"otp\",stage=\"store\",le=\"+Inf\"} 3"));
}

static void odd_observations_are_counted(void **state)
{
	(void)state;
	metric_observe(METRIC_message_seconds, METRIC_LABELS("mail"), -1); // a clock that stepped
	metric_observe(METRIC_message_seconds, METRIC_LABELS("mail"), INFINITY);
	const char *all = write_all();
	assert_true(has_line(all, "enrolld_message_seconds_bucket{channel=\"mail\",le=\"60\"} 1"));
	assert_true(has_line(all, "enrolld_message_seconds_count{channel=\"mail\"} 2"));
	assert_true(has_line(all, "enrolld_message_seconds_sum{channel=\"mail\"} +Inf"));
}

static void label_values_are_escaped_and_cut(void **state)
{
	(void)state;
	metric_add(METRIC_rewinds, METRIC_LABELS("a\"b\\c\nd", "x\xff\xc3\xa9"), 1);
	metric_add(METRIC_rewinds, METRIC_LABELS("short"), 1);
	char wide[200];
	memset(wide, 'w', sizeof(wide) - 1);
	wide[sizeof(wide) - 1] = '\0';
	metric_add(METRIC_rewinds, METRIC_LABELS(wide, ""), 1);
	wide[150] = 'v'; // the same series, as it is past the cut
	metric_add(METRIC_rewinds, METRIC_LABELS(wide, ""), 1);
	const char *all = write_all();
	assert_true(has_line(all, "enrolld_rewinds_total{lane=\"a\\\"b\\\\c\\nd\",reason=\"x\xef\xbf\xbd\xc3\xa9\"} 1"));
	assert_true(has_line(all, "enrolld_rewinds_total{lane=\"short\",reason=\"\"} 1"));
	char line[256];
	(void)snprintf(line, sizeof(line), "enrolld_rewinds_total{lane=\"%.128s\",reason=\"\"} 2", wide);
	assert_true(has_line(all, line));
}

static void values_do_not_run_together(void **state)
{
	(void)state;
	metric_add(METRIC_inbox_hits, METRIC_LABELS("ab", "c"), 1);
	metric_add(METRIC_inbox_hits, METRIC_LABELS("a", "bc"), 2);
	assert_true(metric_read(METRIC_inbox_hits, METRIC_LABELS("ab", "c")) == 1);
	assert_true(metric_read(METRIC_inbox_hits, METRIC_LABELS("a", "bc")) == 2);
}

static void the_number_of_series_is_bounded(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		char value[16];
		(void)snprintf(value, sizeof(value), "v%u", i);
		metric_add(METRIC_replies_dropped, METRIC_LABELS("signup", value), 1);
		metric_add(METRIC_replies_dropped, METRIC_LABELS("signup", value), 1);
	}
	const char *all = write_all();
	unsigned count = 0;
	for (const char *at = all; (at = strstr(at, "\nenrolld_replies_dropped_total{")) != NULL; at++)
		count++;
	assert_int_equal(count, 513);
	assert_true(has_line(all, "enrolld_replies_dropped_total{lane=\"signup\",reason=\"v511\"} 2"));
	assert_true(has_line(all, "enrolld_replies_dropped_total{lane=\"other\",reason=\"other\"} 976"));
	metric_add(METRIC_replies_dropped, METRIC_LABELS("signup", "v0"), 1); // those that are there go on
	assert_true(metric_read(METRIC_replies_dropped, METRIC_LABELS("signup", "v0")) == 3);
}

#define THREADS 4
#define ROUNDS 20000

static atomic_bool adding;

static void add_many(void *ctx)
{
	(void)ctx;
	static const char *const kinds[] = {"replay", "redelivery", "repeat", "conflict"};
	for (unsigned i = 0; i < ROUNDS; i++) {
		metric_add(METRIC_inbox_hits, METRIC_LABELS("threads", kinds[i % 4]), 1);
		metric_observe(METRIC_queue_seen, METRIC_LABELS("threads", "store"), 1);
		char value[16];
		(void)snprintf(value, sizeof(value), "s%u", i % 1024);
		metric_add(METRIC_retries, METRIC_LABELS("threads", value, "r"), 1);
		metric_set(METRIC_window_records, METRIC_LABELS("threads"), i);
	}
}

// The number at the end of a line.
static unsigned long long count_of(const char *line)
{
	char *end;
	unsigned long long count = strtoull(strchr(line, ' ') + 1, &end, 10);
	assert_int_equal(*end, '\n');
	return count;
}

// Each text a scrape sees is whole: _count is the +Inf bucket.
static void scrape(void *ctx)
{
	struct strbuf out = STRBUF_INIT(4 << 20);
	unsigned *bad = ctx;
	while (atomic_load(&adding)) {
		strbuf_reset(&out);
		metric_write(&out);
		const char *inf = strstr(out.data, "enrolld_queue_seen_bucket{lane=\"threads\",stage=\"store\",le=\"+Inf\"} ");
		if (!inf)
			continue;
		const char *count = strstr(inf, "enrolld_queue_seen_count{lane=\"threads\",stage=\"store\"} ");
		if (!count || count_of(inf) != count_of(count))
			(*bad)++;
	}
	strbuf_free(&out);
}

static void nothing_is_lost_between_threads(void **state)
{
	(void)state;
	pthread_t threads[THREADS], scraper;
	unsigned bad = 0;
	atomic_store(&adding, true);
	assert_int_equal(thread_start("scraper", scrape, &bad, &scraper, NULL), REASON_OK);
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(thread_start("adder", add_many, NULL, &threads[i], NULL), REASON_OK);
	for (size_t i = 0; i < THREADS; i++)
		thread_join(threads[i]);
	atomic_store(&adding, false);
	thread_join(scraper);
	assert_int_equal(bad, 0);
	assert_true(metric_read(METRIC_inbox_hits, METRIC_LABELS("threads", "replay")) * 4 == THREADS * ROUNDS);
	assert_true(metric_read(METRIC_queue_seen, METRIC_LABELS("threads", "store")) == THREADS * ROUNDS);
	const char *all = write_all();
	char line[128];
	(void)snprintf(line, sizeof(line), "enrolld_queue_seen_sum{lane=\"threads\",stage=\"store\"} %d", THREADS * ROUNDS);
	assert_true(has_line(all, line));

	// 512 of the 1,024 values have a series of their own, whoever was first; all sum up.
	unsigned long long sum = 0;
	unsigned series = 0;
	for (const char *at = all; (at = strstr(at, "\nenrolld_retries_total{")) != NULL; at++, series++)
		sum += count_of(at);
	assert_int_equal(series, 513);
	assert_int_equal(sum, THREADS * ROUNDS);
}

static void every_row_obeys_the_conventions(void **state)
{
	(void)state;
	const char *all = write_all();
	for (int i = 0; i < METRIC_COUNT; i++) {
		const struct metric_row *row = metric_row((enum metric)i);
		size_t len = strlen(row->name);
		assert_int_equal(strspn(row->name, "abcdefghijklmnopqrstuvwxyz0123456789_"), len);
		bool total = len > 6 && strcmp(row->name + len - 6, "_total") == 0;
		assert_int_equal(total, row->kind == METRIC_KIND_COUNTER);
		assert_int_equal(strspn(row->labels, "abcdefghijklmnopqrstuvwxyz_,"), strlen(row->labels));
		assert_null(strstr(row->labels, "le,"));
		char line[128];
		(void)snprintf(line, sizeof(line), "# HELP enrolld_%s ", row->name);
		const char *first = strstr(all, line);
		assert_non_null(first);
		assert_null(strstr(first + 1, line)); // once
	}
}

// The grammar of the text format, line by line: a family's lines stand together, after its HELP and TYPE.
static void every_line_is_well_formed(void **state)
{
	(void)state;
	const char *line = write_all();
	char family[128] = "";
	while (*line) {
		const char *end = strchr(line, '\n');
		assert_non_null(end);
		if (strncmp(line, "# HELP ", 7) == 0) {
			size_t len = strcspn(line + 7, " ");
			assert_in_range(len, 9, sizeof(family) - 1);
			memcpy(family, line + 7, len);
			family[len] = '\0';
		} else if (strncmp(line, "# TYPE ", 7) == 0) {
			assert_memory_equal(line + 7, family, strlen(family));
		} else {
			assert_memory_equal(line, family, strlen(family));
			const char *number = end;
			while (number[-1] != ' ')
				number--;
			char *after;
			(void)strtod(number, &after);
			assert_ptr_equal(after, end);
			char before = number[-2];
			assert_true(before == '}' || islower((unsigned char)before));
		}
		line = end + 1;
	}
}

static void add_to_a_gauge(void *ctx)
{
	(void)ctx;
	metric_add(METRIC_store_up, METRIC_NO_LABELS, 1);
}

static void set_a_counter(void *ctx)
{
	(void)ctx;
	metric_set(METRIC_records, METRIC_LABELS("signup"), 1);
}

static void observe_a_counter(void *ctx)
{
	(void)ctx;
	metric_observe(METRIC_records, METRIC_LABELS("signup"), 1);
}

static void give_too_many_labels(void *ctx)
{
	(void)ctx;
	metric_add(METRIC_records, METRIC_LABELS("signup", "more"), 1);
}

static void misuse_is_a_panic(void **state)
{
	(void)state;
	assert_panics(add_to_a_gauge, NULL, "another kind");
	assert_panics(set_a_counter, NULL, "another kind");
	assert_panics(observe_a_counter, NULL, "another kind");
	assert_panics(give_too_many_labels, NULL, "label value 2 has no label");
}

static void a_small_buffer_overflows_visibly(void **state)
{
	(void)state;
	struct strbuf small = STRBUF_INIT(100);
	metric_write(&small);
	assert_true(strbuf_overflowed(&small));
	strbuf_free(&small);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_counts_starts_at_zero),       cmocka_unit_test(counters_and_gauges),
		cmocka_unit_test(histograms_are_cumulative),        cmocka_unit_test(sizes_have_powers_of_two),
		cmocka_unit_test(odd_observations_are_counted),     cmocka_unit_test(label_values_are_escaped_and_cut),
		cmocka_unit_test(values_do_not_run_together),       cmocka_unit_test(the_number_of_series_is_bounded),
		cmocka_unit_test(nothing_is_lost_between_threads),  cmocka_unit_test(every_row_obeys_the_conventions),
		cmocka_unit_test(every_line_is_well_formed),        cmocka_unit_test(misuse_is_a_panic),
		cmocka_unit_test(a_small_buffer_overflows_visibly),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	strbuf_free(&text);
	return failed;
}
