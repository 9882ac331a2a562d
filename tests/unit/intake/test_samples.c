// SPDX-License-Identifier: Apache-2.0
// Every record of tests/data/intake: what its comments say must be read is what is read. The README there describes the comments.
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "enrolld/intake/recording.h"
#include "record.h"

#define FILE_MAX 262144
#define PATH_SIZE 512

// One file under test.
struct sample {
	struct reading r;
	const char *path;
	struct slice text; // of the file
	bool also_auto;
	const char *pass; // how the topic is set this time
	struct output output;
	bool replied;
	size_t wrong;
};

static struct slice read_file(const char *path, struct arena *arena)
{
	FILE *file = fopen(path, "rb");
	if (!file)
		fail_msg("%s cannot be opened", path);
	char *bytes = arena_alloc(arena, FILE_MAX);
	size_t len = fread(bytes, 1, FILE_MAX, file);
	(void)fclose(file);
	assert_true(len < FILE_MAX);
	return (struct slice){bytes, len};
}

static void complain(struct sample *s, const char *what, struct slice is, struct slice wanted)
{
	print_error("%s (shape %s): %s is %s%.*s, not %s%.*s\n", s->path, s->pass, what, is.ptr ? "" : "absent", (int)is.len,
		    is.ptr ? is.ptr : "", wanted.ptr ? "" : "absent", (int)wanted.len, wanted.ptr ? wanted.ptr : "");
	s->wrong++;
}

static void same(struct sample *s, const char *what, struct slice is, struct slice wanted)
{
	if (!slice_equal(is, wanted) || slice_is_absent(is) != slice_is_absent(wanted))
		complain(s, what, is, wanted);
}

static void same_number(struct sample *s, const char *what, int64_t is, struct slice wanted)
{
	same(s, what, arena_printf(s->r.arena, "%lld", (long long)is), wanted);
}

// The escapes of the format, by the reader itself.
static struct slice bytes_of(struct sample *s, struct slice text)
{
	struct record record;
	struct fault f;
	struct slice line = arena_printf(s->r.arena, "key %.*s\n", (int)text.len, text.ptr);
	if (recording_read(line, s->r.arena, &record, &f) != REASON_OK)
		fail_msg("%s: \"%.*s\": %s", s->path, (int)text.len, text.ptr, f.detail);
	return record.key;
}

static const struct setting *setting_of(const char *name)
{
	char full[PATH_SIZE];
	(void)snprintf(full, sizeof(full), "topics.*.%s", name);
	for (size_t i = 0; i < topic_settings.count; i++)
		if (strcmp(topic_settings.rows[i].name, full) == 0)
			return &topic_settings.rows[i];
	fail_msg("there is no setting %s", full);
	return NULL;
}

static void set(struct sample *s, const char *name, struct slice value)
{
	struct fault f;
	const struct setting *row = setting_of(name);
	enum reason reason = row->type == SETTING_LIST ? setting_set_list(row, &value, 1, s->r.arena, &s->r.topic, &f)
						       : setting_set(row, value, s->r.arena, &s->r.topic, &f);
	if (reason != REASON_OK)
		fail_msg("%s: set %s: %s", s->path, name, f.detail);
}

static const char *source_name(enum request_id_source source)
{
	static const char *const names[] = {[REQUEST_ID_HEADER] = "header",
					    [REQUEST_ID_EVENT] = "event",
					    [REQUEST_ID_OUTBOX] = "outbox",
					    [REQUEST_ID_BODY] = "body",
					    [REQUEST_ID_COORDINATES] = "coordinates"};
	return names[source];
}

static const char *style_name(enum reply_style style)
{
	static const char *const names[] = {[REPLY_NONE] = "",
					    [REPLY_ZILLA] = "zilla",
					    [REPLY_SPRING] = "spring",
					    [REPLY_CLOUDEVENTS] = "cloudevents",
					    [REPLY_CLOUDEVENTS_STRUCTURED] = "cloudevents-structured"};
	return names[style];
}

static struct slice output_header(const struct sample *s, const char *name)
{
	const struct header *header = s->replied ? header_find(s->output.headers, s->output.header_count, name) : NULL;
	return header ? header->value : SLICE_ABSENT;
}

