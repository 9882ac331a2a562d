// SPDX-License-Identifier: Apache-2.0
// The tokens of sessions, for the operations that compare them and the dialects that show them.
#include "enrolld/model/session.h"

#include "enrolld/base/fault.h"
#include "enrolld/base/secret.h"

#define HEX_DIGITS "0123456789abcdef"
#define NAME_KIND "session"

static void write_name(const struct keyring *keys, struct slice realm, const struct session_seed *seed,
		       char out[static SESSION_NAME_LENGTH + 1])
{
	derive_text(keys, seed->epoch, NAME_KIND, realm, &seed->nonce, 0, HEX_DIGITS, SESSION_NAME_LENGTH, out);
}

void session_token(const struct keyring *keys, const char *kind, struct slice realm, const struct session_seed *seed,
		   const char *alphabet, size_t length, char *out)
{
	if (length < SESSION_TOKEN_MIN || length > SESSION_TOKEN_MAX)
		PANIC("a session's token of %zu characters", length);
	write_name(keys, realm, seed, out);
	derive_text(keys, seed->epoch, kind, realm, &seed->nonce, seed->serial, alphabet, length - SESSION_NAME_LENGTH,
		    out + SESSION_NAME_LENGTH);
}

void session_digest(const struct keyring *keys, const char *dialect, uint16_t epoch, struct slice token,
		    uint8_t out[static DIGEST_SIZE])
{
	if (token.len < SESSION_NAME_LENGTH)
		PANIC("a session's token of %zu characters", token.len);
	const struct slice parts[] = {slice_of(dialect), {token.ptr, SESSION_NAME_LENGTH}};
	digest_keyed(keys, epoch, NAME_KIND, parts, ARRAY_LEN(parts), out);
}

void session_name_digest(const struct keyring *keys, const char *dialect, struct slice realm, const struct session_seed *seed,
			 uint8_t out[static DIGEST_SIZE])
{
	char name[SESSION_NAME_LENGTH + 1];
	write_name(keys, realm, seed, name);
	session_digest(keys, dialect, seed->epoch, slice_of(name), out);
	secret_wipe(name, sizeof(name));
}

const char *session_scope_name(enum session_scope scope)
{
	static const char *const names[] = {"none", "one", "device", "all"};
	if ((size_t)scope >= ARRAY_LEN(names))
		PANIC("session_scope_name: %d", (int)scope);
	return names[scope];
}
