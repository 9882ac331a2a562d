// SPDX-License-Identifier: Apache-2.0
// Reads a provider's file.
#include <stdlib.h>

#include "courier/provider_private.h"
#include "enrolld/doc/yaml.h"

#define ARENA_BLOCK ((size_t)16 << 10)

static const char *const value_names[] = {"to",      "from",     "text",  "message_id", "realm",
					  "purpose", "language", "brand", "user",       "password"};

// What the parser of one file carries along.
struct loader {
	const char *path;
	struct provider *p;
	struct fault *f;
};

static enum reason wrong(struct loader *l, const struct node *node, const char *what)
{
	return fault_set(l->f, REASON_DIALECT_INVALID, "%s:%d: %s", l->path, node ? node->line : 1, what);
}

// Every key is one of the names.
static enum reason check_keys(struct loader *l, const struct node *map, const char *const *names, size_t count)
{
	if (!node_is(map, NODE_MAP))
		return wrong(l, map, "must be a map");
	for (size_t i = 0; i < node_count(map); i++) {
		struct slice key = map->list.keys[i];
		bool known = false;
		for (size_t k = 0; k < count; k++)
			known = known || slice_equal_text(key, names[k]);
		if (known)
			continue;
		const char *near = doc_nearest(key, names, count);
		return fault_set(l->f, REASON_DIALECT_INVALID, "%s:%d: unknown key \"%.*s\"%s%s", l->path, map->list.items[i]->line,
				 (int)key.len, key.ptr, near ? ", did you mean " : "", near ? near : "");
	}
	return REASON_OK;
}

// Index of the text among the words, which end in NULL; -1 if it is none.
static int choice(const struct node *node, const char *const *words)
{
	for (int i = 0; words[i]; i++) {
		if (slice_equal_text(node_text(node), words[i]))
			return i;
	}
	return -1;
}

static enum reason compile(struct loader *l, const struct node *node, enum template_escape escape, const struct template **t)
{
	if (!node_is(node, NODE_TEXT))
		return wrong(l, node, "must be a text");
	enum reason reason = template_compile_text(node->text, escape, l->path, l->p->arena, t, l->f);
	return reason == REASON_OK ? template_check_names(*t, value_names, ARRAY_LEN(value_names), l->f) : reason;
}

static enum reason compile_map(struct loader *l, const struct node *map, size_t max, struct named_template *out, size_t *count)
{
	if (!node_is(map, NODE_MAP) || node_count(map) > max)
		return wrong(l, map, "must be a map of texts, and not too long");
	for (size_t i = 0; i < node_count(map); i++) {
		out[i].name = map->list.keys[i];
		enum reason reason = compile(l, map->list.items[i], TEMPLATE_PLAIN, &out[i].text);
		if (reason != REASON_OK)
			return reason;
	}
	*count = node_count(map);
	return REASON_OK;
}

static bool is_token(struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];
		if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && c != '-' && c != '_')
			return false;
	}
	return text.len > 0 && text.len <= 100;
}

static enum reason load_headers(struct loader *l, const struct node *headers)
{
	struct provider *p = l->p;
	if (!headers)
		return REASON_OK;
	// One place is kept for the content type, one for auth by header.
	enum reason reason = compile_map(l, headers, PROVIDER_HEADERS_MAX - 2, p->headers, &p->header_count);
	for (size_t i = 0; reason == REASON_OK && i < p->header_count; i++) {
		struct slice name = p->headers[i].name;
		if (!is_token(name) || slice_equal_nocase(name, SLICE_LIT("content-length")) ||
		    slice_equal_nocase(name, SLICE_LIT("content-type")) || slice_equal_nocase(name, SLICE_LIT("host")) ||
		    slice_equal_nocase(name, SLICE_LIT("transfer-encoding")))
			reason = wrong(l, headers->list.items[i], "not a header that may be set here");
	}
	return reason;
}

