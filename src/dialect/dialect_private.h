// SPDX-License-Identifier: Apache-2.0
// A dialect as it is held in memory: everything in the set's arena, read-only once loaded.
#pragma once

#include "enrolld/dialect/dialect.h"
#include "enrolld/doc/json.h"
#include "enrolld/doc/node.h"
#include "enrolld/rules/rules.h"
#include "enrolld/template/template.h"

#define VIOLATIONS_MAX 64

// Where a field goes in the canonical registration.
enum target {
	TARGET_NONE,
	TARGET_EMAIL,
	TARGET_PHONE,
	TARGET_USERNAME,
	TARGET_PASSWORD,
	TARGET_PASSWORD_HASH,
	TARGET_GIVEN_NAME,
	TARGET_FAMILY_NAME,
	TARGET_DISPLAY_NAME,
	TARGET_BIRTH_DATE,
	TARGET_LOCALE,
	TARGET_ATTRIBUTES,
};

enum collect { COLLECT_ALL, COLLECT_FIRST_PER_FIELD, COLLECT_FIRST };

// A rule with the words of its violation.
struct check {
	const struct rule *rule;
	struct slice at, code, text;
};

struct check_list {
	struct check *items;
	size_t count;
};

struct field {
	struct slice name;
	struct slice from; // JSON pointer into the body
	enum target target;
	bool trim, null_missing, empty_missing, secret;
	struct check_list checks;
	const struct check *unique; // among them, or NULL
	int line;
};

// How the body is read.
struct body {
	const struct slice *media; // accepted types; one "*" may stand for any run
	size_t media_count;
	struct json_limits limits;
	struct slice request_id; // pointer; absent: never from the body
	bool refuse_unknown, null_missing, empty_missing;
};

struct answer_header {
	struct slice name;
	const struct template *value;
};

struct answer_spec {
	struct slice key; // "accepted", a reason's code, "refused", "expired", "dead"
	int status;
	struct answer_header *headers;
	size_t header_count;
	const struct template *body; // NULL: none
};

struct answer_list {
	struct answer_spec *items;
	size_t count;
};

struct text_row {
	struct slice code, text;
};

struct text_list {
	struct text_row *items;
	size_t count;
};

struct route {
	const struct dialect *dialect;
	const char *name; // with the dialect's
	enum operation_kind operation;
	struct slice method, path, type; // absent if not reached that way
	struct body body;
	enum collect collect;
	struct field *fields;
	struct slice *field_names;
	size_t field_count;
	struct check_list checks; // over the whole
	struct answer_list answers;
};

struct dialect {
	const char *name;
	const char *file;
	struct body body;
	enum collect collect;
	struct text_list texts;
	struct answer_list answers;
	struct route *routes;
	size_t route_count;
};

struct named_list {
	const char *name;
	struct word_list *list;
	struct named_list *next;
};

struct dialect_set {
	struct arena *arena;
	struct dialect **dialects;
	size_t count;
	struct named_list *lists;
};

// NULL if the list has none for the code.
const struct text_row *text_find(const struct text_list *texts, struct slice code);
const struct answer_spec *answer_find(const struct answer_list *answers, struct slice key);
