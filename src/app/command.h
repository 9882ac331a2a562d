// SPDX-License-Identifier: Apache-2.0
// The commands of the program: one row each in command.c, one file each. Exit status as in sysexits(3).
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "enrolld/base/fault.h"
#include "enrolld/conf/conf.h"

// How the command was called, options of all commands taken off.
struct invocation {
	const char *config; // --config FILE; NULL: the usual places
	bool json;          // --json
	bool markdown;      // --markdown
	bool yaml;          // --yaml
	bool dry_run;       // --dry-run
	bool verbose;       // --verbose
	bool effective;     // --effective
	int argc;           // words after the command
	char **argv;
};

struct command {
	const char *name;
	const char *words;   // e.g. "new|list|rotate", "" if none
	const char *options; // long names it takes besides --config and --help, space-separated
	const char *summary; // one line
	const char *help;    // the rest of --help: what it does, examples, exit status
	int (*run)(const struct invocation *invocation);
};

int command_run(const struct invocation *invocation);
int command_migrate(const struct invocation *invocation);
int command_check(const struct invocation *invocation);
int command_topics(const struct invocation *invocation);
int command_keys(const struct invocation *invocation);
int command_progress(const struct invocation *invocation);
int command_settings(const struct invocation *invocation);
int command_reasons(const struct invocation *invocation);
int command_dialect(const struct invocation *invocation);
int command_schema(const struct invocation *invocation);
int command_shapes(const struct invocation *invocation);
int command_health(const struct invocation *invocation);
int command_version(const struct invocation *invocation);

// Parses the line and runs the command.
int command_main(int argc, char **argv);

// "enrolld: text", and the exit status for the reason.
int command_fail(const struct fault *f);
int command_status(enum reason reason) ATTR_MUST_USE;
// A usage error: says it, names --help; EX_USAGE.
int command_misuse(const struct invocation *invocation, const char *command, const char *fmt, ...) ATTR_PRINTF(3, 4);
// Loads the settings, or prints every error and returns the exit status. 0: *conf is the caller's.
int command_load(const struct invocation *invocation, struct conf **conf);
void command_print(struct strbuf *text); // to stdout, then frees it
