// SPDX-License-Identifier: Apache-2.0
// A receipt as the JSON of its inbox row. Members that say nothing are left out; readers skip members they do not know,
// so that a worker of the next version may add some.
#include "enrolld/model/receipt.h"

#include "enrolld/base/hex.h"
#include "enrolld/doc/json.h"

#define VERSION 1
#define SIZE_LIMIT ((size_t)1 << 20)

static const char *const outcome_names[] = {
	[OUTCOME_ACCEPTED] = "accepted",
	[OUTCOME_REFUSED] = "refused",
	[OUTCOME_EXPIRED] = "expired",
	[OUTCOME_DEAD] = "dead",
};

const char *outcome_name(enum outcome outcome)
{
	if ((size_t)outcome >= ARRAY_LEN(outcome_names))
		PANIC("outcome_name: %d", (int)outcome);
	return outcome_names[outcome];
}

static void write_uuid(struct json_writer *w, const char *key, const struct uuid *id)
{
	char text[UUID_TEXT_SIZE];
	json_member_text(w, key, slice_of(uuid_format(id, text)));
}

static void write_challenge(struct json_writer *w, const struct receipt *receipt)
{
	char nonce[HEX_TEXT_SIZE(NONCE_SIZE)];
	hex_encode(receipt->nonce.bytes, NONCE_SIZE, nonce);
	json_key(w, "challenge");
	json_open_map(w);
	write_uuid(w, "id", &receipt->challenge_id);
	json_member_text(w, "kind", slice_of(claim_kind_name(receipt->challenge_kind)));
	json_member_text(w, "nonce", slice_of(nonce));
	json_member_int(w, "epoch", receipt->epoch);
	json_member_int(w, "expires", receipt->expires_ms);
	json_close_map(w);
}

static void write_mint(struct json_writer *w, const struct receipt *receipt)
{
	char nonce[HEX_TEXT_SIZE(NONCE_SIZE)];
	hex_encode(receipt->mint_nonce.bytes, NONCE_SIZE, nonce);
	json_key(w, "mint");
	json_open_map(w);
	json_member_text(w, "nonce", slice_of(nonce));
	json_member_int(w, "epoch", receipt->mint_epoch);
	json_close_map(w);
}

static void write_session(struct json_writer *w, const struct receipt *receipt)
{
	json_key(w, "session");
	json_open_map(w);
	write_uuid(w, "id", &receipt->session_id);
	json_member_int(w, "epoch", receipt->session_epoch);
	json_member_int(w, "serial", receipt->session_serial);
	json_member_int(w, "ends", receipt->session_ends_ms);
	json_close_map(w);
}

static void write_code(struct json_writer *w, const struct receipt *receipt)
{
	if (receipt->next_ms != 0)
		json_member_int(w, "next", receipt->next_ms);
	if (receipt->has_tries)
		json_member_int(w, "tries_left", receipt->tries_left);
	if (receipt->created) {
		json_key(w, "created");
		json_bool(w, true);
	}
	if (slice_is_absent(receipt->address))
		return;
	json_key(w, "address");
	json_open_map(w);
	json_member_text(w, "kind", slice_of(claim_kind_name(receipt->address_kind)));
	json_member_text(w, "value", receipt->address);
	json_key(w, "verified");
	json_bool(w, receipt->verified);
	json_close_map(w);
}

static void write_limits(struct json_writer *w, const struct receipt *receipt)
{
	json_key(w, "limits");
	json_open_list(w);
	for (size_t i = 0; i < receipt->limit_count; i++) {
		const struct limit_summary *limit = &receipt->limits[i];
		json_open_map(w);
		json_member_text(w, "name", limit->name);
		json_member_int(w, "allowed", limit->allowed);
		json_member_int(w, "remaining", limit->remaining);
		json_member_int(w, "resets", limit->resets_ms);
		if (limit->reached) {
			json_key(w, "reached");
			json_bool(w, true);
		}
		json_close_map(w);
	}
	json_close_list(w);
}

static void write_violations(struct json_writer *w, const struct receipt *receipt)
{
	json_key(w, "violations");
	json_open_list(w);
	for (size_t i = 0; i < receipt->violation_count; i++) {
		json_open_map(w);
		json_member_text(w, "field", receipt->violations[i].field);
		json_member_text(w, "code", receipt->violations[i].code);
		json_close_map(w);
	}
	json_close_list(w);
}

