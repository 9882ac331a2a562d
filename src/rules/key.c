// SPDX-License-Identifier: Apache-2.0
// Keys: the text by which an identity is unique.
#include "enrolld/rules/rules.h"
#include "rules/fold.h"

static const char *const names[KEY_FORM_COUNT] = {
	[KEY_EMAIL] = "email", [KEY_PHONE] = "phone",   [KEY_USERNAME] = "username",
	[KEY_EXACT] = "exact", [KEY_FOLDED] = "folded", [KEY_DOMAIN] = "domain",
};

const char *key_form_name(enum key_form form)
{
	if ((size_t)form >= KEY_FORM_COUNT)
		PANIC("key_form_name: %d", (int)form);
	return names[form];
}

static struct slice folded(struct slice text, struct arena *arena)
{
	struct fold fold;
	fold_start(&fold, text);
	struct slice copy = arena_copy(arena, slice_is_absent(fold.text) ? text : fold.text);
	fold_end(&fold);
	return copy;
}

static struct slice domain_folded(struct slice text, struct arena *arena)
{
	const char *at = text.len ? memrchr(text.ptr, '@', text.len) : NULL;
	if (!at)
		return arena_copy(arena, text);
	size_t local = (size_t)(at - text.ptr) + 1;
	struct slice domain = folded((struct slice){at + 1, text.len - local}, arena);
	return arena_printf(arena, "%.*s%.*s", (int)local, text.ptr, (int)domain.len, domain.ptr);
}

struct slice rules_key(struct slice text, enum key_form form, struct arena *arena)
{
	struct slice key;
	switch (form) {
	case KEY_EMAIL:
		if (rules_email(text, arena, &key))
			return key;
		break;
	case KEY_PHONE:
		if (rules_phone(text, arena, &key))
			return key;
		break;
	case KEY_USERNAME:
		if (rules_username(text, arena, &key))
			return key;
		break;
	case KEY_EXACT: return arena_copy(arena, text);
	case KEY_DOMAIN: return domain_folded(text, arena);
	case KEY_FOLDED:
	case KEY_FORM_COUNT: break;
	}
	return folded(text, arena);
}
