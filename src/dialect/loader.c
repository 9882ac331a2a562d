// SPDX-License-Identifier: Apache-2.0
// Errors of dialect files, and the small values they are made of.
#include "dialect/loader.h"

#include <stdarg.h>
#include <stdio.h>

#include "enrolld/doc/yaml.h"
#include "enrolld/model/settings.h"

#define ERRORS_MAX 200 // what nobody will read is not kept

void loader_fault(struct loader *loader, const struct fault *f)
{
	if (loader->errors++ == 0)
		loader->first = *f;
	if (loader->report && loader->errors <= ERRORS_MAX) {
		strbuf_add_text(loader->report, f->detail);
		strbuf_add_char(loader->report, '\n');
	}
}

void loader_error(struct loader *loader, int line, const char *fmt, ...)
{
	char what[FAULT_DETAIL_SIZE];
	struct fault f;
	va_list args;
	va_start(args, fmt);
	(void)vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	(void)fault_set(&f, REASON_DIALECT_INVALID, "%s:%d: %s", loader->file, line, what);
	loader_fault(loader, &f);
}

static int shown(struct slice text)
{
	return text.len > 64 ? 64 : (int)text.len;
}

static void unknown_word(struct loader *loader, int line, const char *what, struct slice word, const char *const *words,
			 size_t count)
{
	const char *nearest = doc_nearest(word, words, count);
	char list[160] = "";
	size_t used = 0;
	if (nearest) {
		loader_error(loader, line, "%s \"%.*s\" is not known; did you mean \"%s\"?", what, shown(word), word.ptr, nearest);
		return;
	}
	for (size_t i = 0; i < count && used < sizeof(list) - 1; i++)
		used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s", i ? ", " : "", words[i]);
	loader_error(loader, line, "%s \"%.*s\" is not known; there are: %s%s", what, shown(word), word.ptr, list,
		     used >= sizeof(list) ? "..." : "");
}

bool loader_keys(struct loader *loader, const struct node *map, const char *what, const char *const *words, size_t count)
{
	if (!node_is(map, NODE_MAP)) {
		loader_error(loader, map ? map->line : 0, "%s is a map, not %s", what, map ? node_type_name(map->type) : "missing");
		return false;
	}
	for (size_t i = 0; i < node_count(map); i++) {
		bool known = false;
		for (size_t j = 0; j < count; j++)
			known = known || slice_equal_text(map->list.keys[i], words[j]);
		if (!known) {
			char label[80];
			(void)snprintf(label, sizeof(label), "in %s, the key", what);
			unknown_word(loader, map->list.key_lines ? map->list.key_lines[i] : map->line, label, map->list.keys[i],
				     words, count);
		}
	}
	return true;
}

bool loader_text(struct loader *loader, const struct node *node, const char *what, struct slice *value)
{
	if (!node)
		return true;
	if (node->type != NODE_TEXT || node->text.len == 0) {
		loader_error(loader, node->line, "%s is a text; write it in quotes if it looks like something else", what);
		return false;
	}
	*value = node->text;
	return true;
}

bool loader_bool(struct loader *loader, const struct node *node, const char *what, bool *value)
{
	if (!node)
		return true;
	if (node->type != NODE_BOOL) {
		loader_error(loader, node->line, "%s is true or false", what);
		return false;
	}
	*value = node->boolean;
	return true;
}

bool loader_number(struct loader *loader, const struct node *node, const char *what, int64_t min, int64_t max, size_t *value)
{
	if (!node)
		return true;
	if (node->type != NODE_INT || node->integer < min || node->integer > max) {
		loader_error(loader, node->line, "%s is a whole number from %lld to %lld", what, (long long)min, (long long)max);
		return false;
	}
	*value = (size_t)node->integer;
	return true;
}

bool loader_choice(struct loader *loader, const struct node *node, const char *what, const char *const *words, size_t count,
		   size_t *value)
{
	if (!node)
		return true;
	struct slice word = node_text(node);
	for (size_t i = 0; i < count; i++)
		if (slice_equal_text(word, words[i])) {
			*value = i;
			return true;
		}
	unknown_word(loader, node->line, what, slice_is_absent(word) ? SLICE_LIT("") : word, words, count);
	return false;
}

bool loader_pointer(struct loader *loader, const struct node *node, const char *what, struct slice *value)
{
	struct slice text = SLICE_ABSENT;
	if (!loader_text(loader, node, what, &text) || slice_is_absent(text))
		return node == NULL;
	bool valid = text.ptr[0] == '/';
	for (size_t i = 0; valid && i < text.len; i++)
		if (text.ptr[i] == '~')
			valid = i + 1 < text.len && (text.ptr[i + 1] == '0' || text.ptr[i + 1] == '1');
	if (!valid) {
		loader_error(loader, node->line, "%s is a JSON pointer, such as /email or /user/name; ~ is written ~0 in it", what);
		return false;
	}
	*value = text;
	return true;
}

bool loader_texts(struct loader *loader, const struct node *node, const char *what, const struct slice **values, size_t *count)
{
	if (!node)
		return true;
	size_t n = node->type == NODE_LIST ? node_count(node) : 1;
	struct slice *made = ARENA_ARRAY(loader->set->arena, n, struct slice);
	if (n == 0) {
		loader_error(loader, node->line, "%s is a text or a list of texts", what);
		return false;
	}
	for (size_t i = 0; i < n; i++)
		if (!loader_text(loader, node->type == NODE_LIST ? node_item(node, i) : node, what, &made[i]))
			return false;
	*values = made;
	*count = n;
	return true;
}

bool loader_duration(struct loader *loader, const struct node *node, const char *what, int64_t min_ms, int64_t max_ms,
		     int64_t *value)
{
	char low[SETTING_NUMBER_SIZE], high[SETTING_NUMBER_SIZE];
	int64_t ms;
	if (!node)
		return true;
	if (node->type != NODE_TEXT || !setting_parse_duration(node->text, &ms) || ms < min_ms || ms > max_ms) {
		loader_error(loader, node->line, "%s is a duration like 90s, 1h or 7d, from %s to %s", what,
			     setting_format_duration(min_ms, low), setting_format_duration(max_ms, high));
		return false;
	}
	*value = ms;
	return true;
}

bool loader_list(struct loader *loader, const struct node *node, const char *what, size_t most, size_t *count)
{
	*count = node_count(node);
	if (!node)
		return true;
	if (node->type != NODE_LIST || *count > most) {
		loader_error(loader, node->line, "%s is a list of at most %zu entries; begin each with \"- \"", what, most);
		*count = 0;
		return false;
	}
	return true;
}

int loader_key_line(const struct node *map, size_t index)
{
	return map->list.key_lines ? map->list.key_lines[index] : map->line;
}

bool name_plain(struct slice name)
{
	if (name.len == 0 || name.len > 64)
		return false;
	for (size_t i = 0; i < name.len; i++) {
		char c = name.ptr[i];
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-'))
			return false;
	}
	return true;
}

struct template_origin loader_origin(const struct loader *loader, int line)
{
	return (struct template_origin){loader->file, line, loader->set->arena, loader->set->functions};
}

const struct template_condition *loader_condition(struct loader *loader, const struct node *node)
{
	const struct template_condition *condition = NULL;
	struct fault f;
	if (!node)
		return NULL;
	struct template_origin origin = loader_origin(loader, node->line);
	if (template_compile_condition(node, &origin, &condition, &f) != REASON_OK) {
		loader_fault(loader, &f);
		return NULL;
	}
	return condition;
}
