// SPDX-License-Identifier: Apache-2.0
// Plural forms by the cardinal rules of CLDR 44 (supplemental/plurals.xml), of whole numbers only.
#include "template/template_private.h"

#include "enrolld/doc/yaml.h"

static const char *const form_words[] = {"zero", "one", "two", "few", "many", "other"};

static const char *slavic(int64_t n10, int64_t n100)
{
	if (n10 == 1 && n100 != 11)
		return "one";
	if (n10 >= 2 && n10 <= 4 && !(n100 >= 12 && n100 <= 14))
		return "few";
	return "many";
}

static const char *polish(int64_t n, int64_t n10, int64_t n100)
{
	if (n == 1)
		return "one";
	return n10 >= 2 && n10 <= 4 && !(n100 >= 12 && n100 <= 14) ? "few" : "many";
}

static const char *arabic(int64_t n, int64_t n100)
{
	if (n <= 2)
		return n == 0 ? "zero" : n == 1 ? "one" : "two";
	return n100 >= 3 && n100 <= 10 ? "few" : n100 >= 11 ? "many" : "other";
}

static const char *two_forms(int64_t n, bool zero_is_one)
{
	return n == 1 || (zero_is_one && n == 0) ? "one" : "other";
}

// Of its millions, French and its neighbours speak otherwise ("un million de").
static const char *romance(int64_t n, bool zero_is_one)
{
	return n != 0 && n % 1000000 == 0 ? "many" : two_forms(n, zero_is_one);
}

static bool among(struct slice language, const char *words)
{
	for (const char *at = words; *at; at += 3)
		if (language.len == 2 && memcmp(language.ptr, at, 2) == 0)
			return true;
	return false;
}

const char *template_plural(struct slice language, int64_t n)
{
	const char *dash = language.len ? memchr(language.ptr, '-', language.len) : NULL;
	int64_t n10 = n % 10, n100 = n % 100;
	if (dash)
		language.len = (size_t)(dash - language.ptr);
	if (n < 0)
		return "other";
	if (among(language, "ar "))
		return arabic(n, n100);
	if (among(language, "ru uk be "))
		return slavic(n10, n100);
	if (among(language, "hr sr bs "))
		return strcmp(slavic(n10, n100), "many") == 0 ? "other" : slavic(n10, n100);
	if (among(language, "pl "))
		return polish(n, n10, n100);
	if (among(language, "cs sk "))
		return n == 1 ? "one" : n >= 2 && n <= 4 ? "few" : "other";
	if (among(language, "fr pt "))
		return romance(n, true);
	if (among(language, "es it ca "))
		return romance(n, false);
	if (among(language, "fa hi bn "))
		return two_forms(n, true);
	if (among(language, "ja ko zh th vi id ms "))
		return "other";
	if (among(language, "he "))
		return n == 1 ? "one" : n == 2 ? "two" : "other";
	return two_forms(n, false);
}

static bool key_known(struct slice key)
{
	for (size_t i = 0; i < ARRAY_LEN(form_words); i++)
		if (slice_equal_text(key, form_words[i]))
			return true;
	bool digits = key.len > 1 && key.len < 12 && key.ptr[0] == '=';
	for (size_t i = 1; digits && i < key.len; i++)
		digits = key.ptr[i] >= '0' && key.ptr[i] <= '9';
	return digits;
}

static enum reason wrong(const struct template_origin *origin, int line, struct fault *f, const char *what)
{
	return fault_set(f, REASON_DIALECT_INVALID, "%s:%d: %s", origin->file, line ? line : origin->line, what);
}

enum reason plural_compile(const struct node *map, const char *by_key, const struct template_origin *origin, struct plural *plural,
			   struct fault *f)
{
	struct template_origin here = *origin;
	const struct node *by = node_member(map, by_key);
	here.line = map->line ? map->line : origin->line;
	if (!node_is(by, NODE_TEXT) || !node_member(map, "other"))
		return wrong(origin, map->line, f, "the forms of a sentence need the number they go by and the form \"other\"");
	enum reason reason = place_compile(by->text, &here, NULL, &plural->by, f);
	plural->forms = ARENA_ARRAY(origin->arena, node_count(map), struct plural_form);
	for (size_t i = 0; i < node_count(map) && reason == REASON_OK; i++) {
		const struct node *text = map->list.items[i];
		struct slice key = map->list.keys[i];
		if (slice_equal_text(key, by_key))
			continue;
		if (!key_known(key) || !node_is(text, NODE_TEXT))
			return wrong(
				origin, text->line, f,
				"the forms of a sentence are texts under zero, one, two, few, many, other, or an exact number like \"=0\"");
		struct plural_form *form = &plural->forms[plural->count++];
		form->key = key;
		here.line = text->line ? text->line : origin->line;
		reason = program_compile(text->text, TEMPLATE_PLAIN, &here, &form->text, f);
	}
	return reason;
}

static const struct program *form_called(const struct plural *plural, struct slice key)
{
	for (size_t i = 0; i < plural->count; i++)
		if (slice_equal(plural->forms[i].key, key))
			return &plural->forms[i].text;
	return NULL;
}

static int64_t number_of(const struct plural *plural, const struct sight *sight)
{
	struct strbuf scratch[2];
	struct template_value value;
	int64_t n = 0;
	scratch_start(scratch);
	if (place_find(&plural->by, sight, scratch, &value)) {
		if (value.kind == TEMPLATE_INT)
			n = value.integer;
		else if (value.kind == TEMPLATE_NODE && node_is(value.node, NODE_INT))
			n = value.node->integer;
	}
	scratch_end(scratch);
	return n;
}

const struct program *plural_choose(const struct plural *plural, const struct sight *sight)
{
	int64_t n = number_of(plural, sight);
	struct strbuf exact = STRBUF_INIT(32);
	strbuf_printf(&exact, "=%lld", (long long)n);
	const struct program *form = form_called(plural, strbuf_slice(&exact));
	strbuf_free(&exact);
	if (!form)
		form = form_called(plural, slice_of(template_plural(sight->scope->language, n)));
	return form ? form : form_called(plural, SLICE_LIT("other"));
}
