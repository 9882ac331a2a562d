// SPDX-License-Identifier: Apache-2.0
// What no single field gives: names, identities and slugs made from several.
#include "dialect/reading.h"

#define TEXT_MAX 4096

static bool find_input(void *context, struct slice name, struct template_value *value)
{
	const struct dialect_reading *reading = context;
	return input_find(reading->route->dialect, reading->route, reading->request, reading, name, reading->arena, value);
}

static void add_identity(struct registration *r, const struct derived *derived, struct slice text, struct arena *arena)
{
	enum claim_kind kind = derived->target == TARGET_EMAIL   ? CLAIM_EMAIL
			       : derived->target == TARGET_PHONE ? CLAIM_PHONE
								 : CLAIM_USERNAME;
	if (r->claim_count < CLAIMS_MAX && text.len && !registration_claim(r, kind))
		r->claims[r->claim_count++] = (struct claim){
			.kind = kind, .value = rules_key(text, derived->as, arena), .shown = text, .field = ""};
}

static void add(struct dialect_reading *reading, const struct derived *derived, struct slice text)
{
	struct registration *r = reading->registration;
	if (derived->kind == DERIVE_SLUG) {
		if (r->derived_count == DERIVED_MAX)
			return;
		r->derived[r->derived_count++] = (struct derived_claim){
			.kind = CLAIM_SLUG,
			.stem = rules_slug(text, derived->empty, derived->max, reading->arena),
			.max = derived->max,
			.field = "",
		};
		return;
	}
	switch (derived->target) {
	case TARGET_EMAIL:
	case TARGET_PHONE:
	case TARGET_USERNAME: add_identity(r, derived, text, reading->arena); break;
	case TARGET_GIVEN_NAME: r->given_name = text; break;
	case TARGET_FAMILY_NAME: r->family_name = text; break;
	case TARGET_DISPLAY_NAME: r->display_name = text; break;
	default: break;
	}
}

// Longer than that it would be the fault of a table's row, of which the loader cannot know.
static struct slice render_opening(struct dialect_reading *reading, const struct template_scope *scope)
{
	struct strbuf text = STRBUF_INIT(TEXT_MAX);
	template_render_scope(reading->route->opening, scope, &text);
	struct slice copy = strbuf_overflowed(&text) ? SLICE_ABSENT : arena_copy(reading->arena, strbuf_slice(&text));
	strbuf_free(&text);
	return copy;
}

void derive_all(struct dialect_reading *reading)
{
	const struct template_scope scope = {.find = find_input, .context = reading};
	for (size_t i = 0; i < reading->route->derived_count; i++) {
		struct strbuf text = STRBUF_INIT(TEXT_MAX);
		template_render_scope(reading->route->derived[i].text, &scope, &text);
		add(reading, &reading->route->derived[i], rules_trim(arena_copy(reading->arena, strbuf_slice(&text))));
		strbuf_free(&text);
	}
	if (reading->route->opening)
		reading->registration->opening = render_opening(reading, &scope);
	reading->registration->counter = reading->route->counter;
	reading->registration->wants_number = reading->route->counter != NULL;
}
