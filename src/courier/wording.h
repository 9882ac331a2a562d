// SPDX-License-Identifier: Apache-2.0
// What messages say: a folder for each kind under schemas/messages, with one layout for all languages and a catalogue of phrases for each.
//
//   <kind>/layout.txt    the text: {{t.greeting}} is the phrase "greeting", {{code}} {{link}} {{brand}} {{language}} {{direction}} the values
//   <kind>/layout.html   the same for mails, escaped; may be missing
//   <kind>/<tag>.yaml    language: BCP 47 tag, direction: ltr or rtl, phrases: name -> text with {{brand}} {{name}} {{code}} {{link}} {{hours}} {{minutes}}
//
// A layout that uses a phrase which some language lacks is an error at start. Read-only once loaded, shared by all threads.
#pragma once

#include <stdint.h>

#include "enrolld/base/fault.h"
#include "enrolld/base/slice.h"
#include "enrolld/base/strbuf.h"

struct wordings;
struct wording; // one kind

// DIALECT_INVALID with file:line, FILE_UNREADABLE.
enum reason wordings_load(const char *dir, struct wordings **wordings, struct fault *f) ATTR_MUST_USE;
void wordings_free(struct wordings *wordings);                                                         // NULL is fine
const struct wording *wordings_find(const struct wordings *wordings, struct slice kind) ATTR_MUST_USE; // NULL: unknown
size_t wordings_count(const struct wordings *wordings) ATTR_MUST_USE;

struct wording_values {
	struct slice brand, code;
	struct slice name; // to greet; absent: without a name
	struct slice link; // absent: none
	int64_t life_ms;   // left of the code's life; said in hours from two on, else in minutes
};

#define WORDING_BYTES_MAX ((size_t)64 << 10)

struct wording_text {
	struct slice language, direction;  // of the catalogue that was taken
	struct strbuf subject, text, html; // html is empty if the kind has none; wiped by wording_text_free
};

// Takes the nearest language (RFC 4647 section 3.4): the locale with ever fewer subtags, then so the fallback, then "en", then any.
// DELIVERY_REFUSED if a part exceeds WORDING_BYTES_MAX. *out may hold earlier ones' memory; zeroed is fine.
enum reason wording_render(const struct wording *w, struct slice locale, const char *fallback, const struct wording_values *values,
			   struct wording_text *out, struct fault *f) ATTR_MUST_USE;
void wording_text_free(struct wording_text *text);
