// SPDX-License-Identifier: Apache-2.0
// What a request costs before the database: record -> request -> registration with its rules asked, against jansson parsing the same body alone.
// dialects=FOLDER [rounds=51] [count=1000]. Prints medians over the rounds, in microseconds of this thread's processor time, one object a case.
//
// jansson runs with the C library's malloc, the worker's code with the allocator that it gives jansson, which wipes.
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "args.h"
#include "enrolld/dialect/dialect.h"
#include "enrolld/doc/json.h"
#include "enrolld/intake/intake.h"

#define ROUNDS_MAX 101
#define TIME_MS INT64_C(1700000000000)
#define ARENA_BLOCK 4096

struct front {
	struct dialect_set *set;
	struct secret_pool *secrets;
	struct intake intake;
	struct topic_conf topic;
	struct arena *arena;
	json_malloc_t own_malloc;
	json_free_t own_free;
};

struct cost {
	double jansson, intake, whole, ratio;
};

static const struct sample {
	const char *name, *dialect, *path, *body;
} samples[] = {
	{"native", "native", "/v1/accounts",
	 "{\"email\":\"jane.doe@example.com\",\"password\":\"blue heron over the lake\",\"given_name\":\"Jane\",\"family_name\":\"Doe\","
	 "\"birth_date\":\"1990-01-15\",\"locale\":\"en-GB\",\"attributes\":{\"newsletter\":true,\"source\":\"landing-7\"}}"},
	{"native_phone", "native", "/v1/accounts",
	 "{\"email\":\"jane.doe@example.com\",\"phone\":\"+49 30 1234567\",\"password\":\"blue heron over the lake\",\"given_name\":\"Jane\","
	 "\"family_name\":\"Doe\",\"birth_date\":\"1990-01-15\",\"locale\":\"en-GB\",\"attributes\":{\"newsletter\":true,\"source\":\"landing-7\"}}"},
	{"django_ecommerce", "django-ecommerce", "/api/v1/customers/",
	 "{\"email\":\"jane.doe@example.com\",\"first_name\":\"Jane\",\"last_name\":\"Doe\",\"date_of_birth\":\"1990-01-15\","
	 "\"password\":\"blue heron over the lake\",\"password2\":\"blue heron over the lake\"}"},
};

static int64_t used_ns(void)
{
	struct timespec t;
	if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t) != 0)
		die("no clock of the thread's processor time");
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static void must(enum reason reason, const char *what, const struct fault *f)
{
	if (reason != REASON_OK)
		die("%s: %s", what, f->detail);
}

static void parse(struct slice body)
{
	json_error_t error;
	json_t *tree = json_loadb(body.ptr, body.len, JSON_REJECT_DUPLICATES, &error);
	if (!tree)
		die("jansson: %s", error.text);
	json_decref(tree);
}

// One record as a gateway writes it, up to its request or its registration.
static void read_record(struct front *front, const struct sample *sample, long number, bool whole)
{
	struct header headers[] = {
		{SLICE_LIT(":scheme"), SLICE_LIT("https")},
		{SLICE_LIT(":method"), SLICE_LIT("POST")},
		{SLICE_LIT(":path"), slice_of(sample->path)},
		{SLICE_LIT(":authority"), SLICE_LIT("shop.example")},
		{SLICE_LIT("content-type"), SLICE_LIT("application/json")},
		{SLICE_LIT("idempotency-key"), SLICE_LIT("0c5b2c9e-1111-4222-8333-abcdefabcdef")},
		{SLICE_LIT("zilla:reply-to"), SLICE_LIT("enroll.replies")},
		{SLICE_LIT("zilla:correlation-id"), SLICE_LIT("0c5b2c9e-1111-4222-8333-abcdefabcdef-0123")},
		{SLICE_LIT("x-forwarded-for"), SLICE_LIT("192.0.2.7")},
		{SLICE_LIT("traceparent"), SLICE_LIT("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")},
	};
	struct record record = {
		.at = {"enroll.signup", 1, number},
		.timestamp_ms = TIME_MS,
		.value = slice_of(sample->body),
		.value_size = strlen(sample->body),
		.headers = headers,
		.header_count = ARRAY_LEN(headers),
	};
	struct request request;
	struct registration registration = {0};
	const struct dialect *dialect;
	const struct route *route;
	const char *names[] = {sample->dialect};
	bool addressed;
	int64_t youngest_ms = -1;
	struct fault f;
	must(intake_read(&front->intake, &front->topic, &record, &youngest_ms, front->arena, &request, &addressed, &f), "intake",
	     &f);
	if (whole) {
		must(dialect_route(front->set, names, 1, &request, &dialect, &route, &f), sample->name, &f);
		must(dialect_read(route, &request, front->secrets, TIME_MS, front->arena, &registration, &f), sample->name, &f);
	}
	registration_forget(&registration);
	arena_reset(front->arena);
}

