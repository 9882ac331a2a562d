// SPDX-License-Identifier: Apache-2.0
// Records for intake's tests.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "enrolld/intake/intake.h"

#define HEADERS_MAX 64

struct reading {
	struct arena *arena;
	struct topic_conf topic;
	struct intake intake;
	struct header headers[HEADERS_MAX];
	struct record record;
	struct request request;
	int64_t youngest_ms;
	bool addressed;
	struct fault fault;
};

void reading_start(struct reading *r); // defaults, a ring for tests, record 7/42 without headers and value
void reading_end(struct reading *r);
void reading_clear(struct reading *r); // the record only
void reading_header(struct reading *r, const char *name, struct slice value);
void reading_text(struct reading *r, const char *name, const char *value);
void reading_value(struct reading *r, const char *value);
enum reason reading_read(struct reading *r);
void assert_text(struct slice is, const char *wanted); // NULL: absent
