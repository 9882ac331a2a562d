// SPDX-License-Identifier: Apache-2.0
// Plain scalars: only what nobody can misread is more than text. No yes/no, no octal, no sexagesimal, no phone number as an integer.
#include "doc/yaml_scalar.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

static bool digit(char c)
{
	return c >= '0' && c <= '9';
}

static const char *digits(const char *p)
{
	while (digit(*p))
		p++;
	return p;
}

// A number as RFC 8259 writes it, to its end.
static bool number(const char *text, bool *real)
{
	const char *p = *text == '-' ? text + 1 : text;

	*real = false;
	if (!digit(*p) || (*p == '0' && digit(p[1])))
		return false;
	p = digits(p);
	if (*p == '.') {
		*real = true;
		if (!digit(*++p))
			return false;
		p = digits(p);
	}
	if (*p == 'e' || *p == 'E') {
		*real = true;
		p += p[1] == '+' || p[1] == '-' ? 2 : 1;
		if (!digit(*p))
			return false;
		p = digits(p);
	}
	return *p == '\0';
}

bool yaml_scalar(struct slice text, struct node *node)
{
	bool real;

	if (text.len == 0 || slice_equal_text(text, "~") || slice_equal_text(text, "null")) {
		node->type = NODE_NULL;
	} else if (slice_equal_text(text, "true") || slice_equal_text(text, "false")) {
		node->type = NODE_BOOL;
		node->boolean = text.ptr[0] == 't';
	} else if (number(text.ptr, &real)) {
		node->type = real ? NODE_REAL : NODE_INT;
		errno = 0;
		if (real)
			node->real = strtod(text.ptr, NULL);
		else
			node->integer = strtoll(text.ptr, NULL, 10);
		return real ? isfinite(node->real) : errno == 0;
	} else {
		node->type = NODE_TEXT;
		node->text = text;
	}
	return true;
}
