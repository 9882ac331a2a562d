// SPDX-License-Identifier: Apache-2.0
// "codes": what one-time codes are for and how long they are good; "code" of a route: which of them it is about.
#include "dialect/loader.h"

#define CODES_MAX 16
#define TRIES_MAX 20
#define MINUTE_MS INT64_C(60000)
#define DAY_MS (INT64_C(24) * 3600 * 1000)

static void load_form(struct loader *loader, const struct node *node, struct code_rule *rule)
{
	const char *words[CODE_ALPHABET_COUNT];
	size_t length = CODE_LENGTH_USUAL, alphabet = CODE_DIGITS, tries = 5;
	for (int i = 0; i < CODE_ALPHABET_COUNT; i++)
		words[i] = code_alphabet_name((enum code_alphabet)i);
	(void)loader_number(loader, node_member(node, "length"), "length", CODE_LENGTH_MIN, CODE_LENGTH_MAX, &length);
	(void)loader_choice(loader, node_member(node, "alphabet"), "alphabet", words, ARRAY_LEN(words), &alphabet);
	(void)loader_number(loader, node_member(node, "tries"), "tries", 1, TRIES_MAX, &tries);
	rule->form = (struct code_form){(unsigned)length, (enum code_alphabet)alphabet};
	rule->tries = (int64_t)tries;
}

static void load_times(struct loader *loader, const struct node *node, struct code_rule *rule)
{
	rule->life_ms = 10 * MINUTE_MS; // NIST SP 800-63B: the most for a code that is sent by text
	rule->gap_ms = MINUTE_MS;
	(void)loader_duration(loader, node_member(node, "life"), "life", 1000, DAY_MS, &rule->life_ms);
	(void)loader_duration(loader, node_member(node, "gap"), "gap", 0, DAY_MS, &rule->gap_ms);
	rule->request_age_ms = rule->life_ms;
	(void)loader_duration(loader, node_member(node, "request_age"), "request_age", 1000, DAY_MS, &rule->request_age_ms);
}

static void load_effects(struct loader *loader, const struct node *node, int line, struct code_rule *rule)
{
	static const char *const thens[] = {"nothing", "verify", "sign_in", "sign_up", "set_password", "verify_and_sign_in"};
	static const char *const strangers[] = {"silent", "send", "refuse"};
	size_t then = CODE_THEN_NOTHING, stranger = CODE_STRANGER_SILENT;
	struct slice message = SLICE_LIT("verify");
	if (!node_member(node, "then"))
		loader_error(
			loader, line,
			"a code says what it brings about: then: nothing, verify, sign_in, sign_up, set_password or verify_and_sign_in");
	(void)loader_choice(loader, node_member(node, "then"), "then", thens, ARRAY_LEN(thens), &then);
	rule->then = (enum code_then)then;
	if (rule->then == CODE_THEN_SIGN_UP || rule->then == CODE_THEN_NOTHING)
		stranger = CODE_STRANGER_SEND;
	(void)loader_choice(loader, node_member(node, "strangers"), "strangers", strangers, ARRAY_LEN(strangers), &stranger);
	rule->stranger = (enum code_stranger)stranger;
	(void)loader_text(loader, node_member(node, "message"), "message", &message);
	rule->message = arena_copy(loader->set->arena, message).ptr;
	if (!name_plain(message))
		loader_error(loader, line,
			     "message names folders of schemas/messages: verify stands for verify_email and verify_phone");
}

// What stands before {{token}} and behind it; values are escaped where the file says so, since one of them may be the beginning of the URL.
static void load_url(struct loader *loader, const struct node *url, struct code_link *link)
{
	static const char place[] = "{{token}}";
	struct template_origin origin = loader_origin(loader, url->line);
	struct slice text = node_text(url);
	const char *at = text.len ? memmem(text.ptr, text.len, place, sizeof(place) - 1) : NULL;
	struct fault f;
	if (!at) {
		loader_error(loader, url->line, "a link has the place {{token}} in it");
		return;
	}
	struct node *parts = ARENA_ARRAY(loader->set->arena, 2, struct node);
	const struct template **templates[] = {&link->before, &link->after};
	size_t before = (size_t)(at - text.ptr), until = before + sizeof(place) - 1;
	const struct slice texts[] = {{text.ptr, before}, {text.ptr + until, text.len - until}};
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		parts[i] = (struct node){.type = NODE_TEXT, .line = url->line, .text = arena_copy(loader->set->arena, texts[i])};
		if (template_compile_escaped(&parts[i], TEMPLATE_PLAIN, &origin, templates[i], &f) != REASON_OK)
			loader_fault(loader, &f);
	}
}

static void load_link(struct loader *loader, const struct node *node, struct code_rule *rule)
{
	static const char *const keys[] = {"url", "token"};
	static const char *const forms[] = {"base64url", "hex"};
	size_t form = 0;
	if (!node || !loader_keys(loader, node, "link", keys, ARRAY_LEN(keys)))
		return;
	struct code_link *link = ARENA_NEW(loader->set->arena, struct code_link);
	link->line = node->line;
	(void)loader_choice(loader, node_member(node, "token"), "token", forms, ARRAY_LEN(forms), &form);
	link->hex = form == 1;
	if (node_member(node, "url"))
		load_url(loader, node_member(node, "url"), link);
	else
		loader_error(loader, node->line, "a link says where it leads: url: https://shop.example/verify?token={{token}}");
	rule->link = link;
}

