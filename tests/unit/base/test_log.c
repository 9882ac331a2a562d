// SPDX-License-Identifier: Apache-2.0
// Log lines: their form, escaping, limits and threads.
#include "enrolld/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "enrolld/base/metric.h"
#include "enrolld/base/thread.h"

#define TIME_LEN 24 // 2026-11-24T22:52:11.123Z

static char captured[1 << 20];
static size_t captured_len;
static int real_stderr, capture_fd;

static void capture_start(void)
{
	(void)fflush(stderr);
	real_stderr = dup(STDERR_FILENO);
	FILE *file = tmpfile();
	assert_non_null(file);
	capture_fd = dup(fileno(file));
	(void)fclose(file);
	assert_true(dup2(capture_fd, STDERR_FILENO) >= 0);
}

static const char *capture_end(void)
{
	assert_true(dup2(real_stderr, STDERR_FILENO) >= 0);
	(void)close(real_stderr);
	ssize_t n = pread(capture_fd, captured, sizeof(captured) - 1, 0);
	assert_true(n >= 0);
	captured_len = (size_t)n;
	captured[n] = '\0';
	(void)close(capture_fd);
	return captured;
}

// A JSON line without its time, which is checked here, as "level":... to the newline.
static const char *after_time(const char *line)
{
	static const char start[] = "{\"time\":\"";
	assert_memory_equal(line, start, sizeof(start) - 1);
	const char *time = line + sizeof(start) - 1;
	static const char form[] = "dddd-dd-ddTdd:dd:dd.dddZ";
	for (size_t i = 0; i < TIME_LEN; i++) {
		if (form[i] == 'd')
			assert_in_range(time[i], '0', '9');
		else
			assert_int_equal(time[i], form[i]);
	}
	assert_memory_equal(time + TIME_LEN, "\",", 2);
	return time + TIME_LEN + 2;
}

static int setup(void **state)
{
	(void)state;
	log_configure(LOG_LEVEL_INFO, LOG_FORMAT_JSON);
	return 0;
}

static void a_line_has_its_members_in_order(void **state)
{
	(void)state;
	capture_start();
	LOG(worker_started);
	assert_string_equal(after_time(capture_end()), "\"level\":\"info\",\"event\":\"worker_started\"}\n");

	capture_start();
	LOG(worker_started, log_text("version", "1.2"), log_int("threads", -7), log_bool("clean", true), log_bool("dirty", false),
	    log_double("share", 0.25), log_slice("lane", SLICE_LIT("signup")), log_int("least", INT64_MIN));
	assert_string_equal(after_time(capture_end()),
			    "\"level\":\"info\",\"event\":\"worker_started\",\"version\":\"1.2\",\"threads\":-7,\"clean\":true,"
			    "\"dirty\":false,\"share\":0.25,\"lane\":\"signup\",\"least\":-9223372036854775808}\n");
}

static void a_fault_adds_reason_verdict_detail(void **state)
{
	(void)state;
	struct fault f;
	(void)fault_set(&f, REASON_STORE_UNAVAILABLE, "no \"route\"");
	capture_start();
	LOG_FAULT(store_paused, &f);
	assert_string_equal(after_time(capture_end()),
			    "\"level\":\"warn\",\"event\":\"store_paused\",\"reason\":\"store_unavailable\","
			    "\"verdict\":\"retry\",\"detail\":\"no \\\"route\\\"\"}\n");
	capture_start();
	LOG_FAULT(store_paused, &f, log_text("lane", "otp"));
	assert_non_null(strstr(capture_end(), "\"event\":\"store_paused\",\"lane\":\"otp\",\"reason\":"));

	// The longest detail is not cut.
	(void)fault_set(&f, REASON_STORE_UNAVAILABLE, "%0*d", FAULT_DETAIL_SIZE - 1, 0);
	capture_start();
	LOG_FAULT(store_paused, &f);
	assert_non_null(strstr(capture_end(), f.detail));
}

