// SPDX-License-Identifier: Apache-2.0
// The commands of the program.
#include "app/command.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

static const struct command commands[] = {
	{"run", "", "", "Run the worker until SIGTERM.",
	 "Takes records from the request topics, writes accounts, sends results, replies, events and messages. SIGTERM and SIGINT drain what is\n"
	 "in hand within worker.drain_limit and leave; a second one leaves at once. SIGHUP reads settings and dialects again and puts the reloadable ones in\n"
	 "force. Settings come from --config, then the environment (see 'enrolld settings').\n\n"
	 "  enrolld run --config enrolld.yaml\n",
	 command_run},
	{"migrate", "", "dry-run", "Bring the database schema to this version.",
	 "Applies the steps that are missing, in order, each in a transaction, under a lock that makes concurrent calls wait. Steps only go forward,\n"
	 "and a worker runs on its own version and the next, so: migrate first, then replace the workers.\n\n"
	 "  enrolld migrate --dry-run      print the SQL that would run\n"
	 "  enrolld migrate                run it; the login must own the database\n\n"
	 "The workers' login needs less: GRANT enrolld_worker TO it. To migrate with another login than the settings name:\n\n"
	 "  ENROLLD__DATABASE__DSN=postgresql://owner@db/enrolld enrolld migrate\n",
	 command_migrate},
	{"check", "", "json", "Look at settings, brokers, topics, database and sinks, and name what to mend.",
	 "One line a finding: ok; warn: it works, and you should know; fail: it does not work. The line below says what to do: a setting or a\n"
	 "command. Looks at the settings, key ring, dialect files, this machine, the database, the brokers and their topics, mail server and text\n"
	 "provider, with the login and from the machine that it is run on. Changes nothing and sends nothing.\n\n"
	 "  enrolld check --json       for a pipeline: {ok, warn, fail, findings: [{level, subject, what, found, remedy}]}\n\n"
	 "Exit status: 0 nothing failed (there may be warnings), 78 something failed.\n",
	 command_check},
	{"topics", "create [PARTITIONS]", "", "Create the topics that are missing.",
	 "Creates the request topics named in the settings and the three output topics where they do not exist, with the brokers' default\n"
	 "replication and 12 partitions or the number given (dead letters: one). Requests are kept for three days, and never for more than half of\n"
	 "database.horizon, since they hold passwords; broker time counts. Topics that exist are left as they are; 'enrolld check' says what it\n"
	 "thinks of them. Reply topics are their gateway's.\n\n"
	 "  enrolld topics create 24\n",
	 command_topics},
	{"keys", "new|list|rotate|jwks [REALM]|remove EPOCH", "json",
	 "Make and rotate the key ring that codes, links and sealed payloads depend on.",
	 "  enrolld keys new       make the file named by keys.file (fails if there is one)\n"
	 "  enrolld keys list      epochs and their ages, never the keys\n"
	 "  enrolld keys rotate    add an epoch for new values; older ones stay readable. Restart the workers afterwards, one by one\n"
	 "  enrolld keys jwks      the public keys of a realm (default: default) under all epochs, as a JSON Web Key Set, for those who check\n"
	 "                         access tokens. Publish it after a rotation, before the workers restart\n"
	 "  enrolld keys remove 1  take an older epoch out of the file, unless rows of the database need it, which are counted then. Long after all\n"
	 "                         workers have restarted with a newer one, and on whatever machines have the file; workers forget it when they restart\n\n"
	 "Every worker needs the same file. Keep a copy away from the database: without it codes that are under way are worthless.\n\n"
	 "Exit status of remove: 0 it is gone, 66 there is no such epoch, or it is the active one, 75 something needs it.\n",
	 command_keys},
	{"progress", "forget TOPIC PARTITION", "", "Let a partition that was made again start from its beginning.",
	 "When a request topic was deleted and made again, its committed offset lies above the end and the worker pauses the partition rather than guess.\n"
	 "This removes the partition's mark in the database and its offsets in Kafka. Stop the workers of the lane first; with static membership\n"
	 "the group keeps their places for kafka.session_timeout after that. May be repeated.\n\n"
	 "  enrolld progress forget enroll.signup 3\n",
	 command_progress},
	{"settings", "", "json markdown yaml effective", "Print every setting with its meaning, default and range.",
	 "  enrolld settings               the reference; --json for programs\n"
	 "  enrolld settings --yaml        a settings file to start from\n"
	 "  enrolld settings --markdown    the manual's page\n"
	 "  enrolld settings --effective   the values in force and where each came from; secrets are not shown\n",
	 command_settings},
	{"reasons", "", "json markdown", "Print reason codes, rules, log events and metrics with their meaning.",
	 "Printed from the tables that the program itself works by, so that they cannot be out of date.\n\n"
	 "  enrolld reasons --markdown     the manual's page\n"
	 "  enrolld reasons --json         {reasons, verdicts, rules, events, metrics}\n",
	 command_reasons},
	{"shapes", "", "json markdown", "Print how records may be written, and what each gateway must be told.",
	 "The choices of topics.*.shape: what records of that shape look like, where they say what they ask, which headers ask for a reply.\n\n"
	 "  enrolld shapes --markdown      the table of the manual's page on records\n"
	 "  enrolld shapes --json          [{shape, text, asks, body, request_id, replies, configure}]\n",
	 command_shapes},
	{"dialect", "check DIR|try NAME|new NAME", "json", "Check dialect files, try a request on one, or begin one.",
	 "  enrolld dialect new shop                     a folder to start from, in the working folder\n"
	 "  enrolld dialect check schemas/dialects       every fault of every dialect there, with file, line and remedy\n"
	 "  enrolld dialect try shop < request.http      what matched, each rule's verdict, the registration and the answer\n\n"
	 "NAME is a dialect's folder, or one below data.directory. The request is HTTP as text (\"POST /path\", headers, an empty line, the body), or\n"
	 "a record as 'enrolld shapes' describes them, written down (include/enrolld/intake/recording.h). Neither Kafka nor the database is asked.\n"
	 "With --config a dialect's settings have the values of that deployment (dialects.NAME.values).\n"
	 "With --json each line is a request, {method, path, query, headers, body}, and is answered by one: {reason, violations, status, body}.\n\n"
	 "Exit status: 0 fine, 78 a file is wrong.\n",
	 command_dialect},
	{"schema", "NAME...", "yaml", "Print JSON Schema of a dialect's requests and answers.",
	 "  enrolld schema native            JSON Schema (2020-12): $defs \"<route>.request\" and \"<route>.<outcome or reason>\"\n"
	 "  enrolld schema --yaml native shop    AsyncAPI 3 of these dialects, which refers to their schema.json\n\n"
	 "NAME is as for 'enrolld dialect'. What a schema cannot say is listed in it as x-enrolld-rule: such rules only ever refuse more.\n",
	 command_schema},
	{"health", "", "", "Ask a running worker whether it is ready.",
	 "Connects to the admin endpoint of the worker that runs with these settings, for container health checks.\n\n"
	 "Exit status: 0 ready, 75 running but not ready (the reasons are printed), 69 no answer, 78 the settings name no fixed endpoint.\n",
	 command_health},
	{"version", "", "verbose", "Print the version.",
	 "  enrolld version --verbose      also commit, compiler and the libraries in use\n", command_version},
};

