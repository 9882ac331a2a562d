// SPDX-License-Identifier: Apache-2.0
// enrolld migrate: the database schema to this version.
#include <stdio.h>
#include <sysexits.h>

#include "app/command.h"
#include "enrolld/store/schema.h"

int command_migrate(const struct invocation *invocation)
{
	struct conf *conf = NULL;
	struct fault f;
	int status = command_load(invocation, &conf);
	if (status != EX_OK)
		return status;
	if (schema_migrate(conf_get(conf, &store_settings), invocation->dry_run, stdout, &f) != REASON_OK) {
		fflush(stdout); // the steps that were made stand before the failure
		status = command_fail(&f);
	}
	conf_destroy(conf);
	return status;
}
