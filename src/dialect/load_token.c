// SPDX-License-Identifier: Apache-2.0
// "tokens": what answers carry for later requests, and the sessions that some of them are of.
#include "dialect/loader.h"
#include "enrolld/crypto/derive.h"

#define TOKENS_MAX 8
#define DAY_MS ((int64_t)24 * 3600 * 1000)
#define LIFE_MAX_MS (3660 * DAY_MS)
#define LONGEST_USUAL_MS (90 * DAY_MS)
#define HEX_DIGITS "0123456789abcdef"
#define SIGNED_ID_LENGTH 32
#define SESSION_KEYS "rotation", "reuse", "grace", "request_age" // of refresh tokens alone
#define MINUTE_MS INT64_C(60000)
#define GRACE_MAX_MS MINUTE_MS
#define SESSION_OPAQUE_MIN 48 // beyond the name, 24 characters that nobody guesses

static void load_opaque(struct loader *loader, const struct node *node, struct token_spec *token)
{
	static const char *const words[] = {"alphanumeric", "hex", "base64url", "digits"};
	static const char *const alphabets[] = {"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", HEX_DIGITS,
						"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", "0123456789"};
	size_t alphabet = 0;
	(void)loader_choice(loader, node_member(node, "alphabet"), "alphabet", words, ARRAY_LEN(words), &alphabet);
	(void)loader_number(loader, node_member(node, "length"), "length", 16, DERIVE_TEXT_MAX, &token->length);
	if (!node_member(node, "alphabet") || !node_member(node, "length"))
		loader_error(loader, token->line, "a token is {jwt: {...}, life: 1h}, or {alphabet: alphanumeric, length: 80}");
	token->alphabet = alphabets[alphabet];
	bool digits = strcmp(words[alphabet], "digits") == 0;
	if (token->use != TOKEN_LOOSE && (digits || token->length < SESSION_OPAQUE_MIN || token->length > SESSION_TOKEN_MAX))
		loader_error(loader, token->line, "an opaque token of a session has %d to %d characters, and letters among them",
			     SESSION_OPAQUE_MIN, SESSION_TOKEN_MAX);
}

static bool type_valid(struct slice type)
{
	for (size_t i = 0; i < type.len; i++) {
		char c = type.ptr[i];
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' || c == '-'))
			return false;
	}
	return type.len > 0 && type.len <= SIGN_TYPE_MAX;
}

static bool is_place(struct slice text)
{
	return text.len >= 2 && memmem(text.ptr, text.len, "{{", 2);
}

// What all tokens of the kind have in common is asked of one that is shown (RFC 8725, section 3.12).
static void load_members(struct loader *loader, const struct node *payload, struct token_spec *token)
{
	token->members = ARENA_ARRAY(loader->set->arena, node_count(payload), struct token_member);
	for (size_t i = 0; i < node_count(payload); i++) {
		struct slice text = node_text(payload->list.items[i]);
		if (!slice_is_absent(text) && !is_place(text))
			token->members[token->member_count++] = (struct token_member){payload->list.keys[i], text};
	}
	bool id = slice_equal_text(node_text(node_member(payload, "jti")), "{{jti}}");
	bool exp = slice_equal_text(node_text(node_member(payload, "exp")), "{{exp}}");
	if (token->use != TOKEN_LOOSE && !(id && exp))
		loader_error(loader, token->line,
			     "a signed token of a session has jti: \"{{jti}}\", which names it, and exp: \"{{exp}}\"");
}

