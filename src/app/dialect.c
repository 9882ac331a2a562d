// SPDX-License-Identifier: Apache-2.0
// enrolld dialect: what writers of dialects need, without Kafka and without a database.
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "app/command.h"
#include "app/dialect.h"
#include "enrolld/conf/process.h"
#include "enrolld/crypto/keys.h"
#include "enrolld/doc/json.h"

#define REPORT_MAX ((size_t)1 << 20)
#define NAMES_MAX 256

// Does the word say where the dialect is? Otherwise it is a name.
static bool split_folder(const char *word, struct arena *arena, const char **directory, const char **name)
{
	const char *slash = strrchr(word, '/');
	size_t len = strlen(word);
	if (slash && slash[1] == '\0' && slash > word) { // "shop/"
		word = arena_copy(arena, (struct slice){word, len - 1}).ptr;
		slash = strrchr(word, '/');
	}
	*name = slash ? slash + 1 : word;
	if (!slash && access(arena_printf(arena, "%s/dialect.yaml", word).ptr, F_OK) != 0)
		return false;
	*directory = !slash ? "." : slash == word ? "/" : arena_copy(arena, (struct slice){word, (size_t)(slash - word)}).ptr;
	return true;
}

const char *dialect_data(const struct conf *conf, struct arena *arena)
{
	struct process_conf defaults;
	const char *named = getenv("ENROLLD__DATA__DIRECTORY");
	if (conf)
		return arena_text(arena, ((const struct process_conf *)conf_get(conf, &process_settings))->data_dir);
	settings_defaults(&process_settings, arena, &defaults);
	return named && *named ? named : defaults.data_dir;
}

