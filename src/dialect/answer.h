// SPDX-License-Identifier: Apache-2.0
// One answer being made.
#pragma once

#include "dialect/dialect_private.h"

struct answering {
	const struct dialect *dialect;
	const struct route *route; // NULL: none
	const struct request *request;
	const struct registration *registration; // NULL: not read
	const struct receipt *receipt;
	const struct dialect_reading *reading; // NULL: as above
	struct arena *arena;
	size_t language;
	const struct template_value *const *violations; // NULL until somebody asks
};

bool answering_find(void *context, struct slice name, struct template_value *value); // a template_scope's
struct template_scope answering_scope(struct answering *answering);
struct slice answering_text(struct answering *answering, const struct template *t); // rendered, in the arena

// violations.c: the receipt's violations as the items of a list, with their texts.
const struct template_value *const *violations_items(struct answering *answering);

// token.c: false if the receipt has nothing to mint from.
bool token_mint(struct answering *answering, const struct token_spec *spec, struct slice *token);
