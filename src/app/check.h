// SPDX-License-Identifier: Apache-2.0
// enrolld check: what was looked at, what was found, what to do. Each subject is a file of its own, check_*.c.
#pragma once

#include "enrolld/base/arena.h"
#include "enrolld/conf/conf.h"
#include "enrolld/store/schema.h"

struct finding {
	enum check_level level;
	const char *subject; // heading
	const char *what;    // setting or object
	const char *found;
	const char *remedy; // command or setting line; "" if ok
};

#define CHECK_LEVELS (CHECK_FAIL + 1)

struct checkup {
	struct arena *arena; // of all texts
	const char *subject; // of what is added next
	struct finding *findings;
	size_t count, room;
	size_t levels[CHECK_LEVELS]; // how many of each
};

// Copies what and remedy.
void check_add(struct checkup *c, enum check_level level, const char *what, const char *remedy, const char *fmt, ...)
	ATTR_PRINTF(5, 6);
// A text for as long as the findings.
const char *check_text(struct checkup *c, const char *fmt, ...) ATTR_PRINTF(2, 3);
bool check_is_loopback(const char *host, size_t len) ATTR_MUST_USE;

// The report of settings that could not be loaded, one finding a line.
void check_settings_refused(struct checkup *c, const char *path, const struct strbuf *report, const struct fault *f);
void check_settings(struct checkup *c, const struct conf *conf);
void check_keys(struct checkup *c, const struct conf *conf);
void check_dialects(struct checkup *c, const struct conf *conf);
void check_machine(struct checkup *c, const struct conf *conf);
void check_store(struct checkup *c, const struct conf *conf);
void check_kafka(struct checkup *c, const struct conf *conf); // brokers and topics
void check_messages(struct checkup *c, const struct conf *conf);

struct kafka_admin;
void check_topics(struct checkup *c, const struct conf *conf, struct kafka_admin *admin, int brokers);
