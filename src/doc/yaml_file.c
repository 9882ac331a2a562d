// SPDX-License-Identifier: Apache-2.0
// YAML from a file.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "enrolld/base/secret.h"
#include "enrolld/doc/yaml.h"

enum reason yaml_parse_file(const char *path, enum reason reason, struct arena *arena, const struct node **root, struct fault *f)
{
	size_t size = YAML_BYTES_MAX + 1, len;
	enum reason result;
	char *text;
	FILE *file = fopen(path, "re");

	if (!file)
		return fault_set(f, REASON_FILE_UNREADABLE, "%s: %s", path, strerror(errno));
	text = malloc(size);
	if (!text)
		PANIC("out of memory");
	errno = 0;
	len = fread(text, 1, size, file);
	if (ferror(file))
		result = fault_set(f, REASON_FILE_UNREADABLE, "%s: %s", path, strerror(errno));
	else
		result = yaml_parse(path, (struct slice){text, len}, reason, arena, root, f);
	secret_wipe(text, len); // settings may hold passwords
	free(text);
	(void)fclose(file);
	return result;
}
