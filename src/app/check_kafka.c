// SPDX-License-Identifier: Apache-2.0
// enrolld check: the brokers, and what is between them and the worker.
#include <string.h>
#include <strings.h>

#include "app/check.h"
#include "enrolld/kafka/admin.h"

#define TIMEOUT_MS 10000

// "host:port, [::1]:9092": whether every broker to start from is on this machine.
static bool are_local(const char *servers)
{
	for (const char *at = servers; *at;) {
		at += strspn(at, ", ");
		size_t len = strcspn(at, ", ");
		const char *colon = memrchr(at, ':', len);
		if (len && !check_is_loopback(at, colon ? (size_t)(colon - at) : len))
			return false;
		at += len;
	}
	return true;
}

static void check_security(struct checkup *c, const struct kafka_conf *kafka)
{
	const char *protocol = setting_map_get(&kafka->properties, "security.protocol");
	const char *verify = setting_map_get(&kafka->properties, "enable.ssl.certificate.verification");
	const char *name = setting_map_get(&kafka->properties, "ssl.endpoint.identification.algorithm");
	bool local = are_local(kafka->bootstrap_servers);
	bool tls = protocol && (strcasecmp(protocol, "ssl") == 0 || strcasecmp(protocol, "sasl_ssl") == 0);
	if (!tls && !local)
		check_add(c, CHECK_WARN, "kafka encryption",
			  "kafka.properties: {security.protocol: ssl} or sasl_ssl, with ssl.ca.location",
			  "none, and the brokers are elsewhere: passwords cross the network in clear");
	else if (tls && ((verify && strcasecmp(verify, "false") == 0) || (name && strcasecmp(name, "none") == 0)))
		check_add(
			c, CHECK_WARN, "kafka encryption",
			"kafka.properties: leave out enable.ssl.certificate.verification and ssl.endpoint.identification.algorithm",
			"TLS, but the brokers' certificates or names are not verified");
	else
		check_add(c, CHECK_OK, "kafka encryption", "", "%s",
			  tls ? "TLS, brokers verified" : "none; the brokers are on this machine");
	if (kafka->results == KAFKA_RESULTS_IDEMPOTENT)
		check_add(c, CHECK_WARN, "kafka.results", "kafka.results: transactional",
			  "idempotent: a crash may repeat results, with the same event ids");
}

void check_kafka(struct checkup *c, const struct conf *conf)
{
	const struct kafka_conf *kafka = conf_get(conf, &kafka_settings);
	struct kafka_admin *admin = NULL;
	struct fault f;
	int brokers = 0;
	c->subject = "kafka";
	check_security(c, kafka);
	enum reason reason = kafka_admin_create(kafka, &admin, &f);
	if (reason == REASON_OK)
		reason = kafka_admin_brokers(admin, TIMEOUT_MS, &brokers, &f);
	if (reason != REASON_OK) {
		const char *remedy = reason == REASON_KAFKA_DENIED || reason == REASON_SETTING_INVALID
					     ? "correct kafka.properties: security.protocol, sasl.*, ssl.*"
					     : "correct kafka.bootstrap_servers, start the brokers, or open the way to them";
		check_add(c, CHECK_FAIL, "kafka.bootstrap_servers", remedy, "%s: %s", kafka->bootstrap_servers, f.detail);
		check_add(c, CHECK_WARN, "topics", "run it again when a broker answers", "not looked at");
	} else {
		check_add(c, CHECK_OK, "kafka.bootstrap_servers", "", "%s: brokers that answer for the cluster: %d",
			  kafka->bootstrap_servers, brokers);
		if (brokers == 1)
			check_add(c, CHECK_WARN, "kafka replication",
				  "run three brokers or more, topics with replication 3 and min.insync.replicas=2",
				  "one broker: what it acknowledged is lost with its disk");
		check_topics(c, conf, admin, brokers);
	}
	kafka_admin_destroy(admin);
}
