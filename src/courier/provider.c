// SPDX-License-Identifier: Apache-2.0
// A provider's request from values, and the meaning of its answer.
#include <inttypes.h>
#include <stdio.h>

#include "courier/address.h"
#include "courier/provider_private.h"
#include "enrolld/doc/json.h"

#define HEADER_MAX 2048
#define URL_MAX 2048
#define VALUES_MAX 12

bool provider_idempotent(const struct provider *p)
{
	return p->idempotent;
}

const char *provider_id_header(const struct provider *p)
{
	return p->id_header;
}

enum provider_auth provider_auth(const struct provider *p, const char *user, const char *password)
{
	if (p->auth != PROVIDER_AUTH_ANY)
		return p->auth;
	if (!password || !password[0])
		return PROVIDER_AUTH_NONE;
	return user && user[0] ? PROVIDER_AUTH_BASIC : PROVIDER_AUTH_BEARER;
}

static void list_values(const struct provider_values *v, struct template_value out[static VALUES_MAX])
{
	const struct {
		const char *name;
		struct slice text;
	} rows[] = {
		{"to", v->to},       {"from", v->from},         {"text", v->text},         {"message_id", v->message_id},
		{"realm", v->realm}, {"purpose", v->purpose},   {"language", v->language}, {"brand", v->brand},
		{"user", v->user},   {"password", v->password},
	};
	size_t n = 0;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		out[n++] = (struct template_value){.name = rows[i].name, .kind = TEMPLATE_TEXT, .text = rows[i].text};
	out[n] = (struct template_value){0};
}

// application/x-www-form-urlencoded: all but RFC 3986's unreserved characters as %XX, which every decoder takes.
static void add_form_part(struct strbuf *out, struct slice text)
{
	static const char hex[] = "0123456789ABCDEF";
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];
		bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '.' ||
			     c == '_' || c == '~';
		const char escaped[3] = {'%', hex[c >> 4], hex[c & 15]};
		strbuf_add(out, plain ? (const char *)&c : escaped, plain ? 1 : 3);
	}
}

static void write_form(const struct provider *p, const struct template_value *values, struct strbuf *body)
{
	struct strbuf text = STRBUF_INIT(PROVIDER_BODY_MAX);
	for (size_t i = 0; i < p->field_count; i++) {
		strbuf_reset(&text);
		template_render(p->fields[i].text, values, &text);
		if (text.len == 0)
			continue;
		if (body->len > 0)
			strbuf_add_char(body, '&');
		add_form_part(body, p->fields[i].name);
		strbuf_add_char(body, '=');
		add_form_part(body, strbuf_slice(&text));
	}
	strbuf_free(&text);
}

// RFC 7578; the boundary is drawn from the message's id, which no value can know.
static void write_multipart(const struct provider *p, const struct template_value *values, struct slice id, struct strbuf *body)
{
	struct strbuf text = STRBUF_INIT(PROVIDER_BODY_MAX);
	for (size_t i = 0; i < p->field_count; i++) {
		strbuf_reset(&text);
		template_render(p->fields[i].text, values, &text);
		if (text.len == 0)
			continue;
		strbuf_printf(body, "--enrolld-%.*s\r\nContent-Disposition: form-data; name=\"%.*s\"\r\n\r\n", (int)id.len, id.ptr,
			      (int)p->fields[i].name.len, p->fields[i].name.ptr);
		strbuf_add_slice(body, strbuf_slice(&text));
		strbuf_add_text(body, "\r\n");
	}
	strbuf_printf(body, "--enrolld-%.*s--\r\n", (int)id.len, id.ptr);
	strbuf_free(&text);
}

static void write_body(const struct provider *p, const struct template_value *values, struct slice id, struct provider_request *r)
{
	struct strbuf *type = &r->headers[r->header_count++];
	*type = STRBUF_INIT(HEADER_MAX);
	switch (p->encoding) {
	case PROVIDER_JSON:
		strbuf_add_text(type, "Content-Type: application/json");
		template_render(p->json, values, &r->body);
		break;
	case PROVIDER_FORM:
		strbuf_add_text(type, "Content-Type: application/x-www-form-urlencoded");
		write_form(p, values, &r->body);
		break;
	case PROVIDER_MULTIPART:
		strbuf_printf(type, "Content-Type: multipart/form-data; boundary=enrolld-%.*s", (int)id.len, id.ptr);
		write_multipart(p, values, id, &r->body);
		break;
	}
}

static enum reason write_headers(const struct provider *p, const struct template_value *values, struct provider_request *r,
				 struct fault *f)
{
	for (size_t i = 0; i < p->header_count; i++) {
		struct strbuf *line = &r->headers[r->header_count++];
		*line = STRBUF_INIT(HEADER_MAX);
		strbuf_add_slice(line, p->headers[i].name);
		strbuf_add_text(line, ": ");
		template_render(p->headers[i].text, values, line);
		if (strbuf_overflowed(line) || !address_is_one_line(strbuf_slice(line)))
			return fault_set(f, REASON_DELIVERY_REFUSED, "the header %.*s is too long or holds a control character",
					 (int)p->headers[i].name.len, p->headers[i].name.ptr);
	}
	return REASON_OK;
}

enum reason provider_write(const struct provider *p, const struct provider_values *v, struct provider_request *r, struct fault *f)
{
	struct template_value values[VALUES_MAX];
	list_values(v, values);
	*r = (struct provider_request){.method = p->method, .url = STRBUF_INIT(URL_MAX), .body = STRBUF_INIT(PROVIDER_BODY_MAX)};
	strbuf_add_slice(&r->url, v->url);
	if (p->path)
		template_render(p->path, values, &r->url);
	enum reason reason = write_headers(p, values, r, f);
	if (reason == REASON_OK) {
		write_body(p, values, v->message_id, r);
		if (strbuf_overflowed(&r->body) || strbuf_overflowed(&r->url))
			reason = fault_set(f, REASON_DELIVERY_REFUSED, "the request is too large");
		else if (r->body.len == 0) // there would be no byte before which to ask the gate
			reason = fault_set(f, REASON_DELIVERY_REFUSED, "the request has no content");
	}
	if (reason != REASON_OK)
		provider_request_free(r);
	return reason;
}

void provider_request_free(struct provider_request *r)
{
	strbuf_free(&r->url);
	for (size_t i = 0; i < r->header_count; i++)
		strbuf_free(&r->headers[i]);
	r->header_count = 0;
	strbuf_free(&r->body);
}