static const struct option options[] = {
	{"config", required_argument, NULL, 'c'}, {"help", no_argument, NULL, 'h'},
	{"json", no_argument, NULL, 'j'},         {"markdown", no_argument, NULL, 'm'},
	{"yaml", no_argument, NULL, 'y'},         {"dry-run", no_argument, NULL, 'n'},
	{"verbose", no_argument, NULL, 'v'},      {"effective", no_argument, NULL, 'e'},
	{"version", no_argument, NULL, 'V'},      {0},
};

static const struct command *find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

static void print_usage(FILE *out)
{
	fprintf(out, "enrolld: asynchronous registration worker: requests from Kafka, accounts in PostgreSQL, results back\n\n"
		     "usage: enrolld COMMAND [--config FILE] [options]\n\n");
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].summary);
	fprintf(out,
		"\n'enrolld COMMAND --help' tells more. Without --config: $ENROLLD_CONFIG, else /etc/enrolld/enrolld.yaml if it is there.\n");
}

static void print_help(const struct command *command)
{
	printf("usage: enrolld %s%s%s [--config FILE]", command->name, command->words[0] ? " " : "", command->words);
	for (const char *o = command->options; *o;) {
		size_t n = strcspn(o, " ");
		printf(" [--%.*s]", (int)n, o);
		o += n + strspn(o + n, " ");
	}
	printf("\n\n%s\n\n%s", command->summary, command->help);
}

static bool takes(const struct command *command, const char *option)
{
	size_t n = strlen(option);
	for (const char *o = command->options; *o;) {
		size_t len = strcspn(o, " ");
		if (len == n && strncmp(o, option, n) == 0)
			return true;
		o += len + strspn(o + len, " ");
	}
	return false;
}

