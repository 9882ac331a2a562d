// SPDX-License-Identifier: Apache-2.0
// The shape that a record has by all signs, in the order of shapes.def; raw if there are none.
#include "intake/shape.h"

static enum reason read_auto(struct content *content, struct asked *asked, struct fault *f)
{
	if (content_header(content, ":path").len == 0)
		for (int i = 0; i < SHAPE_COUNT; i++) {
			const struct shape_kind *kind = shape_of((enum shape)i);
			if (kind->fits && kind->fits(content))
				return kind->read(content, asked, f);
		}
	return shape_raw.read(content, asked, f);
}

const struct shape_kind shape_auto = {
	.asks = "as the shape it is",
	.body = "as the shape it is: cloudevents, confluent, kong or debezium with a schema, else raw",
	.request_id = "as the shape it is",
	.configure = "gateways that are moved from one shape to another; then lock it",
	.replies = REPLY_BIT_ALL,
	.outbox_id = true,
	.read = read_auto,
};
