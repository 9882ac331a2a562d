// SPDX-License-Identifier: Apache-2.0
// "fields": where each comes from, how it is coerced and normalised, its rules, and where it goes.
#include "dialect/loader.h"

static const char *const targets[] = {
	"",
	"email",
	"phone",
	"username",
	"password",
	"password_hash",
	"given_name",
	"family_name",
	"display_name",
	"birth_date",
	"locale",
	"attributes",
	"code",
	"link_token",
	"challenge_id",
	"old_password",
	"code_channel",
	"account_id",
	"device_registration",
	"device_name",
	"device_kind",
	"refresh_token",
};

// Rules without which a value must not reach the registration; of two that are named, one is enough.
static const struct need {
	enum target target;
	const char *rule, * or ;
	const char *why;
} needs[] = {
	{TARGET_EMAIL, "email", NULL, "only an e-mail address has a key by which it is unique"},
	{TARGET_PHONE, "phone", NULL, "only a phone number has a key by which it is unique"},
	{TARGET_USERNAME, "username", "max_length", "only a user name has a key by which it is unique"},
	{TARGET_PASSWORD, "type", NULL, "a password is a text"},
	{TARGET_PASSWORD, "max_bytes", NULL, "a longer one would have to be cut; 256 is a good limit, 1024 the highest"},
	{TARGET_PASSWORD_HASH, "foreign_hash", NULL, "the cost of checking it must be bounded"},
	{TARGET_PASSWORD_HASH, "max_bytes", NULL, "it is kept as it is"},
	{TARGET_GIVEN_NAME, "max_length", NULL, "it is kept as it is"},
	{TARGET_FAMILY_NAME, "max_length", NULL, "it is kept as it is"},
	{TARGET_DISPLAY_NAME, "max_length", NULL, "it is kept as it is"},
	{TARGET_BIRTH_DATE, "date", NULL, "the database keeps a day"},
	{TARGET_LOCALE, "locale", "choice", "messages are chosen by it"},
	{TARGET_ATTRIBUTES, "type", NULL, "only an object is kept"},
	{TARGET_ATTRIBUTES, "object", NULL, "it bounds what is kept"},
	{TARGET_CODE, "type", NULL, "a code is a text"},
	{TARGET_LINK_TOKEN, "type", NULL, "a token is a text"},
	{TARGET_REFRESH_TOKEN, "type", NULL, "a token is a text"},
	{TARGET_CHALLENGE_ID, "uuid", NULL, "a challenge is found by it"},
	{TARGET_OLD_PASSWORD, "type", NULL, "a password is a text"},
	{TARGET_OLD_PASSWORD, "max_bytes", NULL, "no longer one was ever taken"},
	{TARGET_CODE_CHANNEL, "choice", NULL, "it is email, or phone, mobile or sms"},
	{TARGET_ACCOUNT_ID, "hex", "uuid", "an account is known by it"},
	{TARGET_DEVICE_REGISTRATION, "max_bytes", NULL, "a device is found by it"},
	{TARGET_DEVICE_NAME, "max_length", "max_bytes", "it is kept as it is"},
	{TARGET_DEVICE_KIND, "choice", "max_length", "it is kept as it is"},
};

static const struct check *find_check(const struct field *field, const char *rule)
{
	for (size_t i = 0; rule && i < field->checks.count; i++)
		if (strcmp(rule_name(field->checks.items[i].rule), rule) == 0)
			return &field->checks.items[i];
	return NULL;
}

static void check_unique(struct loader *loader, const struct route *route, const struct field *field)
{
	const struct check *unique = find_check(field, "unique");
	bool identity = field->target == TARGET_EMAIL || field->target == TARGET_PHONE || field->target == TARGET_USERNAME;
	if (identity && !unique && route->operation == OPERATION_SIGN_UP)
		loader_error(loader, field->line,
			     "%.*s maps to %s and so needs the rule \"unique\": it says how a taken one is answered",
			     (int)field->name.len, field->name.ptr, targets[field->target]);
	if (unique && (field->secret || field->wild || field->target > TARGET_USERNAME))
		loader_error(loader, rule_words(unique->rule)->line,
			     "unique is for fields that map to email, phone, username or nothing, and stand in the request once");
	if (unique && field->target == TARGET_USERNAME && !find_check(field, "username") && !rule_unique(unique->rule)->as_given)
		loader_error(loader, rule_words(unique->rule)->line,
			     "without the rule \"username\", unique must say which spellings are the same: unique: {as: exact}");
}

