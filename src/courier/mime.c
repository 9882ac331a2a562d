// SPDX-License-Identifier: Apache-2.0
// Puts a mail together from checked fields.
#include "courier/mime.h"

#include "courier/address.h"
#include "courier/mime_text.h"

// "=_" cannot occur in quoted-printable, and "_" not in base64, so no body can hold the boundary (RFC 2045 section 6.7).
#define BOUNDARY "=_enrolld_"

static bool is_id(struct slice id)
{
	for (size_t i = 0; i < id.len; i++) {
		char c = id.ptr[i];
		if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'z') && c != '-')
			return false;
	}
	return id.len > 0 && id.len <= 40;
}

static bool is_language(struct slice language)
{
	for (size_t i = 0; i < language.len; i++) {
		char c = language.ptr[i];
		if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && c != '-')
			return false;
	}
	return language.len <= 40;
}

// The domain is checked as that of an address.
static bool is_domain(struct slice domain)
{
	struct strbuf address = STRBUF_INIT(300);
	strbuf_add_text(&address, "x@");
	strbuf_add_slice(&address, domain);
	bool good = !strbuf_overflowed(&address) && address_is_mail(strbuf_slice(&address));
	strbuf_free(&address);
	return good;
}

static enum reason check(const struct mail *m, struct fault *f)
{
	if (!address_is_mail(m->to_address))
		return fault_set(f, REASON_DELIVERY_REFUSED, "the recipient is no mail address");
	if (!address_is_mail(m->from_address))
		return fault_set(f, REASON_DELIVERY_REFUSED, "the sender is no mail address");
	if (!address_is_one_line(m->subject) || !address_is_one_line(m->from_name))
		return fault_set(f, REASON_DELIVERY_REFUSED, "a header field holds a control character");
	if (!is_id(m->id) || !is_domain(m->id_domain) || !is_language(m->language))
		return fault_set(f, REASON_DELIVERY_REFUSED, "the message id or language is not fit for a header field");
	return REASON_OK;
}

static void add_headers(const struct mail *m, struct strbuf *out)
{
	mime_add_date_field(out, m->date_ms);
	mime_add_mailbox_field(out, "From", m->from_name, m->from_address);
	mime_add_mailbox_field(out, "To", SLICE_ABSENT, m->to_address);
	mime_add_text_field(out, "Subject", m->subject);
	strbuf_printf(out, "Message-ID: <%.*s@%.*s>\r\n", (int)m->id.len, m->id.ptr, (int)m->id_domain.len, m->id_domain.ptr);
	strbuf_add_text(out, "Auto-Submitted: auto-generated\r\n"); // RFC 3834: no vacation notices to the sender
	if (m->language.len > 0)
		mime_add_plain_field(out, "Content-Language", m->language);
	strbuf_add_text(out, "MIME-Version: 1.0\r\n");
}

static void add_part(struct strbuf *out, const char *type, struct slice body)
{
	enum mime_encoding encoding = mime_encoding_for(body);
	strbuf_printf(out, "Content-Type: %s; charset=utf-8\r\nContent-Transfer-Encoding: %s\r\n\r\n", type,
		      mime_encoding_name(encoding));
	mime_add_body(out, encoding, body);
}

enum reason mime_write(const struct mail *m, struct strbuf *out, struct fault *f)
{
	enum reason reason = check(m, f);
	if (reason != REASON_OK)
		return reason;
	add_headers(m, out);
	if (slice_is_absent(m->html)) {
		add_part(out, "text/plain", m->text);
	} else {
		int len = (int)m->id.len;
		strbuf_printf(out, "Content-Type: multipart/alternative;\r\n boundary=\"" BOUNDARY "%.*s\"\r\n\r\n", len,
			      m->id.ptr);
		strbuf_printf(out, "--" BOUNDARY "%.*s\r\n", len, m->id.ptr);
		add_part(out, "text/plain", m->text);
		strbuf_printf(out, "\r\n--" BOUNDARY "%.*s\r\n", len, m->id.ptr);
		add_part(out, "text/html", m->html);
		strbuf_printf(out, "\r\n--" BOUNDARY "%.*s--\r\n", len, m->id.ptr);
	}
	if (strbuf_overflowed(out))
		return fault_set(f, REASON_DELIVERY_REFUSED, "the mail is larger than %zu bytes", out->limit);
	return REASON_OK;
}