static void text_lines_quote_what_could_mislead(void **state)
{
	(void)state;
	log_configure(LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
	struct fault f;
	(void)fault_set(&f, REASON_KAFKA_UNAVAILABLE, "3 brokers down");
	capture_start();
	LOG_FAULT(kafka_paused, &f, log_text("lane", "signup"), log_text("a", "x=y"), log_text("b", ""), log_text("c", "q\"q"),
		  log_text("d", "two words"), log_int("n", 5), log_text("e", "l1\nl2"), log_text("none", NULL),
		  log_text("u", "\xc3\xa9"));
	const char *line = capture_end();
	assert_int_equal(line[TIME_LEN - 1], 'Z');
	assert_string_equal(
		line + TIME_LEN,
		" warn kafka_paused lane=signup a=\"x=y\" b=\"\" c=\"q\\\"q\" d=\"two words\" n=5 e=\"l1\\nl2\" none=null "
		"u=\"\xc3\xa9\" reason=kafka_unavailable verdict=retry detail=\"3 brokers down\"\n");
}

static void values_cannot_break_out(void **state)
{
	(void)state;
	static const struct {
		struct slice value;
		const char *json;
	} cases[] = {
		{{"plain \xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 15}, "\"plain \xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\""},
		{{"\",\"level\":\"error", 16}, "\"\\\",\\\"level\\\":\\\"error\""},
		{{"a\\b", 3}, "\"a\\\\b\""},
		{{"a\nb\tc\rd\0e", 9}, "\"a\\nb\\tc\\u000dd\\u0000e\""},
		{{"\x1b[31m\x7f", 6}, "\"\\u001b[31m\\u007f\""},
		{{"\xc2\x85\xc2\x9f\xc2\xa0", 6}, "\"\\u0085\\u009f\xc2\xa0\""},                 // C1, no-break space
		{{"\xe2\x80\xae\xe2\x80\xaa\xe2\x80\xaf", 9}, "\"\\u202e\\u202a\xe2\x80\xaf\""}, // U+202E, 202A, 202F
		{{"\xe2\x81\xa6\xe2\x81\xa9\xe2\x81\xaa", 9}, "\"\\u2066\\u2069\xe2\x81\xaa\""}, // U+2066, 2069, 206A
		{{"\xe2\x80\x8e\xe2\x80\x8f\xd8\x9c\xe2\x80\x8d", 11},
		 "\"\\u200e\\u200f\\u061c\xe2\x80\x8d\""}, // marks; joiner stays
		{{"\xe2\x80\xa8\xe2\x80\xa9", 6}, "\"\\u2028\\u2029\""},
		{{"a\xff"
		  "b\xc3",
		  4},
		 "\"a\\ufffdb\\ufffd\""},
		{{"\xed\xa0\x80", 3}, "\"\\ufffd\\ufffd\\ufffd\""}, // a surrogate
		{{"", 0}, "\"\""},
		{{NULL, 0}, "null"},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		capture_start();
		LOG(worker_started, log_slice("v", cases[i].value));
		const char *line = capture_end();
		char want[256];
		(void)snprintf(want, sizeof(want), "\"level\":\"info\",\"event\":\"worker_started\",\"v\":%s}\n", cases[i].json);
		assert_string_equal(after_time(line), want);
	}
}

static void numbers_that_json_lacks_are_null(void **state)
{
	(void)state;
	capture_start();
	LOG(worker_started, log_double("a", NAN), log_double("b", INFINITY), log_double("c", 1e300));
	assert_non_null(strstr(capture_end(), ",\"a\":null,\"b\":null,\"c\":1e+300}"));
}

static void long_values_are_cut(void **state)
{
	(void)state;
	char text[600];
	memset(text, 'x', sizeof(text));
	text[255] = '\xc3'; // byte 256 begins a character of two
	text[256] = '\xa9';
	capture_start();
	LOG(worker_started, log_slice("v", (struct slice){text, sizeof(text)}), log_int("after", 1));
	const char *value = strstr(capture_end(), "\"v\":\"");
	assert_non_null(value);
	assert_int_equal(strspn(value + 5, "x"), 255);
	assert_memory_equal(value + 5 + 255, "\",\"after\":1}\n", 14);
}

static void a_long_line_stays_well_formed(void **state)
{
	(void)state;
	char text[256];
	memset(text, '\1', sizeof(text)); // six bytes each
	struct slice wide = {text, sizeof(text)};
	static const enum log_format formats[] = {LOG_FORMAT_JSON, LOG_FORMAT_TEXT};
	static const char *const ends[] = {",\"small\":1,\"cut\":true}\n", " small=1 cut=true\n"};
	for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
		log_configure(LOG_LEVEL_INFO, formats[i]);
		capture_start();
		LOG(worker_started, log_slice("a", wide), log_slice("b", wide), log_slice("c", wide), log_slice("d", wide),
		    log_int("small", 1));
		const char *line = capture_end();
		assert_true(captured_len <= 4096);
		assert_string_equal(line + captured_len - strlen(ends[i]), ends[i]);
		assert_ptr_equal(strchr(line, '\n'), line + captured_len - 1);
		assert_null(strstr(line, "\"c\""));
	}
}

static void lines_near_the_limit_are_whole(void **state)
{
	(void)state;
	char wide_text[256], plain_text[256];
	memset(wide_text, '\1', sizeof(wide_text));
	memset(plain_text, 'p', sizeof(plain_text));
	struct slice wide = {wide_text, sizeof(wide_text)};
	bool whole = false, cut = false;
	for (size_t length = 0; length <= sizeof(plain_text); length++) {
		capture_start();
		LOG(worker_started, log_slice("a", wide), log_slice("b", wide), log_slice("c", (struct slice){wide_text, 120}),
		    log_slice("d", (struct slice){plain_text, length}));
		const char *line = capture_end();
		assert_in_range(captured_len, 3800, 4096);
		bool fits = strstr(line, ",\"d\":\"") != NULL;
		const char *end = fits ? "\"}\n" : ",\"cut\":true}\n";
		assert_string_equal(line + captured_len - strlen(end), end);
		whole = whole || fits;
		cut = cut || !fits;
	}
	assert_true(whole && cut);
}

static void levels_filter(void **state)
{
	(void)state;
	capture_start();
	LOG(kafka_log);
	log_configure(LOG_LEVEL_ERROR, LOG_FORMAT_JSON);
	LOG(worker_started);
	LOG(store_paused);
	LOG(worker_failed);
	log_configure(LOG_LEVEL_DEBUG, LOG_FORMAT_JSON);
	LOG(kafka_log);
	const char *lines = capture_end();
	assert_null(strstr(lines, "worker_started"));
	assert_null(strstr(lines, "store_paused"));
	const char *first = strstr(lines, "\"level\":\"error\",\"event\":\"worker_failed\"");
	assert_non_null(first);
	assert_non_null(strstr(first, "\"level\":\"debug\",\"event\":\"kafka_log\""));
	log_configure(LOG_LEVEL_WARN, LOG_FORMAT_JSON);
	assert_false(log_enabled(LOG_LEVEL_INFO));
	assert_true(log_enabled(LOG_LEVEL_WARN));
}

static void every_event_is_documented(void **state)
{
	(void)state;
	for (int i = 0; i < EVENT_COUNT; i++) {
		const struct log_event_row *row = log_event_row((enum log_event)i);
		assert_int_equal(strspn(row->name, "abcdefghijklmnopqrstuvwxyz0123456789_"), strlen(row->name));
		assert_true(row->name[0] != '\0');
		assert_true(strlen(row->text) > 1);
		assert_int_equal(row->text[strlen(row->text) - 1], '.');
		for (int k = 0; k < i; k++)
			assert_string_not_equal(log_event_row((enum log_event)k)->name, row->name);
	}
	assert_string_equal(log_level_name(LOG_LEVEL_WARN), "warn");
}

static void a_line_that_cannot_be_written_is_counted(void **state)
{
	(void)state;
	int ends[2];
	assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
	char filler[4096] = {0};
	while (write(ends[1], filler, sizeof(filler)) > 0)
		continue;
	double before = metric_read(METRIC_log_lines_lost, METRIC_NO_LABELS);
	real_stderr = dup(STDERR_FILENO);
	(void)dup2(ends[1], STDERR_FILENO);
	errno = 0;
	LOG(worker_started);
	int error = errno;
	(void)dup2(real_stderr, STDERR_FILENO);
	(void)close(real_stderr);
	(void)close(ends[0]);
	(void)close(ends[1]);
	assert_int_equal(error, 0); // the caller's errno is untouched
	assert_true(metric_read(METRIC_log_lines_lost, METRIC_NO_LABELS) == before + 1);
}

#define THREADS 4
#define LINES 500

static void log_many(void *ctx)
{
	char text[200];
	memset(text, *(const char *)ctx, sizeof(text));
	for (int i = 0; i < LINES; i++)
		LOG(worker_started, log_slice("v", (struct slice){text, sizeof(text)}));
}

static void lines_of_threads_do_not_mix(void **state)
{
	(void)state;
	static char marks[THREADS] = {'a', 'b', 'c', 'd'};
	pthread_t threads[THREADS];
	capture_start();
	(void)fcntl(STDERR_FILENO, F_SETFL, O_APPEND);
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(thread_start("logger", log_many, &marks[i], &threads[i], NULL), REASON_OK);
	for (size_t i = 0; i < THREADS; i++)
		thread_join(threads[i]);
	char *line = captured;
	(void)capture_end();
	size_t counts[THREADS] = {0};
	for (char *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
		*end = '\0';
		const char *rest = after_time(line);
		static const char start[] = "\"level\":\"info\",\"event\":\"worker_started\",\"v\":\"";
		assert_memory_equal(rest, start, sizeof(start) - 1);
		rest += sizeof(start) - 1;
		size_t which = (size_t)(rest[0] - 'a');
		assert_true(which < THREADS);
		assert_int_equal(strspn(rest, (const char[]){rest[0], '\0'}), 200);
		assert_string_equal(rest + 200, "\"}");
		counts[which]++;
	}
	assert_int_equal(line[0], '\0');
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(counts[i], LINES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_line_has_its_members_in_order, setup),
		cmocka_unit_test_setup(a_fault_adds_reason_verdict_detail, setup),
		cmocka_unit_test_setup(text_lines_quote_what_could_mislead, setup),
		cmocka_unit_test_setup(values_cannot_break_out, setup),
		cmocka_unit_test_setup(numbers_that_json_lacks_are_null, setup),
		cmocka_unit_test_setup(long_values_are_cut, setup),
		cmocka_unit_test_setup(a_long_line_stays_well_formed, setup),
		cmocka_unit_test_setup(lines_near_the_limit_are_whole, setup),
		cmocka_unit_test_setup(levels_filter, setup),
		cmocka_unit_test_setup(every_event_is_documented, setup),
		cmocka_unit_test_setup(a_line_that_cannot_be_written_is_counted, setup),
		cmocka_unit_test_setup(lines_of_threads_do_not_mix, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
