// SPDX-License-Identifier: Apache-2.0
// User names: a profile in the manner of RFC 8265 (UsernameCaseMapped) on NFKC, with the single-script rule of UTS 39 section 5.1.
#include <unictype.h>

#include "enrolld/base/utf8.h"
#include "enrolld/rules/rules.h"
#include "rules/fold.h"

#define POINTS_MIN 3
#define POINTS_MAX 64
#define BYTES_MAX (4 * POINTS_MAX)

// Scripts that are written together count as one system.
enum {
	SYSTEM_JAPANESE = 1,
	SYSTEM_CHINESE = 2,
	SYSTEM_KOREAN = 4,
	SYSTEM_OTHER = 8,
};

static unsigned systems_of(const char *script)
{
	if (strcmp(script, "Han") == 0)
		return SYSTEM_JAPANESE | SYSTEM_CHINESE | SYSTEM_KOREAN;
	if (strcmp(script, "Hiragana") == 0 || strcmp(script, "Katakana") == 0)
		return SYSTEM_JAPANESE;
	if (strcmp(script, "Bopomofo") == 0)
		return SYSTEM_CHINESE;
	if (strcmp(script, "Hangul") == 0)
		return SYSTEM_KOREAN;
	return SYSTEM_OTHER;
}

struct alphabet {
	unsigned systems;    // that could have written all so far
	const char *script;  // the one among the others
	uint32_t digit_zero; // of the digits so far; 0: none yet
};

static bool join_script(struct alphabet *a, uint32_t c)
{
	const uc_script_t *script = uc_script(c);
	if (!script)
		return false;
	if (strcmp(script->name, "Common") == 0 || strcmp(script->name, "Inherited") == 0)
		return true;
	unsigned systems = systems_of(script->name);
	if (systems == SYSTEM_OTHER) {
		if (a->script && strcmp(a->script, script->name) != 0)
			return false;
		a->script = script->name;
	}
	a->systems &= systems;
	return a->systems != 0;
}

static bool join_digit(struct alphabet *a, uint32_t c)
{
	int value = uc_decimal_value(c);
	if (value < 0)
		return false;
	uint32_t zero = c - (uint32_t)value;
	if (a->digit_zero && a->digit_zero != zero)
		return false;
	a->digit_zero = zero;
	return true;
}

static bool join(struct alphabet *a, uint32_t c, bool edge)
{
	if (c == '.' || c == '_' || c == '-')
		return !edge;
	if (c == UTF8_INVALID || uc_is_property_default_ignorable_code_point(c))
		return false;
	if (uc_is_general_category(c, UC_DECIMAL_DIGIT_NUMBER))
		return join_digit(a, c) && join_script(a, c);
	if (!uc_is_general_category(c, UC_LETTER) && !uc_is_general_category(c, UC_MARK))
		return false;
	return join_script(a, c);
}

static bool allowed(struct slice text)
{
	struct alphabet alphabet = {.systems = SYSTEM_JAPANESE | SYSTEM_CHINESE | SYSTEM_KOREAN | SYSTEM_OTHER};
	size_t points = 0;
	struct slice rest = text;
	while (rest.len) {
		uint32_t c;
		size_t size = utf8_next(rest, &c);
		bool first = points == 0;
		bool edge = first || rest.len == size;
		if (++points > POINTS_MAX || !join(&alphabet, c, edge) || (first && uc_is_general_category(c, UC_MARK)))
			return false;
		rest = (struct slice){rest.ptr + size, rest.len - size};
	}
	return points >= POINTS_MIN;
}

bool rules_username(struct slice text, struct arena *arena, struct slice *key)
{
	struct fold fold;
	if (text.len < POINTS_MIN || text.len > BYTES_MAX)
		return false;
	fold_start(&fold, text);
	bool valid = !slice_is_absent(fold.text) && allowed(fold.text);
	if (valid)
		*key = arena_copy(arena, fold.text);
	fold_end(&fold);
	return valid;
}
