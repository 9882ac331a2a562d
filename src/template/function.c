// SPDX-License-Identifier: Apache-2.0
// Functions that a place's value passes through: forms of times, ids and numbers. Those on texts that need more than ASCII are the caller's.
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "enrolld/doc/json.h"
#include "template/template_private.h"

static void give_text(struct strbuf *scratch, struct template_value *out)
{
	*out = (struct template_value){.kind = TEMPLATE_TEXT, .text = strbuf_slice(scratch)};
}

static void give_int(int64_t n, struct template_value *out)
{
	*out = (struct template_value){.kind = TEMPLATE_INT, .integer = n};
}

static bool to_text(const struct template_value *in, struct strbuf *scratch, struct template_value *out)
{
	value_write(in, TEMPLATE_PLAIN, scratch);
	give_text(scratch, out);
	return true;
}

// What is no whole number stays what it is.
static bool to_number(const struct template_value *in, struct strbuf *scratch, struct template_value *out)
{
	int64_t n = 0;
	value_write(in, TEMPLATE_PLAIN, scratch);
	struct slice text = strbuf_slice(scratch);
	bool negative = text.len && text.ptr[0] == '-';
	if (text.len <= negative)
		return false;
	for (size_t i = negative; i < text.len; i++)
		if (text.ptr[i] < '0' || text.ptr[i] > '9' || __builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, text.ptr[i] - '0', &n))
			return false;
	give_int(negative ? -n : n, out);
	return true;
}

static bool to_url(const struct template_value *in, struct strbuf *scratch, struct template_value *out)
{
	value_write(in, TEMPLATE_URL, scratch);
	give_text(scratch, out);
	return true;
}

// The parts of a time in UTC, year and month as one writes them.
static void split(int64_t ms, struct tm *parts, int *rest_ms)
{
	*rest_ms = (int)(((ms % 1000) + 1000) % 1000);
	time_t seconds = (time_t)((ms - *rest_ms) / 1000);
	if (!gmtime_r(&seconds, parts))
		PANIC("a time that is none");
	parts->tm_year += 1900;
	parts->tm_mon += 1;
}

// Day of the week by Sakamoto's method, Sunday 0.
static int weekday(int year, int month, int day)
{
	static const int shift[] = {0, 3, 2, 5, 0, 3, 5, 1, 4, 6, 2, 4};
	year -= month < 3;
	return (year + year / 4 - year / 100 + year / 400 + shift[month - 1] + day) % 7;
}

enum time_form { FORM_SECONDS, FORM_MICROS, FORM_OFFSET, FORM_DATE, FORM_SQL, FORM_HTTP };

static bool write_time(const struct template_value *in, enum time_form form, struct strbuf *scratch, struct template_value *out)
{
	static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	struct tm t;
	int ms;
	if (in->kind != TEMPLATE_TIME)
		return false;
	split(in->integer, &t, &ms);
	if (form == FORM_HTTP) { // RFC 9110, section 5.6.7
		strbuf_printf(scratch, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[weekday(t.tm_year, t.tm_mon, t.tm_mday)],
			      t.tm_mday, months[t.tm_mon - 1], t.tm_year, t.tm_hour, t.tm_min, t.tm_sec);
	} else {
		strbuf_printf(scratch, "%04d-%02d-%02d", t.tm_year, t.tm_mon, t.tm_mday);
		if (form != FORM_DATE)
			strbuf_printf(scratch, "%c%02d:%02d:%02d", form == FORM_SQL ? ' ' : 'T', t.tm_hour, t.tm_min, t.tm_sec);
		if (form == FORM_MICROS)
			strbuf_printf(scratch, ".%03d000", ms);
		if (form == FORM_SECONDS || form == FORM_MICROS)
			strbuf_add_char(scratch, 'Z');
		if (form == FORM_OFFSET)
			strbuf_add_text(scratch, "+00:00");
	}
	give_text(scratch, out);
	return true;
}

static bool to_iso(const struct template_value *in, struct strbuf *scratch, struct template_value *out)
{
	return in->kind == TEMPLATE_TIME && to_text(in, scratch, out);
}

#define TIME_FUNCTION(name, form)                                                                             \
	static bool name(const struct template_value *in, struct strbuf *scratch, struct template_value *out) \
	{                                                                                                     \
		return write_time(in, form, scratch, out);                                                    \
	}
TIME_FUNCTION(to_iso_s, FORM_SECONDS)
TIME_FUNCTION(to_iso_us, FORM_MICROS)
TIME_FUNCTION(to_iso_offset, FORM_OFFSET)
TIME_FUNCTION(to_date, FORM_DATE)
TIME_FUNCTION(to_sql, FORM_SQL)
TIME_FUNCTION(to_http, FORM_HTTP)

static bool to_seconds(const struct template_value *in, struct strbuf *scratch, struct template_value *out)
{
	(void)scratch;
	give_int(in->integer / 1000 - (in->integer % 1000 < 0), out);
	return in->kind == TEMPLATE_TIME;
}

