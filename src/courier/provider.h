// SPDX-License-Identifier: Apache-2.0
// How an HTTP provider of messages is spoken to, from a file under schemas/providers. Read-only once loaded, shared by all threads; no I/O.
//
//   idempotent: false          whether a repeat with the same key is dropped over there; only then is a text of unknown outcome sent again
//   auth: any                  none | basic | bearer | any (basic with user and password, bearer with a password alone) | {header: X-Key}
//   request:
//     method: POST             or PUT
//     path: "/v1/{{user}}"     put behind courier.text_url; may be left out
//     encoding: json           json | form | multipart
//     headers: {name: text}
//     body: {...}              json: any tree; form, multipart: name -> text
//   answers:                   the first that fits decides; {status, then} or {status, pointer, is, then}
//     - {status: [200, 201-299], then: accepted}     then: accepted | deferred | refused | unsure | away
//     - {status: 200, pointer: /code, is: ["1", "2"], then: deferred}
//   id: {pointer: [/id, /sid]} or {header: X-Message-Id}; may be left out
//
// Templates may use {{to}} {{from}} {{text}} {{message_id}} {{realm}} {{purpose}} {{language}} {{brand}} {{user}} {{password}}.
// "unsure" is deferred with an idempotent provider and else unknown; "away" is about us, not the message: login, address, account.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "courier/handover.h"
#include "enrolld/base/strbuf.h"

struct provider;

// DIALECT_INVALID with file:line, FILE_UNREADABLE.
enum reason provider_load(const char *path, struct provider **provider, struct fault *f) ATTR_MUST_USE;
void provider_free(struct provider *provider); // NULL is fine
bool provider_idempotent(const struct provider *provider) ATTR_MUST_USE;

enum provider_auth { PROVIDER_AUTH_NONE, PROVIDER_AUTH_BASIC, PROVIDER_AUTH_BEARER, PROVIDER_AUTH_ANY, PROVIDER_AUTH_HEADER };
// ANY is resolved by what the settings hold; HEADER is already among the request's headers.
enum provider_auth provider_auth(const struct provider *provider, const char *user, const char *password) ATTR_MUST_USE;

struct provider_values {
	struct slice url; // courier.text_url
	struct slice to, from, text, message_id, realm, purpose, language, brand, user, password;
};

#define PROVIDER_HEADERS_MAX 16
#define PROVIDER_BODY_MAX ((size_t)64 << 10)

struct provider_request {
	const char *method;
	struct strbuf url;
	struct strbuf headers[PROVIDER_HEADERS_MAX]; // whole lines
	size_t header_count;
	struct strbuf body;
};

// DELIVERY_REFUSED if a value does not fit where it is put: control characters in a header, too long.
enum reason provider_write(const struct provider *provider, const struct provider_values *values, struct provider_request *request,
			   struct fault *f) ATTR_MUST_USE;
void provider_request_free(struct provider_request *request); // wipes

// How an exchange ended, for any transport.
struct exchange {
	bool begun; // the gate is open: the body's first byte was asked for
	bool ended; // its last byte was handed over
	enum { EXCHANGE_NOT_ABORTED, EXCHANGE_ABORTED_GATE, EXCHANGE_ABORTED_STOP } aborted; // by us
	const char *error;                                                                   // what broke it; "" if nothing
	int status;                                                                          // of the answer; 0: none came
	int64_t retry_after_ms;                                                              // as the answer asks; 0: it does not
	struct strbuf body;                      // of the answer, as far as it came and fits
	char id_header[HANDOVER_REMOTE_ID_SIZE]; // value of the header that provider_id_header() names
};

const char *provider_id_header(const struct provider *provider) ATTR_MUST_USE; // NULL: none
void provider_judge(const struct provider *provider, const struct exchange *exchange, struct handover *handover);
