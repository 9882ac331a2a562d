// SPDX-License-Identifier: Apache-2.0
// Versions of the libraries that this module is built on.
#include "enrolld/crypto/keys.h"

#include <crypt.h>
#include <sodium.h>

void crypto_libraries(struct strbuf *out)
{
	strbuf_printf(out, "libsodium %s\n", sodium_version_string());
	strbuf_printf(out, "libcrypt %s (built against)\n", XCRYPT_VERSION_STR); // it cannot be asked
}
