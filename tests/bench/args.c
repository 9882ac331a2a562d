// SPDX-License-Identifier: Apache-2.0
// Arguments of the bench programs.
#include "args.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

void die(const char *format, ...)
{
	va_list values;
	fprintf(stderr, "%s: ", program_invocation_short_name);
	va_start(values, format);
	vfprintf(stderr, format, values);
	va_end(values);
	fputc('\n', stderr);
	exit(EX_SOFTWARE);
}

void *bench_alloc(size_t count, size_t size)
{
	void *memory = calloc(count ? count : 1, size);
	if (!memory)
		die("no memory for %zu times %zu bytes", count, size);
	return memory;
}

struct args args_of(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (!strchr(argv[i], '='))
			die("\"%s\" is not written name=value", argv[i]);
	return (struct args){argc - 1, argv + 1};
}

const char *args_nth(const struct args *args, const char *name, size_t index)
{
	size_t length = strlen(name);
	for (int i = 0; i < args->count; i++)
		if (strncmp(args->words[i], name, length) == 0 && args->words[i][length] == '=' && index-- == 0)
			return args->words[i] + length + 1;
	return NULL;
}

const char *args_text(const struct args *args, const char *name, const char *fallback)
{
	const char *value = args_nth(args, name, 0);
	if (!value && !fallback)
		die("%s=... is missing", name);
	return value ? value : fallback;
}

long args_number(const struct args *args, const char *name, long fallback)
{
	const char *text = args_nth(args, name, 0);
	char *end;
	if (!text && fallback < 0)
		die("%s=... is missing", name);
	if (!text)
		return fallback;
	errno = 0;
	long value = strtol(text, &end, 10);
	if (errno || end == text || *end || value < 0)
		die("%s=%s is not a number", name, text);
	return value;
}