static enum reason load_request(struct loader *l, const struct node *request)
{
	static const char *const keys[] = {"method", "path", "encoding", "headers", "body"};
	static const char *const methods[] = {"POST", "PUT", NULL};
	static const char *const encodings[] = {"json", "form", "multipart", NULL};
	struct provider *p = l->p;
	enum reason reason = check_keys(l, request, keys, ARRAY_LEN(keys));
	if (reason != REASON_OK)
		return reason;
	int method = choice(node_member(request, "method"), methods),
	    encoding = choice(node_member(request, "encoding"), encodings);
	if (method < 0)
		return wrong(l, request, "method must be POST or PUT");
	if (encoding < 0)
		return wrong(l, request, "encoding must be json, form or multipart");
	p->method = methods[method];
	p->encoding = (enum provider_encoding)encoding;
	const struct node *path = node_member(request, "path");
	if (path)
		reason = compile(l, path, TEMPLATE_URL, &p->path);
	if (reason == REASON_OK)
		reason = load_headers(l, node_member(request, "headers"));
	const struct node *body = node_member(request, "body");
	if (reason == REASON_OK && !body)
		reason = wrong(l, request, "body is missing");
	if (reason != REASON_OK)
		return reason;
	if (p->encoding != PROVIDER_JSON)
		return compile_map(l, body, FIELDS_MAX, p->fields, &p->field_count);
	reason = template_compile_json(body, l->path, p->arena, &p->json, l->f);
	return reason == REASON_OK ? template_check_names(p->json, value_names, ARRAY_LEN(value_names), l->f) : reason;
}

static enum reason load_auth(struct loader *l, const struct node *auth)
{
	static const char *const kinds[] = {"none", "basic", "bearer", "any", NULL};
	int kind = choice(auth, kinds);
	if (kind >= 0) {
		l->p->auth = (enum provider_auth)kind;
		return REASON_OK;
	}
	struct slice header = node_text(node_member(auth, "header"));
	if (!node_is(auth, NODE_MAP) || node_count(auth) != 1 || !is_token(header))
		return wrong(l, auth, "auth must be none, basic, bearer, any or {header: name}");
	l->p->auth = PROVIDER_AUTH_HEADER;
	struct named_template *own = &l->p->headers[l->p->header_count++];
	own->name = header;
	return template_compile_text(SLICE_LIT("{{password}}"), TEMPLATE_PLAIN, l->path, l->p->arena, &own->text, l->f);
}

static bool parse_status(struct slice text, int *from, int *to)
{
	const char *dash = text.len ? memchr(text.ptr, '-', text.len) : NULL;
	size_t len = dash ? (size_t)(dash - text.ptr) : text.len;
	struct slice parts[] = {{text.ptr, len},
				dash ? (struct slice){dash + 1, text.len - len - 1} : (struct slice){text.ptr, len}};
	int numbers[2] = {0, 0};
	for (size_t i = 0; i < 2; i++) {
		if (parts[i].len != 3)
			return false;
		for (size_t k = 0; k < 3; k++) {
			if (parts[i].ptr[k] < '0' || parts[i].ptr[k] > '9')
				return false;
			numbers[i] = numbers[i] * 10 + parts[i].ptr[k] - '0';
		}
	}
	*from = numbers[0];
	*to = numbers[1];
	return numbers[0] >= 200 && numbers[0] <= numbers[1];
}

static enum reason load_status(struct loader *l, const struct node *status, struct answer_rule *rule)
{
	size_t count = node_is(status, NODE_LIST) ? node_count(status) : 1;
	if (!status || count == 0 || count > RANGES_MAX)
		return wrong(l, status, "an answer needs a status");
	for (size_t i = 0; i < count; i++) {
		const struct node *item = node_is(status, NODE_LIST) ? node_item(status, i) : status;
		struct slice text = node_is(item, NODE_INT) ? item->written : node_text(item);
		if (!parse_status(text, &rule->status[i].from, &rule->status[i].to))
			return wrong(l, item, "a status is a number like 201 or a range like 200-299");
	}
	rule->status_count = count;
	return REASON_OK;
}

static enum reason load_words(struct loader *l, const struct node *is, struct answer_rule *rule)
{
	size_t count = node_is(is, NODE_LIST) ? node_count(is) : 1;
	if (!is || count == 0 || count > WORDS_MAX)
		return wrong(l, is, "a pointer needs \"is\" with the values it is compared with");
	for (size_t i = 0; i < count; i++) {
		const struct node *item = node_is(is, NODE_LIST) ? node_item(is, i) : is;
		rule->words[i] = node_is(item, NODE_TEXT) ? item->text : item->written;
		if (slice_is_absent(rule->words[i]))
			return wrong(l, item, "must be a text or a number");
	}
	rule->word_count = count;
	return REASON_OK;
}

