// SPDX-License-Identifier: Apache-2.0
// The text of a key file: parsed strictly, written in one form.
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/keys_file.h"
#include "enrolld/base/clock.h"

#define HEAD "enrolld-keys 1"
#define KEY_TEXT_SIZE 44 // 43 characters of base64url, and NUL
#define SUM_SIZE 16

static const char notice[] =
	"# Keys of enrolld. Whoever reads this file can compute every code and token of the deployment: keep it private.\n"
	"# Whatever is sealed or recognised by a key is lost with it: keep a backup. Do not edit; the sum below finds damage.\n";

_Static_assert(KEYS_TEXT_SIZE > sizeof(notice) + sizeof(HEAD) + KEYS_MAX * (5 + 9 + 20 + KEY_TEXT_SIZE) + 5 + KEYS_SUM_TEXT_SIZE,
	       "a full table fits");

struct key_table *key_table_create(struct fault *f)
{
	struct key_table *table = sodium_malloc(sizeof(*table));
	if (!table) {
		(void)fault_set(f, REASON_NO_MEMORY, "no memory for the key table");
		return NULL;
	}
	memset(table, 0, sizeof(*table));
	return table;
}

void key_table_destroy(struct key_table *table)
{
	sodium_free(table);
}

enum reason key_table_add(struct key_table *table, struct fault *f)
{
	unsigned newest = table->count ? table->keys[table->count - 1].epoch : 0;
	if (table->count == KEYS_MAX || newest == EPOCH_MAX)
		return fault_set(f, REASON_KEYS_INVALID, "no room for another epoch; remove old ones");
	struct master_key *key = &table->keys[table->count++];
	key->epoch = (uint16_t)(newest + 1);
	key->created_ms = clock_wall_ms();
	randombytes_buf(key->key, KEY_SIZE);
	return REASON_OK;
}

void keys_text_sum(struct slice bytes, char out[static KEYS_SUM_TEXT_SIZE])
{
	uint8_t sum[SUM_SIZE];
	(void)crypto_generichash(sum, sizeof(sum), (const uint8_t *)bytes.ptr, bytes.len, NULL, 0);
	(void)sodium_bin2base64(out, KEYS_SUM_TEXT_SIZE, sum, sizeof(sum), sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

// Takes the next line without its newline; false at the end and for a line that no newline ends.
static bool next_line(struct slice *rest, struct slice *line)
{
	const char *end = rest->len ? memchr(rest->ptr, '\n', rest->len) : NULL;
	if (!end)
		return false;
	*line = (struct slice){rest->ptr, (size_t)(end - rest->ptr)};
	rest->ptr = end + 1;
	rest->len -= line->len + 1;
	return true;
}

// Takes the next word of a line; words are separated by one space.
static struct slice next_word(struct slice *line)
{
	const char *end = line->len ? memchr(line->ptr, ' ', line->len) : NULL;
	size_t len = end ? (size_t)(end - line->ptr) : line->len;
	struct slice word = {line->ptr, len};
	line->ptr += len + (end != NULL);
	line->len -= len + (end != NULL);
	return word;
}

static bool parse_number(struct slice word, int64_t max, int64_t *ret_number)
{
	int64_t number = 0;
	for (size_t i = 0; i < word.len; i++) {
		if (word.ptr[i] < '0' || word.ptr[i] > '9' || __builtin_mul_overflow(number, 10, &number) ||
		    __builtin_add_overflow(number, word.ptr[i] - '0', &number))
			return false;
	}
	if (word.len == 0 || number > max)
		return false;
	*ret_number = number;
	return true;
}

// sodium_base642bin() of 1.0.18 takes bytes above 0x7f for characters of the alphabet.
static bool is_base64url(struct slice text)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	for (size_t i = 0; i < text.len; i++)
		if (!memchr(alphabet, text.ptr[i], sizeof(alphabet) - 1))
			return false;
	return true;
}

static bool parse_key(struct slice line, struct master_key *key, bool *ret_active)
{
	int64_t epoch;
	struct slice epoch_word = next_word(&line);
	struct slice state = next_word(&line);
	struct slice created = next_word(&line);
	size_t key_len;
	const char *key_end;
	if (!parse_number(epoch_word, EPOCH_MAX, &epoch) || epoch == 0 || !parse_number(created, INT64_MAX, &key->created_ms))
		return false;
	if (!slice_equal_text(state, "active") && !slice_equal_text(state, "retired"))
		return false;
	if (line.len != KEY_TEXT_SIZE - 1 || !is_base64url(line) ||
	    sodium_base642bin(key->key, KEY_SIZE, line.ptr, line.len, NULL, &key_len, &key_end,
			      sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0)
		return false;
	key->epoch = (uint16_t)epoch;
	*ret_active = slice_equal_text(state, "active");
	return key_len == KEY_SIZE && key_end == line.ptr + line.len;
}

static bool is_sum(struct slice line, struct slice before)
{
	char sum[KEYS_SUM_TEXT_SIZE];
	keys_text_sum(before, sum);
	return slice_equal_text(next_word(&line), "sum") && slice_equal_text(line, sum);
}

enum reason keys_text_parse(struct slice text, struct key_table *table, struct fault *f)
{
	struct slice rest = text, line = SLICE_ABSENT;
	bool more = next_line(&rest, &line);
	while (more && line.len && line.ptr[0] == '#')
		more = next_line(&rest, &line);
	if (!more || !slice_equal_text(line, HEAD))
		return fault_set(f, REASON_KEYS_INVALID, "no line \"" HEAD "\": not a key file, or of a later version");

	bool active = false;
	table->count = 0;
	while ((more = next_line(&rest, &line)) && line.len && line.ptr[0] != 's') {
		struct master_key *key = &table->keys[table->count];
		if (table->count == KEYS_MAX)
			return fault_set(f, REASON_KEYS_INVALID, "more than %d epochs", KEYS_MAX);
		if (active || !parse_key(line, key, &active) || (table->count && key[-1].epoch >= key->epoch))
			return fault_set(f, REASON_KEYS_INVALID, "damaged: key line %zu", table->count + 1);
		table->count++;
	}
	if (!more || rest.len || !is_sum(line, (struct slice){text.ptr, (size_t)(line.ptr - text.ptr)}))
		return fault_set(f, REASON_KEYS_INVALID, "damaged: the sum is missing or wrong");
	if (!active)
		return fault_set(f, REASON_KEYS_INVALID, "damaged: no epoch is active");
	return REASON_OK;
}

size_t keys_text_write(const struct key_table *table, char out[static KEYS_TEXT_SIZE])
{
	size_t len = (size_t)snprintf(out, KEYS_TEXT_SIZE, "%s%s\n", notice, HEAD);
	for (size_t i = 0; i < table->count; i++) {
		const struct master_key *key = &table->keys[i];
		len += (size_t)snprintf(out + len, KEYS_TEXT_SIZE - len, "%u %s %" PRId64 " ", key->epoch,
					i + 1 == table->count ? "active" : "retired", key->created_ms);
		(void)sodium_bin2base64(out + len, KEYS_TEXT_SIZE - len, key->key, KEY_SIZE,
					sodium_base64_VARIANT_URLSAFE_NO_PADDING);
		len += KEY_TEXT_SIZE - 1;
		out[len++] = '\n';
	}
	char sum[KEYS_SUM_TEXT_SIZE];
	keys_text_sum((struct slice){out, len}, sum);
	return len + (size_t)snprintf(out + len, KEYS_TEXT_SIZE - len, "sum %s\n", sum);
}
