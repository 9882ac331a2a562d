// SPDX-License-Identifier: Apache-2.0
// Versions of the libraries that this module is built on.
#include "enrolld/doc/node.h"

#include <jansson.h>
#include <yaml.h>

void doc_libraries(struct strbuf *out)
{
	strbuf_printf(out, "jansson %s\n", jansson_version_str());
	strbuf_printf(out, "libyaml %s\n", yaml_get_version_string());
}
