// SPDX-License-Identifier: Apache-2.0
// Array literals (PostgreSQL manual, section 8.15.6): every element quoted, NULL is the bare word.
#include "store/param.h"

#include <inttypes.h>
#include <string.h>

#include "enrolld/base/fault.h"
#include "enrolld/base/hex.h"

void params_init(struct params *params, size_t count)
{
	if (count > PARAMS_MAX)
		PANIC("%zu parameters", count);
	for (size_t i = 0; i < count; i++)
		params->at[i] = (struct param){.text = STRBUF_INIT(PARAM_SIZE_LIMIT)};
	params->count = count;
}

void params_free(struct params *params)
{
	for (size_t i = 0; i < params->count; i++)
		strbuf_free(&params->at[i].text);
	params->count = 0;
}

bool params_finish(struct params *params)
{
	bool fits = true;
	for (size_t i = 0; i < params->count; i++) {
		struct param *param = &params->at[i];
		if (param->array)
			strbuf_add_char(&param->text, '}');
		if (param->broken || strbuf_overflowed(&param->text))
			fits = false;
	}
	return fits;
}

const char *params_value(const struct params *params, size_t index)
{
	const struct param *param = &params->at[index];
	return param->set ? strbuf_slice(&param->text).ptr : NULL;
}

static void add_checked(struct param *param, struct slice text)
{
	if (text.len > 0 && memchr(text.ptr, '\0', text.len))
		param->broken = true;
	strbuf_add_slice(&param->text, text);
}

void param_set_text(struct param *param, struct slice text)
{
	param->set = !slice_is_absent(text);
	add_checked(param, text);
}

void param_set_int(struct param *param, int64_t n)
{
	param->set = true;
	strbuf_printf(&param->text, "%" PRId64, n);
}

void param_set_uuid(struct param *param, const struct uuid *id)
{
	char text[UUID_TEXT_SIZE];
	param_set_text(param, slice_of(uuid_format(id, text)));
}

void param_array(struct param *param)
{
	if (!param->set)
		strbuf_add_char(&param->text, '{');
	param->set = param->array = true;
}

static void open_element(struct param *param)
{
	bool first = !param->set;
	param_array(param);
	if (!first && param->text.len > 1)
		strbuf_add_char(&param->text, ',');
}

void param_add_text(struct param *param, struct slice text)
{
	open_element(param);
	if (slice_is_absent(text)) {
		strbuf_add_text(&param->text, "NULL");
		return;
	}
	strbuf_add_char(&param->text, '"');
	size_t from = 0;
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] != '"' && text.ptr[i] != '\\')
			continue;
		add_checked(param, (struct slice){text.ptr + from, i - from});
		strbuf_add_char(&param->text, '\\');
		from = i;
	}
	add_checked(param, (struct slice){text.ptr + from, text.len - from});
	strbuf_add_char(&param->text, '"');
}

void param_add_int(struct param *param, int64_t n)
{
	open_element(param);
	strbuf_printf(&param->text, "%" PRId64, n);
}

void param_add_uuid(struct param *param, const struct uuid *id)
{
	open_element(param);
	if (!id) {
		strbuf_add_text(&param->text, "NULL");
		return;
	}
	char text[UUID_TEXT_SIZE];
	strbuf_add_text(&param->text, uuid_format(id, text));
}

void param_add_bytes(struct param *param, const void *bytes, size_t len)
{
	open_element(param);
	strbuf_add_text(&param->text, "\"\\\\x");
	const unsigned char *at = bytes;
	char piece[HEX_TEXT_SIZE(256)];
	while (len > 0) {
		size_t part = len < 256 ? len : 256;
		hex_encode(at, part, piece);
		strbuf_add(&param->text, piece, 2 * part);
		at += part;
		len -= part;
	}
	strbuf_add_char(&param->text, '"');
}