static bool to_millis(const struct template_value *in, struct strbuf *scratch, struct template_value *out)
{
	(void)scratch;
	give_int(in->integer, out);
	return in->kind == TEMPLATE_TIME;
}

static bool hex_of(const struct template_value *in, size_t digits, struct strbuf *scratch, struct template_value *out)
{
	if (in->kind != TEMPLATE_TEXT)
		return false;
	for (size_t i = 0; i < in->text.len && scratch->len < digits; i++)
		if (in->text.ptr[i] != '-')
			strbuf_add_char(scratch, in->text.ptr[i]);
	give_text(scratch, out);
	return true;
}

static bool to_hex24(const struct template_value *in, struct strbuf *scratch, struct template_value *out)
{
	return hex_of(in, 24, scratch, out);
}

static bool to_hex32(const struct template_value *in, struct strbuf *scratch, struct template_value *out)
{
	return hex_of(in, 32, scratch, out);
}

// As repr() writes a text: in single quotes unless that needs an escape which double ones do not.
static void python_quote(struct slice text, struct strbuf *out)
{
	char quote = text.len && memchr(text.ptr, '\'', text.len) && !memchr(text.ptr, '"', text.len) ? '"' : '\'';
	strbuf_add_char(out, quote);
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];
		if (c == quote || c == '\\')
			strbuf_add_char(out, '\\');
		if (c == '\n' || c == '\r' || c == '\t')
			strbuf_printf(out, "\\%c", c == '\n' ? 'n' : c == '\r' ? 'r' : 't');
		else if ((unsigned char)c < 0x20 || c == 0x7f)
			strbuf_printf(out, "\\x%02x", (unsigned)(unsigned char)c);
		else
			strbuf_add_char(out, c);
	}
	strbuf_add_char(out, quote);
}

static void python_write(const struct node *node, bool inside, struct strbuf *out)
{
	switch (node->type) {
	case NODE_NULL: strbuf_add_text(out, "None"); break;
	case NODE_BOOL: strbuf_add_text(out, node->boolean ? "True" : "False"); break;
	case NODE_TEXT:
		if (inside)
			python_quote(node->text, out);
		else
			strbuf_add_slice(out, node->text);
		break;
	case NODE_INT:
	case NODE_REAL: {
		struct json_writer w;
		json_begin(&w, out);
		json_node(&w, node);
		break;
	}
	case NODE_LIST:
	case NODE_MAP:
		strbuf_add_char(out, node->type == NODE_MAP ? '{' : '[');
		for (size_t i = 0; i < node->list.count; i++) {
			strbuf_add_text(out, i ? ", " : "");
			if (node->type == NODE_MAP) {
				python_quote(node->list.keys[i], out);
				strbuf_add_text(out, ": ");
			}
			python_write(node->list.items[i], true, out);
		}
		strbuf_add_char(out, node->type == NODE_MAP ? '}' : ']');
		break;
	}
}

static bool to_python(const struct template_value *in, struct strbuf *scratch, struct template_value *out)
{
	if (in->kind == TEMPLATE_NODE)
		python_write(in->node, false, scratch);
	else if (in->kind == TEMPLATE_BOOL)
		strbuf_add_text(scratch, in->integer ? "True" : "False");
	else if (in->kind == TEMPLATE_NULL)
		strbuf_add_text(scratch, "None");
	else
		value_write(in, TEMPLATE_PLAIN, scratch);
	give_text(scratch, out);
	return true;
}

static const struct function functions[] = {
	{.name = "text", .apply = to_text},
	{.name = "number", .apply = to_number},
	{.name = "url", .apply = to_url},
	{.name = "iso", .apply = to_iso},
	{.name = "iso_s", .apply = to_iso_s},
	{.name = "iso_us", .apply = to_iso_us},
	{.name = "iso_offset", .apply = to_iso_offset},
	{.name = "date", .apply = to_date},
	{.name = "sql", .apply = to_sql},
	{.name = "http", .apply = to_http},
	{.name = "seconds", .apply = to_seconds},
	{.name = "millis", .apply = to_millis},
	{.name = "hex24", .apply = to_hex24},
	{.name = "hex32", .apply = to_hex32},
	{.name = "python", .apply = to_python},
};

bool function_find(struct slice name, const struct template_function *more, struct function *function)
{
	for (size_t i = 0; i < ARRAY_LEN(functions); i++)
		if (slice_equal_text(name, functions[i].name)) {
			*function = functions[i];
			return true;
		}
	for (; more && more->name; more++)
		if (slice_equal_text(name, more->name)) {
			*function = (struct function){.name = more->name, .text = more->apply};
			return true;
		}
	return false;
}

void function_names(const struct template_function *more, const char **names, size_t max, size_t *count)
{
	*count = 0;
	for (size_t i = 0; i < ARRAY_LEN(functions) && *count < max; i++)
		names[(*count)++] = functions[i].name;
	for (; more && more->name && *count < max; more++)
		names[(*count)++] = more->name;
}
