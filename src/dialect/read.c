// SPDX-License-Identifier: Apache-2.0
// A body to a registration: parse, take the fields, ask their rules, map what met them.
#include "dialect/map.h"

#define REQUEST_ID_MAX 256

// One reading of one body.
struct reading {
	const struct route *route;
	struct arena *arena;
	const struct node *root;
	struct rule_field *seen;  // of the route's fields
	struct violation **found; // per field, in the order of its rules
	size_t *found_count;
	struct registration *registration;
	int64_t now_ms;
};

static bool media_fits(struct slice pattern, struct slice media)
{
	const char *star = memchr(pattern.ptr, '*', pattern.len);
	if (!star)
		return slice_equal(pattern, media);
	size_t before = (size_t)(star - pattern.ptr), after = pattern.len - before - 1;
	return media.len >= before + after && memcmp(media.ptr, pattern.ptr, before) == 0 &&
	       memcmp(media.ptr + media.len - after, star + 1, after) == 0;
}

static bool media_accepted(const struct body *body, struct slice media)
{
	if (slice_is_absent(media)) // who says nothing means what is expected
		return true;
	for (size_t i = 0; i < body->media_count; i++)
		if (media_fits(body->media[i], media))
			return true;
	return false;
}

static enum reason parse(const struct route *route, const struct request *request, struct arena *arena, const struct node **root,
			 struct fault *f)
{
	if (!media_accepted(&route->body, request->content_type))
		return fault_set(f, REASON_MEDIA_TYPE_UNSUPPORTED, "the content type is not one of the route's");
	if (request->body.len == 0)
		return fault_set(f, REASON_RECORD_EMPTY, "no body");
	enum reason reason = json_parse(request->body, route->body.limits, arena, root, f);
	if (reason != REASON_OK)
		return reason;
	if (!node_is(*root, NODE_MAP))
		return fault_set(f, REASON_JSON_NOT_OBJECT, "the body is %s", node_type_name((*root)->type));
	return REASON_OK;
}

static enum reason take_request_id(const struct body *body, const struct node *root, struct request *request, struct fault *f)
{
	if (slice_is_absent(body->request_id) || request->id_source != REQUEST_ID_COORDINATES)
		return REASON_OK;
	const struct node *node = node_at(root, body->request_id);
	if (!node || node->type == NODE_NULL)
		return REASON_OK;
	struct slice id = node_text(node);
	bool fits = id.len > 0 && id.len <= REQUEST_ID_MAX;
	for (size_t i = 0; fits && i < id.len; i++)
		fits = id.ptr[i] >= 0x20 && id.ptr[i] <= 0x7e;
	if (!fits)
		return fault_set(f, REASON_REQUEST_ID_INVALID, "the request id in the body is no text of 1 to %d printable bytes",
				 REQUEST_ID_MAX);
	request->request_id = id;
	request->id_source = REQUEST_ID_BODY;
	return REASON_OK;
}

static struct rule_field see(const struct field *field, const struct node *root)
{
	struct rule_field seen = {.name = field->name, .value = node_at(root, field->from)};
	if (seen.value && seen.value->type == NODE_NULL && field->null_missing)
		seen.value = NULL;
	seen.text = node_text(seen.value);
	if (field->trim && !slice_is_absent(seen.text))
		seen.text = rules_trim(seen.text);
	if (!slice_is_absent(seen.text) && seen.text.len == 0 && field->empty_missing) {
		seen.value = NULL;
		seen.text = SLICE_ABSENT;
	}
	return seen;
}

static struct violation violation_of(const struct check *check)
{
	return (struct violation){.field = check->at, .code = check->code, .text = check->text};
}

static struct rule_input input_of(const struct reading *reading, const struct rule_field *field)
{
	return (struct rule_input){
		.field = field,
		.fields = reading->seen,
		.field_count = reading->route->field_count,
		.registration = reading->registration,
		.now_ms = reading->now_ms,
		.arena = reading->arena,
	};
}

// Those of the checks that do not hold.
static void ask(const struct reading *reading, const struct check_list *checks, const struct rule_field *field,
		struct violation **found, size_t *count)
{
	struct rule_input input = input_of(reading, field);
	for (size_t i = 0; i < checks->count; i++) {
		if (rule_holds(checks->items[i].rule, &input))
			continue;
		if (!*found)
			*found = ARENA_ARRAY(reading->arena, checks->count, struct violation);
		(*found)[(*count)++] = violation_of(&checks->items[i]);
		if (rule_words(checks->items[i].rule)->stop)
			return;
	}
}

// Secrets come second, since their rules look at names and identities wherever these stand in the file.
static void ask_fields(const struct reading *reading, bool secrets)
{
	for (size_t i = 0; i < reading->route->field_count; i++) {
		const struct field *field = &reading->route->fields[i];
		if (field->secret != secrets)
			continue;
		ask(reading, &field->checks, &reading->seen[i], &reading->found[i], &reading->found_count[i]);
		if (reading->found_count[i] == 0 && reading->seen[i].value)
			map_field(field, &reading->seen[i], reading->arena, reading->registration);
	}
}

