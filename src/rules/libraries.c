// SPDX-License-Identifier: Apache-2.0
// Versions of the libraries that this module is built on.
#include "enrolld/rules/rules.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <idn2.h>
#include <pcre2.h>
#include <unistring/version.h>

void rules_libraries(struct strbuf *out)
{
	char version[64] = "";
	pcre2_config(PCRE2_CONFIG_VERSION, version); // 24 bytes are enough, says pcre2api(3)
	strbuf_printf(out, "pcre2 %s\n", version);
	strbuf_printf(out, "libidn2 %s\n", idn2_check_version(NULL));
	strbuf_printf(out, "libunistring %d.%d.%d\n", _libunistring_version >> 16, _libunistring_version >> 8 & 0xff,
		      _libunistring_version & 0xff);
}