static void check(struct sample *s, const char *name, struct slice wanted)
{
	const struct request *q = &s->r.request;
	const struct {
		const char *name;
		struct slice value;
	} values[] = {
		{"method", q->method},
		{"path", q->path},
		{"query", q->query},
		{"type", q->event_type},
		{"content_type", q->content_type},
		{"body", q->body},
		{"id", q->request_id},
		{"id_source", slice_of(source_name(q->id_source))},
		{"realm", q->realm},
		{"client", q->client_address},
		{"traceparent", q->traceparent},
		{"reason", slice_of(reason_code(s->r.fault.reason))},
		{"reply", slice_of(style_name(q->reply.style))},
		{"reply.topic", q->reply.topic},
		{"reply.correlation", q->reply.correlation},
		{"reply.value", s->replied ? s->output.value : SLICE_ABSENT},
	};
	if (strcmp(name, "reply.partition") == 0) {
		same_number(s, name, q->reply.partition, wanted);
		return;
	}
	if (strncmp(name, "header ", 7) == 0) {
		same(s, name, request_header_value(q, name + 7), wanted);
		return;
	}
	if (strncmp(name, "reply.header ", 13) == 0) {
		same(s, name, output_header(s, name + 13), wanted);
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(values); i++)
		if (strcmp(name, values[i].name) == 0) {
			same(s, name, values[i].value, wanted);
			return;
		}
	fail_msg("%s: nothing is called \"%s\"", s->path, name);
}

// Goes through the lines "#! NAME = VALUE"; calls set for "set NAME", else check. said: the names that were met, for the defaults.
static void each_line(struct sample *s, bool setting, struct strbuf *said)
{
	struct slice rest = s->text;
	while (rest.len) {
		const char *end = memchr(rest.ptr, '\n', rest.len);
		struct slice line = {rest.ptr, end ? (size_t)(end - rest.ptr) : rest.len};
		rest = (struct slice){rest.ptr + line.len + (end != NULL), rest.len - line.len - (end != NULL)};
		if (slice_equal_text(line, "value") || slice_equal_text(line, "value escaped"))
			return;
		if (line.len < 3 || memcmp(line.ptr, "#! ", 3) != 0)
			continue;
		line = (struct slice){line.ptr + 3, line.len - 3};
		if (slice_equal_text(line, "auto")) {
			s->also_auto = true;
			continue;
		}
		const char *equals = memmem(line.ptr, line.len, " = ", 3);
		if (!equals)
			fail_msg("%s: no \"NAME = VALUE\" in \"%.*s\"", s->path, (int)line.len, line.ptr);
		const char *name = arena_copy(s->r.arena, (struct slice){line.ptr, (size_t)(equals - line.ptr)}).ptr;
		struct slice value = {equals + 3, line.len - (size_t)(equals - line.ptr) - 3};
		bool is_set = strncmp(name, "set ", 4) == 0;
		if (is_set && setting)
			set(s, name + 4, value);
		else if (!is_set && !setting) {
			check(s, name, bytes_of(s, value));
			strbuf_printf(said, "|%s|", name);
		}
	}
}

static void check_unsaid(struct sample *s, const struct strbuf *said)
{
	static const struct {
		const char *name, *value;
	} unsaid[] = {{"reason", "ok"}, {"realm", "default"}, {"client", NULL}, {"traceparent", NULL}, {"reply", ""}};
	for (size_t i = 0; i < ARRAY_LEN(unsaid); i++) {
		char name[64];
		(void)snprintf(name, sizeof(name), "|%s|", unsaid[i].name);
		if (!said->data || !strstr(said->data, name))
			check(s, unsaid[i].name, slice_of(unsaid[i].value));
	}
}

static void make_reply(struct sample *s)
{
	static struct header headers[] = {{{"content-type", 12}, {"application/json", 16}}};
	static const struct answer answer = {.status = 201, .headers = headers, .header_count = 1, .body = {"{\"ok\":true}", 11}};
	const char *why;
	s->replied = intake_reply(&s->r.topic, &s->r.request, &answer, s->r.arena, &s->output, &why);
}

