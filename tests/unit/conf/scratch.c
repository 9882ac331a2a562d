// SPDX-License-Identifier: Apache-2.0
// A folder of its own for the files of a test program.
#include "unit/conf/scratch.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64];

void scratch_enter(void)
{
	(void)snprintf(folder, sizeof(folder), "/tmp/enrolld-conf-XXXXXX");
	assert_non_null(mkdtemp(folder));
	assert_int_equal(chdir(folder), 0);
}

void scratch_leave(void)
{
	DIR *dir = opendir(folder);

	assert_non_null(dir);
	for (const struct dirent *entry; (entry = readdir(dir));)
		if (entry->d_name[0] != '.')
			assert_int_equal(unlinkat(dirfd(dir), entry->d_name, 0), 0);
	(void)closedir(dir);
	assert_int_equal(chdir("/"), 0);
	assert_int_equal(rmdir(folder), 0);
}

void scratch_write(const char *name, const char *content)
{
	FILE *file = fopen(name, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(content, 1, strlen(content), file), strlen(content));
	assert_int_equal(fclose(file), 0);
}

char *const *scratch_environment(const char *const *variables)
{
	static char texts[8][128];
	static char *environment[9];
	size_t count = 0;

	for (; variables[count]; count++) {
		assert_in_range(count, 0, 7);
		assert_in_range(snprintf(texts[count], sizeof(texts[count]), "%s", variables[count]), 1, sizeof(texts[count]) - 1);
		environment[count] = texts[count];
	}
	environment[count] = NULL;
	return environment;
}
