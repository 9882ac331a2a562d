// SPDX-License-Identifier: Apache-2.0
// Header fields with folding and encoded words; quoted-printable and base64 bodies.
#include "courier/mime_text.h"

#include "enrolld/base/clock.h"
#include "enrolld/base/secret.h"
#include "enrolld/base/utf8.h"

#define LINE_MAX_CHARS 76 // of encoded lines (RFC 2045 section 6.7, RFC 2047 section 2)
#define WORD_MAX_CHARS 75 // of one encoded word
#define WORD_PREFIX "=?UTF-8?B?"
#define WORD_SUFFIX "?="
#define PLAIN_WORD_MAX 200 // a longer run without blanks cannot be folded and might reach the 998 of a line
#define MS_PER_DAY 86400000

static const char base64_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

// Up to three bytes as four characters.
static void put_base64(const unsigned char *bytes, size_t len, char out[static 4])
{
	uint32_t n = (uint32_t)bytes[0] << 16 | (len > 1 ? (uint32_t)bytes[1] << 8 : 0) | (len > 2 ? bytes[2] : 0);
	out[0] = base64_digits[n >> 18];
	out[1] = base64_digits[n >> 12 & 63];
	out[2] = len > 1 ? base64_digits[n >> 6 & 63] : '=';
	out[3] = len > 2 ? base64_digits[n & 63] : '=';
}

static void add_base64(struct strbuf *out, struct slice bytes)
{
	for (size_t i = 0; i < bytes.len; i += 3) {
		char four[4];
		put_base64((const unsigned char *)bytes.ptr + i, bytes.len - i < 3 ? bytes.len - i : 3, four);
		strbuf_add(out, four, sizeof(four));
		secret_wipe(four, sizeof(four));
	}
}

static bool is_plain(struct slice value)
{
	size_t run = 0;
	for (size_t i = 0; i < value.len; i++) {
		char c = value.ptr[i];
		if (c < 0x20 || c > 0x7E)
			return false;
		run = c == ' ' ? 0 : run + 1;
		if (run > PLAIN_WORD_MAX)
			return false;
	}
	// What looks like an encoded word would be decoded; blanks at the edges would be lost.
	return value.len == 0 || (value.ptr[0] != ' ' && value.ptr[value.len - 1] != ' ' && !memmem(value.ptr, value.len, "=?", 2));
}

// A line of a field that is being written, to know where it must be folded.
struct fold {
	struct strbuf *out;
	size_t column;
};

static void add_folded(struct fold *fold, struct slice word)
{
	if (fold->column > 1 && fold->column + 1 + word.len > LINE_MAX_CHARS) {
		strbuf_add_text(fold->out, "\r\n ");
		fold->column = 1;
	} else {
		strbuf_add_char(fold->out, ' ');
		fold->column++;
	}
	strbuf_add_slice(fold->out, word);
	fold->column += word.len;
}

static void add_plain_words(struct fold *fold, struct slice value)
{
	size_t start = 0;
	for (size_t i = 0; i <= value.len; i++) {
		// A run of blanks stays with the word before it, so that it survives folding.
		bool end = i == value.len || (value.ptr[i] == ' ' && i + 1 < value.len && value.ptr[i + 1] != ' ');
		if (!end)
			continue;
		add_folded(fold, (struct slice){value.ptr + start, i - start});
		start = i + 1;
	}
}

static void add_encoded_words(struct fold *fold, struct slice value)
{
	const size_t frame = strlen(WORD_PREFIX) + strlen(WORD_SUFFIX);
	while (value.len > 0) {
		size_t left = fold->column + 1 < LINE_MAX_CHARS ? LINE_MAX_CHARS - fold->column - 1 : 0;
		size_t chars = left < WORD_MAX_CHARS ? left : WORD_MAX_CHARS;
		size_t bytes = chars > frame ? (chars - frame) / 4 * 3 : 0;
		struct slice part = utf8_cut(value, bytes);
		if (part.len == 0) { // no room for one code point: at least 12 bytes fit on a new line
			strbuf_add_text(fold->out, "\r\n");
			fold->column = 0;
			continue;
		}
		strbuf_add_text(fold->out, " " WORD_PREFIX);
		add_base64(fold->out, part);
		strbuf_add_text(fold->out, WORD_SUFFIX);
		fold->column += 1 + frame + (part.len + 2) / 3 * 4;
		value = (struct slice){value.ptr + part.len, value.len - part.len};
	}
}

static struct fold begin_field(struct strbuf *out, const char *name)
{
	strbuf_add_text(out, name);
	strbuf_add_char(out, ':');
	return (struct fold){out, strlen(name) + 1};
}

void mime_add_text_field(struct strbuf *out, const char *name, struct slice value)
{
	struct fold fold = begin_field(out, name);
	if (is_plain(value))
		add_plain_words(&fold, value);
	else
		add_encoded_words(&fold, value);
	strbuf_add_text(out, "\r\n");
}

// A display name in ASCII as a quoted-string (RFC 5322 section 3.2.4).
static void add_quoted(struct fold *fold, struct slice display)
{
	strbuf_add_text(fold->out, " \"");
	for (size_t i = 0; i < display.len; i++) {
		if (display.ptr[i] == '"' || display.ptr[i] == '\\')
			strbuf_add_char(fold->out, '\\');
		strbuf_add_char(fold->out, display.ptr[i]);
	}
	strbuf_add_char(fold->out, '"');
	fold->column += display.len + 3;
}

