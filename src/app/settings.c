// SPDX-License-Identifier: Apache-2.0
// enrolld settings: the reference, and the values in force.
#include <sysexits.h>

#include "app/command.h"

#define PAGE_LIMIT ((size_t)4 << 20)

static int print_effective(const struct invocation *invocation)
{
	struct strbuf text = STRBUF_INIT(PAGE_LIMIT);
	struct conf *conf = NULL;
	int status = command_load(invocation, &conf);
	if (status != EX_OK)
		return status;
	conf_print_effective(conf, invocation->json ? CONF_FORMAT_JSON : CONF_FORMAT_TEXT, &text);
	conf_destroy(conf);
	command_print(&text);
	return EX_OK;
}

int command_settings(const struct invocation *invocation)
{
	struct strbuf text = STRBUF_INIT(PAGE_LIMIT);
	if (invocation->json + invocation->markdown + invocation->yaml > 1)
		return command_misuse(invocation, "settings", "takes one of --json, --markdown and --yaml");
	if (invocation->effective && (invocation->markdown || invocation->yaml))
		return command_misuse(invocation, "settings", "--effective prints text, or --json");
	if (invocation->effective)
		return print_effective(invocation);
	enum conf_format format = CONF_FORMAT_TEXT;
	if (invocation->json)
		format = CONF_FORMAT_JSON;
	else if (invocation->markdown)
		format = CONF_FORMAT_MARKDOWN;
	else if (invocation->yaml)
		format = CONF_FORMAT_YAML;
	conf_print_reference(conf_tables(), format, &text);
	command_print(&text);
	return EX_OK;
}