struct slice receipt_write(const struct receipt *receipt, struct arena *arena)
{
	struct strbuf out = STRBUF_INIT(SIZE_LIMIT);
	struct json_writer w;
	json_begin(&w, &out);
	json_open_map(&w);
	json_member_int(&w, "v", VERSION);
	json_member_text(&w, "outcome", slice_of(outcome_name(receipt->outcome)));
	if (receipt->reason != REASON_OK)
		json_member_text(&w, "reason", slice_of(reason_code(receipt->reason)));
	json_member_text(&w, "operation", slice_of(operation_kind_name(receipt->operation)));
	json_member_int(&w, "at", receipt->at_ms);
	if (receipt->veiled) {
		json_key(&w, "veiled");
		json_bool(&w, true);
	}
	if (receipt->has_account)
		write_uuid(&w, "account_id", &receipt->account_id);
	if (receipt->account_number != 0)
		json_member_int(&w, "number", receipt->account_number);
	json_member_text(&w, "slug", receipt->slug);
	json_member_text(&w, "opening", receipt->opening);
	if (receipt->has_challenge)
		write_challenge(&w, receipt);
	if (receipt->has_mint)
		write_mint(&w, receipt);
	if (receipt->has_session)
		write_session(&w, receipt);
	write_code(&w, receipt);
	if (receipt->violation_count > 0)
		write_violations(&w, receipt);
	if (receipt->limit_count > 0)
		write_limits(&w, receipt);
	json_close_map(&w);
	if (strbuf_overflowed(&out))
		PANIC("receipt: %zu violations are more than a request can have", receipt->violation_count);
	struct slice copy = arena_copy(arena, strbuf_slice(&out));
	strbuf_free(&out);
	return copy;
}

static bool read_int(const struct node *map, const char *key, int64_t min, int64_t max, int64_t *n)
{
	const struct node *node = node_member(map, key);
	if (!node_is(node, NODE_INT) || node->integer < min || node->integer > max)
		return false;
	*n = node->integer;
	return true;
}

static bool read_uuid(const struct node *map, const char *key, struct uuid *id)
{
	return uuid_parse(node_text(node_member(map, key)), id);
}

static bool read_outcome(const struct node *root, struct receipt *receipt)
{
	struct slice name = node_text(node_member(root, "outcome"));
	for (size_t i = 0; i < ARRAY_LEN(outcome_names); i++) {
		if (slice_equal_text(name, outcome_names[i])) {
			receipt->outcome = (enum outcome)i;
			return true;
		}
	}
	return false;
}

static bool read_reason(const struct node *root, struct receipt *receipt)
{
	const struct node *node = node_member(root, "reason");
	if (!node)
		return true;
	if (!node_is(node, NODE_TEXT))
		return false;
	receipt->reason = reason_find(node->text.ptr);
	return receipt->reason != REASON_COUNT;
}

static bool read_nonce(const struct node *map, struct nonce *nonce, uint16_t *ret_epoch)
{
	struct slice text = node_text(node_member(map, "nonce"));
	int64_t epoch;
	if (text.len != HEX_TEXT_SIZE(NONCE_SIZE) - 1 || !hex_decode(text, nonce->bytes) ||
	    !read_int(map, "epoch", 1, INT16_MAX, &epoch))
		return false;
	*ret_epoch = (uint16_t)epoch;
	return true;
}

static bool read_challenge(const struct node *root, struct receipt *receipt)
{
	const struct node *challenge = node_member(root, "challenge");
	if (!challenge)
		return true;
	receipt->has_challenge = true;
	const struct node *kind = node_member(challenge, "kind"); // none in those of the first versions
	if (kind && !claim_kind_find(node_text(kind), &receipt->challenge_kind))
		return false;
	return read_uuid(challenge, "id", &receipt->challenge_id) && read_nonce(challenge, &receipt->nonce, &receipt->epoch) &&
	       read_int(challenge, "expires", INT64_MIN, INT64_MAX, &receipt->expires_ms);
}

static bool read_generated(const struct node *root, struct receipt *receipt)
{
	if (node_member(root, "number") && !read_int(root, "number", 1, INT64_MAX, &receipt->account_number))
		return false;
	const struct node *slug = node_member(root, "slug"), *mint = node_member(root, "mint"),
			  *opening = node_member(root, "opening");
	receipt->slug = slug ? node_text(slug) : SLICE_ABSENT;
	receipt->opening = opening ? node_text(opening) : SLICE_ABSENT;
	if ((slug && receipt->slug.len == 0) || (opening && receipt->opening.len == 0))
		return false;
	receipt->has_mint = mint != NULL;
	return !mint || read_nonce(mint, &receipt->mint_nonce, &receipt->mint_epoch);
}

static bool read_session(const struct node *root, struct receipt *receipt)
{
	const struct node *session = node_member(root, "session");
	int64_t epoch, serial;
	if (!session)
		return true;
	if (!read_uuid(session, "id", &receipt->session_id) || !read_int(session, "epoch", 1, INT16_MAX, &epoch) ||
	    !read_int(session, "serial", 0, INT32_MAX, &serial) ||
	    !read_int(session, "ends", INT64_MIN, INT64_MAX, &receipt->session_ends_ms))
		return false;
	receipt->has_session = true;
	receipt->session_epoch = (uint16_t)epoch;
	receipt->session_serial = (uint32_t)serial;
	return receipt->has_mint;
}

