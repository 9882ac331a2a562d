// SPDX-License-Identifier: Apache-2.0
// enrolld check: the database, as the store module sees it.
#include "app/check.h"

static void take(void *ctx, enum check_level level, const char *what, const char *found, const char *remedy)
{
	check_add(ctx, level, what, remedy, "%s", found);
}

void check_store(struct checkup *c, const struct conf *conf)
{
	c->subject = "database";
	schema_check(conf_get(conf, &store_settings), take, c);
}