static void check_secret(struct loader *loader, const struct field *field)
{
	const struct check *bytes = find_check(field, "max_bytes");
	bool password = field->target == TARGET_PASSWORD || field->target == TARGET_OLD_PASSWORD;
	if (password && bytes && rule_parameters(bytes->rule)->integer > SECRET_SIZE_MAX)
		loader_error(loader, rule_words(bytes->rule)->line, "max_bytes of a password is at most %d", SECRET_SIZE_MAX);
	if (field->target == TARGET_DEVICE_REGISTRATION && bytes && rule_parameters(bytes->rule)->integer > DEVICE_REGISTRATION_MAX)
		loader_error(loader, rule_words(bytes->rule)->line, "max_bytes of a device's registration is at most %d",
			     DEVICE_REGISTRATION_MAX);
	bool hides = password || field->target == TARGET_PASSWORD_HASH || field->target == TARGET_CODE ||
		     field->target == TARGET_LINK_TOKEN || field->target == TARGET_REFRESH_TOKEN;
	if (hides && !field->secret)
		loader_error(loader, field->line, "%.*s maps to %s: write \"secret: true\", so that it can never be shown",
			     (int)field->name.len, field->name.ptr, targets[field->target]);
	if (field->secret && !slice_is_absent(field->keep))
		loader_error(loader, field->line, "a secret is not kept among the attributes");
	for (size_t i = 0; field->secret && field->target != TARGET_LINK_TOKEN && i < field->place_count; i++)
		if (field->places[i].source != SOURCE_BODY)
			loader_error(loader, field->line,
				     "a secret comes from the body: paths, queries and headers are logged on their way");
}

// What holds a secret, or must equal one, is one too.
static void check_leaks(struct loader *loader, const struct route *route, const struct field *field)
{
	const struct check *same = find_check(field, "same_as");
	struct slice name = same ? node_text(rule_parameters(same->rule)) : SLICE_ABSENT;
	if (field->secret)
		return;
	for (size_t i = 0; i < route->field_count; i++)
		if (route->fields[i].secret && slice_equal(route->fields[i].name, name))
			loader_error(loader, field->line, "%.*s must equal the secret %.*s: write \"secret: true\" for it too",
				     (int)field->name.len, field->name.ptr, (int)name.len, name.ptr);
	if ((!slice_is_absent(field->keep) || field->target != TARGET_NONE) && holds_secret(route, field))
		loader_error(loader, field->line, "%.*s holds a secret field, so that it has no map or keep", (int)field->name.len,
			     field->name.ptr);
}

static void check_needs(struct loader *loader, const struct route *route, const struct field *field)
{
	for (size_t i = 0; i < ARRAY_LEN(needs); i++)
		if (needs[i].target == field->target && !find_check(field, needs[i].rule) && !find_check(field, needs[i].or))
			loader_error(loader, field->line, "%.*s maps to %s and so needs the rule \"%s\"%s%s%s: %s",
				     (int)field->name.len, field->name.ptr, targets[field->target], needs[i].rule,
				     needs[i].or ? " or \"" : "", needs[i].or ? needs[i].or : "", needs[i].or ? "\"" : "",
				     needs[i].why);
	check_unique(loader, route, field);
	check_secret(loader, field);
	if (field->wild && (field->target != TARGET_NONE || !slice_is_absent(field->keep) || field->fallback))
		loader_error(loader, field->line, "a field of each item of a list (\"*\") has no map, keep or default");
}

static void load_place(struct loader *loader, const struct node *node, struct place_of_value *place)
{
	static const char *const words[] = {"query", "path", "header"};
	size_t word = 0;
	if (node->type != NODE_MAP) {
		(void)loader_pointer(loader, node, "from", &place->at);
		return;
	}
	if (node_count(node) != 1) {
		loader_error(loader, node->line,
			     "a field comes from a JSON pointer, {query: name}, {path: name} or {header: name}");
		return;
	}
	const struct node key = {.type = NODE_TEXT, .line = node->line, .text = node->list.keys[0]};
	struct slice name = SLICE_LIT("");
	(void)loader_choice(loader, &key, "where a field comes from", words, ARRAY_LEN(words), &word);
	(void)loader_text(loader, node->list.items[0], "its name", &name);
	place->source = word == 0 ? SOURCE_QUERY : word == 1 ? SOURCE_PATH : SOURCE_HEADER;
	place->at = arena_copy(loader->set->arena, name);
}

