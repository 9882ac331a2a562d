// SPDX-License-Identifier: Apache-2.0
// Two small modules with settings of every kind.
#include "unit/conf/example.h"

#define AT(type, member) SETTING_AT(type, struct example_conf, member)
static const struct setting rows[] = {
	{"kafka.bootstrap_servers", AT(TEXT, servers), .required = true, .doc = "Brokers | to start from."},
	{"kafka.threads", AT(INT, threads), .min = 1, .max = 64, .unit = "threads", .fallback = "4", .doc = "How many."},
	{"kafka.wait", AT(DURATION, wait_ms), .min = 1000, .max = 60000, .fallback = "5s", .reloadable = true, .doc = "How long."},
	{"kafka.fast", AT(BOOL, fast), .doc = "Whether."},
	{"kafka.password", AT(SECRET, password), .doc = "The password."},
	{"kafka.ca_file", AT(PATH, ca_file), .doc = "The CA."},
	{"kafka.realms", AT(LIST, realms), .fallback = "a,b", .doc = "Which."},
	{"kafka.properties", AT(MAP, properties), .underscore = '.', .doc = "Passed through."},
};

static enum reason check(const void *conf, struct fault *f)
{
	const struct example_conf *c = conf;

	if (c->fast && c->wait_ms > 10000)
		return fault_set(f, REASON_SETTING_INVALID, "kafka.wait: at most 10s when kafka.fast is set");
	return REASON_OK;
}

const struct setting_table example_settings = {
	.module = "kafka",
	.rows = rows,
	.count = ARRAY_LEN(rows),
	.struct_size = sizeof(struct example_conf),
	.doc = "The brokers.",
	.check = check,
};

#define TOPIC(type, member) SETTING_AT(type, struct example_topic, member)
static const struct setting topic_rows[] = {
	{"topics.*.name", TOPIC(TEXT, topic), .required = true, .doc = "The topic."},
	{"topics.*.realm", TOPIC(TEXT, realm), .fallback = "default", .reloadable = true, .doc = "The realm."},
	{"topics.*.realm.header", TOPIC(TEXT, realm_header), .fallback = "", .doc = "Its header."},
	{"topics.*.token", TOPIC(SECRET, token), .doc = "A token."},
};

const struct setting_table example_topics = {
	.module = "topics",
	.rows = topic_rows,
	.count = ARRAY_LEN(topic_rows),
	.struct_size = sizeof(struct example_topic),
	.per_name = true,
	.underscore = '.',
	.doc = "Request topics.",
};

static const struct setting_table *const tables[] = {&example_settings, &example_topics};
const struct conf_tables example_tables = {tables, ARRAY_LEN(tables)};
