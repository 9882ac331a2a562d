// SPDX-License-Identifier: Apache-2.0
// The steps of reading a request, in their order.
#pragma once

#include "dialect/dialect_private.h"

// access.c: accept, access; the key's row goes to the reading. NOT_ACCEPTABLE, ROUTE_CLOSED, KEY_MISSING, KEY_INVALID, UNAUTHENTICATED.
enum reason access_check(struct dialect_reading *reading, struct fault *f) ATTR_MUST_USE;
// The token of an authorization header of the scheme "Bearer"; absent if there is none.
struct slice access_bearer(struct slice header);

// limit.c: adds those whose subject is known by now: by_input says whether fields are read.
void limit_fill(struct dialect_reading *reading, bool by_input);

// parse.c: the body as a tree, whatever its type. What its answer may say of a body that cannot be read goes to the reading.
enum reason parse_body(struct dialect_reading *reading, struct fault *f) ATTR_MUST_USE;

// form.c, multipart.c: a form as a tree of texts. RECORD_TOO_LARGE, JSON_TOO_DEEP, TEXT_INVALID_UTF8, TEXT_NUL, JSON_MALFORMED (multipart).
struct form;
struct form *form_create(const struct body *body, struct arena *arena);
enum reason form_add(struct form *form, struct slice name, struct slice value, struct fault *f) ATTR_MUST_USE;
const struct node *form_finish(struct form *form);
enum reason form_parse(const struct body *body, struct slice text, struct arena *arena, const struct node **root,
		       struct fault *f) ATTR_MUST_USE;
enum reason multipart_parse(const struct body *body, struct slice content_type, struct slice text, struct arena *arena,
			    const struct node **root, struct fault *f) ATTR_MUST_USE;

// python_json.c: what Python's json module says of a text that is no JSON, such as "Expecting value", and where: a character of a line, each from 1,
// and of the whole, from 0. false: Python would have taken it.
struct json_place {
	const char *message;
	size_t line, column, position;
};
bool python_json_error(struct slice text, struct json_place *place);

// see.c: the value of a field in the body (at: the concrete pointer where it has "*") or elsewhere, found, coerced and normalised.
// TEXT_INVALID_UTF8, TEXT_NUL: outside the body.
enum reason see_field(const struct dialect_reading *reading, const struct field *field, struct rule_field *seen,
		      struct fault *f) ATTR_MUST_USE;
struct rule_field see_node(const struct dialect_reading *reading, const struct field *field, const struct node *value);
const struct node *see_in_body(const struct dialect_reading *reading, struct slice pointer); // also in the other spelling
void see_default(const struct field *field, struct rule_field *seen);

// ask.c: asks all rules, stage by stage, and maps what met them.
void ask_all(struct dialect_reading *reading);

// unknown.c: members of the body that no field takes.
void unknown_find(struct dialect_reading *reading);
void found_add(struct dialect_reading *reading, struct found found);

// collect.c: what is told of what was found, given which claims are taken (NULL: none), in the order and number the dialect wants. *unique: there
// is nothing else among it.
void collect(const struct dialect_reading *reading, const bool *taken, struct arena *arena, struct violation **violations,
	     size_t *count, bool *unique);

// map.c: from a field that met its rules to the canonical registration. The password is not mapped here: it goes to a secret at the very end.
void map_field(struct dialect_reading *reading, const struct field *field, const struct rule_field *seen);
void map_kept(struct dialect_reading *reading);
void map_claims(struct dialect_reading *reading, const struct field *field, const struct rule_field *seen); // of its rules "unique"

// explain.c: lines of the trace. Each does nothing where nobody listens.
void trace_stage(const struct dialect_reading *reading, struct slice name);
void trace_seen(const struct dialect_reading *reading);
void trace_check(const struct dialect_reading *reading, const struct check *check, const struct field *field, struct slice at,
		 const char *verdict);

// code.c: which code is asked for or tried. HASH_MEMORY: no room for another secret.
enum reason code_fill(struct dialect_reading *reading, struct secret_pool *pool, struct fault *f) ATTR_MUST_USE;

// show.c: the token that is shown, of the kind that the spec says. Not one of ours: nothing is found by it.
void show_token(struct dialect_reading *reading, const struct token_spec *spec, struct slice token);
// What the route has to do with sessions.
void show_fill(struct dialect_reading *reading);

// read.c
enum reason read_head(struct dialect_reading *reading, struct fault *f) ATTR_MUST_USE; // what comes before the body
enum reason read_request(struct dialect_reading *reading, struct request *request, struct secret_pool *pool,
			 struct fault *f) ATTR_MUST_USE;

// derive.c
void derive_all(struct dialect_reading *reading);
struct rule_input reading_input(struct dialect_reading *reading, const struct rule_field *field, struct rule_notes *notes);
