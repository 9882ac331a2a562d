// SPDX-License-Identifier: Apache-2.0
// Settings of a request topic.
#include "intake/intake_private.h"
#include "intake/shape.h"

static const struct setting_choice lanes[] = {
	{"signup", 0, "Requests that hash a password."},
	{"otp", 1, "Codes, links and sessions: never behind sign-up hashing."},
	{0},
};

static const struct setting_choice shapes[] = {
#define SHAPE(id, name, setting, text) {setting, SHAPE_##id, text},
#include "enrolld/intake/shapes.def"
#undef SHAPE
	{0},
};

static const struct setting_choice reply_styles[] = {
	{"zilla", 0, "zilla:reply-to and zilla:correlation-id."},
	{"spring", 0, "kafka_replyTopic, kafka_replyPartition and kafka_correlationId."},
	{"cloudevents", 0, "ce_replyto and ce_correlationid."},
	{0},
};

#define AT(type, member) SETTING_AT(type, struct topic_conf, member)
static const struct setting rows[] = {
	{"topics.*.name", AT(TEXT, name), .min = 1, .max = 249, .required = true,
	 .doc = "The Kafka topic that requests are read from."},
	{"topics.*.lane", AT(CHOICE, lane), .choices = lanes, .fallback = "signup", .doc = "The lane that reads it."},
	{"topics.*.shape", AT(CHOICE, shape), .choices = shapes, .fallback = "raw",
	 .doc = "How requests are written. A record with :method and :path is raw whatever this says."},
	{"topics.*.target", AT(TEXT, target), .max = TARGET_MAX, .fallback = "",
	 .doc = "What records ask that do not say it themselves: \"POST /v1/accounts\", or an event type. Empty: they are dead-lettered as "
		"unaddressed."},
	{"topics.*.target.header", AT(TEXT, target_header), .max = 128, .fallback = "",
	 .doc = "The header in which your gateway says it record by record, in the same words; where it is missing, target holds."},
	{"topics.*.dialects", AT(LIST, dialects), .min = 1, .max = 32, .fallback = "native",
	 .doc = "Folders below schemas/dialects, tried in this order; the first answers what none knows."},
	{"topics.*.realm", AT(TEXT, realm), .min = 1, .max = 64, .fallback = "default",
	 .doc = "The realm of all its requests, unless a header names it."},
	{"topics.*.realm.header", AT(TEXT, realm_header), .max = 128, .fallback = "",
	 .doc = "The header that names the realm. Only what your gateway sets is safe here."},
	{"topics.*.realm.allow", AT(LIST, realm_allow), .max = 256,
	 .doc = "Realms that the header may name: exact, or patterns with *. Anything else is refused."},
	{"topics.*.address_header", AT(TEXT, address_header), .max = 128, .fallback = "",
	 .doc = "The header that carries the client's address, such as x-forwarded-for. Empty: the client is unknown."},
	{"topics.*.trusted_hops", AT(INT, trusted_hops), .min = 1, .max = 16, .unit = "proxies", .fallback = "1",
	 .doc = "How many proxies of yours append to it; the entry that the first of them wrote is the client's."},
	{"topics.*.reply_headers", AT(BOOL, reply_headers), .fallback = "true",
	 .doc = "Whether zilla:reply-to, kafka_replyTopic and ce_replyto ask for a reply."},
	{"topics.*.reply_styles", AT(LIST, reply_styles), .max = 3, .choices = reply_styles,
	 .doc = "Whose headers these are. Not set: those that gateways of the shape write; none for kong, krakend and gravitee, whose record "
		"headers may be a client's HTTP headers."},
	{"topics.*.reply_topics", AT(LIST, reply_topics), .max = 64,
	 .doc = "Topics that replies may go to: exact, or patterns with *. None: no replies."},
	{"topics.*.record_limit", AT(SIZE, record_limit), .min = 1024, .max = 1024 * 1024, .fallback = "64KiB",
	 .doc = "The largest value that is read; a larger one is refused as too_large."},
};

static enum reason check_target(const struct topic_conf *topic, struct fault *f)
{
	struct target target;
	bool by_header = topic->target_header && *topic->target_header;
	if (topic->target && *topic->target && !target_parse(slice_of(topic->target), &target))
		return fault_set(f, REASON_SETTING_INVALID,
				 "topics.%s.target: is neither a method, a space and a path (POST /v1/accounts) nor an event type",
				 topic->key);
	if (shape_of((enum shape)topic->shape)->needs_target && !by_header && !(topic->target && *topic->target))
		return fault_set(f, REASON_SETTING_INVALID,
				 "topics.%s.target: say what is asked (POST /v1/accounts), since records of shape %s do not",
				 topic->key, shape_name((enum shape)topic->shape));
	return REASON_OK;
}

static enum reason check(const void *conf, struct fault *f)
{
	const struct topic_conf *topic = conf;
	if (check_target(topic, f) != REASON_OK)
		return f->reason;
	bool by_header = topic->realm_header && *topic->realm_header;
	if (by_header && topic->realm_allow.count == 0)
		return fault_set(f, REASON_SETTING_INVALID, "topics.%s.realm.allow: name the realms that %s may ask for",
				 topic->key, topic->realm_header);
	if (!by_header && topic->realm_allow.count != 0)
		return fault_set(f, REASON_SETTING_INVALID, "topics.%s.realm.allow: set realm.header too, or remove it",
				 topic->key);
	return REASON_OK;
}

const struct setting_table topic_settings = {
	.module = "intake",
	.rows = rows,
	.count = ARRAY_LEN(rows),
	.struct_size = sizeof(struct topic_conf),
	.per_name = true,
	.doc = "Request topics, by a name of your choice.",
	.check = check,
};
