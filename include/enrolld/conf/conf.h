// SPDX-License-Identifier: Apache-2.0
// The loaded configuration: every module's settings from one YAML file, the environment and secret files, with the place each came from.
//
// Later ones win: default < systemd credential (secrets only) < settings file < environment.
//
// Settings file: names are nested maps; a null is as good as leaving the setting out. Lists may also be written "a, b".
// Environment: ENROLLD__ and the name in capitals, "__" between segments: ENROLLD__KAFKA__BOOTSTRAP_SERVERS. Lists are comma-separated. An
// entry of a passed-through map has one segment more and is in small letters whatever the case; where the map says so, _ stands for
// the dot that shells do not allow (ENROLLD__KAFKA__PROPERTIES__SECURITY_PROTOCOL is security.protocol), unless the name has a dot already
// (...__SSL.KEY_LOCATION). The name of a section in "topics.*" is found among those of the file, ignoring case, with _ for dot and dash;
// a new one is made by the same rule. A variable that begins with ENROLLD__ and names no setting is an error; an empty one is
// as good as none.
// Secrets: besides NAME, NAME_file (and ..._FILE) gives a file whose content, without its last newline, is the value. Else, if
// $CREDENTIALS_DIRECTORY (systemd) has a file with the setting's name, e.g. database.password, that is it.
// Relative paths in the settings file start at its folder, others at the working folder.
//
// A struct conf is read-only once loaded and may be read from several threads.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "enrolld/base/fault.h"
#include "enrolld/base/strbuf.h"
#include "enrolld/model/settings.h"

struct conf;

struct conf_tables {
	const struct setting_table *const *items;
	size_t count;
};

// Every module's, in the order of the reference.
const struct conf_tables *conf_tables(void) ATTR_MUST_USE;

#define CONF_ERRORS_MAX 20 // reported at once

// path: the settings file; NULL: $ENROLLD_CONFIG, else /etc/enrolld/enrolld.yaml if there is one, else none; "": none. environment: as
// environ(7), or NULL for none. Fails with SETTING_INVALID or FILE_UNREADABLE; report then holds all errors, one a line:
// "enrolld.yaml:3:5: kafka.bootstap_servers: unknown setting, did you mean kafka.bootstrap_servers?", and the detail the first one.
// report may be NULL.
enum reason conf_load(const struct conf_tables *tables, const char *path, char *const *environment, struct strbuf *report,
		      struct conf **conf, struct fault *f) ATTR_MUST_USE;
void conf_destroy(struct conf *conf); // wipes; NULL is fine

// The module's struct; the table must be one of those loaded and not per_name. Lives as long as conf.
const void *conf_get(const struct conf *conf, const struct setting_table *table) ATTR_MUST_USE;
// Of a table per name: an array of count structs in the order of the file, then of the environment.
const void *conf_get_named(const struct conf *conf, const struct setting_table *table, size_t *count) ATTR_MUST_USE;
// The file that was read, or NULL.
const char *conf_path(const struct conf *conf) ATTR_MUST_USE;

// Calls each for every setting that differs, by its full name; sections that come or go ("topics.x") are never reloadable.
// Returns how many there were.
size_t conf_diff(const struct conf *before, const struct conf *after, void (*each)(void *ctx, const char *name, bool reloadable),
		 void *ctx);

enum conf_format { CONF_FORMAT_TEXT, CONF_FORMAT_MARKDOWN, CONF_FORMAT_JSON, CONF_FORMAT_YAML };
// The documented list of all settings. YAML: a settings file with everything commented out but what is required.
void conf_print_reference(const struct conf_tables *tables, enum conf_format format, struct strbuf *out);
// The values in force and where each came from, secrets as "***". TEXT or JSON; others print as TEXT.
void conf_print_effective(const struct conf *conf, enum conf_format format, struct strbuf *out);
