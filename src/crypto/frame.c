// SPDX-License-Identifier: Apache-2.0
// BLAKE2b over length-prefixed parts.
#include "crypto/frame.h"

#include "crypto/keyring.h"

#define LENGTH_OF_ABSENT UINT64_MAX

static void add_little_endian(struct frame *frame, uint64_t number)
{
	uint8_t bytes[sizeof(number)];
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(number >> (8 * i));
	(void)crypto_generichash_update(&frame->state, bytes, sizeof(bytes));
}

void frame_start(struct frame *frame, const uint8_t *key, size_t size, const char *use)
{
	frame->size = size;
	(void)crypto_generichash_init(&frame->state, key, key ? KEY_SIZE : 0, size);
	frame_part(frame, slice_of(use));
}

void frame_part(struct frame *frame, struct slice part)
{
	add_little_endian(frame, slice_is_absent(part) ? LENGTH_OF_ABSENT : part.len);
	if (part.len)
		(void)crypto_generichash_update(&frame->state, (const uint8_t *)part.ptr, part.len);
}

void frame_parts(struct frame *frame, const struct slice *parts, size_t count)
{
	add_little_endian(frame, count);
	for (size_t i = 0; i < count; i++)
		frame_part(frame, parts[i]);
}

void frame_number(struct frame *frame, uint64_t number)
{
	add_little_endian(frame, number);
}

void frame_end(struct frame *frame, uint8_t *out)
{
	(void)crypto_generichash_final(&frame->state, out, frame->size);
	sodium_memzero(frame, sizeof(*frame));
}
