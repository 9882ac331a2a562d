// SPDX-License-Identifier: Apache-2.0
// Settings of the process.
#include "enrolld/conf/process.h"

#include "enrolld/base/log.h"
#include "enrolld/version.h"

#define AT(type, member) SETTING_AT(type, struct process_conf, member)

static const struct setting_choice levels[] = {
	{"debug", LOG_LEVEL_DEBUG, "Every message and each line of the Kafka client."},
	{"info", LOG_LEVEL_INFO, "Starts, stops, assignments."},
	{"warn", LOG_LEVEL_WARN, "What deserves a look: outages, dead letters."},
	{"error", LOG_LEVEL_ERROR, "What needs a person."},
	{0},
};

static const struct setting_choice formats[] = {
	{"json", LOG_FORMAT_JSON, "One JSON object a line."},
	{"text", LOG_FORMAT_TEXT, "One line for people."},
	{0},
};

static const struct setting rows[] = {
	{"log.level", AT(CHOICE, log_level), .choices = levels, .fallback = "info", .reloadable = true,
	 .doc = "Least level that is written."},
	{"log.format", AT(CHOICE, log_format), .choices = formats, .fallback = "json", .reloadable = true,
	 .doc = "How a log line looks."},
	{"keys.file", AT(PATH, keys_file), .fallback = "/etc/enrolld/keys",
	 .doc = "Key ring, made by 'enrolld keys new'; mode 0600. Codes, links and sealed payloads depend on it: keep a copy away from the database."},
	{"data.directory", AT(PATH, data_dir), .fallback = ENROLLD_DATADIR,
	 .doc = "Folder with dialects/, messages/, providers/ and wordlists/."},
	{"admin.address", AT(TEXT, admin_address), .fallback = "127.0.0.1", .empty_ok = true,
	 .doc = "Address of /healthz, /readyz, /metrics and the page at /. There is no login: keep it on loopback or inside the pod. Empty: none."},
	{"admin.port", AT(INT, admin_port), .min = 0, .max = 65535, .unit = "port", .fallback = "9464",
	 .doc = "Its port; 0 takes a free one."},
	{"admin.stuck_after", AT(DURATION, stuck_ms), .min = 5000, .max = 3600000, .fallback = "60s",
	 .doc = "A stage that makes no step for so long makes /healthz fail and stops the pings to the service manager's watchdog."},
};

const struct setting_table process_settings = {
	.module = "process",
	.rows = rows,
	.count = ARRAY_LEN(rows),
	.struct_size = sizeof(struct process_conf),
	.doc = "The process: log, keys, admin endpoint, data files.",
};
