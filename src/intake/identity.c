// SPDX-License-Identifier: Apache-2.0
// Which request a record is: fingerprints of its content, and its request id.
#include <stdlib.h>

#include "enrolld/base/uuid.h"
#include "enrolld/crypto/derive.h"
#include "intake/intake_private.h"
#include "intake/shape.h"

#define REQUEST_ID_MAX 256
#define EPOCHS_MAX 64 // of a key ring

static int by_newest(const void *a, const void *b)
{
	const struct key_info *left = a, *right = b;
	return (left->epoch < right->epoch) - (left->epoch > right->epoch);
}

// Epochs of the ring, the active one first, then from new to old.
static size_t epochs_of(const struct keyring *ring, uint16_t epochs[static EPOCHS_MAX])
{
	struct key_info infos[EPOCHS_MAX];
	size_t held = keyring_list(ring, infos, EPOCHS_MAX);
	size_t count = 0;
	if (held > EPOCHS_MAX)
		held = EPOCHS_MAX;
	qsort(infos, held, sizeof(infos[0]), by_newest);
	epochs[count++] = keyring_active(ring);
	for (size_t i = 0; i < held; i++)
		if (infos[i].epoch != epochs[0])
			epochs[count++] = infos[i].epoch;
	return count;
}

#define CONTENT_PARTS 5

// What a repeat must have in common with the first: the question and its content, whatever headers or envelope a gateway adds on the way.
// What settings say of the question is left out, so that they can change.
static void content_parts(const struct record *record, const struct request *request, const struct asked *asked, bool oversize,
			  struct arena *arena, struct slice parts[static CONTENT_PARTS])
{
	parts[0] = asked->method;
	parts[1] = asked->target;
	parts[2] = asked->event_type;
	parts[3] = oversize ? SLICE_ABSENT : request->body;
	parts[4] = oversize ? arena_printf(arena, "%zu", record->value_size) : SLICE_ABSENT;
}

// What a record is, whatever shape its topic is set to: the same record is the same request after that was changed.
static void record_parts(const struct record *record, bool oversize, struct arena *arena, struct slice parts[static CONTENT_PARTS])
{
	parts[0] = record_header_value(record, ":method");
	parts[1] = record_header_value(record, ":path");
	parts[2] = record_header_value(record, "ce_type");
	parts[3] = oversize ? SLICE_ABSENT : record->value;
	parts[4] = oversize ? arena_printf(arena, "%zu", record->value_size) : SLICE_ABSENT;
}

static struct slice event_id(const struct asked *asked, struct arena *arena)
{
	struct slice source = asked->event_source, id = asked->event_id;
	if (source.len == 0 || id.len == 0)
		return SLICE_ABSENT;
	// A source is a URI reference and has no space, so that the joined text says where it ends.
	struct slice joined = arena_printf(arena, "%.*s %.*s", (int)source.len, source.ptr, (int)id.len, id.ptr);
	if (joined.len == source.len + 1 + id.len && text_printable(joined, REQUEST_ID_MAX) && !memchr(source.ptr, ' ', source.len))
		return joined;
	const struct slice parts[] = {SLICE_LIT("event"), source, id};
	struct uuid uuid = derive_id(parts, ARRAY_LEN(parts));
	char text[UUID_TEXT_SIZE];
	return arena_copy(arena, slice_of(uuid_format(&uuid, text)));
}

static struct slice coordinates_id(const struct intake *intake, const struct record *record, const struct fingerprint *fingerprint,
				   struct arena *arena)
{
	const struct slice parts[] = {
		slice_of(intake->cluster_id),
		slice_of(record->at.topic),
		arena_printf(arena, "%d", record->at.partition),
		arena_printf(arena, "%lld", (long long)record->at.offset),
		arena_printf(arena, "%lld", (long long)record->timestamp_ms),
		{(const char *)fingerprint->bytes, FINGERPRINT_SIZE},
	};
	struct uuid uuid = derive_id(parts, ARRAY_LEN(parts));
	char text[UUID_TEXT_SIZE];
	return arena_copy(arena, slice_of(uuid_format(&uuid, text)));
}

enum reason identity_read(const struct intake *intake, const struct record *record, const struct asked *asked, bool outbox,
			  bool oversize, struct arena *arena, struct request *request, struct fault *f)
{
	struct slice parts[CONTENT_PARTS];
	uint16_t epochs[EPOCHS_MAX + 1] = {0};
	size_t epoch_count = epochs_of(intake->keys, epochs);
	content_parts(record, request, asked, oversize, arena, parts);
	request->fingerprint_count = epoch_count < FINGERPRINTS_MAX ? epoch_count : FINGERPRINTS_MAX;
	for (size_t i = 0; i < request->fingerprint_count; i++) {
		request->fingerprints[i].epoch = epochs[i];
		digest_fingerprint(intake->keys, epochs[i], parts, CONTENT_PARTS, request->fingerprints[i].bytes);
	}

	struct slice key = request_header_value(request, "idempotency-key");
	struct slice row = outbox ? record_header_value(record, "id") : SLICE_ABSENT;
	bool usable = true;
	if (key.len) {
		request->id_source = REQUEST_ID_HEADER;
		request->request_id = key;
		usable = text_printable(key, REQUEST_ID_MAX);
	} else if (!slice_is_absent(request->request_id = event_id(asked, arena))) {
		request->id_source = REQUEST_ID_EVENT;
	} else if (row.len) {
		request->id_source = REQUEST_ID_OUTBOX;
		request->request_id = row;
		usable = text_printable(row, REQUEST_ID_MAX);
	}
	if (!slice_is_absent(request->request_id) && usable)
		return REASON_OK;

	struct fingerprint oldest = {.epoch = epochs[epoch_count - 1]};
	record_parts(record, oversize, arena, parts);
	digest_fingerprint(intake->keys, oldest.epoch, parts, CONTENT_PARTS, oldest.bytes);
	request->id_source = REQUEST_ID_COORDINATES;
	request->request_id = coordinates_id(intake, record, &oldest, arena);
	return usable ? REASON_OK
		      : fault_set(f, REASON_REQUEST_ID_INVALID, "the request id is over %d bytes or not printable", REQUEST_ID_MAX);
}