static void load_signed(struct loader *loader, const struct node *node, const char *dialect, struct token_spec *token)
{
	static const char *const algorithms[] = {"HS256", "EdDSA"};
	const struct node *jwt = node_member(node, "jwt");
	struct template_origin origin = loader_origin(loader, token->line);
	struct slice type = SLICE_LIT("JWT");
	size_t algorithm = 0;
	struct fault f;
	(void)loader_choice(loader, node_member(node, "alg"), "alg", algorithms, ARRAY_LEN(algorithms), &algorithm);
	(void)loader_text(loader, node_member(node, "typ"), "typ", &type);
	if (!type_valid(type))
		loader_error(loader, token->line, "typ is the type in the token's header: JWT, or at+jwt");
	token->form = (struct sign_form){.algorithm = algorithm ? SIGN_EDDSA : SIGN_HS256,
					 .type = arena_copy(loader->set->arena, type).ptr,
					 .dialect = dialect};
	token->alphabet = HEX_DIGITS;
	token->length = SIGNED_ID_LENGTH;
	if (!node_is(jwt, NODE_MAP)) {
		loader_error(loader, token->line, "jwt is a map: the members of its payload");
		return;
	}
	load_members(loader, jwt, token);
	if (template_compile_tree(jwt, &origin, &token->payload, &f) != REASON_OK)
		loader_fault(loader, &f);
	if (!node_member(node, "life"))
		loader_error(loader, token->line, "a token that is signed needs a life: life: 1h");
}

// How a session goes on, by the token that does it.
static void load_session(struct loader *loader, const struct node *node, const struct token_spec *token, const char *dialect,
			 struct session_rule *rule)
{
	static const char *const reuses[] = {"revoke", "refuse", "allow"};
	size_t reuse = SESSION_REUSE_REVOKE;
	*rule = (struct session_rule){
		.dialect = dialect,
		.kind = token->use == TOKEN_REFRESH ? token->kind : NULL,
		.alphabet = token->alphabet,
		.length = token->length,
		.life_ms = token->life_ms,
		.longest_ms = token->life_ms > LONGEST_USUAL_MS ? token->life_ms : LONGEST_USUAL_MS,
		.rotates = true,
		.request_age_ms = MINUTE_MS,
	};
	(void)loader_bool(loader, node_member(node, "rotation"), "rotation", &rule->rotates);
	(void)loader_choice(loader, node_member(node, "reuse"), "reuse", reuses, ARRAY_LEN(reuses), &reuse);
	(void)loader_duration(loader, node_member(node, "longest"), "longest", 1000, LIFE_MAX_MS, &rule->longest_ms);
	(void)loader_duration(loader, node_member(node, "grace"), "grace", 0, GRACE_MAX_MS, &rule->grace_ms);
	(void)loader_duration(loader, node_member(node, "request_age"), "request_age", 1000, DAY_MS, &rule->request_age_ms);
	rule->reuse = (enum session_reuse)reuse;
	if (rule->reuse == SESSION_REUSE_ALLOW && !token->payload)
		loader_error(loader, token->line,
			     "reuse: allow needs a token that is signed: nothing else tells an old one from a guess");
	if (rule->longest_ms < rule->life_ms)
		loader_error(loader, token->line, "longest, of the whole session, is shorter than the life of one token");
}

static void load_use(struct loader *loader, const struct node *node, struct token_spec *token)
{
	static const char *const uses[] = {"none", "access", "refresh"};
	size_t use = TOKEN_LOOSE;
	(void)loader_choice(loader, node_member(node, "use"), "use", uses, ARRAY_LEN(uses), &use);
	token->use = use == 1 ? TOKEN_ACCESS : use == 2 ? TOKEN_REFRESH : TOKEN_LOOSE;
	(void)loader_duration(loader, node_member(node, "life"), "life", 1000, LIFE_MAX_MS, &token->life_ms);
	if (token->use != TOKEN_LOOSE && !node_member(node, "life"))
		loader_error(loader, token->line, "a token of a session needs a life: life: 1h");
}

static void load_link(struct loader *loader, const struct node *node, struct token_spec *token)
{
	static const char *const keys[] = {"link"};
	static const char *const forms[] = {"base64url", "hex"};
	size_t form = 0;
	if (!loader_keys(loader, node, "the token of a link", keys, ARRAY_LEN(keys)))
		return;
	(void)loader_choice(loader, node_member(node, "link"), "link", forms, ARRAY_LEN(forms), &form);
	token->is_link = true;
	token->hex = form == 1;
}

