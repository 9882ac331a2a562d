// SPDX-License-Identifier: Apache-2.0
// Messages in words: the nearest catalogue's phrases are filled first, then the layout with them.
#include "courier/wording.h"

#include "courier/wording_private.h"

#define MS_PER_MINUTE 60000

const struct wording *wordings_find(const struct wordings *w, struct slice kind)
{
	for (size_t i = 0; i < w->count; i++) {
		if (slice_equal(w->items[i].kind, kind))
			return &w->items[i];
	}
	return NULL;
}

size_t wordings_count(const struct wordings *w)
{
	return w->count;
}

static const struct catalogue *catalogue_named(const struct wording *w, struct slice tag)
{
	for (size_t i = 0; i < w->catalogue_count; i++) {
		if (slice_equal_nocase(w->catalogues[i].language, tag))
			return &w->catalogues[i];
	}
	return NULL;
}

static const struct catalogue *catalogue_near(const struct wording *w, struct slice tag)
{
	while (tag.len > 0) {
		const struct catalogue *found = catalogue_named(w, tag);
		if (found)
			return found;
		const char *dash = memrchr(tag.ptr, '-', tag.len);
		tag.len = dash ? (size_t)(dash - tag.ptr) : 0;
		// A single letter announces what follows it and does not stand alone (RFC 4647 section 3.4).
		if (tag.len >= 2 && tag.ptr[tag.len - 2] == '-')
			tag.len -= 2;
	}
	return NULL;
}

static const struct catalogue *catalogue_for(const struct wording *w, struct slice locale, const char *fallback)
{
	const struct catalogue *found = catalogue_near(w, locale);
	if (!found)
		found = catalogue_near(w, slice_of(fallback));
	if (!found)
		found = catalogue_near(w, SLICE_LIT("en"));
	return found ? found : &w->catalogues[0];
}

static struct template_value text_value(const char *name, struct slice text)
{
	return (struct template_value){.name = name, .kind = TEMPLATE_TEXT, .text = text};
}

static struct template_value life_value(const char *name, int64_t n, bool said)
{
	return said ? (struct template_value){.name = name, .kind = TEMPLATE_INT, .integer = n} : text_value(name, SLICE_ABSENT);
}

// The phrases of one message. Kept from one message to the next only as memory that is wiped.
struct phrases {
	struct strbuf filled[PHRASES_MAX];
	struct template_value values[PHRASES_MAX + 8];
};

static void fill_phrases(const struct catalogue *c, const struct wording_values *v, struct phrases *p)
{
	// To the nearest minute: a message that leaves at once says "10 min" and "24 h", not "9 min" and "23 h".
	int64_t minutes = (v->life_ms + MS_PER_MINUTE / 2) / MS_PER_MINUTE;
	bool hours = minutes >= 120;
	const struct template_value base[] = {
		text_value("brand", v->brand),
		text_value("name", v->name),
		text_value("code", v->code),
		text_value("link", v->link),
		life_value("hours", minutes / 60, hours),
		life_value("minutes", minutes > 0 ? minutes : 1, !hours),
		{0},
	};
	size_t n = 0;
	for (size_t i = 0; i < c->phrase_count; i++) {
		p->filled[i] = STRBUF_INIT(WORDING_BYTES_MAX);
		template_render(c->phrases[i].text, base, &p->filled[i]);
		p->values[n++] = text_value(c->phrases[i].name, strbuf_slice(&p->filled[i]));
	}
	p->values[n++] = text_value("brand", v->brand);
	p->values[n++] = text_value("code", v->code);
	p->values[n++] = text_value("link", v->link);
	p->values[n++] = text_value("language", c->language);
	p->values[n++] = text_value("direction", c->direction);
	p->values[n] = (struct template_value){0};
}

// Sections that did not stand leave empty lines behind: no two in a row, none at the ends.
static void squeeze(struct strbuf *b)
{
	size_t out = 0, breaks = 2;
	for (size_t i = 0; i < b->len; i++) {
		char c = b->data[i];
		breaks = c == '\n' ? breaks + 1 : 0;
		if (breaks <= 2)
			b->data[out++] = c;
	}
	while (out > 0 && b->data[out - 1] == '\n')
		out--;
	if (b->data) {
		secret_wipe(b->data + out, b->len - out);
		b->len = out;
	}
}

static void begin(struct strbuf *b)
{
	if (b->limit == 0)
		*b = STRBUF_INIT(WORDING_BYTES_MAX);
	strbuf_reset(b);
}

enum reason wording_render(const struct wording *w, struct slice locale, const char *fallback, const struct wording_values *values,
			   struct wording_text *out, struct fault *f)
{
	const struct catalogue *c = catalogue_for(w, locale, fallback);
	struct phrases *p = calloc(1, sizeof(*p));
	if (!p)
		PANIC("wording: out of memory");
	fill_phrases(c, values, p);
	begin(&out->subject);
	begin(&out->text);
	begin(&out->html);
	if (c->subject < c->phrase_count)
		strbuf_add_slice(&out->subject, strbuf_slice(&p->filled[c->subject]));
	template_render(w->text, p->values, &out->text);
	squeeze(&out->text);
	if (w->html)
		template_render(w->html, p->values, &out->html);
	out->language = c->language;
	out->direction = c->direction;
	bool over = strbuf_overflowed(&out->subject) || strbuf_overflowed(&out->text) || strbuf_overflowed(&out->html);
	for (size_t i = 0; i < c->phrase_count; i++) {
		over = over || strbuf_overflowed(&p->filled[i]);
		strbuf_free(&p->filled[i]);
	}
	free(p);
	return over ? fault_set(f, REASON_DELIVERY_REFUSED, "the message is larger than %zu bytes", WORDING_BYTES_MAX) : REASON_OK;
}

void wording_text_free(struct wording_text *text)
{
	strbuf_free(&text->subject);
	strbuf_free(&text->text);
	strbuf_free(&text->html);
}
