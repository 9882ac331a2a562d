// SPDX-License-Identifier: Apache-2.0
// See record.h.
#include "record.h"

static struct keyring *ring;

void reading_start(struct reading *r)
{
	struct fault f;
	*r = (struct reading){.arena = arena_create(65536)};
	assert_int_equal(crypto_setup(&f), REASON_OK);
	if (!ring)
		ring = keyring_for_tests();
	settings_defaults(&topic_settings, r->arena, &r->topic);
	r->topic.key = "signup";
	r->topic.name = "enroll.signup";
	r->intake = (struct intake){.keys = ring, .cluster_id = "cluster"};
	reading_clear(r);
}

void reading_end(struct reading *r)
{
	arena_destroy(r->arena);
	keyring_destroy(ring);
	ring = NULL;
}

void reading_clear(struct reading *r)
{
	r->record = (struct record){
		.at = {.topic = "enroll.signup", .partition = 7, .offset = 42},
		.timestamp_ms = 1700000000000,
		.headers = r->headers,
	};
	r->youngest_ms = -1;
}

void reading_header(struct reading *r, const char *name, struct slice value)
{
	assert_true(r->record.header_count < HEADERS_MAX);
	r->headers[r->record.header_count++] = (struct header){slice_of(name), value};
}

void reading_text(struct reading *r, const char *name, const char *value)
{
	reading_header(r, name, slice_of(value));
}

void reading_value(struct reading *r, const char *value)
{
	r->record.value = slice_of(value);
	r->record.value_size = r->record.value.len;
}

enum reason reading_read(struct reading *r)
{
	return intake_read(&r->intake, &r->topic, &r->record, &r->youngest_ms, r->arena, &r->request, &r->addressed, &r->fault);
}

void assert_text(struct slice is, const char *wanted)
{
	if (!wanted && slice_is_absent(is))
		return;
	if (!wanted || slice_is_absent(is) || !slice_equal_text(is, wanted))
		fail_msg("%s%.*s%s, not %s", is.ptr ? "\"" : "absent", (int)is.len, is.ptr ? is.ptr : "", is.ptr ? "\"" : "",
			 wanted ? wanted : "absent");
}
