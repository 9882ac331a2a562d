// SPDX-License-Identifier: Apache-2.0
// Secrets from files.
#include <errno.h>
#include <stdio.h>

#include "conf/load.h"
#include "enrolld/base/secret.h"

#define SECRET_FILE_MAX 16384

enum reason secret_file_read(const char *path, struct arena *arena, struct slice *text, struct fault *f)
{
	char bytes[SECRET_FILE_MAX + 1];
	enum reason r = REASON_OK;
	FILE *file = fopen(path, "re");
	size_t len;

	if (!file)
		return fault_set(f, REASON_FILE_UNREADABLE, "%s", strerror(errno));
	(void)setvbuf(file, NULL, _IONBF, 0); // no copy of the secret in stdio's buffer
	errno = 0;
	len = fread(bytes, 1, sizeof(bytes), file);
	if (ferror(file))
		r = fault_set(f, REASON_FILE_UNREADABLE, "%s", strerror(errno));
	else if (len > SECRET_FILE_MAX)
		r = fault_set(f, REASON_SETTING_INVALID, "larger than %d bytes", SECRET_FILE_MAX);
	(void)fclose(file);
	if (!r) {
		if (len > 0 && bytes[len - 1] == '\n')
			len -= len > 1 && bytes[len - 2] == '\r' ? 2 : 1;
		*text = arena_copy(arena, (struct slice){bytes, len});
	}
	secret_wipe(bytes, sizeof(bytes));
	return r;
}
