// SPDX-License-Identifier: Apache-2.0
// Lists of libpq: items between commas, as many ports as hosts, or one for all.
#include "store/hosts.h"

#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>

#include "enrolld/base/fault.h"

// The list beginning with its n-th item (counted around); NULL if that changes nothing.
static char *turned(const char *list, size_t n)
{
	size_t count = 1;
	for (const char *at = list; at && (at = strchr(at, ',')); at++)
		count++;
	if (!list || n % count == 0)
		return NULL;
	const char *first = list;
	for (size_t i = 0; i < n % count; i++)
		first = strchr(first, ',') + 1;
	char *text = NULL;
	if (asprintf(&text, "%s,%.*s", first, (int)(first - list - 1), list) < 0)
		PANIC("no memory for a list of hosts");
	return text;
}

// Properties outweigh the DSN.
static const char *value_of(const struct store_conf *conf, const PQconninfoOption *options, const char *keyword)
{
	const char *own = setting_map_get(&conf->properties, keyword);
	for (; !own && options && options->keyword; options++)
		if (strcmp(options->keyword, keyword) == 0)
			own = options->val;
	return own;
}

void hosts_turn(const struct store_conf *conf, size_t turn, struct hosts *hosts)
{
	*hosts = (struct hosts){0};
	if (turn == 0)
		return;
	PQconninfoOption *options = PQconninfoParse(conf->dsn, NULL); // NULL for one that is a database's name
	hosts->host = turned(value_of(conf, options, "host"), turn);
	hosts->hostaddr = turned(value_of(conf, options, "hostaddr"), turn);
	hosts->port = turned(value_of(conf, options, "port"), turn);
	PQconninfoFree(options);
}

void hosts_free(struct hosts *hosts)
{
	free(hosts->host);
	free(hosts->hostaddr);
	free(hosts->port);
}
