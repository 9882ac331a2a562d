// SPDX-License-Identifier: Apache-2.0
// Two small modules with settings of every kind, for the tests of conf.
#pragma once

#include "enrolld/conf/conf.h"

struct example_conf {
	const char *servers;
	int64_t threads;
	int64_t wait_ms;
	bool fast;
	const char *password;
	const char *ca_file;
	struct setting_list realms;
	struct setting_map properties;
};

struct example_topic {
	const char *key;
	const char *topic;
	const char *realm;
	const char *realm_header;
	const char *token;
};

extern const struct setting_table example_settings; // "kafka.*"
extern const struct setting_table example_topics;   // "topics.*.…"
extern const struct conf_tables example_tables;
