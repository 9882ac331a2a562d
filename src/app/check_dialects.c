// SPDX-License-Identifier: Apache-2.0
// enrolld check: the dialect files, and how short a password they accept.
#include <string.h>

#include "app/check.h"
#include "app/parts.h"
#include "enrolld/dialect/dialect.h"
#include "enrolld/doc/yaml.h"

#define NATIVE_LEAST 15 // code points: NIST SP 800-63B-4 section 3.1.1.2 for a password that stands alone
#define OTHER_LEAST 8   // the least it ever allows

// The least length that a field's rules ask for; 0 if they ask for none.
static int64_t least_length(const struct node *field)
{
	const struct node *rules = node_member(field, "rules");
	for (size_t i = 0; i < node_count(rules); i++) {
		const struct node *least = node_member(node_item(rules, i), "min_length");
		if (node_is(least, NODE_INT))
			return least->integer;
	}
	return 0;
}

static void check_field(struct checkup *c, const char *dialect, const char *path, const struct node *field)
{
	int64_t floor = strcmp(dialect, "native") == 0 ? NATIVE_LEAST : OTHER_LEAST;
	int64_t least = least_length(field);
	if (!slice_equal_text(node_text(node_member(field, "map")), "password") || least >= floor)
		return;
	check_add(c, CHECK_WARN, check_text(c, "passwords of %s", dialect),
		  check_text(c, "min_length: %lld among the field's rules, %s:%d", (long long)floor, path, field->line),
		  "%lld characters are enough; below %lld they are guessed", (long long)least, (long long)floor);
}

static void check_passwords(struct checkup *c, const char *folder, const char *dialect)
{
	const char *path = check_text(c, "%s/%s/dialect.yaml", folder, dialect);
	const struct node *root = NULL;
	struct fault f;
	if (yaml_parse_file(path, REASON_DIALECT_INVALID, c->arena, &root, &f) != REASON_OK)
		return; // it loaded a moment ago
	const struct node *routes = node_member(root, "routes");
	for (size_t i = 0; i < node_count(routes); i++) {
		const struct node *fields = node_member(node_item(routes, i), "fields");
		for (size_t k = 0; k < node_count(fields); k++)
			check_field(c, dialect, path, fields->list.items[k]);
	}
}

static void add_lines(struct checkup *c, struct slice text)
{
	while (text.len) {
		const char *end = memchr(text.ptr, '\n', text.len);
		size_t len = end ? (size_t)(end - text.ptr) : text.len;
		check_add(c, CHECK_FAIL, "dialect", "correct the file at that line, or name other ones in topics.*.dialects",
			  "%.*s", (int)len, text.ptr);
		len += end ? 1 : 0;
		text = (struct slice){text.ptr + len, text.len - len};
	}
}

// In the dialect's own words.
static void add_warnings(struct checkup *c, const struct dialect_set *set, const char *dialect)
{
	const struct dialect_warning *warnings = NULL;
	size_t count = dialect_warnings(set, dialect, &warnings);
	for (size_t i = 0; i < count; i++)
		check_add(c, CHECK_WARN, check_text(c, "settings of %s", dialect), check_text(c, "%s", warnings[i].remedy), "%s",
			  warnings[i].text);
}

void check_dialects(struct checkup *c, const struct conf *conf)
{
	const char *folder = parts_dialect_folder(conf, c->arena);
	struct strbuf report = STRBUF_INIT(65536);
	struct dialect_set *set = NULL;
	struct fault f;
	size_t topic_count, count;
	const struct topic_conf *topics = parts_topics(conf, c->arena, &topic_count);
	const char *const *names = parts_dialects(topics, topic_count, c->arena, &count);
	c->subject = "dialects";
	const struct dialect_options options = parts_dialect_options(conf);
	enum reason reason = dialect_load(folder, names, count, &options, &report, &set, &f);
	if (reason != REASON_OK && report.len)
		add_lines(c, strbuf_slice(&report));
	else if (reason != REASON_OK)
		check_add(c, CHECK_FAIL, "data.directory", "name the folder that holds dialects/ with data.directory", "%s",
			  f.detail);
	for (size_t i = 0; reason == REASON_OK && i < count; i++) {
		check_add(c, CHECK_OK, check_text(c, "dialect %s", names[i]), "", "%s/%s loads", folder, names[i]);
		check_passwords(c, folder, names[i]);
		add_warnings(c, set, names[i]);
	}
	dialect_set_destroy(set);
	strbuf_free(&report);
}
