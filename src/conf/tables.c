// SPDX-License-Identifier: Apache-2.0
// Every module's settings, in the order of the reference: the one place that lists them.
#include "enrolld/conf/conf.h"
#include "enrolld/conf/process.h"
#include "enrolld/courier/courier.h"
#include "enrolld/credential/pool.h"
#include "enrolld/dialect/dialect.h"
#include "enrolld/flow/flow.h"
#include "enrolld/intake/intake.h"
#include "enrolld/kafka/conf.h"
#include "enrolld/operation/operation.h"
#include "enrolld/store/store.h"

static const struct setting_table *const all[] = {
	&kafka_settings,   &topic_settings, &dialect_settings,    &store_settings,   &flow_settings,    &operation_settings,
	&sending_settings, &realm_settings, &credential_settings, &courier_settings, &process_settings,
};

const struct conf_tables *conf_tables(void)
{
	static const struct conf_tables tables = {all, ARRAY_LEN(all)};

	return &tables;
}
