// SPDX-License-Identifier: Apache-2.0
// Functions that are written with an argument: {{at|time:%d.%m.%Y}}.
#include <stdio.h>
#include <time.h>

#include "enrolld/base/utf8.h"
#include "enrolld/model/settings.h"
#include "template/template_private.h"

// What may follow % in a form of a time; after - without a leading zero.
#define TIME_LETTERS "YymdeHIMSLfNpbBaAjsz%"
#define TIME_SHORT "mdHIMS"

static bool time_fits(struct slice form)
{
	for (size_t i = 0; i < form.len; i++) {
		if (form.ptr[i] != '%')
			continue;
		bool bare = ++i < form.len && form.ptr[i] == '-' && ++i < form.len;
		if (i >= form.len || form.ptr[i] == '\0' || !strchr(bare ? TIME_SHORT : TIME_LETTERS, form.ptr[i]))
			return false;
	}
	return form.len > 0 && form.len < 128;
}

static void write_name(char letter, const struct tm *t, struct strbuf *out)
{
	static const char *const days[] = {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};
	static const char *const months[] = {"January", "February", "March",     "April",   "May",      "June",
					     "July",    "August",   "September", "October", "November", "December"};
	const char *name = letter == 'a' || letter == 'A' ? days[t->tm_wday] : months[t->tm_mon];
	strbuf_add(out, name, letter == 'a' || letter == 'b' ? 3 : strlen(name));
}

static void write_letter(char letter, bool bare, int64_t ms, const struct tm *t, struct strbuf *out)
{
	const int width = bare ? 1 : 2, rest = (int)(((ms % 1000) + 1000) % 1000);
	switch (letter) {
	case 'Y': strbuf_printf(out, "%04d", t->tm_year + 1900); break;
	case 'y': strbuf_printf(out, "%02d", t->tm_year % 100); break;
	case 'm': strbuf_printf(out, "%0*d", width, t->tm_mon + 1); break;
	case 'd': strbuf_printf(out, "%0*d", width, t->tm_mday); break;
	case 'e': strbuf_printf(out, "%2d", t->tm_mday); break;
	case 'H': strbuf_printf(out, "%0*d", width, t->tm_hour); break;
	case 'I': strbuf_printf(out, "%0*d", width, t->tm_hour % 12 ? t->tm_hour % 12 : 12); break;
	case 'M': strbuf_printf(out, "%0*d", width, t->tm_min); break;
	case 'S': strbuf_printf(out, "%0*d", width, t->tm_sec); break;
	case 'L': strbuf_printf(out, "%03d", rest); break;
	case 'f': strbuf_printf(out, "%03d000", rest); break;
	case 'N': strbuf_printf(out, "%03d000000", rest); break;
	case 'p': strbuf_add_text(out, t->tm_hour < 12 ? "AM" : "PM"); break;
	case 'j': strbuf_printf(out, "%03d", t->tm_yday + 1); break;
	case 's': strbuf_printf(out, "%lld", (long long)((ms - rest) / 1000)); break;
	case 'z': strbuf_add_text(out, "+0000"); break;
	case '%': strbuf_add_char(out, '%'); break;
	default: write_name(letter, t, out); break;
	}
}

static bool to_time(const struct template_value *in, struct slice form, struct strbuf *scratch, struct template_value *out)
{
	struct tm t;
	if (in->kind != TEMPLATE_TIME)
		return false;
	time_t seconds = (time_t)((in->integer - ((in->integer % 1000) + 1000) % 1000) / 1000);
	if (!gmtime_r(&seconds, &t))
		return false;
	for (size_t i = 0; i < form.len; i++) {
		if (form.ptr[i] != '%') {
			strbuf_add_char(scratch, form.ptr[i]);
			continue;
		}
		bool bare = form.ptr[++i] == '-';
		i += bare;
		write_letter(form.ptr[i], bare, in->integer, &t, scratch);
	}
	*out = (struct template_value){.kind = TEMPLATE_TEXT, .text = strbuf_slice(scratch)};
	return true;
}

static bool duration_fits(struct slice text)
{
	int64_t ms;
	return setting_parse_duration(text, &ms) && ms >= 0 && ms <= (int64_t)3660 * 24 * 3600 * 1000;
}