static void load_places(struct loader *loader, const struct node *node, struct field *field)
{
	static const char *const sources[] = {"", "query/", "path/", "header/"};
	const struct node *from = node_member(node, "from"), *also = node_member(node, "also");
	size_t count = 0;
	if (!from) {
		loader_error(loader, field->line, "the field %.*s does not say where it comes from: write from: /%.*s",
			     (int)field->name.len, field->name.ptr, (int)field->name.len, field->name.ptr);
		field->from = SLICE_LIT("");
		return;
	}
	(void)loader_list(loader, also, "also", 8, &count);
	field->places = ARENA_ARRAY(loader->set->arena, count + 1, struct place_of_value);
	for (size_t i = 0; i <= count; i++)
		load_place(loader, i ? node_item(also, i - 1) : from, &field->places[i]);
	field->place_count = count + 1;
	struct place_of_value *first = &field->places[0];
	if (slice_is_absent(first->at)) { // an error has been told
		field->place_count = 0;
		field->from = SLICE_LIT("");
		return;
	}
	field->from = first->source == SOURCE_BODY ? first->at
						   : arena_printf(loader->set->arena, "%s%.*s", sources[first->source],
								  (int)first->at.len, first->at.ptr);
	field->depth = first->source == SOURCE_BODY ? pointer_depth(first->at) : 1;
	field->key = pointer_last(field->from, loader->set->arena);
	struct slice rest = field->from, token;
	while (!slice_is_absent(token = pointer_next(&rest)))
		field->wild = field->wild || slice_equal_text(token, "*");
	for (size_t i = 0; i < field->place_count; i++) // an alias that could not be read
		if (slice_is_absent(field->places[i].at))
			field->places[i].at = SLICE_LIT("");
}

static void load_coercions(struct loader *loader, const struct node *node, struct field *field)
{
	static const char *const words[] = {"number_to_text",  "boolean_to_text", "text_to_boolean", "number_to_boolean",
					    "text_to_integer", "text_to_number",  "one_to_list"};
	const struct slice *texts = NULL;
	size_t count = 0;
	(void)loader_texts(loader, node, "coerce", &texts, &count);
	for (size_t i = 0; i < count; i++) {
		const struct node word = {.type = NODE_TEXT, .line = node->line, .text = texts[i]};
		size_t index = 0;
		if (loader_choice(loader, &word, "coerce", words, ARRAY_LEN(words), &index))
			field->coerce |= 1u << index;
	}
}

static void load_steps(struct loader *loader, const struct node *node, struct field *field)
{
	const char *names[32];
	const struct slice *texts = NULL;
	size_t known = 0, count = 0;
	struct fault f;
	names[known++] = "none";
	names[known++] = "e164";
	while (rules_steps[known - 2].name) {
		names[known] = rules_steps[known - 2].name;
		known++;
	}
	(void)loader_texts(loader, node, "normalise", &texts, &count);
	field->steps = ARENA_ARRAY(loader->set->arena, count, const struct rules_step *);
	for (size_t i = 0; i < count; i++) {
		const struct node word = {.type = NODE_TEXT, .line = node->line, .text = texts[i]};
		size_t index = 0;
		if (!loader_choice(loader, &word, "normalise", names, known, &index) || index == 0)
			continue;
		if (index > 1)
			field->steps[field->step_count++] = &rules_steps[index - 2];
		else if (loader_numbering(loader, &field->e164, &f) != REASON_OK)
			loader_error(loader, node->line, "numbering plans: %s", f.detail);
		else if (i + 1 < count)
			loader_error(loader, node->line, "e164 is the last step");
	}
}

static void load_keep(struct loader *loader, const struct node *node, struct field *field)
{
	if (node_is(node, NODE_BOOL))
		field->keep = node->boolean ? field->name : SLICE_ABSENT;
	else
		(void)loader_text(loader, node, "keep", &field->keep);
}

static void load_states(struct loader *loader, const struct node *node, const struct route *route, struct field *field)
{
	static const char *const missing_words[] = {"value", "missing"};
	static const char *const blank_words[] = {"value", "presence"};
	size_t null = route->body.null_missing, blank = 0;
	struct slice stage = SLICE_ABSENT;
	(void)loader_choice(loader, node_member(node, "null"), "null", missing_words, ARRAY_LEN(missing_words), &null);
	(void)loader_choice(loader, node_member(node, "blank"), "blank", blank_words, ARRAY_LEN(blank_words), &blank);
	(void)loader_bool(loader, node_member(node, "secret"), "secret", &field->secret);
	(void)loader_text(loader, node_member(node, "stage"), "stage", &stage);
	field->null_missing = null != 0;
	field->empty_missing = route->body.empty_missing;
	field->form_empty_missing = route->body.form_empty_missing;
	load_empty(loader, node_member(node, "empty"), &field->empty_missing, &field->form_empty_missing);
	field->blank_presence = blank != 0;
	field->fallback = node_member(node, "default");
	bool known = slice_is_absent(stage);
	for (size_t i = 0; i < route->stage_count; i++)
		if (slice_equal(route->stages[i], stage)) {
			field->stage = i;
			known = true;
		}
	if (!known)
		loader_error(loader, node->line, "there is no stage \"%.*s\" under stages", (int)stage.len, stage.ptr);
}

