// SPDX-License-Identifier: Apache-2.0
// Loading: one state for a whole set, so that every error of every file is found in one go.
#pragma once

#include "dialect/dialect_private.h"

struct loader {
	struct dialect_set *set;
	const char *directory;
	const char *file; // being read
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
// A text, or a list of texts.
bool loader_texts(struct loader *loader, const struct node *node, const char *what, const struct slice **values, size_t *count);

// load_body.c
void load_body(struct loader *loader, const struct node *node, struct body *body);
void load_collect(struct loader *loader, const struct node *node, enum collect *collect);

// load_check.c
void load_checks(struct loader *loader, const struct node *list, const struct dialect *dialect, const struct route *route,
		 const struct field *field, struct check_list *checks);

// load_field.c
void load_fields(struct loader *loader, const struct node *map, struct route *route);

// load_answer.c
void load_answers(struct loader *loader, const struct node *map, const struct answer_list *outer, struct answer_list *answers);

// load_route.c
void load_routes(struct loader *loader, const struct node *list, struct dialect *dialect);
