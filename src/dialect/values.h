// SPDX-License-Identifier: Apache-2.0
// What answers may speak of: the names that templates use, in the order of dialect_answer's list.
#pragma once

#include "enrolld/base/attr.h"

// VALUE(id, name)
#define ANSWER_VALUES(VALUE)                \
	VALUE(REQUEST_ID, "request_id")     \
	VALUE(REALM, "realm")               \
	VALUE(OPERATION, "operation")       \
	VALUE(OUTCOME, "outcome")           \
	VALUE(REASON, "reason")             \
	VALUE(TEXT, "text")                 \
	VALUE(AT, "at")                     \
	VALUE(ACCOUNT_ID, "account_id")     \
	VALUE(STATE, "state")               \
	VALUE(CHALLENGE_ID, "challenge_id") \
	VALUE(EXPIRES_AT, "expires_at")     \
	VALUE(METHOD, "method")             \
	VALUE(PATH, "path")                 \
	VALUE(CONTENT_TYPE, "content_type") \
	VALUE(ALLOW, "allow")               \
	VALUE(EMAIL, "email")               \
	VALUE(PHONE, "phone")               \
	VALUE(USERNAME, "username")         \
	VALUE(GIVEN_NAME, "given_name")     \
	VALUE(FAMILY_NAME, "family_name")   \
	VALUE(DISPLAY_NAME, "display_name") \
	VALUE(BIRTH_DATE, "birth_date")     \
	VALUE(LOCALE, "locale")             \
	VALUE(ATTRIBUTES, "attributes")     \
	VALUE(VIOLATIONS, "violations")

enum answer_value {
#define VALUE(id, name) ANSWER_##id,
	ANSWER_VALUES(VALUE)
#undef VALUE
		ANSWER_VALUE_COUNT
};

// Of an item of "violations".
#define VIOLATION_VALUES "field", "name", "code", "text"