static enum reason load_answer(struct loader *l, const struct node *answer, struct answer_rule *rule)
{
	static const char *const keys[] = {"status", "pointer", "is", "then"};
	static const char *const thens[] = {"accepted", "deferred", "refused", "unsure", "away", NULL};
	enum reason reason = check_keys(l, answer, keys, ARRAY_LEN(keys));
	if (reason == REASON_OK)
		reason = load_status(l, node_member(answer, "status"), rule);
	if (reason != REASON_OK)
		return reason;
	int then = choice(node_member(answer, "then"), thens);
	if (then < 0)
		return wrong(l, answer, "then must be accepted, deferred, refused, unsure or away");
	rule->then = (enum provider_then)then;
	const struct node *pointer = node_member(answer, "pointer");
	if (!pointer)
		return node_member(answer, "is") ? wrong(l, answer, "\"is\" needs a pointer") : REASON_OK;
	rule->pointer = node_text(pointer);
	if (rule->pointer.len == 0 || rule->pointer.ptr[0] != '/')
		return wrong(l, pointer, "a pointer begins with /");
	return load_words(l, node_member(answer, "is"), rule);
}

static enum reason load_answers(struct loader *l, const struct node *answers)
{
	if (!node_is(answers, NODE_LIST) || node_count(answers) == 0 || node_count(answers) > ANSWERS_MAX)
		return wrong(l, answers, "answers must be a list");
	for (size_t i = 0; i < node_count(answers); i++) {
		enum reason reason = load_answer(l, node_item(answers, i), &l->p->answers[i]);
		if (reason != REASON_OK)
			return reason;
	}
	l->p->answer_count = node_count(answers);
	return REASON_OK;
}

static enum reason load_id(struct loader *l, const struct node *id)
{
	struct slice header = node_text(node_member(id, "header"));
	const struct node *pointer = node_member(id, "pointer");
	if (!node_is(id, NODE_MAP) || node_count(id) != 1 || (!pointer && !is_token(header)))
		return wrong(l, id, "id must be {pointer: ...} or {header: name}");
	if (!pointer) {
		l->p->id_header = header.ptr;
		return REASON_OK;
	}
	size_t count = node_is(pointer, NODE_LIST) ? node_count(pointer) : 1;
	for (size_t i = 0; i < count; i++) {
		struct slice text = node_text(node_is(pointer, NODE_LIST) ? node_item(pointer, i) : pointer);
		if (i == POINTERS_MAX || text.len == 0 || text.ptr[0] != '/')
			return wrong(l, pointer, "pointers begin with /, and there are not too many");
		l->p->id_pointers[l->p->id_pointer_count++] = text;
	}
	return REASON_OK;
}

static enum reason load(struct loader *l)
{
	static const char *const keys[] = {"idempotent", "auth", "request", "answers", "id"};
	const struct node *root;
	enum reason reason = yaml_parse_file(l->path, REASON_DIALECT_INVALID, l->p->arena, &root, l->f);
	if (reason == REASON_OK)
		reason = check_keys(l, root, keys, ARRAY_LEN(keys));
	if (reason != REASON_OK)
		return reason;
	const struct node *idempotent = node_member(root, "idempotent");
	if (!node_is(idempotent, NODE_BOOL))
		return wrong(l, idempotent, "idempotent must be true or false");
	l->p->idempotent = idempotent->boolean;
	reason = load_request(l, node_member(root, "request"));
	if (reason == REASON_OK)
		reason = load_auth(l, node_member(root, "auth"));
	if (reason == REASON_OK)
		reason = load_answers(l, node_member(root, "answers"));
	const struct node *id = node_member(root, "id");
	return reason == REASON_OK && id ? load_id(l, id) : reason;
}

enum reason provider_load(const char *path, struct provider **ret_provider, struct fault *f)
{
	struct provider *p = calloc(1, sizeof(*p));
	if (!p)
		PANIC("provider: out of memory");
	p->arena = arena_create(ARENA_BLOCK);
	struct loader l = {path, p, f};
	l.path = arena_text(p->arena, path);
	enum reason reason = load(&l);
	if (reason != REASON_OK) {
		provider_free(p);
		return reason;
	}
	*ret_provider = p;
	return REASON_OK;
}

void provider_free(struct provider *p)
{
	if (!p)
		return;
	arena_destroy(p->arena);
	free(p);
}
