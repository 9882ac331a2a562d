// SPDX-License-Identifier: Apache-2.0
// Version of the library that this module is built on.
#include "enrolld/courier/courier.h"

#include <curl/curl.h>

void courier_libraries(struct strbuf *out)
{
	// Names its own parts as well: libcurl/8.0.0 OpenSSL/3.0.0 ...
	strbuf_printf(out, "%s\n", curl_version());
}