static void run(struct sample *s, const char *shape)
{
	static const char *const allowed[] = {"enroll.replies"};
	struct strbuf said = STRBUF_INIT(65536);
	struct fault f;
	reading_clear(&s->r);
	settings_defaults(&topic_settings, s->r.arena, &s->r.topic);
	s->r.topic.key = "signup";
	s->r.topic.reply_topics = (struct setting_list){allowed, 1};
	s->pass = shape;
	set(s, "shape", slice_of(shape));
	each_line(s, true, &said);
	if (topic_settings.check(&s->r.topic, &f) != REASON_OK && strcmp(shape, "auto") != 0)
		fail_msg("%s: %s", s->path, f.detail);
	if (recording_read(s->text, s->r.arena, &s->r.record, &f) != REASON_OK)
		fail_msg("%s: %s", s->path, f.detail);
	s->r.fault.reason = REASON_OK;
	enum reason reason = reading_read(&s->r);
	assert_int_equal(reason, s->r.fault.reason);
	assert_int_equal(s->r.addressed, reason_verdict(reason) != VERDICT_BURY);
	make_reply(s);
	each_line(s, false, &said);
	check_unsaid(s, &said);
	strbuf_free(&said);
}

static int is_record(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');
	return dot && strcmp(dot, ".record") == 0;
}

// A value that breaks off anywhere, or has one byte changed, is read or refused; nothing in it makes an address or a realm.
static void run_damaged(struct sample *s, const char *shape)
{
	run(s, shape);
	struct record whole = s->r.record;
	char *bytes = arena_alloc(s->r.arena, whole.value.len + 1);
	for (size_t i = 0; i < whole.value.len; i++) {
		memcpy(bytes, whole.value.ptr, whole.value.len);
		bytes[i] = (char)(bytes[i] ^ (1 << (i % 8)));
		for (int cut = 0; cut < 2; cut++) {
			struct reply_address before = s->r.request.reply;
			struct slice realm = s->r.request.realm, client = s->r.request.client_address;
			char *tight = malloc(cut ? i + 1 : whole.value.len); // so that a byte too far is seen
			assert_non_null(tight);
			s->r.record.value = (struct slice){tight, cut ? i : whole.value.len};
			s->r.record.value_size = s->r.record.value.len;
			memcpy(tight, bytes, s->r.record.value.len);
			s->r.fault.reason = REASON_OK;
			(void)!reading_read(&s->r);
			assert_true(s->r.addressed == (reason_verdict(s->r.fault.reason) != VERDICT_BURY));
			assert_true(s->r.request.request_id.len >= 1 && s->r.request.request_id.len <= 256);
			assert_true(slice_equal(s->r.request.reply.topic, before.topic));
			assert_true(slice_equal(s->r.request.realm, realm) && slice_equal(s->r.request.client_address, client));
			free(tight);
			s->r.request.body = SLICE_ABSENT;
		}
	}
}

static size_t run_folder(const char *shape, bool damaged, size_t *wrong, size_t *by_auto)
{
	char folder[PATH_SIZE], path[2 * PATH_SIZE];
	struct dirent **entries;
	(void)snprintf(folder, sizeof(folder), "%s/intake/%s", TESTS_DATA_DIR, shape);
	int count = scandir(folder, &entries, is_record, alphasort);
	if (count < 1)
		fail_msg("%s has no records", folder);
	for (int i = 0; i < count; i++) {
		struct sample s = {.path = path};
		(void)snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name);
		reading_start(&s.r);
		s.text = read_file(path, s.r.arena);
		if (damaged)
			run_damaged(&s, shape);
		else
			run(&s, shape);
		if (s.also_auto) {
			if (damaged)
				run_damaged(&s, "auto");
			else
				run(&s, "auto");
			(*by_auto)++;
		}
		*wrong += s.wrong;
		reading_end(&s.r);
		free(entries[i]);
	}
	free(entries);
	return (size_t)count;
}

static void test_samples(void **state)
{
	size_t wrong = 0, total = 0, by_auto = 0;
	struct shape_row row;
	(void)state;
	for (size_t i = 0; shape_row(i, &row); i++)
		total += run_folder(row.name, false, &wrong, &by_auto);
	print_message("%zu records, %zu of them also by auto\n", total, by_auto);
	assert_true(total >= 98 && by_auto >= 52);
	assert_int_equal(wrong, 0);
}

static void test_damaged(void **state)
{
	size_t wrong = 0, by_auto = 0;
	struct shape_row row;
	(void)state;
	for (size_t i = 0; shape_row(i, &row); i++)
		(void)run_folder(row.name, true, &wrong, &by_auto);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_samples), cmocka_unit_test(test_damaged)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
