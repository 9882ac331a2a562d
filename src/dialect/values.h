// SPDX-License-Identifier: Apache-2.0
// What answers may speak of.
#pragma once

#include "enrolld/base/attr.h"

// VALUE(id, name)
#define ANSWER_VALUES(VALUE)                          \
	VALUE(REQUEST_ID, "request_id")               \
	VALUE(ANSWER_ID, "answer_id")                 \
	VALUE(REALM, "realm")                         \
	VALUE(OPERATION, "operation")                 \
	VALUE(OUTCOME, "outcome")                     \
	VALUE(REASON, "reason")                       \
	VALUE(TEXT, "text")                           \
	VALUE(AT, "at")                               \
	VALUE(ACCOUNT_ID, "account_id")               \
	VALUE(ACCOUNT_NUMBER, "account_number")       \
	VALUE(SLUG, "slug")                           \
	VALUE(STATE, "state")                         \
	VALUE(CHALLENGE_ID, "challenge_id")           \
	VALUE(EXPIRES_AT, "expires_at")               \
	VALUE(NEXT_AT, "next_at")                     \
	VALUE(NEXT_IN, "next_in")                     \
	VALUE(TRIES_LEFT, "tries_left")               \
	VALUE(CREATED, "created")                     \
	VALUE(VERIFIED_KIND, "verified_kind")         \
	VALUE(VERIFIED, "verified")                   \
	VALUE(METHOD, "method")                       \
	VALUE(PATH, "path")                           \
	VALUE(CONTENT_TYPE, "content_type")           \
	VALUE(CONTENT_TYPE_SENT, "content_type_sent") \
	VALUE(ALLOW, "allow")                         \
	VALUE(LANGUAGE, "language")                   \
	VALUE(EMAIL, "email")                         \
	VALUE(PHONE, "phone")                         \
	VALUE(USERNAME, "username")                   \
	VALUE(GIVEN_NAME, "given_name")               \
	VALUE(FAMILY_NAME, "family_name")             \
	VALUE(DISPLAY_NAME, "display_name")           \
	VALUE(BIRTH_DATE, "birth_date")               \
	VALUE(LOCALE, "locale")                       \
	VALUE(ATTRIBUTES, "attributes")               \
	VALUE(PARSE_ERROR, "parse_error")             \
	VALUE(PARSE_MESSAGE, "parse_message")         \
	VALUE(PARSE_POSITION, "parse_position")       \
	VALUE(PARSE_LINE, "parse_line")               \
	VALUE(PARSE_COLUMN, "parse_column")           \
	VALUE(TYPE, "type")                           \
	VALUE(RETRY_AFTER, "retry_after")             \
	VALUE(LIMITED_BY, "limited_by")               \
	VALUE(COUNT, "count")                         \
	VALUE(MORE, "more")                           \
	VALUE(VIOLATIONS, "violations")

enum answer_value {
#define VALUE(id, name) ANSWER_##id,
	ANSWER_VALUES(VALUE)
#undef VALUE
		ANSWER_VALUE_COUNT
};

// Of an item of "violations", and of the first one as "first.field" and so on; besides, the members of "data" as "data.MEMBER".
#define VIOLATION_VALUES                                                                                                      \
	"field", "path", "indexed", "bracketed", "tokens", "source", "key", "name", "label", "input", "type", "code", "text", \
		"data", "index", "last"

// Of a rule's sentence, besides its parameters.
#define SENTENCE_VALUES "field", "path", "indexed", "bracketed", "key", "name", "label", "input", "type", "like"

// Of the limit NAME, as "limit.NAME.allowed" and so on.
#define LIMIT_VALUES "allowed", "remaining", "resets", "wait"

// Of a token's payload.
#define TOKEN_VALUES "iat", "exp", "jti"