static bool *flag_of(struct invocation *invocation, int letter)
{
	switch (letter) {
	case 'j': return &invocation->json;
	case 'm': return &invocation->markdown;
	case 'y': return &invocation->yaml;
	case 'n': return &invocation->dry_run;
	case 'e': return &invocation->effective;
	default: return &invocation->verbose;
	}
}

int command_main(int argc, char **argv)
{
	struct invocation invocation = {0};
	bool help = false, version = false;
	int letter, index = 0;
	bool *flags[ARRAY_LEN(options)] = {0};
	opterr = 0;
	while ((letter = getopt_long(argc, argv, "c:h", options, &index)) != -1) {
		if (letter == 'c') {
			invocation.config = optarg;
		} else if (letter == 'h') {
			help = true;
		} else if (letter == 'V') {
			version = true;
		} else if (letter == '?') {
			fprintf(stderr, "enrolld: %s: unknown option, or its value is missing; see 'enrolld --help'\n",
				argv[optind - 1]);
			return EX_USAGE;
		} else {
			flags[index] = flag_of(&invocation, letter);
			*flags[index] = true;
		}
	}
	if (version)
		return command_version(&invocation);
	if (optind == argc) {
		print_usage(help ? stdout : stderr);
		return help ? EX_OK : EX_USAGE;
	}
	const struct command *command = find(argv[optind]);
	if (!command) {
		fprintf(stderr, "enrolld: %s: no such command; see 'enrolld --help'\n", argv[optind]);
		return EX_USAGE;
	}
	if (help) {
		print_help(command);
		return EX_OK;
	}
	for (size_t i = 0; i < ARRAY_LEN(options); i++)
		if (flags[i] && !takes(command, options[i].name))
			return command_misuse(&invocation, command->name, "takes no --%s", options[i].name);
	invocation.argc = argc - optind - 1;
	invocation.argv = argv + optind + 1;
	if (!command->words[0] && invocation.argc > 0)
		return command_misuse(&invocation, command->name, "takes no further words, such as \"%s\"", invocation.argv[0]);
	return command->run(&invocation);
}

int command_misuse(const struct invocation *invocation, const char *command, const char *fmt, ...)
{
	(void)invocation;
	va_list args;
	va_start(args, fmt);
	fprintf(stderr, "enrolld %s: ", command);
	vfprintf(stderr, fmt, args);
	fprintf(stderr, "; see 'enrolld %s --help'\n", command);
	va_end(args);
	return EX_USAGE;
}

int command_status(enum reason reason)
{
	switch (reason) {
	case REASON_OK: return EX_OK;
	case REASON_USAGE: return EX_USAGE;
	case REASON_SETTING_INVALID:
	case REASON_DIALECT_INVALID:
	case REASON_SCHEMA_MISMATCH: return EX_CONFIG;
	case REASON_FILE_UNREADABLE:
	case REASON_KEYS_INVALID: return EX_NOINPUT;
	case REASON_KEYS_NEEDED: return EX_TEMPFAIL;
	case REASON_STORE_DENIED:
	case REASON_KAFKA_DENIED: return EX_NOPERM;
	case REASON_INTERNAL: return EX_SOFTWARE;
	default: return reason_verdict(reason) == VERDICT_RETRY ? EX_UNAVAILABLE : EX_SOFTWARE;
	}
}

int command_fail(const struct fault *f)
{
	fprintf(stderr, "enrolld: %s\n", f->detail[0] ? f->detail : reason_text(f->reason));
	return command_status(f->reason);
}

int command_load(const struct invocation *invocation, struct conf **conf)
{
	struct strbuf report = STRBUF_INIT(16384);
	struct fault f;
	enum reason reason = conf_load(conf_tables(), invocation->config, environ, &report, conf, &f);
	if (reason != REASON_OK) {
		struct slice lines = strbuf_slice(&report);
		if (lines.len)
			fprintf(stderr, "%.*s%s", (int)lines.len, lines.ptr, lines.ptr[lines.len - 1] == '\n' ? "" : "\n");
		else
			(void)command_fail(&f);
		fprintf(stderr, "enrolld: the settings are not acceptable; 'enrolld settings' explains each one\n");
	}
	strbuf_free(&report);
	return command_status(reason);
}

void command_print(struct strbuf *text)
{
	struct slice s = strbuf_slice(text);
	fwrite(s.ptr, 1, s.len, stdout);
	strbuf_free(text);
}
