// SPDX-License-Identifier: Apache-2.0
// enrolld check: the settings themselves, and how they fit together.
#include <string.h>
#include <sys/socket.h>

#include "app/admin.h"
#include "app/check.h"
#include "app/parts.h"

// "enrolld.yaml:3:5: kafka.bootstap_servers: unknown setting, ..." tells place, name and what is wrong; fewer parts are possible.
static void add_refusal(struct checkup *c, const char *line)
{
	const char *first = strstr(line, ": ");
	const char *second = first ? strstr(first + 2, ": ") : NULL;
	if (!second) {
		check_add(c, CHECK_FAIL, "settings", "correct it; 'enrolld settings' explains each one", "%s", line);
		return;
	}
	const char *name = check_text(c, "%.*s", (int)(second - first - 2), first + 2);
	const char *place = check_text(c, "%.*s", (int)(first - line), line);
	check_add(c, CHECK_FAIL, name, check_text(c, "correct it at %s; 'enrolld settings' explains each one", place), "%s: %s",
		  place, second + 2);
}

void check_settings_refused(struct checkup *c, const char *path, const struct strbuf *report, const struct fault *f)
{
	struct slice text = strbuf_slice(report);
	c->subject = "settings";
	if (text.len == 0)
		check_add(c, CHECK_FAIL, path ? path : "settings", "name the file with --config or ENROLLD_CONFIG", "%s",
			  f->detail[0] ? f->detail : reason_text(f->reason));
	while (text.len) {
		const char *end = memchr(text.ptr, '\n', text.len);
		size_t len = end ? (size_t)(end - text.ptr) : text.len;
		add_refusal(c, check_text(c, "%.*s", (int)len, text.ptr));
		len += end ? 1 : 0;
		text = (struct slice){text.ptr + len, text.len - len};
	}
	check_add(c, CHECK_WARN, "everything else", "run it again when the settings load", "not looked at");
}

static void check_admin(struct checkup *c, const struct process_conf *process)
{
	struct sockaddr_storage address;
	const char *host = process->admin_address;
	if (!host || !host[0])
		check_add(c, CHECK_OK, "admin.address", "",
			  "no admin endpoint: no metrics, and 'enrolld health' has nobody to ask");
	else if (!admin_parse_address(host, process->admin_port, &address))
		check_add(c, CHECK_FAIL, "admin.address", "admin.address: 127.0.0.1", "%s is no IP address", host);
	else if (!check_is_loopback(host, strlen(host)))
		check_add(c, CHECK_WARN, "admin.address", "admin.address: 127.0.0.1, or let only the scraper reach it",
			  "%s: open to the network, without a login", host);
}

static bool is_read(const struct topic_conf *topics, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(topics[i].name, name) == 0)
			return true;
	return false;
}

static void check_loop(struct checkup *c, const struct topic_conf *topics, size_t count, const char *setting, const char *name)
{
	if (is_read(topics, count, name))
		check_add(c, CHECK_FAIL, setting, "give outputs topics of their own",
			  "%s is a request topic too: the worker would read what it writes", name);
}

static void check_topic_names(struct checkup *c, const struct flow_conf *flow, const struct topic_conf *topics, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const char *setting = check_text(c, "topics.%s.name", topics[i].key);
		if (is_read(topics, i, topics[i].name))
			check_add(c, CHECK_FAIL, setting, "remove one of the sections", "%s is read by another section already",
				  topics[i].name);
		setting = check_text(c, "topics.%s.reply_topics", topics[i].key);
		for (size_t k = 0; k < topics[i].reply_topics.count; k++)
			check_loop(c, topics, count, setting, topics[i].reply_topics.items[k]);
	}
	check_loop(c, topics, count, "worker.result_topic", flow->result_topic);
	check_loop(c, topics, count, "worker.event_topic", flow->event_topic);
	check_loop(c, topics, count, "worker.dead_topic", flow->dead_topic);
}

void check_settings(struct checkup *c, const struct conf *conf)
{
	const struct flow_conf *flow = conf_get(conf, &flow_settings);
	size_t count;
	const struct topic_conf *topics = parts_topics(conf, c->arena, &count);
	c->subject = "settings";
	check_add(c, CHECK_OK, conf_path(conf) ? conf_path(conf) : "no settings file", "", "%s",
		  conf_path(conf) ? "every setting is known and in range" : "all settings come from the environment");
	check_add(c, CHECK_OK, "worker.instance", "", "%s; groups %s and %s", flow->instance,
		  parts_group(flow, LANE_SIGNUP, c->arena), parts_group(flow, LANE_OTP, c->arena));
	check_topic_names(c, flow, topics, count);
	check_admin(c, conf_get(conf, &process_settings));
}