static void add(struct registration *r, struct violation violation, bool first_only)
{
	if (r->violation_count < VIOLATIONS_MAX && !(first_only && r->violation_count))
		r->violations[r->violation_count++] = violation;
}

static bool member_known(const struct route *route, struct slice key)
{
	for (size_t i = 0; i < route->field_count; i++) {
		struct slice from = route->fields[i].from;
		const char *slash = memchr(from.ptr + 1, '/', from.len - 1);
		if (slice_equal(key, (struct slice){from.ptr + 1, slash ? (size_t)(slash - from.ptr) - 1 : from.len - 1}))
			return true;
	}
	struct slice id = route->body.request_id;
	return id.len && slice_equal(key, (struct slice){id.ptr + 1, id.len - 1});
}

static void add_unknown(const struct reading *reading, bool first_only)
{
	for (size_t i = 0; i < node_count(reading->root); i++) {
		struct slice key = reading->root->list.keys[i];
		if (member_known(reading->route, key))
			continue;
		// A name of the sender's own making is not repeated: it may hold anything.
		const struct text_row *row = text_find(&reading->route->dialect->texts, SLICE_LIT("unknown_field"));
		struct violation violation = {
			.field = SLICE_LIT(""),
			.code = SLICE_LIT("unknown_field"),
			.text = row ? row->text : SLICE_LIT("The body has a member that is not known here."),
		};
		add(reading->registration, violation, first_only);
		return;
	}
}

static void collect(const struct reading *reading)
{
	const struct route *route = reading->route;
	struct registration *r = reading->registration;
	bool first_only = route->collect == COLLECT_FIRST;
	struct violation *whole = NULL;
	size_t whole_count = 0;
	r->violations = ARENA_ARRAY(reading->arena, VIOLATIONS_MAX, struct violation);
	for (size_t i = 0; i < route->field_count; i++) {
		size_t count = reading->found_count[i];
		if (count > 1 && route->collect != COLLECT_ALL)
			count = 1;
		for (size_t j = 0; j < count; j++)
			add(r, reading->found[i][j], first_only);
	}
	ask(reading, &route->checks, NULL, &whole, &whole_count);
	for (size_t j = 0; j < whole_count; j++)
		add(r, whole[j], first_only);
	if (route->body.refuse_unknown)
		add_unknown(reading, first_only);
}

// The tree is the arena's, and this reading its only user.
static void wipe_texts(const struct node *node)
{
	if (node_is(node, NODE_TEXT))
		secret_wipe((void *)(uintptr_t)node->text.ptr, node->text.len);
	for (size_t i = 0; i < node_count(node); i++)
		wipe_texts(node->list.items[i]);
}

static enum reason keep_password(const struct reading *reading, struct secret_pool *pool, struct fault *f)
{
	for (size_t i = 0; i < reading->route->field_count; i++) {
		if (reading->route->fields[i].target != TARGET_PASSWORD || !reading->seen[i].value)
			continue;
		reading->registration->password = secret_create(pool, reading->seen[i].text);
		if (!reading->registration->password)
			return fault_set(f, REASON_HASH_MEMORY, "no room for another password");
	}
	return REASON_OK;
}

static void wipe_secrets(const struct reading *reading)
{
	for (size_t i = 0; i < reading->route->field_count; i++)
		if (reading->route->fields[i].secret && reading->route->fields[i].target != TARGET_PASSWORD_HASH)
			wipe_texts(node_at(reading->root, reading->route->fields[i].from));
}

enum reason dialect_read(const struct route *route, struct request *request, struct secret_pool *pool, int64_t now_ms,
			 struct arena *arena, struct registration *registration, struct fault *f)
{
	*registration = (struct registration){.operation = route->operation};
	struct reading reading = {.route = route, .arena = arena, .registration = registration, .now_ms = now_ms};
	if (route->field_count == 0)
		return REASON_OK;
	enum reason reason = parse(route, request, arena, &reading.root, f);
	if (reason != REASON_OK)
		return reason;

	reason = take_request_id(&route->body, reading.root, request, f);
	if (reason == REASON_OK) {
		reading.seen = ARENA_ARRAY(arena, route->field_count, struct rule_field);
		reading.found = ARENA_ARRAY(arena, route->field_count, struct violation *);
		reading.found_count = ARENA_ARRAY(arena, route->field_count, size_t);
		for (size_t i = 0; i < route->field_count; i++)
			reading.seen[i] = see(&route->fields[i], reading.root);
		ask_fields(&reading, false);
		ask_fields(&reading, true);
		collect(&reading);
		reason = registration->violation_count
				 ? fault_set(f, REASON_INVALID, "%zu rules are not met", registration->violation_count)
				 : keep_password(&reading, pool, f);
	}
	wipe_secrets(&reading);
	return reason;
}