static void load_field(struct loader *loader, const struct node *node, struct route *route, struct field *field)
{
	static const char *const keys[] = {"from",  "also",  "label",  "coerce", "normalise", "default", "null",
					   "empty", "blank", "secret", "map",    "keep",      "stage",   "rules"};
	size_t target = TARGET_NONE;
	const struct node *label;
	field->from = SLICE_LIT("");
	if (!loader_keys(loader, node, "a field", keys, ARRAY_LEN(keys)))
		return;
	load_places(loader, node, field);
	load_coercions(loader, node_member(node, "coerce"), field);
	load_steps(loader, node_member(node, "normalise"), field);
	(void)loader_choice(loader, node_member(node, "map"), "map", targets, ARRAY_LEN(targets), &target);
	field->target = (enum target)target;
	load_keep(loader, node_member(node, "keep"), field);
	load_states(loader, node, route, field);
	if ((label = node_member(node, "label")))
		load_words(loader, route->dialect, label, SLICE_ABSENT, label->line, &field->label);
	size_t before = loader->errors;
	load_checks(loader, node_member(node, "rules"), route->dialect, route, field, &field->checks);
	if (loader->errors == before)
		check_needs(loader, route, field);
}

static void refuse_twice(struct loader *loader, const struct route *route)
{
	for (size_t i = 0; i < route->field_count; i++)
		for (size_t j = 0; j < i; j++)
			if (route->fields[i].target != TARGET_NONE && route->fields[i].target == route->fields[j].target)
				loader_error(loader, route->fields[i].line, "two fields map to %s",
					     targets[route->fields[i].target]);
}

// The nearest field whose pointer leads through to this one's.
static void find_outer(const struct route *route, struct field *field)
{
	for (size_t i = 0; i < route->field_count; i++) {
		const struct field *other = &route->fields[i];
		if (other != field && other->from.len && other->places[0].source == SOURCE_BODY &&
		    pointer_leads(other->from, field->from) && (!field->outer || other->from.len > field->outer->from.len))
			field->outer = other;
	}
}

static void sort_by_depth(struct route *route, struct arena *arena)
{
	size_t used = 0;
	route->by_depth = ARENA_ARRAY(arena, route->field_count, size_t);
	for (size_t depth = 0; used < route->field_count; depth++)
		for (size_t i = 0; i < route->field_count; i++)
			if (route->fields[i].depth == depth)
				route->by_depth[used++] = i;
}

void load_fields(struct loader *loader, const struct node *map, struct route *route)
{
	if (!map)
		return;
	if (map->type != NODE_MAP || node_count(map) > FIELDS_MAX) {
		loader_error(loader, map->line, "fields is a map of at most %d names", FIELDS_MAX);
		return;
	}
	route->fields = ARENA_ARRAY(loader->set->arena, node_count(map), struct field);
	route->field_names = map->list.keys;
	route->field_count = node_count(map);
	for (size_t i = 0; i < route->field_count; i++) {
		route->fields[i].name = map->list.keys[i];
		route->fields[i].line = loader_key_line(map, i);
		if (!name_plain(map->list.keys[i]))
			loader_error(loader, route->fields[i].line,
				     "a field has a name of letters, digits, _ and -, by which this file knows it");
		load_field(loader, map->list.items[i], route, &route->fields[i]);
		for (size_t j = 0; j < route->fields[i].place_count; j++)
			route->reads_body = route->reads_body || route->fields[i].places[j].source == SOURCE_BODY;
	}
	for (size_t i = 0; i < route->field_count; i++)
		if (route->fields[i].place_count && route->fields[i].places[0].source == SOURCE_BODY)
			find_outer(route, &route->fields[i]);
	for (size_t i = 0; i < route->field_count; i++)
		check_leaks(loader, route, &route->fields[i]);
	sort_by_depth(route, loader->set->arena);
	refuse_twice(loader, route);
}
