// SPDX-License-Identifier: Apache-2.0
// Version of the library that this module is built on.
#include "enrolld/store/schema.h"

#include <libpq-fe.h>

void store_libraries(struct strbuf *out)
{
	int version = PQlibVersion();
	strbuf_printf(out, "libpq %d.%d\n", version / 10000, version % 10000);
}
