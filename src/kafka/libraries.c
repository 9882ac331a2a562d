// SPDX-License-Identifier: Apache-2.0
// Version of the library that this module is built on.
#include "enrolld/kafka/admin.h"

#include <librdkafka/rdkafka.h>

void kafka_libraries(struct strbuf *out)
{
	strbuf_printf(out, "librdkafka %s\n", rd_kafka_version_str());
}
