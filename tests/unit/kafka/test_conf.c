// SPDX-License-Identifier: Apache-2.0
// Settings, their check, and the layers of librdkafka properties.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "kafka/client.h"

struct fixture {
	struct arena *arena;
	struct kafka_conf conf;
};

static int set_up(void **state)
{
	static struct fixture fixture;
	fixture.arena = arena_create(4096);
	settings_defaults(&kafka_settings, fixture.arena, &fixture.conf);
	fixture.conf.bootstrap_servers = "127.0.0.1:9";
	*state = &fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;
	arena_destroy(fixture->arena);
	return 0;
}

static void test_defaults(void **state)
{
	const struct kafka_conf *conf = &((struct fixture *)*state)->conf;
	struct fault f;
	assert_int_equal(conf->results, KAFKA_RESULTS_TRANSACTIONAL);
	assert_int_equal(conf->session_timeout_ms, 6000);
	assert_int_equal(conf->transaction_timeout_ms, 10000);
	assert_int_equal(conf->prefetch_records, 10000);
	assert_int_equal(conf->prefetch_bytes, 16 << 20);
	assert_true(conf->static_membership);
	assert_int_equal(kafka_settings.check(conf, &f), REASON_OK);
}

static const struct {
	const char *property, *value;
	bool fine;
	const char *detail; // what must be in it
} cases[] = {
	{"security.protocol", "ssl", true, NULL},
	{"sasl.mechanism", "SCRAM-SHA-512", true, NULL},
	{"compression.type", "zstd", true, NULL},
	{"partition.assignment.strategy", "range", true, NULL},
	{"partition.assignment.strategy", "cooperative-sticky", true, NULL},
	{"partition.assignment.strategy", "roundrobin", false, "range"},
	{"enable.auto.commit", "true", false, "pass together"},
	{"isolation.level", "read_uncommitted", false, "stable"},
	{"transactional.id", "x", false, "kafka.results"},
	{"group.instance.id", "x", false, "kafka.static_membership"},
	{"enable.idempotence", "false", false, "idempotent"},
	{"acks", "1", false, "replicas"},
	{"bootstrap.servers", "x:1", false, "kafka.bootstrap_servers"},
	{"auto.offset.reset", "latest", false, "decides"},
	{"session.timeout.ms", "1", false, "kafka.session_timeout"},
	{"secutiry.protocol", "ssl", false, "secutiry.protocol"},
	{"socket.timeout.ms", "s3cret", false, "socket.timeout.ms"},
	{"client.id", "a-name-that-is-much-longer-than-librdkafka-before-two-five-can-stand-in-a-buffer", false, "client.id"},
};

static void test_check(void **state)
{
	struct fixture *fixture = *state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct setting_pair pair = {cases[i].property, cases[i].value};
		struct setting_map *maps[] = {&fixture->conf.properties, &fixture->conf.consumer_properties,
					      &fixture->conf.producer_properties};
		const char *rows[] = {"kafka.properties", "kafka.consumer_properties", "kafka.producer_properties"};
		for (size_t k = 0; k < 3; k++) {
			struct fault f = {0};
			*maps[k] = (struct setting_map){&pair, 1};
			enum reason reason = kafka_settings.check(&fixture->conf, &f);
			*maps[k] = (struct setting_map){0};
			if (reason != (cases[i].fine ? REASON_OK : REASON_SETTING_INVALID))
				fail_msg("%s=%s: %s", pair.name, pair.value, f.detail);
			if (cases[i].fine)
				continue;
			assert_non_null(strstr(f.detail, rows[k]));
			assert_non_null(strstr(f.detail, cases[i].detail));
			assert_null(strstr(f.detail, "s3cret")); // values may be secrets
		}
	}
}

static const char *got(rd_kafka_conf_t *rdconf, const char *property, char out[static 128])
{
	size_t size = 128;
	assert_int_equal(rd_kafka_conf_get(rdconf, property, out, &size), RD_KAFKA_CONF_OK);
	return out;
}