void load_codes(struct loader *loader, const struct node *map, struct dialect *dialect)
{
	static const char *const keys[] = {"length",      "alphabet", "tries",     "life",    "gap",
					   "request_age", "then",     "strangers", "message", "link"};
	if (!map)
		return;
	if (map->type != NODE_MAP || node_count(map) > CODES_MAX) {
		loader_error(loader, map->line, "codes is a map of at most %d purposes", CODES_MAX);
		return;
	}
	dialect->codes = ARENA_ARRAY(loader->set->arena, node_count(map), struct code_rule);
	dialect->code_count = node_count(map);
	for (size_t i = 0; i < dialect->code_count; i++) {
		const struct node *node = map->list.items[i];
		struct code_rule *rule = &dialect->codes[i];
		int line = loader_key_line(map, i);
		*rule = (struct code_rule){.purpose = arena_copy(loader->set->arena, map->list.keys[i]).ptr};
		if (!name_plain(map->list.keys[i]))
			loader_error(loader, line, "a purpose has a name of letters, digits, _ and -; codes are derived from it");
		if (!loader_keys(loader, node, "a code", keys, ARRAY_LEN(keys)))
			continue;
		load_form(loader, node, rule);
		load_times(loader, node, rule);
		load_effects(loader, node, line, rule);
		load_link(loader, node_member(node, "link"), rule);
	}
}

static bool has_target(const struct route *route, enum target target)
{
	for (size_t i = 0; i < route->field_count; i++)
		if (route->fields[i].target == target)
			return true;
	return false;
}

// Whoever signed up is known by what the frontend knows its visitors by, and is let in by nothing else.
static void check_entering(struct loader *loader, int line, const struct route *route)
{
	bool enters = route->code.rule && route->code.rule->then == CODE_THEN_ENTER;
	if (enters && route->operation == OPERATION_CODE_REQUEST)
		loader_error(loader, line, "a code that verifies and signs in is sent to who signs up, and not asked for");
	if (enters && route->operation == OPERATION_CODE_CHECK)
		loader_error(
			loader, line,
			"a code that verifies and signs in is tried by who signed up: code: {caller: header}, and a field that maps to "
			"code_channel");
	bool sets = route->code.rule && route->code.rule->then == CODE_THEN_PASSWORD;
	if (sets && route->operation == OPERATION_CODE_CHECK)
		loader_error(loader, line, "a code that sets a password is tried with that password: operation: set_password");
	if (route->operation == OPERATION_SET_PASSWORD && (!sets || !has_target(route, TARGET_PASSWORD)))
		loader_error(loader, line,
			     "a password is set by a field that maps to password, and a code of a purpose with then: set_password");
	if (has_target(route, TARGET_CODE_CHANNEL) && slice_is_absent(route->code.caller))
		loader_error(loader, line,
			     "where a field maps to code_channel, code has the header by which who asks is known: caller");
}

static void check_code_fields(struct loader *loader, int line, const struct route *route)
{
	check_entering(loader, line, route);
	bool address = has_target(route, TARGET_EMAIL) || has_target(route, TARGET_PHONE);
	bool named = route->code.rule || !slice_is_absent(route->code.field);
	if (route->operation == OPERATION_CODE_REQUEST && !(address && named))
		loader_error(loader, line, "a code is asked for with a purpose, and a field that maps to email or phone");
	if (route->operation == OPERATION_CODE_CHECK && !has_target(route, TARGET_CODE))
		loader_error(loader, line, "a code is tried with a field that maps to code");
	if (route->code.rule && route->code.rule->then == CODE_THEN_SIGN_UP && !address)
		loader_error(loader, line, "a code that signs up is tried with its address: a field that maps to email or phone");
	if (route->operation == OPERATION_CODE_CHECK && !(address && named) && !has_target(route, TARGET_CHALLENGE_ID) &&
	    !has_target(route, TARGET_CODE_CHANNEL))
		loader_error(
			loader, line,
			"a code is found by its purpose and a field that maps to email or phone, or by one that maps to challenge_id or code_channel");
	if (route->operation == OPERATION_VERIFY && !has_target(route, TARGET_LINK_TOKEN))
		loader_error(loader, line, "a link is found by a field that maps to link_token");
}

void load_code_choice(struct loader *loader, const struct node *node, struct route *route)
{
	static const char *const keys[] = {"purpose", "field", "caller"};
	struct slice purpose = SLICE_ABSENT;
	struct code_choice *choice = &route->code;
	if (!node || !loader_keys(loader, node, "code", keys, ARRAY_LEN(keys)))
		return;
	choice->there = true;
	(void)loader_text(loader, node_member(node, "purpose"), "purpose", &purpose);
	(void)loader_text(loader, node_member(node, "field"), "field", &choice->field);
	(void)loader_text(loader, node_member(node, "caller"), "caller", &choice->caller);
	choice->caller = slice_is_absent(choice->caller) ? choice->caller : arena_copy(loader->set->arena, choice->caller);
	const struct dialect *dialect = route->dialect;
	for (size_t i = 0; !slice_is_absent(purpose) && i < dialect->code_count; i++)
		if (slice_equal_text(purpose, dialect->codes[i].purpose))
			choice->rule = &dialect->codes[i];
	if (!slice_is_absent(purpose) && !choice->rule)
		loader_error(loader, node->line, "there is no purpose \"%.*s\" under codes", (int)purpose.len, purpose.ptr);
	bool known = slice_is_absent(choice->field);
	for (size_t i = 0; i < route->field_count; i++)
		known = known || (slice_equal(route->fields[i].name, choice->field) && !route->fields[i].secret);
	if (!known)
		loader_error(loader, node->line, "code.field names a field of the route that is no secret");
	check_code_fields(loader, node->line, route);
}
