// SPDX-License-Identifier: Apache-2.0
// The link of a mail, where the frontend has its own: all of it but the token, which is nobody's to keep.
#include "dialect/dialect_private.h"

#define LINK_MAX 2048

struct linking {
	const struct route *route;
	const struct request *request;
	const struct dialect_reading *reading;
	struct slice account_id;
	struct arena *arena;
};

static bool find(void *context, struct slice name, struct template_value *value)
{
	const struct linking *l = context;
	bool account = slice_equal_text(name, "account_id");
	if (!account && !slice_equal_text(name, "realm"))
		return input_find(l->route->dialect, l->route, l->request, l->reading, name, l->arena, value);
	*value = (struct template_value){.kind = TEMPLATE_TEXT, .text = account ? l->account_id : l->request->realm};
	return true;
}

static struct slice render(struct linking *l, const struct template *t)
{
	struct strbuf out = STRBUF_INIT(LINK_MAX);
	const struct template_scope scope = {.find = find, .context = l};
	template_render_scope(t, &scope, &out);
	struct slice text = strbuf_overflowed(&out) ? SLICE_ABSENT : arena_copy(l->arena, strbuf_slice(&out));
	strbuf_free(&out);
	return text;
}

void dialect_link(const struct route *route, const struct code_rule *rule, const struct request *request,
		  const struct registration *registration, const struct uuid *account_id, struct arena *arena,
		  struct payload *payload)
{
	char id[UUID_TEXT_SIZE];
	if (!rule->link)
		return;
	struct linking l = {
		.route = route,
		.request = request,
		.reading = registration->reading,
		.account_id = slice_of(uuid_format(account_id, id)),
		.arena = arena,
	};
	payload->hex = rule->link->hex;
	struct slice before = render(&l, rule->link->before), after = render(&l, rule->link->after);
	bool leads = before.len > 8 && (memcmp(before.ptr, "https://", 8) == 0 || memcmp(before.ptr, "http://", 7) == 0);
	if (!leads || slice_is_absent(after)) // the deployment has not said where
		return;
	payload->link = before;
	payload->link_end = after;
}
