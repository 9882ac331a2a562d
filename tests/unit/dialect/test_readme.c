// SPDX-License-Identifier: Apache-2.0
// What schemas/dialects says about the vocabulary is true and whole: its example loads, and every rule and value is named.
#include "case.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dialect/values.h"
#include "enrolld/doc/json.h"
#include "enrolld/rules/rules.h"

static char readme[65536];

static void read_readme(const char *path)
{
	FILE *file = fopen(path, "r");
	assert_non_null(file);
	size_t len = fread(readme, 1, sizeof(readme) - 1, file);
	assert_true(len > 0 && len < sizeof(readme) - 1);
	readme[len] = '\0';
	assert_int_equal(fclose(file), 0);
}

static void assert_names(const char *word)
{
	char quoted[128];
	(void)snprintf(quoted, sizeof(quoted), "`%s`", word);
	if (!strstr(readme, quoted))
		fail_msg("the README does not name %s", quoted);
}

static void test_vocabulary(void **state)
{
	static const char *const values[] = {
#define VALUE(id, name) name,
		ANSWER_VALUES(VALUE)
#undef VALUE
			VIOLATION_VALUES,
	};
	struct rule_row row;
	(void)state;
	read_readme(ENROLLD_SCHEMAS_DIR "/dialects/README.md");
	for (size_t i = 0; rule_row(i, &row); i++) {
		assert_names(row.name);
		assert_names(row.code);
	}
	for (size_t i = 0; i < ARRAY_LEN(values); i++)
		assert_names(values[i]);
}

static void test_example(void **state)
{
	static const char *const names[] = {"shop"};
	static const char body[] =
		"{\"customer\":{\"email\":\" A@Example.com \",\"password\":\"blue heron over the lake\"},\"size\":\"small\"}";
	char folder[] = "/tmp/enrolld-readme-XXXXXX", path[160];
	struct dialect_case c = {.arena = arena_create(4096)};
	struct strbuf report = STRBUF_INIT(4096);
	bool locked;
	(void)state;
	read_readme(ENROLLD_SCHEMAS_DIR "/dialects/README.md");
	char *yaml = strstr(readme, "format: 1");
	assert_non_null(yaml);
	*strstr(yaml, "```") = '\0';
	assert_non_null(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/dialects", folder);
	assert_int_equal(mkdir(path, 0700), 0);
	(void)snprintf(path, sizeof(path), "%s/dialects/shop", folder);
	assert_int_equal(mkdir(path, 0700), 0);
	(void)snprintf(path, sizeof(path), "%s/wordlists", folder);
	assert_int_equal(symlink(ENROLLD_SCHEMAS_DIR "/wordlists", path), 0);
	(void)snprintf(path, sizeof(path), "%s/dialects/shop/dialect.yaml", folder);
	FILE *file = fopen(path, "w");
	assert_true(file && fputs(yaml, file) >= 0 && fclose(file) == 0);
	(void)snprintf(path, sizeof(path), "%s/dialects", folder);
	json_setup();
	enum reason reason = dialect_load(path, names, 1, NULL, &report, &c.set, &c.fault);
	const char *const leftovers[] = {"dialects/shop/dialect.yaml", "dialects/shop", "dialects", "wordlists", ""};
	for (size_t i = 0; i < ARRAY_LEN(leftovers); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", folder, leftovers[i]);
		assert_int_equal(remove(path), 0);
	}
	if (reason != REASON_OK)
		fail_msg("%s", report.data);

	assert_int_equal(secret_pool_create(1, &c.pool, &locked, &c.fault), REASON_OK);
	c.request = (struct request){
		.record = &c.record, .event_type = SLICE_LIT("com.example.register.v1"), .body = {body, sizeof(body) - 1}};
	assert_int_equal(dialect_route(c.set, names, 1, &c.request, &c.dialect, &c.route, &c.fault), REASON_OK);
	assert_int_equal(dialect_read(c.route, &c.request, c.pool, NOW_MS, c.arena, &c.registration, &c.fault), REASON_OK);
	assert_true(slice_equal_text(c.registration.claims[0].value, "a@example.com"));
	assert_string_equal(case_answer(&c, REASON_OK),
			    "{\"id\":\"00000000-0000-0000-0000-000000000000\",\"mail\":\"A@Example.com\",\"pending\":\"active\"}");

	c.request.body = SLICE_LIT("{\"customer\":{\"email\":\"x\"},\"size\":\"huge\"}");
	secret_release(c.registration.password);
	assert_int_equal(dialect_read(c.route, &c.request, c.pool, NOW_MS, c.arena, &c.registration, &c.fault), REASON_INVALID);
	assert_string_equal(case_violations(&c), "/customer/email:bad_mail /customer/password:required /size:not_a_choice");
	strbuf_free(&report);
	case_end(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_vocabulary), cmocka_unit_test(test_example)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