static void load_token(struct loader *loader, const struct node *node, const char *dialect, struct token_spec *token)
{
	static const char *const jwt_keys[] = {"jwt", "life", "alg", "typ", "use", "longest", SESSION_KEYS};
	static const char *const opaque_keys[] = {"alphabet", "length", "life", "use", "longest", SESSION_KEYS};
	bool is_signed = node_member(node, "jwt") != NULL;
	if (node_member(node, "link")) {
		load_link(loader, node, token);
		return;
	}
	if (!loader_keys(loader, node, "a token", is_signed ? jwt_keys : opaque_keys,
			 is_signed ? ARRAY_LEN(jwt_keys) : ARRAY_LEN(opaque_keys)))
		return;
	load_use(loader, node, token);
	if (is_signed)
		load_signed(loader, node, dialect, token);
	else
		load_opaque(loader, node, token);
	static const char *const session_keys[] = {SESSION_KEYS};
	for (size_t i = 0; token->use != TOKEN_REFRESH && i < ARRAY_LEN(session_keys); i++)
		if (node_member(node, session_keys[i]))
			loader_error(loader, token->line, "%s is of a token with use: refresh", session_keys[i]);
}

// Is a token of the one kind never one of the other?
static bool told_apart(const struct token_spec *a, const struct token_spec *b)
{
	if (!a->payload || !b->payload)
		return a->payload || b->payload || a->length != b->length;
	if (a->form.algorithm != b->form.algorithm || strcmp(a->form.type, b->form.type) != 0)
		return true;
	for (size_t i = 0; i < a->member_count; i++)
		for (size_t j = 0; j < b->member_count; j++)
			if (slice_equal(a->members[i].name, b->members[j].name) &&
			    !slice_equal(a->members[i].value, b->members[j].value))
				return true;
	return false;
}

static void settle_sessions(struct loader *loader, const struct node *map, struct dialect *dialect)
{
	for (size_t i = 0; i < dialect->token_count; i++) {
		const struct token_spec *token = &dialect->tokens[i];
		const struct token_spec **at = token->use == TOKEN_REFRESH ? &dialect->refresh_token : &dialect->access_token;
		if (token->use == TOKEN_LOOSE)
			continue;
		if (*at)
			loader_error(loader, token->line, "sessions have one token of each use");
		*at = token;
	}
	const struct token_spec *leads = dialect->refresh_token ? dialect->refresh_token : dialect->access_token;
	if (!leads)
		return;
	dialect->has_sessions = true;
	load_session(loader, node_member_slice(map, leads->name), leads, dialect->name, &dialect->session);
	if (dialect->refresh_token && dialect->access_token && !told_apart(dialect->refresh_token, dialect->access_token))
		loader_error(
			loader, leads->line,
			"one could be shown as the other: give their payloads a member that tells, such as token_type: refresh");
}

void load_tokens(struct loader *loader, const struct node *map, struct dialect *dialect)
{
	if (!map)
		return;
	if (map->type != NODE_MAP || node_count(map) > TOKENS_MAX) {
		loader_error(loader, map->line, "tokens is a map of at most %d names", TOKENS_MAX);
		return;
	}
	dialect->tokens = ARENA_ARRAY(loader->set->arena, node_count(map), struct token_spec);
	dialect->token_count = node_count(map);
	for (size_t i = 0; i < dialect->token_count; i++) {
		struct token_spec *token = &dialect->tokens[i];
		struct slice name = map->list.keys[i];
		*token = (struct token_spec){.name = name, .line = loader_key_line(map, i)};
		token->kind = arena_printf(loader->set->arena, "token.%s.%.*s", dialect->name, (int)name.len, name.ptr).ptr;
		if (!name_plain(name))
			loader_error(loader, token->line, "a token has a name of letters, digits, _ and -");
		load_token(loader, map->list.items[i], dialect->name, token);
	}
	settle_sessions(loader, map, dialect);
}
