// SPDX-License-Identifier: Apache-2.0
// enrolld check: runs every subject and prints what was found.
#include "app/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "app/command.h"
#include "enrolld/crypto/keys.h"
#include "enrolld/doc/json.h"
#include "enrolld/version.h"

#define TEXT_SIZE 1024
#define PAGE_LIMIT ((size_t)1 << 20)

static const char *const level_names[CHECK_LEVELS] = {[CHECK_OK] = "ok", [CHECK_WARN] = "warn", [CHECK_FAIL] = "fail"};

static const char *format_text(struct checkup *c, const char *fmt, va_list args) ATTR_PRINTF(2, 0);
static const char *format_text(struct checkup *c, const char *fmt, va_list args)
{
	char text[TEXT_SIZE];
	(void)vsnprintf(text, sizeof(text), fmt, args);
	return arena_text(c->arena, text);
}

const char *check_text(struct checkup *c, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	const char *text = format_text(c, fmt, args);
	va_end(args);
	return text;
}

void check_add(struct checkup *c, enum check_level level, const char *what, const char *remedy, const char *fmt, ...)
{
	if (c->count == c->room) {
		c->room = c->room ? 2 * c->room : 64;
		c->findings = reallocarray(c->findings, c->room, sizeof(*c->findings));
		if (!c->findings)
			PANIC("out of memory");
	}
	va_list args;
	va_start(args, fmt);
	const char *found = format_text(c, fmt, args);
	va_end(args);
	c->findings[c->count++] = (struct finding){level, c->subject, arena_text(c->arena, what), found,
						   arena_text(c->arena, remedy)};
	c->levels[level]++;
}

bool check_is_loopback(const char *host, size_t len)
{
	struct slice s = {host, len};
	if (len > 2 && host[0] == '[')
		s = (struct slice){host + 1, len - 2};
	return slice_equal_nocase(s, SLICE_LIT("localhost")) || slice_equal_text(s, "::1") ||
	       (s.len > 4 && memcmp(s.ptr, "127.", 4) == 0);
}

// On a terminal only, and not if NO_COLOR asks otherwise (no-color.org).
static const char *colour(enum check_level level)
{
	const char *no = getenv("NO_COLOR");
	if (!isatty(STDOUT_FILENO) || (no && *no))
		return "";
	return level == CHECK_FAIL ? "\033[1;31m" : level == CHECK_WARN ? "\033[33m" : "\033[32m";
}

static void write_text(const struct checkup *c, struct strbuf *out)
{
	const char *subject = "";
	int width = 0;
	for (size_t i = 0; i < c->count; i++)
		if ((int)strlen(c->findings[i].what) > width)
			width = (int)strlen(c->findings[i].what);
	if (width > 40)
		width = 40;
	for (size_t i = 0; i < c->count; i++) {
		const struct finding *n = &c->findings[i];
		const char *on = colour(n->level);
		if (strcmp(subject, n->subject) != 0)
			strbuf_printf(out, "%s%s\n", i ? "\n" : "", n->subject);
		subject = n->subject;
		strbuf_printf(out, "  %s%-4s%s  %-*s  %s\n", on, level_names[n->level], *on ? "\033[0m" : "", width, n->what,
			      n->found);
		if (n->remedy[0])
			strbuf_printf(out, "        %-*s  -> %s\n", width, "", n->remedy);
	}
	strbuf_printf(out, "\n%zu failed, %zu warnings, %zu ok\n", c->levels[CHECK_FAIL], c->levels[CHECK_WARN],
		      c->levels[CHECK_OK]);
}

static void write_json(const struct checkup *c, struct strbuf *out)
{
	struct json_writer w;
	json_begin(&w, out);
	json_open_map(&w);
	json_member_text(&w, "version", slice_of(ENROLLD_VERSION));
	for (size_t i = 0; i < CHECK_LEVELS; i++)
		json_member_int(&w, level_names[i], (int64_t)c->levels[i]);
	json_key(&w, "findings");
	json_open_list(&w);
	for (size_t i = 0; i < c->count; i++) {
		const struct finding *n = &c->findings[i];
		json_open_map(&w);
		json_member_text(&w, "level", slice_of(level_names[n->level]));
		json_member_text(&w, "subject", slice_of(n->subject));
		json_member_text(&w, "what", slice_of(n->what));
		json_member_text(&w, "found", slice_of(n->found));
		json_key(&w, "remedy");
		json_text(&w, n->remedy[0] ? slice_of(n->remedy) : SLICE_ABSENT); // null if ok
		json_close_map(&w);
	}
	json_close_list(&w);
	json_close_map(&w);
	strbuf_add_char(out, '\n');
}

static void look(struct checkup *c, const char *path)
{
	static void (*const subjects[])(struct checkup *, const struct conf *) = {
		check_settings, check_keys, check_dialects, check_machine, check_store, check_kafka, check_messages,
	};
	struct strbuf report = STRBUF_INIT(65536);
	struct conf *conf = NULL;
	struct fault f;
	if (conf_load(conf_tables(), path, environ, &report, &conf, &f) != REASON_OK) {
		check_settings_refused(c, path, &report, &f);
	} else if (crypto_setup(&f) != REASON_OK) {
		c->subject = "machine";
		check_add(c, CHECK_FAIL, "libsodium", "look at the kernel's random device and seccomp rules", "%s", f.detail);
	} else {
		json_setup();
		for (size_t i = 0; i < ARRAY_LEN(subjects); i++)
			subjects[i](c, conf);
	}
	conf_destroy(conf);
	strbuf_free(&report);
}

int command_check(const struct invocation *invocation)
{
	struct checkup c = {.arena = arena_create(16384), .subject = "settings"};
	struct strbuf out = STRBUF_INIT(PAGE_LIMIT);
	look(&c, invocation->config);
	if (invocation->json)
		write_json(&c, &out);
	else
		write_text(&c, &out);
	command_print(&out);
	int status = c.levels[CHECK_FAIL] ? EX_CONFIG : EX_OK;
	free(c.findings);
	arena_destroy(c.arena);
	return status;
}
