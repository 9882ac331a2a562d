// SPDX-License-Identifier: Apache-2.0
// A loaded provider; only the provider_*.c files look inside.
#pragma once

#include "courier/provider.h"
#include "enrolld/doc/node.h"
#include "enrolld/template/template.h"

#define RANGES_MAX 16
#define ANSWERS_MAX 32
#define WORDS_MAX 32
#define POINTERS_MAX 8
#define FIELDS_MAX 32

enum provider_encoding { PROVIDER_JSON, PROVIDER_FORM, PROVIDER_MULTIPART };
enum provider_then { THEN_ACCEPTED, THEN_DEFERRED, THEN_REFUSED, THEN_UNSURE, THEN_AWAY };

struct named_template {
	struct slice name;
	const struct template *text;
};

struct answer_rule {
	struct {
		int from, to;
	} status[RANGES_MAX];
	size_t status_count;
	struct slice pointer; // absent: the status alone decides
	struct slice words[WORDS_MAX];
	size_t word_count;
	enum provider_then then;
};

struct provider {
	struct arena *arena;
	bool idempotent;
	enum provider_auth auth;
	const char *method;
	const struct template *path; // NULL: none
	enum provider_encoding encoding;
	struct named_template headers[PROVIDER_HEADERS_MAX];
	size_t header_count;
	const struct template *json; // of PROVIDER_JSON
	struct named_template fields[FIELDS_MAX];
	size_t field_count;
	struct answer_rule answers[ANSWERS_MAX];
	size_t answer_count;
	struct slice id_pointers[POINTERS_MAX];
	size_t id_pointer_count;
	const char *id_header;
};
