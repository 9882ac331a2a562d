// SPDX-License-Identifier: Apache-2.0
// Settings of the process: log, keys, admin endpoint, data files.
#pragma once

#include "enrolld/model/settings.h"

struct process_conf {
	int log_level;  // enum log_level
	int log_format; // enum log_format
	const char *keys_file;
	const char *data_dir;      // dialects/, messages/, providers/, wordlists/
	const char *admin_address; // IPv4 or IPv6 address; "" : no endpoint
	int64_t admin_port;
	int64_t stuck_ms; // a stage that makes no progress for so long stops the watchdog's pings
};
extern const struct setting_table process_settings; // "log.*", "keys.*", "data.*", "admin.*"
