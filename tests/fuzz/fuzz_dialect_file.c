// SPDX-License-Identifier: Apache-2.0
// Any file as a dialect: it is told as wrong or loaded, and what was loaded can be asked and described.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "enrolld/dialect/schema.h"
#include "enrolld/doc/json.h"
#include "require.h"

static char folder[] = "/tmp/enrolld-fuzz-XXXXXX/dialects";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void clean(void)
{
	char path[sizeof(folder) + 32];
	(void)snprintf(path, sizeof(path), "%s/any/dialect.yaml", folder);
	(void)unlink(path);
	(void)snprintf(path, sizeof(path), "%s/any", folder);
	(void)rmdir(path);
	(void)rmdir(folder);
	*strrchr(folder, '/') = '\0';
	(void)rmdir(folder);
}

static void start(void)
{
	char path[sizeof(folder) + 32];
	json_setup();
	*strrchr(folder, '/') = '\0';
	require(mkdtemp(folder) != NULL);
	folder[strlen(folder)] = '/';
	(void)snprintf(path, sizeof(path), "%s/any", folder);
	require(mkdir(folder, 0700) == 0 && mkdir(path, 0700) == 0);
	require(atexit(clean) == 0);
}

static void ask(const struct dialect_set *set, struct secret_pool *pool)
{
	static const char *const names[] = {"any"};
	struct arena *arena = arena_create(4096);
	struct fault f;
	struct record record = {0};
	struct request request = {.record = &record,
				  .method = SLICE_LIT("POST"),
				  .path = SLICE_LIT("/v1/accounts"),
				  .body = SLICE_LIT("{\"email\":\"a@example.com\","
						    "\"password\":\"blue heron over the lake\",\"attributes\":{\"a\":[1]}}"),
				  .realm = SLICE_LIT(""),
				  .request_id = SLICE_LIT("id")};
	const struct dialect *dialect;
	const struct route *route;
	struct registration registration = {0};
	struct receipt receipt = {.outcome = OUTCOME_REFUSED};
	struct answer answer;
	enum reason reason = dialect_route(set, names, 1, &request, &dialect, &route, &f);
	if (reason == REASON_OK)
		reason = dialect_read(route, &request, pool, 0, arena, &registration, &f);
	receipt.reason = reason == REASON_OK ? REASON_IDENTITY_TAKEN : reason;
	receipt.violations = registration.violations;
	receipt.violation_count = registration.violation_count;
	dialect_answer(dialect, route, &request, &registration, &receipt, arena, &answer);
	require(answer.status >= 200 && answer.status <= 599);
	registration_forget(&registration);
	arena_destroy(arena);
}

static void describe(const struct dialect_set *set)
{
	struct strbuf out = STRBUF_INIT(1 << 22);
	dialect_schema(set, "any", &out);
	require(out.len > 0);
	strbuf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = {"any"};
	static struct secret_pool *pool;
	char path[sizeof(folder) + 32];
	struct strbuf report = STRBUF_INIT(65536);
	struct dialect_set *set;
	struct fault f;
	bool locked;
	if (!pool) {
		start();
		require(secret_pool_create(2, &pool, &locked, &f) == REASON_OK);
	}
	(void)snprintf(path, sizeof(path), "%s/any/dialect.yaml", folder);
	FILE *file = fopen(path, "w");
	require(file && fwrite(data, 1, size, file) == size);
	require(fclose(file) == 0);
	if (dialect_load(folder, names, 1, NULL, &report, &set, &f) == REASON_OK) {
		ask(set, pool);
		describe(set);
		dialect_set_destroy(set);
	} else {
		require(report.len > 0 && f.detail[0]);
	}
	strbuf_free(&report);
	return 0;
}
