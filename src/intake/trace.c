// SPDX-License-Identifier: Apache-2.0
// W3C Trace Context, level 1: carried on only if well-formed, since others will parse it.
#include "intake/intake_private.h"

#define PARENT_SIZE 55
#define STATE_MAX 512
#define STATE_MEMBERS_MAX 32

static bool lower_hex(const char *text, size_t len, bool *zero)
{
	*zero = true;
	for (size_t i = 0; i < len; i++) {
		char c = text[i];
		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
			return false;
		if (c != '0')
			*zero = false;
	}
	return true;
}

// Section 3.2: version "-" 32 digits "-" 16 digits "-" flags; a later version may go on behind another dash.
struct slice trace_parent(struct slice text)
{
	bool zero, trace_zero, parent_zero;
	if (text.len < PARENT_SIZE || text.len > 2 * PARENT_SIZE || !text_printable(text, text.len))
		return SLICE_ABSENT;
	if (text.ptr[2] != '-' || text.ptr[35] != '-' || text.ptr[52] != '-')
		return SLICE_ABSENT;
	if (!lower_hex(text.ptr, 2, &zero) || !lower_hex(text.ptr + 3, 32, &trace_zero) ||
	    !lower_hex(text.ptr + 36, 16, &parent_zero) || trace_zero || parent_zero || memcmp(text.ptr, "ff", 2) == 0)
		return SLICE_ABSENT;
	bool flags_zero;
	if (!lower_hex(text.ptr + 53, 2, &flags_zero))
		return SLICE_ABSENT;
	bool exact = memcmp(text.ptr, "00", 2) == 0;
	if (text.len > PARENT_SIZE && (exact || text.ptr[PARENT_SIZE] != '-'))
		return SLICE_ABSENT;
	return text;
}

// Section 3.3: list of key=value; printable ASCII.
struct slice trace_state(struct slice text)
{
	size_t members = 1;
	bool equals = false;
	if (!text_printable(text, STATE_MAX))
		return SLICE_ABSENT;
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == ',') {
			if (!equals || ++members > STATE_MEMBERS_MAX)
				return SLICE_ABSENT;
			equals = false;
		} else if (text.ptr[i] == '=') {
			equals = true;
		}
	}
	return equals ? text : SLICE_ABSENT;
}
