// SPDX-License-Identifier: Apache-2.0
// A database of its own with messages to send, and a courier with hasty settings.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "enrolld/courier/courier.h"
#include "enrolld/store/schema.h"

struct post {
	char database[64]; // also the login's name
	struct store_conf owner, worker;
	struct arena *arena;
	struct keyring *keys;
	struct courier_conf conf;
	struct courier *courier;
};

struct post *post_open(void);
void post_close(struct post *p); // destroys the courier, drops database and login
void post_start(struct post *p);

// The first cell of the answer as text, valid until the end.
const char *post_sql(const struct post *p, const char *fmt, ...) ATTR_PRINTF(2, 3);
int64_t post_count(const struct post *p, const char *fmt, ...) ATTR_PRINTF(2, 3);

struct posted {
	char id[UUID_TEXT_SIZE];
	char code[7];
	char token[TOKEN_TEXT_SIZE];
};

// A message of channel "email" or "sms" as a sign-up makes it. name and locale may be NULL.
struct posted post_message(const struct post *p, const char *channel, const char *to, const char *locale, const char *name,
			   int64_t life_ms);

// Waits until the SQL condition holds for so many rows of enrolld.message; fails after 20 s.
void post_wait(const struct post *p, int64_t rows, const char *condition);