// Microseconds of a record.
static double time_records(struct front *front, const struct sample *sample, long count, bool whole)
{
	int64_t begin = used_ns();
	for (long i = 0; i < count; i++)
		read_record(front, sample, i, whole);
	return (double)(used_ns() - begin) / (1e3 * (double)count);
}

static double time_jansson(struct front *front, const struct sample *sample, long count)
{
	json_set_alloc_funcs(malloc, free);
	int64_t begin = used_ns();
	for (long i = 0; i < count; i++)
		parse(slice_of(sample->body));
	double each = (double)(used_ns() - begin) / (1e3 * (double)count);
	json_set_alloc_funcs(front->own_malloc, front->own_free);
	return each;
}

static struct cost run_round(struct front *front, const struct sample *sample, long count)
{
	double jansson = time_jansson(front, sample, count), intake = time_records(front, sample, count, false),
	       whole = time_records(front, sample, count, true);
	return (struct cost){jansson, intake, whole, whole / jansson};
}

static int compare(const void *a, const void *b)
{
	const double *x = a, *y = b;
	return (*x > *y) - (*x < *y);
}

static double median(double *values, long count)
{
	qsort(values, (size_t)count, sizeof(*values), compare);
	return (values[(count - 1) / 2] + values[count / 2]) / 2;
}

static void measure(struct front *front, const struct sample *sample, long rounds, long count)
{
	double of[4][ROUNDS_MAX];
	(void)run_round(front, sample, count); // warms caches and is left out
	for (long i = 0; i < rounds; i++) {
		struct cost cost = run_round(front, sample, count);
		of[0][i] = cost.jansson;
		of[1][i] = cost.intake;
		of[2][i] = cost.whole;
		of[3][i] = cost.ratio;
	}
	printf("\"%s\": {\"jansson_us\": %.3f, \"intake_us\": %.3f, \"whole_us\": %.3f, \"ratio\": %.3f}", sample->name,
	       median(of[0], rounds), median(of[1], rounds), median(of[2], rounds), median(of[3], rounds));
}

static void set_up(struct front *front, const char *dialects)
{
	const char *names[ARRAY_LEN(samples)];
	static const char *replies[] = {"enroll.replies"};
	struct fault f;
	bool locked;
	for (size_t i = 0; i < ARRAY_LEN(samples); i++)
		names[i] = samples[i].dialect;
	json_setup();
	json_get_alloc_funcs(&front->own_malloc, &front->own_free);
	must(crypto_setup(&f), "libsodium", &f);
	must(dialect_load(dialects, names, ARRAY_LEN(names), NULL, NULL, &front->set, &f), dialects, &f);
	must(secret_pool_create(4, &front->secrets, &locked, &f), "memory for passwords", &f);
	front->intake = (struct intake){keyring_for_tests(), "cluster"};
	front->arena = arena_create(ARENA_BLOCK);
	settings_defaults(&topic_settings, arena_create(ARENA_BLOCK), &front->topic);
	front->topic.name = "enroll.signup";
	front->topic.address_header = "x-forwarded-for";
	front->topic.reply_topics = (struct setting_list){replies, 1};
}

int main(int argc, char **argv)
{
	struct args args = args_of(argc, argv);
	struct front front = {0};
	long rounds = args_number(&args, "rounds", 51), count = args_number(&args, "count", 1000);
	if (rounds < 1 || rounds > ROUNDS_MAX || count < 1)
		die("rounds=%ld count=%ld cannot be", rounds, count);
	set_up(&front, args_text(&args, "dialects", NULL));
	printf("{");
	for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
		printf("%s", i ? ", " : "");
		measure(&front, &samples[i], rounds, count);
	}
	printf("}\n");
	return 0;
}
