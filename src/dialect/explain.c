// SPDX-License-Identifier: Apache-2.0
// A reading, told to people.
#include "enrolld/dialect/explain.h"

#include "dialect/reading.h"

static void write_node(struct strbuf *out, const struct node *node)
{
	struct json_writer w;
	json_begin(&w, out);
	json_node(&w, node);
}

void trace_stage(const struct dialect_reading *reading, struct slice name)
{
	if (reading->trace)
		strbuf_printf(reading->trace, "\nrules of stage %.*s\n", (int)name.len, name.ptr);
}

void trace_seen(const struct dialect_reading *reading)
{
	struct strbuf *out = reading->trace;
	if (!out)
		return;
	strbuf_add_text(out, "\nfields\n");
	for (size_t i = 0; i < reading->route->field_count; i++) {
		const struct field *field = &reading->route->fields[i];
		strbuf_printf(out, "  %-20.*s %-28.*s ", (int)field->name.len, field->name.ptr, (int)field->from.len,
			      field->from.ptr);
		if (field->wild)
			strbuf_add_text(out, "each item");
		else if (!reading->seen[i].value)
			strbuf_add_text(out, "missing");
		else if (field->secret)
			strbuf_add_text(out, "a secret");
		else
			write_node(out, reading->seen[i].value);
		strbuf_add_char(out, '\n');
	}
}

void trace_check(const struct dialect_reading *reading, const struct check *check, const struct field *field, struct slice at,
		 const char *verdict)
{
	struct strbuf *out = reading->trace;
	struct slice name = field ? field->name : SLICE_LIT("(whole)");
	if (!out)
		return;
	if (field && field->wild)
		name = at;
	strbuf_printf(out, "  %-20.*s %-28s %s\n", (int)name.len, name.ptr, rule_name(check->rule), verdict);
}

static void add_text(struct strbuf *out, const char *name, struct slice text)
{
	if (!slice_is_absent(text))
		strbuf_printf(out, "  %-20s %.*s\n", name, (int)text.len, text.ptr);
}

static void write_limits(struct strbuf *out, const struct registration *r)
{
	for (size_t i = 0; i < r->limit_count; i++) {
		char window[SETTING_NUMBER_SIZE];
		strbuf_printf(out, "  limit %-14s %lld in %s\n", r->limits[i].name, (long long)r->limits[i].allowed,
			      setting_format_duration(r->limits[i].window_ms, window));
	}
}

static void write_violations(struct strbuf *out, const struct registration *r)
{
	for (size_t i = 0; i < r->violation_count; i++)
		strbuf_printf(out, "  violation            %.*s  %.*s\n", (int)r->violations[i].field.len,
			      r->violations[i].field.ptr, (int)r->violations[i].code.len, r->violations[i].code.ptr);
}

static void write_session(struct strbuf *out, const struct session_use *use)
{
	if (use->opens)
		strbuf_printf(out, "  %-20s begun, if the answer is to carry its tokens\n", "session");
	if (use->shown)
		strbuf_printf(out, "  %-20s %s\n", use->access ? "access token" : "refresh token",
			      use->digest_count ? "of a session, which the database is asked for" : "none that these keys made");
	if (use->scope != SESSION_NONE)
		strbuf_printf(out, "  %-20s %s\n", "sessions that end", session_scope_name(use->scope));
}

static void write_registration(struct strbuf *out, const struct registration *r)
{
	strbuf_add_text(out, "\nregistration\n");
	for (size_t i = 0; i < r->claim_count; i++)
		strbuf_printf(out, "  %-20s %.*s  (unique in its realm)\n", claim_kind_name(r->claims[i].kind),
			      (int)r->claims[i].value.len, r->claims[i].value.ptr);
	for (size_t i = 0; i < r->derived_count; i++)
		strbuf_printf(out, "  %-20s %.*s  (with -2, -3, ... if it is taken)\n", claim_kind_name(r->derived[i].kind),
			      (int)r->derived[i].stem.len, r->derived[i].stem.ptr);
	if (r->password)
		strbuf_printf(out, "  %-20s %zu bytes, to be hashed\n", "password", secret_bytes(r->password).len);
	if (!slice_is_absent(r->password_hash))
		strbuf_printf(out, "  %-20s a hash made elsewhere\n", "password");
	add_text(out, "given_name", r->given_name);
	add_text(out, "family_name", r->family_name);
	add_text(out, "display_name", r->display_name);
	add_text(out, "birth_date", r->birth_date);
	add_text(out, "locale", r->locale);
	add_text(out, "attributes", r->attributes);
	add_text(out, "opening", r->opening);
	if (r->wants_number)
		strbuf_printf(out, "  %-20s the next of counter %s\n", "number", r->counter ? r->counter : "account");
	if (r->wants_tokens)
		strbuf_printf(out, "  %-20s minted for the answer\n", "tokens");
	if (r->code.rule)
		strbuf_printf(out, "  %-20s %s\n", "code for", r->code.rule->purpose);
	if (r->code.typed)
		strbuf_printf(out, "  %-20s %zu bytes, to be compared\n", "code", secret_bytes(r->code.typed).len);
	write_session(out, &r->session);
	write_limits(out, r);
	write_violations(out, r);
}

enum reason dialect_explain(const struct route *route, struct request *request, struct secret_pool *pool, int64_t now_ms,
			    struct arena *arena, struct registration *registration, struct strbuf *out, struct fault *f)
{
	struct dialect_reading *reading = ARENA_NEW(arena, struct dialect_reading);
	*registration = (struct registration){.operation = route->operation, .reading = reading};
	*reading = (struct dialect_reading){
		.route = route, .request = request, .arena = arena, .registration = registration, .now_ms = now_ms, .trace = out};
	enum reason reason = read_request(reading, request, pool, f);
	write_registration(out, registration);
	return reason;
}