static bool shifted(const struct template_value *in, struct slice by, int sign, struct template_value *out)
{
	int64_t ms = 0;
	if (in->kind != TEMPLATE_TIME || !setting_parse_duration(by, &ms))
		return false;
	*out = (struct template_value){.kind = TEMPLATE_TIME, .integer = in->integer + sign * ms};
	return true;
}

static bool to_later(const struct template_value *in, struct slice by, struct strbuf *scratch, struct template_value *out)
{
	(void)scratch;
	return shifted(in, by, 1, out);
}

static bool to_earlier(const struct template_value *in, struct slice by, struct strbuf *scratch, struct template_value *out)
{
	(void)scratch;
	return shifted(in, by, -1, out);
}

static bool mark_fits(struct slice text)
{
	return text.len > 0 && text.len <= 16;
}

// What stands before the first place of the mark, or behind it; without one, the whole and nothing.
static bool split(const struct template_value *in, struct slice mark, bool behind, struct strbuf *scratch,
		  struct template_value *out)
{
	value_write(in, TEMPLATE_PLAIN, scratch);
	struct slice text = strbuf_slice(scratch);
	const char *at = text.len ? memmem(text.ptr, text.len, mark.ptr, mark.len) : NULL;
	size_t before = at ? (size_t)(at - text.ptr) : text.len;
	if (!behind)
		text.len = before;
	else
		text = at ? (struct slice){at + mark.len, text.len - before - mark.len} : SLICE_LIT("");
	*out = (struct template_value){.kind = TEMPLATE_TEXT, .text = text};
	return true;
}

static bool to_before(const struct template_value *in, struct slice mark, struct strbuf *scratch, struct template_value *out)
{
	return split(in, mark, false, scratch, out);
}

static bool to_behind(const struct template_value *in, struct slice mark, struct strbuf *scratch, struct template_value *out)
{
	return split(in, mark, true, scratch, out);
}

static size_t number_of(struct slice text)
{
	size_t n = 0;
	for (size_t i = 0; i < text.len && n < 100000; i++)
		n = text.ptr[i] >= '0' && text.ptr[i] <= '9' ? n * 10 + (size_t)(text.ptr[i] - '0') : 100000;
	return n;
}

static bool number_fits(struct slice text)
{
	size_t n = number_of(text);
	return text.len > 0 && n > 0 && n < 100000;
}

static bool to_cut(const struct template_value *in, struct slice most, struct strbuf *scratch, struct template_value *out)
{
	value_write(in, TEMPLATE_PLAIN, scratch);
	struct slice text = strbuf_slice(scratch), rest = text;
	for (size_t left = number_of(most); left && rest.len; left--) {
		uint32_t c;
		size_t size = utf8_next(rest, &c);
		rest = (struct slice){rest.ptr + size, rest.len - size};
	}
	text.len -= rest.len;
	*out = (struct template_value){.kind = TEMPLATE_TEXT, .text = text};
	return true;
}

static const struct {
	const char *name, *form;
	bool (*fits)(struct slice argument);
	bool (*apply)(const struct template_value *in, struct slice argument, struct strbuf *scratch, struct template_value *out);
} functions[] = {
	{"time", "time:%d.%m.%Y %H:%M", time_fits, to_time}, {"plus", "plus:1h", duration_fits, to_later},
	{"minus", "minus:1h", duration_fits, to_earlier},    {"before", "before:@", mark_fits, to_before},
	{"behind", "behind:@", mark_fits, to_behind},        {"cut", "cut:20", number_fits, to_cut},
};

bool function_with_find(struct slice name, struct slice argument, struct function *function, bool *fits)
{
	for (size_t i = 0; i < ARRAY_LEN(functions); i++)
		if (slice_equal_text(name, functions[i].name)) {
			*fits = functions[i].fits(argument);
			*function = (struct function){.name = functions[i].form, .with = functions[i].apply, .argument = argument};
			return true;
		}
	return false;
}

const char *function_with_form(size_t index, const char **name)
{
	if (index >= ARRAY_LEN(functions))
		return NULL;
	*name = functions[index].name;
	return functions[index].form;
}