static bool read_true(const struct node *map, const char *key)
{
	const struct node *node = node_member(map, key);
	return node_is(node, NODE_BOOL) && node->boolean;
}

static bool read_code(const struct node *root, struct receipt *receipt)
{
	const struct node *address = node_member(root, "address");
	receipt->created = read_true(root, "created");
	receipt->has_tries = node_member(root, "tries_left") != NULL;
	if ((node_member(root, "next") && !read_int(root, "next", INT64_MIN, INT64_MAX, &receipt->next_ms)) ||
	    (receipt->has_tries && !read_int(root, "tries_left", 0, INT64_MAX, &receipt->tries_left)))
		return false;
	receipt->verified = read_true(address, "verified");
	receipt->address = address ? node_text(node_member(address, "value")) : SLICE_ABSENT;
	return !address || (!slice_is_absent(receipt->address) &&
			    claim_kind_find(node_text(node_member(address, "kind")), &receipt->address_kind));
}

static bool read_limits(const struct node *root, struct receipt *receipt)
{
	const struct node *list = node_member(root, "limits");
	if (!list)
		return true;
	size_t count = node_count(list);
	if (!node_is(list, NODE_LIST) || count > LIMITS_MAX)
		return false;
	for (size_t i = 0; i < count; i++) {
		const struct node *item = node_item(list, i);
		const struct node *reached = node_member(item, "reached");
		struct limit_summary *limit = &receipt->limits[i];
		limit->name = node_text(node_member(item, "name"));
		limit->reached = node_is(reached, NODE_BOOL) && reached->boolean;
		if (slice_is_absent(limit->name) || !read_int(item, "allowed", 1, INT64_MAX, &limit->allowed) ||
		    !read_int(item, "remaining", 0, INT64_MAX, &limit->remaining) ||
		    !read_int(item, "resets", INT64_MIN, INT64_MAX, &limit->resets_ms))
			return false;
	}
	receipt->limit_count = count;
	return true;
}

static bool read_violations(const struct node *root, struct arena *arena, struct receipt *receipt)
{
	const struct node *list = node_member(root, "violations");
	if (!list)
		return true;
	if (!node_is(list, NODE_LIST))
		return false;
	size_t count = node_count(list);
	receipt->violations = ARENA_ARRAY(arena, count, struct violation);
	for (size_t i = 0; i < count; i++) {
		struct violation *v = &receipt->violations[i];
		v->field = node_text(node_member(node_item(list, i), "field"));
		v->code = node_text(node_member(node_item(list, i), "code"));
		if (slice_is_absent(v->field) || slice_is_absent(v->code))
			return false;
	}
	receipt->violation_count = count;
	return true;
}

static bool read_members(const struct node *root, struct arena *arena, struct receipt *receipt)
{
	int64_t version;
	if (!read_int(root, "v", 1, VERSION, &version) || !read_outcome(root, receipt) || !read_reason(root, receipt) ||
	    !operation_kind_find(node_text(node_member(root, "operation")), &receipt->operation) ||
	    !read_int(root, "at", INT64_MIN, INT64_MAX, &receipt->at_ms))
		return false;
	receipt->veiled = read_true(root, "veiled");
	if (node_member(root, "account_id")) {
		if (!read_uuid(root, "account_id", &receipt->account_id))
			return false;
		receipt->has_account = true;
	}
	return read_challenge(root, receipt) && read_generated(root, receipt) && read_session(root, receipt) &&
	       read_code(root, receipt) && read_violations(root, arena, receipt) && read_limits(root, receipt);
}

enum reason receipt_read(struct slice json, struct arena *arena, struct receipt *ret_receipt, struct fault *f)
{
	const struct node *root;
	struct fault inner;
	if (json_parse(json, (struct json_limits){SIZE_LIMIT, 8, 100000, false}, arena, &root, &inner) != REASON_OK)
		return fault_set(f, REASON_INTERNAL, "a receipt is not JSON: %s", inner.detail);
	struct receipt receipt = {.reason = REASON_OK};
	if (!read_members(root, arena, &receipt))
		return fault_set(f, REASON_INTERNAL, "a receipt is not of version %d or older", VERSION);
	*ret_receipt = receipt;
	return REASON_OK;
}

// Is it the one to speak of, rather than other?
static bool presses_more(const struct limit_summary *limit, const struct limit_summary *other)
{
	if (limit->reached || other->reached)
		return limit->reached && (!other->reached || limit->resets_ms > other->resets_ms);
	return limit->remaining < other->remaining;
}

const struct limit_summary *receipt_limit(const struct receipt *receipt)
{
	const struct limit_summary *chosen = NULL;
	for (size_t i = 0; i < receipt->limit_count; i++)
		if (!chosen || presses_more(&receipt->limits[i], chosen))
			chosen = &receipt->limits[i];
	return chosen;
}
