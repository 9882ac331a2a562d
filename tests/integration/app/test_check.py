#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Deployments that are wrong in one way each: enrolld check must name the place and the remedy, and exit with 78 where it cannot work.

usage: test_check.py
"""
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys

import psycopg2.extensions

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "support"))

from harness import services  # noqa: E402
from harness.cases import Cases, Failed, equal, true  # noqa: E402
from harness.world import World, merged  # noqa: E402

EX_CONFIG = 78
STRONG_HASH = {"memory": "19MiB", "passes": 2, "allow_weak": False, "threads": 1}


class Checkup:
    """The deployment of a world that has nothing wrong, and what check says of variations of it."""

    def __init__(self, world):
        self.world = world
        self.role = f"check_{world.suffix}"
        self.topics = []
        world.sql(f'create role "{self.role}" login in role enrolld_worker')
        self.dsn = psycopg2.extensions.make_dsn(world.dsn, user=self.role)
        self.base = world.settings("checked", database={"dsn": self.dsn}, hash=STRONG_HASH)
        for name in ("signup", "otp"):
            self.base["topics"][name]["name"] = self.topic(name, **{"message.timestamp.type": "LogAppendTime", "retention.ms": "259200000",
                                                                    "segment.ms": "21600000"})

    def close(self):
        self.world.cluster.delete(self.topics)
        self.world.sql(f'drop owned by "{self.role}"')
        self.world.sql(f'drop role "{self.role}"')

    def topic(self, name, partitions=2, **config):
        """Makes a topic; its full name."""
        full = f"check.{self.world.suffix}.{name}.{len(self.topics)}"
        self.world.cluster.create({full: partitions}, **config)
        self.topics.append(full)
        return full

    def write(self, text):
        path = self.world.folder / "checked.yaml"
        path.write_text(text if isinstance(text, str) else json.dumps(text, indent=1), encoding="utf-8")
        return path

    def run(self, settings, *options, environment=None):
        path = self.write(settings)
        done = subprocess.run([self.world.binary, "check", "--config", path, *options], stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=120, check=False, env={**os.environ, **(environment or {})})
        return done.returncode, done.stdout, done.stderr

    def findings(self, **changes):
        """(exit status, findings) of the base with changes put over it."""
        return self.findings_of(merged(self.base, changes))

    def findings_of(self, settings):
        status, out, err = self.run(settings, "--json")
        equal(err, "", "what goes to stderr")
        report = json.loads(out)
        found = report["findings"]
        for level in ("ok", "warn", "fail"):
            equal(report[level], sum(row["level"] == level for row in found), f"number of {level}")
        for row in found:
            true((row["remedy"] is None) == (row["level"] == "ok"), f"a remedy where one is needed: {row}")
        equal(status, EX_CONFIG if report["fail"] else 0, "exit status")
        return found


def named(findings, level, what, found, remedy):
    """The one finding on what; its words and its remedy."""
    rows = [row for row in findings if what in row["what"] and found in row["found"]]
    if not rows:
        raise Failed(f"nothing said of {what!r} with {found!r}; " + "; ".join(
            f"{row['level']} {row['what']}: {row['found']}" for row in findings if row["level"] != "ok"))
    equal(rows[0]["level"], level, f"level of {rows[0]}")
    true(remedy in rows[0]["remedy"], f"remedy {remedy!r} in {rows[0]}")
    return rows[0]


def only(findings, *whats):
    """No failures but of these."""
    others = [f"{row['what']}: {row['found']}" for row in findings
              if row["level"] == "fail" and not any(what in row["what"] for what in whats)]
    equal(others, [], "failures of other things")


# --- nothing wrong -------------------------------------------------------------------------------------------------------


def case_a_good_deployment_has_no_failure(c):
    findings = c.findings()
    only(findings)
    for what in ("worker.instance", "keys.file", "dialect native", "hash cost", "locked memory", "database schema", "database privileges",
                 "database fsync", "kafka.bootstrap_servers", f"topic {c.base['topics']['signup']['name']}",
                 f"topic {c.world.topics['results']}", "courier.smtp_url", "courier.text_url", "courier.link_url"):
        true(any(row["what"] == what for row in findings), f"nothing said of {what}")
    signup = [row for row in findings if row["what"] == f"topic {c.base['topics']['signup']['name']}"]
    equal([row["level"] for row in signup], ["ok"], "level of the request topic")


def case_text_for_people(c):
    status, out, err = c.run(merged(c.base, {"keys": {"file": str(c.world.folder / "none")}}))
    equal((status, err), (EX_CONFIG, ""), "exit status and stderr")
    lines = out.splitlines()
    at = next(i for i, line in enumerate(lines) if line.lstrip().startswith("fail"))
    true("keys.file" in lines[at] and "No such file" in lines[at], f"the finding in {lines[at]!r}")
    true(lines[at + 1].lstrip().startswith("-> enrolld keys new"), f"the remedy in {lines[at + 1]!r}")
    true("1 failed" in lines[-1], f"the summary in {lines[-1]!r}")
    true("\033" not in out, "colours only on a terminal")


def case_no_secret_is_shown(c):
    secret = "s3cret-" + c.world.suffix
    status, out, _ = c.run(merged(c.base, {"courier": {"smtp_password": secret, "text_password": secret, "text_url":
                                                       c.base["courier"]["text_url"] + "/" + secret}}))
    true(status in (0, EX_CONFIG), f"exit status {status}")
    true(secret not in out, "a secret is in the output")


# --- settings ------------------------------------------------------------------------------------------------------------


def case_unknown_setting(c):
    status, out, _ = c.run("kafka:\n  bootstap_servers: 127.0.0.1:9092\nworker: {instance: a}\ndatabase: {dsn: postgresql:///x}\n", "--json")
    equal(status, EX_CONFIG, "exit status")
    row = named(json.loads(out)["findings"], "fail", "kafka.bootstap_servers", "did you mean kafka.bootstrap_servers",
                "checked.yaml:2:")
    true("checked.yaml:2:3" in row["found"], f"line and column in {row['found']}")


def case_value_out_of_range_and_every_error_at_once(c):
    status, out, _ = c.run(merged(c.base, {"worker": {"window_records": 4}, "database": {"horizon": "soon"}, "log": {"level": "loud"}}),
                           "--json")
    equal(status, EX_CONFIG, "exit status")
    findings = json.loads(out)["findings"]
    named(findings, "fail", "worker.window_records", "8 to 100000", "checked.yaml:")
    named(findings, "fail", "database.horizon", "", "enrolld settings")
    named(findings, "fail", "log.level", "", "enrolld settings")
    named(findings, "warn", "everything else", "not looked at", "again")


def case_wrong_variable_in_the_environment(c):
    status, out, _ = c.run(c.base, "--json", environment={"ENROLLD__WORKER__INSTANZE": "a"})
    equal(status, EX_CONFIG, "exit status")
    true(any("ENROLLD__WORKER__INSTANCE" in row["found"] for row in json.loads(out)["findings"]), "the nearest name")


def case_missing_settings_file(c):
    done = subprocess.run([c.world.binary, "check", "--json", "--config", "/nowhere/enrolld.yaml"], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=60, check=False)
    equal(done.returncode, EX_CONFIG, "exit status")
    true(any("/nowhere/enrolld.yaml" in row["what"] + row["found"] for row in json.loads(done.stdout)["findings"]), "the file's name")


def case_unknown_property_of_librdkafka(c):
    findings = c.findings(kafka={"properties": {"securty.protocol": "ssl"}})
    named(findings, "fail", "kafka.properties", "securty.protocol", "enrolld settings")


def case_output_that_is_read_again(c):
    findings = c.findings(worker={"dead_topic": c.base["topics"]["otp"]["name"]})
    named(findings, "fail", "worker.dead_topic", "is a request topic too", "topics of their own")


def case_topic_that_is_read_twice(c):
    findings = c.findings(topics={"more": {"name": c.base["topics"]["otp"]["name"]}})
    named(findings, "fail", "topics.", "read by another section", "remove one")


def case_admin_endpoint_open_to_the_network(c):
    findings = c.findings(admin={"address": "0.0.0.0"})
    only(findings)
    named(findings, "warn", "admin.address", "without a login", "127.0.0.1")
    named(c.findings(admin={"address": "localhost"}), "fail", "admin.address", "no IP address", "127.0.0.1")


# --- files and machine -----------------------------------------------------------------------------------------------------


def case_missing_key_file(c):
    findings = c.findings(keys={"file": str(c.world.folder / "none")})
    only(findings, "keys.file")
    named(findings, "fail", "keys.file", "No such file", "enrolld keys new")


def case_key_file_open_to_others(c):
    path = c.world.folder / "open-keys"
    shutil.copy(c.world.folder / "keys", path)
    path.chmod(0o644)
    row = named(c.findings(keys={"file": str(path)}), "fail", "keys.file", "0644", "chmod 600")
    true("enrolld keys rotate" in row["remedy"], "that the keys are not secret any more")


def case_damaged_key_file(c):
    path = c.world.folder / "damaged-keys"
    path.write_text((c.world.folder / "keys").read_text(encoding="utf-8")[:-20], encoding="utf-8")
    path.chmod(0o600)
    named(c.findings(keys={"file": str(path)}), "fail", "keys.file", "", "copy")


def schemas_with(c, name, old, new):
    """A copy of the data folder with one thing changed in the native dialect; (folder, number of the changed line)."""
    folder = c.world.folder / name
    if not folder.exists():
        shutil.copytree(services.ROOT / "schemas", folder)
    path = folder / "dialects/native/dialect.yaml"
    text = path.read_text(encoding="utf-8")
    true(old in text, f"{old!r} in the native dialect")
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return folder, text[:text.index(old)].count("\n") + 1


def case_broken_dialect_file(c):
    folder, line = schemas_with(c, "broken", "- min_length: 15", "- min_lenght: 15")
    findings = c.findings(data={"directory": str(folder)})
    only(findings, "dialect")
    row = named(findings, "fail", "dialect", f"dialects/native/dialect.yaml:{line}", "correct the file")
    true("min_length" in row["found"], f"the nearest name in {row['found']}")


def case_dialect_that_is_not_there(c):
    findings = c.findings(topics={"signup": {"dialects": ["nativ"]}})
    true(any(row["level"] == "fail" and "nativ" in row["found"] and row["remedy"] for row in findings), "the missing dialect")


def case_short_passwords(c):
    folder, line = schemas_with(c, "short", "- min_length: 15", "- min_length: 8 ")
    findings = c.findings(data={"directory": str(folder)})
    only(findings)
    row = named(findings, "warn", "passwords of native", "8 characters", "min_length: 15")
    true("dialect.yaml:" in row["remedy"], f"the place in {row['remedy']}, about line {line}")


def case_what_a_dialect_warns_of(c):
    store = {"signup": {"dialects": ["posbytz"]}}
    findings = c.findings(topics=store)
    only(findings)
    named(findings, "warn", "settings of posbytz", "carries the token", "link_token: hidden")
    findings = c.findings(topics=store, dialects={"posbytz": {"values": {"link_token": "hidden"}}})
    equal([row for row in findings if row["what"] == "settings of posbytz"], [], "said of other settings")


def case_texts_without_a_budget(c):
    named(c.findings(), "warn", "sending.budgets", "without any budget", '"+"')
    bounded, of_one = {"budgets": {"+": "10/1h"}}, {"budgets": {"+44": "10/1h"}}
    for changes, level, found in (({"sending": bounded}, "ok", "every text"), ({"sending": of_one}, "warn", "some texts"),
                                  ({"realms": {"shop": bounded}}, "warn", "some texts"),
                                  ({"realms": {"shop": bounded, "*": bounded}}, "ok", "every text"),
                                  ({"realms": {"shop": of_one, "*": bounded}}, "warn", "some texts"),
                                  ({"sending": {"budgets": {"mail": "10/1h"}}}, "warn", "some texts")):
        findings = c.findings(**changes)
        only(findings)
        equal([(row["level"], found in row["found"]) for row in findings if row["what"] == "sending.budgets"], [(level, True)], f"of {changes}")
    settings = merged(c.base, {})
    del settings["courier"]["text_url"]
    equal([row for row in c.findings_of(settings) if row["what"] == "sending.budgets"], [], "said where no text is sent")


def case_hash_cost_below_the_floor(c):
    findings = c.findings(hash={"memory": "8MiB", "passes": 1})
    named(findings, "fail", "hash.memory", "46MiB with 1 pass", "enrolld settings")
    findings = c.findings(hash={"memory": "8MiB", "passes": 1, "allow_weak": True})
    only(findings)
    named(findings, "warn", "hash cost", "below OWASP's minimum", "hash.memory: 64MiB")


def case_more_hash_memory_than_there_is(c):
    findings = c.findings(hash={"memory": "4GiB", "threads": 256})
    only(findings)
    named(findings, "warn", "hash memory", "256 threads", "lower hash.threads")


# --- database --------------------------------------------------------------------------------------------------------------


def closed_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def case_wrong_database_port(c):
    findings = c.findings(database={"dsn": psycopg2.extensions.make_dsn(c.dsn, port=closed_port())})
    only(findings, "database")
    named(findings, "fail", "database connection", "", "database.dsn")


def case_wrong_database_login(c):
    findings = c.findings(database={"dsn": psycopg2.extensions.make_dsn(c.dsn, user=f"nobody_{c.world.suffix}")})
    only(findings, "database")
    named(findings, "fail", "database connection", "", "user and password in database.dsn")


def case_no_such_database(c):
    findings = c.findings(database={"dsn": psycopg2.extensions.make_dsn(c.dsn, dbname=f"nothing_{c.world.suffix}")})
    named(findings, "fail", "database connection", "", "that the database exists")


def case_schema_not_migrated(c):
    name = f"empty_{c.world.suffix}"
    c.world.sql(f'create database "{name}"')
    try:
        findings = c.findings(database={"dsn": psycopg2.extensions.make_dsn(c.dsn, dbname=name)})
    finally:
        c.world.sql(f'drop database "{name}" with (force)')
    only(findings, "database")
    named(findings, "fail", "database schema", "", "enrolld migrate")


def case_schema_of_an_older_program(c):
    steps = c.world.sql("select version, name from enrolld.migration")
    c.world.sql("delete from enrolld.migration")
    try:
        findings = c.findings()
    finally:
        for step in steps:
            c.world.sql("insert into enrolld.migration (version, name) values (%s, %s)", *step)
    only(findings, "database schema")
    named(findings, "fail", "database schema", "version 0", "enrolld migrate")


def case_login_without_the_role(c):
    c.world.sql(f'revoke enrolld_worker from "{c.role}"')
    try:
        findings = c.findings()
    finally:
        c.world.sql(f'grant enrolld_worker to "{c.role}"')
    only(findings, "database privileges")
    named(findings, "fail", "database privileges", "may not use schema enrolld", f'GRANT enrolld_worker TO "{c.role}"')


def case_one_privilege_missing(c):
    c.world.sql("revoke delete on enrolld.claim from enrolld_worker")
    try:
        findings = c.findings()
    finally:
        c.world.sql("grant delete on enrolld.claim to enrolld_worker")
    named(findings, "fail", "database privileges", "DELETE on claim", "enrolld migrate")


def case_login_that_may_do_anything(c):
    findings = c.findings(database={"dsn": c.world.dsn})
    only(findings)
    named(findings, "warn", "database privileges", "more than the worker needs", "enrolld_worker")


def case_commits_that_are_not_waited_for(c):
    for place in (f'role "{c.role}"', f'database "{c.world.database}"'):
        c.world.sql(f"alter {place} set synchronous_commit = off")
        try:
            findings = c.findings()
        finally:
            c.world.sql(f"alter {place} reset synchronous_commit")
        only(findings, "synchronous_commit")
        named(findings, "fail", "database synchronous_commit", "off", "synchronous_commit = on")


def case_too_few_connections(c):
    c.world.sql(f'alter role "{c.role}" connection limit 3')
    try:
        findings = c.findings()
    finally:
        c.world.sql(f'alter role "{c.role}" connection limit -1')
    named(findings, "warn", "database connections", "3 free", "connection limit")


# --- Kafka -----------------------------------------------------------------------------------------------------------------


def case_wrong_bootstrap_port(c):
    port = closed_port()
    findings = c.findings(kafka={"bootstrap_servers": f"127.0.0.1:{port}"})
    only(findings, "kafka.bootstrap_servers")
    named(findings, "fail", "kafka.bootstrap_servers", f"127.0.0.1:{port}", "start the brokers")
    named(findings, "warn", "topics", "not looked at", "again")


def case_brokers_elsewhere_in_clear(c):
    findings = c.findings(kafka={"bootstrap_servers": "kafka.invalid:9092"})
    named(findings, "warn", "kafka encryption", "in clear", "security.protocol")


def case_missing_topics(c):
    missing = f"check.{c.world.suffix}.missing"
    findings = c.findings(topics={"otp": {"name": missing}})
    only(findings, f"topic {missing}")
    named(findings, "fail", f"topic {missing}", "does not exist", "enrolld topics create")
    findings = c.findings(worker={"result_topic": missing})
    named(findings, "fail", f"topic {missing}", "does not exist", "enrolld topics create")


def request_topic(c, partitions=2, **config):
    """(name, findings) with another request topic in place of the first; sound but for config."""
    sound = {"message.timestamp.type": "LogAppendTime", "retention.ms": "259200000", "segment.ms": "21600000"}
    name = c.topic("request", partitions, **{**sound, **config})
    return name, c.findings(topics={"signup": {"name": name}})


def case_compacted_request_topic(c):
    for policy in ("compact", "compact,delete"):
        name, findings = request_topic(c, **{"cleanup.policy": policy})
        only(findings, name)
        row = named(findings, "fail", f"topic {name}", "compact", "cleanup.policy=delete")
        true(row["remedy"].startswith("kafka-configs.sh --bootstrap-server") and name in row["remedy"], f"a command in {row['remedy']}")


def case_retention_longer_than_the_horizon(c):
    name, findings = request_topic(c, **{"retention.ms": str(40 * 86400000)})
    only(findings, name)
    named(findings, "fail", f"topic {name}", "retention.ms 40d is longer than database.horizon 30d", "database.horizon")
    findings = c.findings(topics={"signup": {"name": name}}, database={"horizon": "60d"})
    only(findings)


def case_retention_close_to_the_horizon(c):
    name, findings = request_topic(c, **{"retention.ms": str(28 * 86400000), "segment.ms": str(3 * 86400000)})
    only(findings)
    named(findings, "warn", f"topic {name}", "come close to database.horizon", "retention.ms=")


def case_retention_for_ever(c):
    name, findings = request_topic(c, **{"retention.ms": "-1"})
    only(findings, name)
    named(findings, "fail", f"topic {name}", "for ever", "retention.ms=")


def case_clock_of_the_gateway(c):
    name, findings = request_topic(c, **{"message.timestamp.type": "CreateTime"})
    only(findings)
    named(findings, "warn", f"topic {name}", "CreateTime", "message.timestamp.type=LogAppendTime")


def case_one_partition(c):
    name, findings = request_topic(c, partitions=1)
    only(findings)
    named(findings, "warn", f"topic {name}", "one partition", "--partitions")


def case_topic_that_cannot_be_written(c):
    name = c.topic("unwritable", **{"min.insync.replicas": "2"})
    findings = c.findings(worker={"event_topic": name})
    only(findings, name)
    named(findings, "fail", f"topic {name}", "nothing can be written", "min.insync.replicas=1")


def case_outputs_that_do_not_fit(c):
    name = c.topic("narrow", **{"max.message.bytes": "20000"})
    findings = c.findings(worker={"result_topic": name})
    only(findings)
    named(findings, "warn", f"topic {name}", "max.message.bytes 20000", "max.message.bytes=81920")


def case_replies(c):
    findings = c.findings(topics={"signup": {"reply_topics": []}})
    only(findings)
    named(findings, "warn", "topics.signup.reply_topics", "empty", "reply_headers: false")
    findings = c.findings(topics={"signup": {"reply_topics": [], "reply_headers": False}})
    true(not any("topics.signup" in row["what"] for row in findings), "nothing said where no replies are wanted")
    findings = c.findings(topics={"signup": {"reply_topics": [], "shape": "kong"}})
    true(not any("topics.signup" in row["what"] for row in findings), "nothing said where the gateway takes no replies")
    missing = f"check.{c.world.suffix}.nobody"
    findings = c.findings(topics={"signup": {"reply_topics": [missing, "any-*"]}})
    only(findings, missing)
    named(findings, "fail", f"topic {missing}", "does not exist", "topics.signup.reply_topics")


# --- sinks -----------------------------------------------------------------------------------------------------------------


def case_mail_server_down(c):
    port = closed_port()
    findings = c.findings(courier={"smtp_url": f"smtp://127.0.0.1:{port}"})
    only(findings, "courier.smtp_url")
    named(findings, "fail", "courier.smtp_url", f"127.0.0.1:{port}", "start the mail server")


def case_mail_server_without_the_tls_that_is_asked_for(c):
    findings = c.findings(courier={"smtp_tls": "starttls"})
    only(findings, "courier.smtp_url")
    named(findings, "fail", "courier.smtp_url", "", "courier.smtp_tls")


def case_text_provider_down(c):
    port = closed_port()
    findings = c.findings(courier={"text_url": f"http://127.0.0.1:{port}/texts"})
    only(findings, "courier.text_url")
    named(findings, "fail", "courier.text_url", f"127.0.0.1:{port}", "start the provider")


def case_broken_message_files(c):
    folder = c.world.folder / "wordless"
    shutil.copytree(services.ROOT / "schemas", folder)
    path = folder / "messages/verify_email/en.yaml"
    path.write_text(path.read_text(encoding="utf-8") + "\n  - what: {\n", encoding="utf-8")
    findings = c.findings(data={"directory": str(folder)})
    only(findings, "message files")
    named(findings, "fail", "message files", "verify_email/en.yaml:", "correct the file")
    findings = c.findings(courier={"text_provider": "nobody"})
    only(findings, "message files")
    named(findings, "fail", "message files", "nobody.yaml", "courier.text_provider")


def case_messages_that_go_nowhere(c):
    settings = merged(c.base, {})
    for name in ("smtp_url", "text_url", "link_url"):
        del settings["courier"][name]
    findings = c.findings_of(merged(settings, {"signup": {"verify_email": True, "verify_phone": True}}))
    only(findings)
    named(findings, "warn", "courier.smtp_url", "not set", "courier.smtp_url: ")
    named(findings, "warn", "courier.text_url", "not set", "courier.text_url: ")
    findings = c.findings_of(merged(settings, {"courier": {"enabled": False}}))
    true(not any(row["level"] == "warn" and row["what"].startswith("courier.") for row in findings), "nothing said where another worker sends")


def case_links(c):
    settings = merged(c.base, {})
    del settings["courier"]["link_url"]
    named(c.findings_of(settings), "warn", "courier.link_url", "not set", "{{token}}")
    named(c.findings(courier={"link_url": "http://shop.example/verify?token={{token}}"}), "warn", "courier.link_url", "not https", "https://")
    named(c.findings(courier={"link_url": "https://shop.example/verify"}), "fail", "courier.link_url", "{{token}}", "enrolld settings")


def case_cleartext_allowed(c):
    findings = c.findings(courier={"allow_cleartext": True})
    only(findings)
    named(findings, "warn", "courier.allow_cleartext", "without TLS", "allow_cleartext: false")
    findings = c.findings(courier={"smtp_url": "smtp://mail.invalid:25"})
    named(findings, "fail", "courier.smtp_tls", "loopback", "enrolld settings")


def main():
    cases = Cases()
    with World("check") as world:
        checkup = Checkup(world)
        try:
            for name, case in list(globals().items()):
                if name.startswith("case_"):
                    cases.run(case, checkup)
        finally:
            checkup.close()
    return cases.end()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except services.Missing as missing:
        print(f"test_check: {missing}\n0 passed, 1 failed")
        sys.exit(1)