bool dialect_place(const struct invocation *invocation, const char *word, struct arena *arena, const char **directory,
		   const char **name, struct conf **conf)
{
	*conf = NULL;
	if ((invocation->config || getenv("ENROLLD_CONFIG")) && command_load(invocation, conf) != EX_OK)
		return false;
	if (!split_folder(word, arena, directory, name))
		*directory = arena_printf(arena, "%s/dialects", dialect_data(*conf, arena)).ptr;
	return true;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

// The folders that hold a dialect.
static size_t list_dialects(const char *directory, struct arena *arena, const char **names)
{
	size_t count = 0;
	DIR *dir = opendir(directory);
	for (struct dirent *entry; dir && count < NAMES_MAX && (entry = readdir(dir));)
		if (entry->d_name[0] != '.' &&
		    access(arena_printf(arena, "%s/%s/dialect.yaml", directory, entry->d_name).ptr, F_OK) == 0)
			names[count++] = arena_text(arena, entry->d_name);
	if (dir)
		(void)closedir(dir);
	qsort(names, count, sizeof(*names), by_name);
	return count;
}

static bool check_one(const char *directory, const char *name, const char *data_dir)
{
	struct strbuf report = STRBUF_INIT(REPORT_MAX);
	struct dialect_set *set = NULL;
	struct fault f;
	struct strbuf notes = STRBUF_INIT(REPORT_MAX);
	const struct dialect_options options = {.data_dir = data_dir, .notes = &notes};
	enum reason reason = dialect_load(directory, &name, 1, &options, &report, &set, &f);
	command_print(reason == REASON_OK ? &notes : &report);
	if (reason == REASON_OK)
		printf("%s/%s: fine\n", directory, name);
	strbuf_free(&notes);
	strbuf_free(&report);
	dialect_set_destroy(set);
	return reason == REASON_OK;
}

static int check(const struct invocation *invocation, const char *folder)
{
	struct arena *arena = arena_create(4096);
	struct conf *conf = NULL;
	if ((invocation->config || getenv("ENROLLD_CONFIG")) && command_load(invocation, &conf) != EX_OK) {
		arena_destroy(arena);
		return EX_CONFIG;
	}
	const char *data_dir = dialect_data(conf, arena);
	const char **names = ARENA_ARRAY(arena, NAMES_MAX, const char *);
	const char *directory = folder;
	size_t count = list_dialects(folder, arena, names);
	int status = EX_OK;
	if (count == 0 && access(arena_printf(arena, "%s/dialect.yaml", folder).ptr, F_OK) == 0) {
		const char *whole = realpath(folder, NULL);
		struct slice path = arena_copy(arena, slice_of(whole ? whole : folder));
		free((void *)(uintptr_t)whole);
		const char *slash = memrchr(path.ptr, '/', path.len);
		directory = arena_copy(arena, (struct slice){path.ptr, slash > path.ptr ? (size_t)(slash - path.ptr) : 1}).ptr;
		names[count++] = slash + 1;
	}
	if (count == 0) {
		fprintf(stderr, "enrolld: %s: no dialect.yaml there, and no folder with one\n", folder);
		status = EX_NOINPUT;
	}
	for (size_t i = 0; i < count; i++)
		if (!check_one(directory, names[i], data_dir))
			status = EX_CONFIG;
	conf_destroy(conf);
	arena_destroy(arena);
	return status;
}

static const char starter[] =
	"format: 1\n"
	"dialect: %s\n"
	"summary: What this frontend is, in one sentence.\n"
	"\n"
	"body:\n"
	"  media: [application/json]\n"
	"  null: missing             # a null is as if the member were not there\n"
	"\n"
	"collect: all                # all failing rules are told; or first_per_field, first\n"
	"\n"
	"texts:                      # sentences by code\n"
	"  required: This field is required.\n"
	"\n"
	"answers:\n"
	"  refused:                  # every reason that has no answer of its own\n"
	"    status: 400\n"
	"    body: {error: \"{{reason}}\", message: \"{{text}}\"}\n"
	"  invalid:\n"
	"    status: 422\n"
	"    body:\n"
	"      errors: {$each: violations, $item: {field: \"{{path}}\", code: \"{{code}}\", message: \"{{text}}\"}}\n"
	"  identity_taken: {like: invalid, status: 409}\n"
	"  unknown_route: {like: refused, status: 404}\n"
	"  method_not_allowed: {like: refused, status: 405, headers: {allow: \"{{allow}}\"}}\n"
	"  unsupported_media_type: {like: refused, status: 415}\n"
	"  dead: {like: refused, status: 500}\n"
	"\n"
	"routes:\n"
	"  - name: register          # kept with every request: never rename it\n"
	"    operation: sign_up\n"
	"    method: POST\n"
	"    path: /register\n"
	"    fields:\n"
	"      email:\n"
	"        from: /email        # JSON pointer into the body\n"
	"        normalise: trim\n"
	"        map: email\n"
	"        rules:\n"
	"          - required\n"
	"          - type: text\n"
	"          - email\n"
	"          - unique\n"
	"      password:\n"
	"        from: /password\n"
	"        secret: true\n"
	"        map: password\n"
	"        rules:\n"
	"          - required\n"
	"          - type: text\n"
	"          - max_bytes: 256\n"
	"            stop: true\n"
	"          - min_length: 15\n"
	"    answers:\n"
	"      accepted:\n"
	"        status: 201\n"
	"        body: {id: \"{{account_id}}\", email: \"{{email}}\"}\n";

static int write_starter(const char *folder, const char *name, struct arena *arena)
{
	const char *path = arena_printf(arena, "%s/dialect.yaml", folder).ptr;
	if (mkdir(folder, 0755) != 0 && errno != EEXIST) {
		fprintf(stderr, "enrolld: %s: %s\n", folder, strerrorname_np(errno));
		return EX_CANTCREAT;
	}
	FILE *file = fopen(path, "wxe");
	if (!file) {
		fprintf(stderr, "enrolld: %s: %s\n", path, errno == EEXIST ? "is there already" : strerrorname_np(errno));
		return EX_CANTCREAT;
	}
	bool written = fprintf(file, starter, name) > 0;
	if (fclose(file) != 0 || !written)
		return EX_IOERR;
	printf("%s\nNext: edit it, then 'enrolld dialect check %s' and 'enrolld dialect try %s < request.http'\n", path, folder,
	       folder);
	return EX_OK;
}

static int create(const char *folder)
{
	const char *slash = strrchr(folder, '/');
	const char *name = slash ? slash + 1 : folder;
	size_t plain = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-");
	if (plain == 0 || plain > 64 || name[plain] != '\0') {
		fprintf(stderr, "enrolld: %s: a dialect's name has a-z, 0-9, - and _\n", name);
		return EX_USAGE;
	}
	struct arena *arena = arena_create(4096);
	// A bare name would be looked for below data.directory.
	int status = write_starter(slash ? folder : arena_printf(arena, "./%s", folder).ptr, name, arena);
	arena_destroy(arena);
	return status;
}

int command_dialect(const struct invocation *invocation)
{
	const char *verb = invocation->argc > 0 ? invocation->argv[0] : "";
	if (invocation->argc != 2)
		return command_misuse(invocation, "dialect", "takes check DIR, try NAME or new NAME");
	if (strcmp(verb, "check") == 0)
		return check(invocation, invocation->argv[1]);
	if (strcmp(verb, "try") == 0)
		return dialect_try(invocation, invocation->argv[1]);
	if (strcmp(verb, "new") == 0)
		return create(invocation->argv[1]);
	return command_misuse(invocation, "dialect", "takes check, try or new, not \"%s\"", verb);
}