static void test_layers(void **state)
{
	struct fixture *fixture = *state;
	struct kafka_conf *conf = &fixture->conf;
	struct setting_pair both[] = {{"socket.timeout.ms", "11000"}, {"fetch.wait.max.ms", "77"}, {"linger.ms", "3"}};
	struct setting_pair in[] = {{"socket.timeout.ms", "12000"}};
	struct setting_pair out[] = {{"socket.timeout.ms", "13000"}, {"compression.type", "lz4"}};
	char text[128];
	struct fault f;
	rd_kafka_conf_t *rdconf = NULL;
	conf->properties = (struct setting_map){both, ARRAY_LEN(both)};
	conf->consumer_properties = (struct setting_map){in, ARRAY_LEN(in)};
	conf->producer_properties = (struct setting_map){out, ARRAY_LEN(out)};
	conf->session_timeout_ms = 6000;

	assert_int_equal(client_conf(conf, CLIENT_CONSUMER, &rdconf, &f), REASON_OK);
	assert_string_equal(got(rdconf, "bootstrap.servers", text), "127.0.0.1:9");
	assert_string_equal(got(rdconf, "socket.timeout.ms", text), "12000"); // the end's own map wins
	assert_string_equal(got(rdconf, "fetch.wait.max.ms", text), "77");    // the common one over our default
	assert_string_equal(got(rdconf, "enable.auto.commit", text), "false");
	assert_string_equal(got(rdconf, "isolation.level", text), "read_committed");
	assert_string_equal(got(rdconf, "auto.offset.reset", text), "error");
	assert_string_equal(got(rdconf, "partition.assignment.strategy", text), "cooperative-sticky");
	assert_string_equal(got(rdconf, "session.timeout.ms", text), "6000");
	assert_string_equal(got(rdconf, "heartbeat.interval.ms", text), "1000");
	assert_string_equal(got(rdconf, "queued.min.messages", text), "10000");
	assert_string_equal(got(rdconf, "queued.max.messages.kbytes", text), "16384");
	assert_string_equal(got(rdconf, "socket.nagle.disable", text), "true");
	rd_kafka_conf_destroy(rdconf);

	assert_int_equal(client_conf(conf, CLIENT_PRODUCER, &rdconf, &f), REASON_OK);
	assert_string_equal(got(rdconf, "socket.timeout.ms", text), "13000");
	assert_string_equal(got(rdconf, "compression.type", text), "lz4");
	assert_string_equal(got(rdconf, "linger.ms", text), "3");
	assert_string_equal(got(rdconf, "enable.idempotence", text), "true");
	assert_string_equal(got(rdconf, "acks", text), "-1");
	assert_string_equal(got(rdconf, "retry.backoff.ms", text), "1");
	assert_string_equal(got(rdconf, "partitioner", text), "murmur2_random");
	rd_kafka_conf_destroy(rdconf);

	assert_int_equal(client_conf(conf, CLIENT_PLAIN, &rdconf, &f), REASON_OK);
	assert_string_equal(got(rdconf, "socket.timeout.ms", text), "11000");
	rd_kafka_conf_destroy(rdconf);
}

static void test_unknown_property(void **state)
{
	struct fixture *fixture = *state;
	struct setting_pair pair = {"no.such.property", "s3cret"};
	rd_kafka_conf_t *rdconf = NULL;
	struct fault f = {0};
	fixture->conf.properties = (struct setting_map){&pair, 1};
	assert_int_equal(client_conf(&fixture->conf, CLIENT_PRODUCER, &rdconf, &f), REASON_SETTING_INVALID);
	assert_null(rdconf);
	assert_non_null(strstr(f.detail, "no.such.property"));
	assert_null(strstr(f.detail, "s3cret"));
}

static void test_reasons(void **state)
{
	(void)state;
	assert_int_equal(client_reason(RD_KAFKA_RESP_ERR__TRANSPORT), REASON_KAFKA_UNAVAILABLE);
	assert_int_equal(client_reason(RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN), REASON_KAFKA_UNAVAILABLE);
	assert_int_equal(client_reason(RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED), REASON_KAFKA_DENIED);
	assert_int_equal(client_reason(RD_KAFKA_RESP_ERR__FENCED), REASON_KAFKA_FENCED);
	assert_int_equal(client_reason(RD_KAFKA_RESP_ERR__FATAL), REASON_KAFKA_FATAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_defaults, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_check, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_layers, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_unknown_property, set_up, tear_down),
		cmocka_unit_test(test_reasons),
	};
	return cmocka_run_group_tests_name("kafka settings", tests, NULL, NULL);
}
