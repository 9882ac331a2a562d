// SPDX-License-Identifier: Apache-2.0
// Loading: one state for a whole set, so that every error of every file is found in one go.
#pragma once

#include "dialect/dialect_private.h"

struct loader {
	struct dialect_set *set;
	const char *directory;
	const struct dialect_options *options; // NULL: none
	const char *file;                      // being read
	struct strbuf *report;
	struct fault first;
	size_t errors;
};

// loader.c
void loader_error(struct loader *loader, int line, const char *fmt, ...) ATTR_PRINTF(3, 4);
void loader_fault(struct loader *loader, const struct fault *f); // its detail begins with file:line
// Refuses keys of the map that are none of the words, with the nearest one. false if it is no map at all.
bool loader_keys(struct loader *loader, const struct node *map, const char *what, const char *const *words, size_t count);
// Each takes an absent node as "leave *value as it is"; false if there was an error.
bool loader_text(struct loader *loader, const struct node *node, const char *what, struct slice *value);
bool loader_bool(struct loader *loader, const struct node *node, const char *what, bool *value);
bool loader_number(struct loader *loader, const struct node *node, const char *what, int64_t min, int64_t max, size_t *value);
bool loader_choice(struct loader *loader, const struct node *node, const char *what, const char *const *words, size_t count,
		   size_t *value);
bool loader_pointer(struct loader *loader, const struct node *node, const char *what, struct slice *value);
bool loader_duration(struct loader *loader, const struct node *node, const char *what, int64_t min_ms, int64_t max_ms,
		     int64_t *value);
// A text, or a list of texts.
bool loader_texts(struct loader *loader, const struct node *node, const char *what, const struct slice **values, size_t *count);
// A list, or NULL for none (*count 0). false: it is something else.
bool loader_list(struct loader *loader, const struct node *node, const char *what, size_t most, size_t *count);
int loader_key_line(const struct node *map, size_t index);
bool name_plain(struct slice name); // 1 to 64 of a-z, A-Z, 0-9, _ and -
struct template_origin loader_origin(const struct loader *loader, int line);
// NULL if there is none, or an error was told.
const struct template_condition *loader_condition(struct loader *loader, const struct node *node);

// load_body.c
void load_body(struct loader *loader, const struct node *node, struct body *body);
// "empty", of bodies and of fields.
void load_empty(struct loader *loader, const struct node *node, bool *missing, bool *form_missing);
void load_collect(struct loader *loader, const struct node *node, struct collect *collect);

// load_text.c
void load_languages(struct loader *loader, const struct node *root, struct dialect *dialect);
void load_texts(struct loader *loader, const struct node *map, struct dialect *dialect);
// The sentence in all languages: by what is written, or by code (absent: not).
void load_words(struct loader *loader, const struct dialect *dialect, const struct node *node, struct slice code, int line,
		struct words *words);

// load_table.c
void load_settings(struct loader *loader, const struct node *map, struct dialect *dialect);
void load_tables(struct loader *loader, const struct node *map, struct dialect *dialect);
const struct rules_table *find_table(const struct dialect *dialect, struct slice name);

// load_access.c, load_limit.c, load_token.c, load_derive.c
void load_access(struct loader *loader, const struct node *list, const struct dialect *dialect, struct access_list *access);
void load_limits(struct loader *loader, const struct node *map, struct limit_list *limits);
void load_tokens(struct loader *loader, const struct node *map, struct dialect *dialect);
void load_derived(struct loader *loader, const struct node *map, struct route *route);

// load_session.c: what a route has to do with sessions, once its answers are known.
void load_scope(struct loader *loader, const struct node *node, struct route *route);
void load_minting(struct loader *loader, struct route *route);

// load_warning.c, once the settings are known
void load_warnings(struct loader *loader, const struct node *list, struct dialect *dialect);

// load_code.c
void load_codes(struct loader *loader, const struct node *map, struct dialect *dialect);
void load_code_choice(struct loader *loader, const struct node *node, struct route *route);

// load_parameter.c: a rule's entry with the values of settings where it names them.
const struct node *load_parameters(struct loader *loader, const struct dialect *dialect, const struct node *entry);

// load_check.c
void load_checks(struct loader *loader, const struct node *list, const struct dialect *dialect, const struct route *route,
		 const struct field *field, struct check_list *checks);
void load_root_checks(struct loader *loader, const struct node *list, const struct dialect *dialect, struct check_list *checks);
enum reason loader_numbering(struct loader *loader, const struct numbering **numbering, struct fault *f);

// load_field.c
void load_fields(struct loader *loader, const struct node *map, struct route *route);

// load_answer.c
void load_answers(struct loader *loader, const struct node *map, const struct answer_list *outer, struct answer_list *answers);
void load_headers(struct loader *loader, const struct node *map, struct answer_header **headers, size_t *count);

// load_route.c
void load_routes(struct loader *loader, const struct node *list, struct dialect *dialect);

// names.c: are all names that templates and conditions use known where they stand?
void check_names(struct loader *loader, const struct dialect *dialect);