void mime_add_mailbox_field(struct strbuf *out, const char *name, struct slice display, struct slice address)
{
	struct fold fold = begin_field(out, name);
	if (display.len == 0) {
		strbuf_add_char(out, ' ');
		strbuf_add_slice(out, address);
		strbuf_add_text(out, "\r\n");
		return;
	}
	if (is_plain(display) && display.len < LINE_MAX_CHARS / 2)
		add_quoted(&fold, display);
	else
		add_encoded_words(&fold, display);
	strbuf_add_text(out, fold.column + address.len + 3 > LINE_MAX_CHARS ? "\r\n <" : " <");
	strbuf_add_slice(out, address);
	strbuf_add_text(out, ">\r\n");
}

void mime_add_plain_field(struct strbuf *out, const char *name, struct slice value)
{
	strbuf_add_text(out, name);
	strbuf_add_text(out, ": ");
	strbuf_add_slice(out, value);
	strbuf_add_text(out, "\r\n");
}

void mime_add_date_field(struct strbuf *out, int64_t wall_ms)
{
	static const char days[] = "ThuFriSatSunMonTueWed"; // 1970-01-01 was a Thursday
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	char iso[CLOCK_TEXT_SIZE];
	clock_format_ms(wall_ms, iso);
	int64_t day = wall_ms >= 0 ? wall_ms / MS_PER_DAY % 7 : 0;
	int month = (iso[5] - '0') * 10 + iso[6] - '0';
	strbuf_printf(out, "Date: %.3s, %.2s %.3s %.4s %.8s +0000\r\n", days + day * 3, iso + 8, months + (month - 1) * 3, iso,
		      iso + 11);
}

enum mime_encoding mime_encoding_for(struct slice text)
{
	size_t foreign = 0;
	for (size_t i = 0; i < text.len; i++)
		foreign += (unsigned char)text.ptr[i] >= 0x80;
	return foreign > text.len / 6 ? MIME_BASE64 : MIME_QUOTED_PRINTABLE;
}

const char *mime_encoding_name(enum mime_encoding encoding)
{
	return encoding == MIME_BASE64 ? "base64" : "quoted-printable";
}

// One line of text without its end; soft breaks where it grows too long (RFC 2045 section 6.7).
static void add_quoted_printable_line(struct strbuf *out, struct slice line)
{
	static const char hex[] = "0123456789ABCDEF";
	size_t column = 0;
	for (size_t i = 0; i < line.len; i++) {
		unsigned char c = (unsigned char)line.ptr[i];
		bool last = i + 1 == line.len;
		bool blank = c == ' ' || c == '\t';
		bool safe = blank ? !last : c > 0x20 && c < 0x7F && c != '=';
		if (column == 0 && (c == '.' || c == 'F')) // no line "." and no mbox "From "
			safe = false;
		size_t width = safe ? 1 : 3;
		if (column + width > LINE_MAX_CHARS - (last ? 0 : 1)) {
			strbuf_add_text(out, "=\r\n");
			column = 0;
			safe = safe && c != '.' && c != 'F';
			width = safe ? 1 : 3;
		}
		const char escaped[3] = {'=', hex[c >> 4], hex[c & 15]};
		strbuf_add(out, safe ? (const char *)&c : escaped, width);
		column += width;
	}
	strbuf_add_text(out, "\r\n");
}

// The text's next line without its end; *text moves behind it. false when nothing is left.
static bool next_line(struct slice *text, struct slice *line)
{
	if (text->len == 0)
		return false;
	const char *end = memchr(text->ptr, '\n', text->len);
	size_t len = end ? (size_t)(end - text->ptr) : text->len;
	*line = (struct slice){text->ptr, len};
	if (end && len > 0 && text->ptr[len - 1] == '\r')
		line->len--;
	size_t used = len + (end ? 1 : 0);
	*text = (struct slice){text->ptr + used, text->len - used};
	return true;
}

static void add_base64_lines(struct strbuf *out, struct slice text)
{
	const size_t per_line = LINE_MAX_CHARS / 4 * 3;
	struct strbuf canonical = STRBUF_INIT(out->limit);
	struct slice line;
	while (next_line(&text, &line)) {
		strbuf_add_slice(&canonical, line);
		strbuf_add_text(&canonical, "\r\n");
	}
	struct slice rest = strbuf_slice(&canonical);
	while (rest.len > 0) {
		size_t n = rest.len < per_line ? rest.len : per_line;
		add_base64(out, (struct slice){rest.ptr, n});
		strbuf_add_text(out, "\r\n");
		rest = (struct slice){rest.ptr + n, rest.len - n};
	}
	if (strbuf_overflowed(&canonical))
		out->overflowed = true;
	strbuf_free(&canonical);
}

void mime_add_body(struct strbuf *out, enum mime_encoding encoding, struct slice text)
{
	if (encoding == MIME_BASE64) {
		add_base64_lines(out, text);
		return;
	}
	struct slice line;
	while (next_line(&text, &line))
		add_quoted_printable_line(out, line);
}
