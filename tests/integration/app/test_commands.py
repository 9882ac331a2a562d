#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The commands of the program as an administrator types them: help, exit status, and what each one leaves behind.

usage: test_commands.py
"""
import concurrent.futures
import http.server
import json
import os
import pathlib
import re
import socket
import stat
import subprocess
import sys
import threading

import psycopg2
import psycopg2.extensions

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "support"))

from confluent_kafka import KafkaException  # noqa: E402
from confluent_kafka.admin import ConfigResource  # noqa: E402
from harness import services  # noqa: E402
from harness.cases import Cases, equal, true  # noqa: E402
from harness.world import World, merged  # noqa: E402

EX_OK, EX_USAGE, EX_NOINPUT, EX_UNAVAILABLE, EX_TEMPFAIL, EX_NOPERM, EX_CONFIG = 0, 64, 66, 69, 75, 77, 78
COMMANDS = ("run", "migrate", "check", "topics", "keys", "progress", "settings", "reasons", "shapes", "dialect", "schema", "health", "version")


class Shell:
    """Runs the program, by default with the settings of a world."""

    def __init__(self, world):
        self.world = world
        self.settings = world.settings("shell")

    def write(self, name, settings):
        path = self.world.folder / name
        path.write_text(json.dumps(settings, indent=1), encoding="utf-8")
        return path

    def run(self, *words, settings=None, config=True, environment=None):
        """(exit status, stdout, stderr)"""
        path = self.write("shell.yaml", settings or self.settings)
        more = ["--config", path] if config else []
        clean = {name: value for name, value in os.environ.items() if not name.startswith("ENROLLD_")}
        done = subprocess.run([self.world.binary, *words, *more], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120,
                              check=False, env={**clean, **(environment or {})})
        return done.returncode, done.stdout, done.stderr

    def ends(self, status, *words, **more):
        """Runs it, wants this exit status; stdout and stderr."""
        found, out, err = self.run(*words, **more)
        equal(found, status, f"exit status of {' '.join(map(str, words))} ({out[-300:]}{err[-300:]})")
        return out, err


# --- the command line ----------------------------------------------------------------------------------------------------


def case_help_of_everything(s):
    out, _ = s.ends(EX_OK, "--help", config=False)
    listed = re.findall(r"^  (\w+) ", out, re.M)
    equal(tuple(listed), COMMANDS, "commands that are listed")
    for command in COMMANDS:
        out, err = s.ends(EX_OK, command, "--help", config=False)
        equal(err, "", f"stderr of {command} --help")
        true(out.startswith(f"usage: enrolld {command}"), f"usage of {command}")
        true(len(out.splitlines()) >= 4, f"{command} --help says something")
        true(max(map(len, out.splitlines())) <= 160, f"lines of {command} --help fit a screen")


def case_misuse(s):
    for words in ((), ("sing",), ("run", "--loud"), ("migrate", "--json"), ("check", "now"), ("keys",), ("keys", "eat"), ("keys", "new", "x"), ("keys", "jwks", "x", "y"),
                  ("topics",), ("topics", "delete"), ("topics", "create", "0"), ("topics", "create", "many"), ("progress", "forget"),
                  ("progress", "forget", "t", "minus"), ("settings", "--json", "--yaml"), ("settings", "--effective", "--markdown"),
                  ("reasons", "--json", "--markdown"), ("shapes", "--json", "--markdown"), ("run", "--config")):
        out, err = s.ends(EX_USAGE, *words, config=False)
        equal(out, "", f"stdout of {words}")
        true("--help" in err or "usage:" in err, f"where to read on, in {err!r}")


def case_settings_that_do_not_load(s):
    for command in (("run",), ("migrate",), ("topics", "create"), ("keys", "list"), ("progress", "forget", "t", "0"), ("health",),
                    ("settings", "--effective")):
        _, err = s.ends(EX_CONFIG, *command, settings=merged(s.settings, {"worker": {"windowrecords": 5}}))
        true("worker.window_records" in err and "shell.yaml:" in err, f"name and line in {err!r}")
    _, err = s.ends(EX_NOINPUT, "migrate", "--config", "/nowhere/enrolld.yaml", config=False)
    true("/nowhere/enrolld.yaml" in err, f"the file's name in {err!r}")


def case_settings_from_the_environment_alone(s):
    environment = {
        "ENROLLD__KAFKA__BOOTSTRAP_SERVERS": "127.0.0.1:9092",
        "ENROLLD__DATABASE__DSN": "postgresql://enrolld@127.0.0.1/x?password=hunter2",
        "ENROLLD__WORKER__INSTANCE": "w-env",
    }
    out, _ = s.ends(EX_OK, "settings", "--effective", "--json", config=False, environment=environment)
    rows = {row["name"]: row for row in json.loads(out)}
    equal(rows["worker.instance"]["value"], "w-env", "worker.instance")
    true("ENROLLD__WORKER__INSTANCE" in rows["worker.instance"]["source"], "where it came from")
    equal(rows["database.dsn"]["value"], "***", "database.dsn")
    true("hunter2" not in out, "the password is not printed")


# --- references ------------------------------------------------------------------------------------------------------------


def case_reference_of_settings(s):
    out, _ = s.ends(EX_OK, "settings", "--json", config=False)
    modules = json.loads(out)
    rows = [row for module in modules for row in module["settings"]]
    names = [row["name"] for row in rows]
    equal(len(names), len(set(names)), "each setting once")
    true(len(names) > 60, f"{len(names)} settings")
    for row in rows:
        true(row.get("doc") and row["type"] and row["environment"].startswith("ENROLLD__"), f"documented: {row}")
    text, _ = s.ends(EX_OK, "settings", config=False)
    markdown, _ = s.ends(EX_OK, "settings", "--markdown", config=False)
    for name in names:
        true(name in text and f"`{name}`" in markdown, f"{name} in each form")


def case_settings_file_to_start_from(s):
    out, _ = s.ends(EX_OK, "settings", "--yaml", config=False)
    filled = out.replace("bootstrap_servers:", "bootstrap_servers: 127.0.0.1:9092").replace("dsn:", "dsn: postgresql:///x").replace(
        "instance:", "instance: a")
    path = s.world.folder / "start.yaml"
    path.write_text(filled, encoding="utf-8")
    s.ends(EX_OK, "settings", "--effective", "--config", path, config=False)


def case_reference_of_words(s):
    out, _ = s.ends(EX_OK, "reasons", "--json", config=False)
    pages = json.loads(out)
    equal(sorted(pages), ["events", "metrics", "reasons", "rules", "verdicts"], "pages")
    for page, key in (("reasons", "code"), ("events", "event"), ("metrics", "metric"), ("rules", "rule")):
        words = [row[key] for row in pages[page]]
        equal(len(words), len(set(words)), f"each of {page} once")
        true(all(row["meaning"] for row in pages[page]), f"each of {page} explained")
    true(all(row["metric"].startswith("enrolld_") and isinstance(row["labels"], list) for row in pages["metrics"]), "metric names")
    equal({row["verdict"] for row in pages["reasons"]}, {row["verdict"] for row in pages["verdicts"]}, "verdicts")
    text, _ = s.ends(EX_OK, "reasons", config=False)
    markdown, _ = s.ends(EX_OK, "reasons", "--markdown", config=False)
    true("identity_taken" in text and "`identity_taken`" in markdown, "each form")


def case_reference_of_shapes(s):
    rows = json.loads(s.ends(EX_OK, "shapes", "--json", config=False)[0])
    names = [row["shape"] for row in rows]
    modules = json.loads(s.ends(EX_OK, "settings", "--json", config=False)[0])
    choices = [row["choices"] for module in modules for row in module["settings"] if row["name"] == "topics.*.shape"][0]
    equal(names, [choice["name"] for choice in choices], "shapes and choices of the setting")
    true({"raw", "kong", "confluent", "cloudevents", "rest-proxy", "spring", "debezium", "zilla", "krakend", "gravitee", "auto"} == set(names), names)
    true(all(row[key] for row in rows for key in ("text", "asks", "body", "request_id", "configure")), "each column of each shape")
    text, _ = s.ends(EX_OK, "shapes", config=False)
    markdown, _ = s.ends(EX_OK, "shapes", "--markdown", config=False)
    true(all(f"\n{name}\n" in f"\n{text}" and f"| `{name}` |" in markdown for name in names), "each shape in each form")


def case_version(s):
    for words in (("version",), ("--version",)):
        out, _ = s.ends(EX_OK, *words, config=False)
        true(re.fullmatch(r"enrolld \d+\.\d+\.\d+\n", out), f"version in {out!r}")
    out, _ = s.ends(EX_OK, "version", "--verbose", config=False)
    for name in ("commit", "compiler", "librdkafka 2.", "libpq 1", "libcurl/", "libsodium 1.", "libcrypt", "jansson", "libyaml", "pcre2",
                 "libidn2", "libunistring", "libmicrohttpd", "glibc"):
        true(f"\n{name}" in out, f"{name} in {out!r}")


# --- the database ------------------------------------------------------------------------------------------------------------


class Fresh:
    """A database of its own, without the schema."""

    def __init__(self, s, name):
        self.s, self.name = s, f"{name}_{s.world.suffix}"
        s.world.sql(f'create database "{self.name}"')
        self.dsn = psycopg2.extensions.make_dsn(s.world.dsn, dbname=self.name)
        self.settings = merged(s.settings, {"database": {"dsn": self.dsn}})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.s.world.sql(f'drop database "{self.name}" with (force)')

    def query(self, statement):
        connection = psycopg2.connect(self.dsn)
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
            rows = cursor.fetchall() if cursor.description else []
        connection.close()
        return rows

    def shape(self):
        return self.query("select table_name, column_name, data_type from information_schema.columns where table_schema = 'enrolld' order by 1, 2")


def case_migrate_in_dry_run(s):
    with Fresh(s, "dry") as fresh:
        out, _ = s.ends(EX_OK, "migrate", "--dry-run", settings=fresh.settings)
        true("CREATE TABLE enrolld.inbox" in out and "GRANT" in out, "the SQL is printed")
        equal(fresh.shape(), [], "what is there afterwards")
        fresh.query(out)  # it is what would run
        true(("inbox", "request_id", "text") in fresh.shape(), "the printed SQL makes the schema")


def case_migrate_twice(s):
    with Fresh(s, "twice") as fresh:
        out, _ = s.ends(EX_OK, "migrate", settings=fresh.settings)
        true("0001_initial: applied" in out, f"the step in {out!r}")
        shape, steps = fresh.shape(), fresh.query("select * from enrolld.migration order by version")
        out, _ = s.ends(EX_OK, "migrate", settings=fresh.settings)
        true("applied" not in out, f"nothing applied again: {out!r}")
        equal((fresh.shape(), fresh.query("select * from enrolld.migration order by version")), (shape, steps), "schema after the second run")
        out, _ = s.ends(EX_OK, "migrate", "--dry-run", settings=fresh.settings)
        true("CREATE TABLE" not in out, "nothing left to do")


def case_migrations_at_the_same_time(s):
    with Fresh(s, "race") as fresh:
        path = s.write("race.yaml", fresh.settings)
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            runs = list(pool.map(lambda _: subprocess.run([s.world.binary, "migrate", "--config", path], stdin=subprocess.DEVNULL,
                                                          capture_output=True, text=True, timeout=120, check=False), range(4)))
        equal([run.returncode for run in runs], [EX_OK] * 4, "exit statuses")
        steps = fresh.query("select name from enrolld.migration order by version")
        applied = sorted(line.split(":")[0] for run in runs for line in run.stdout.splitlines() if "applied" in line)
        equal(applied, [name for name, in steps], "each step is applied once")


def case_migrate_without_a_database(s):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        settings = merged(s.settings, {"database": {"dsn": psycopg2.extensions.make_dsn(s.world.dsn, port=port)}})
        s.ends(EX_UNAVAILABLE, "migrate", settings=settings)
    settings = merged(s.settings, {"database": {"dsn": psycopg2.extensions.make_dsn(s.world.dsn, user="nobody_" + s.world.suffix)}})
    s.ends(EX_NOPERM, "migrate", settings=settings)


def case_migrate_by_a_login_that_may_not(s):
    role = f"poor_{s.world.suffix}"
    s.world.sql(f'create role "{role}" login')
    try:
        with Fresh(s, "poor") as fresh:
            settings = merged(s.settings, {"database": {"dsn": psycopg2.extensions.make_dsn(fresh.dsn, user=role)}})
            status, _, err = s.run("migrate", settings=settings)
            true(status not in (EX_OK, EX_USAGE), f"exit status {status}")
            true(err.startswith("enrolld: "), f"why, in {err!r}")
            equal(fresh.shape(), [], "what is there afterwards")
    finally:
        s.world.sql(f'drop role "{role}"')


# --- keys --------------------------------------------------------------------------------------------------------------------


def case_keys(s):
    path = s.world.folder / "more-keys"
    settings = merged(s.settings, {"keys": {"file": str(path)}})
    s.ends(EX_NOINPUT, "keys", "list", settings=settings)
    s.ends(EX_OK, "keys", "new", settings=settings)
    equal(stat.S_IMODE(path.stat().st_mode), 0o600, "mode of the key file")
    before = path.read_bytes()
    status, _, err = s.run("keys", "new", settings=settings)
    equal((status, path.read_bytes()), (EX_NOINPUT, before), "a second new")
    true("exists" in err, f"why, in {err!r}")
    out, _ = s.ends(EX_OK, "keys", "rotate", settings=settings)
    true("epoch 2" in out, f"the new epoch in {out!r}")
    out, _ = s.ends(EX_OK, "keys", "list", "--json", settings=settings)
    listed = json.loads(out)
    equal([(row["epoch"], row["active"]) for row in listed["epochs"]], [(1, False), (2, True)], "epochs")
    out, _ = s.ends(EX_OK, "keys", "list", settings=settings)
    equal([line.split()[0] for line in out.splitlines()], ["epoch", "1", "2"], "the list")
    secrets = [word for word in re.findall(rb"[A-Za-z0-9+/=_-]{20,}", path.read_bytes())]
    true(secrets, "keys in the file")
    true(not any(word.decode() in out for word in secrets), "no key is printed")
    equal(stat.S_IMODE(path.stat().st_mode), 0o600, "mode after the rotation")
    out, _ = s.ends(EX_OK, "keys", "jwks", settings=settings)
    keys = json.loads(out)["keys"]
    equal([sorted(key) for key in keys], [["alg", "crv", "kid", "kty", "use", "x"]] * 2, "a public key for each epoch, and nothing else")
    out, _ = s.ends(EX_OK, "keys", "jwks", "shop", settings=settings)
    true(not {key["x"] for key in json.loads(out)["keys"]} & {key["x"] for key in keys}, "another realm has other keys")
    out, _ = s.ends(EX_OK, "keys", "rotate", "--json", settings=settings)
    published, _ = s.ends(EX_OK, "keys", "jwks", settings=settings)
    equal(json.loads(published)["keys"][1:], keys, "older keys stay")
    equal(json.loads(out), {"file": str(path), "active": 3}, "rotate --json")


def case_an_epoch_is_removed_when_nothing_needs_it(s):
    """Each kind of row that holds it back, one after the other."""
    path = s.world.folder / "old-keys"
    settings = merged(s.settings, {"keys": {"file": str(path)}})
    s.ends(EX_OK, "keys", "new", settings=settings)
    sealed = "\\x01" + "0001" + "00" * 40
    needs = {
        "1 codes": "insert into enrolld.challenge (challenge_id, realm, purpose, channel, nonce, key_epoch, expires_at) "
                   "values (gen_random_uuid(), 'keys', 'p', 'email', '\\x00000000000000000000000000000000', 1, now() + interval '1 h')",
        "1 sessions": "insert into enrolld.session (session_id, realm, account_id, nonce, key_epoch, token_digest, expires_at) "
                      "values (gen_random_uuid(), 'keys', gen_random_uuid(), '\\x00000000000000000000000000000000', 1, '\\x01', now() + interval '1 h')",
        "1 messages": f"insert into enrolld.message (message_id, realm, channel, template, sealed, expires_at) "
                      f"values (gen_random_uuid(), 'keys', 'email', 't', '{sealed}', now() + interval '1 h')",
        "1 requests": "insert into enrolld.inbox (realm, route, request_id, state, outcome, topic, partition, \"offset\", fingerprint, fingerprint_epoch, result, receipt) "
                      "values ('keys', 'r', 'i', 'done', 'accepted', 't', 0, 0, '\\x00', 1, '{}', '{}')",
    }
    s.ends(EX_USAGE, "keys", "remove", settings=settings)
    for epoch, why in (("1", "active"), ("7", "no epoch"), ("one", "no epoch")):
        status, _, err = s.run("keys", "remove", epoch, settings=settings)
        equal((status, why in err), (EX_NOINPUT, True), f"of epoch {epoch}: {err!r}")
    s.ends(EX_OK, "keys", "rotate", settings=settings)
    before = path.read_bytes()
    tables = ("challenge", "session", "message", "inbox")
    for (needed, statement), table in zip(needs.items(), tables):
        s.world.sql(statement)
        status, _, err = s.run("keys", "remove", "1", settings=settings)
        s.world.sql(f"delete from enrolld.{table} where realm = 'keys'")
        equal((status, needed in err, path.read_bytes() == before), (EX_TEMPFAIL, True, True), f"with a row in {table}: {err!r}")
    s.world.sql(needs["1 codes"].replace("+ interval", "- interval"))
    s.world.sql(needs["1 sessions"].replace("+ interval", "- interval"))
    out, _ = s.ends(EX_OK, "keys", "remove", "1", "--json", settings=settings)
    equal(json.loads(out), {"file": str(path), "removed": 1}, "remove --json")
    s.world.sql("delete from enrolld.challenge where realm = 'keys'")
    s.world.sql("delete from enrolld.session where realm = 'keys'")
    out, _ = s.ends(EX_OK, "keys", "list", "--json", settings=settings)
    equal([row["epoch"] for row in json.loads(out)["epochs"]], [2], "epochs that are left")


# --- Kafka ---------------------------------------------------------------------------------------------------------------------


def config_of(world, topic):
    resource = ConfigResource(ConfigResource.Type.TOPIC, topic)
    return {name: entry.value for name, entry in world.cluster.admin.describe_configs([resource])[resource].result().items()}


def case_topics(s):
    names = {name: f"commands.{s.world.suffix}.{name}" for name in ("a", "b", "r", "e", "d")}
    settings = merged(s.settings, {"worker": {"result_topic": names["r"], "event_topic": names["e"], "dead_topic": names["d"]}})
    settings["topics"] = {"a": {"name": names["a"]}, "b": {"name": names["b"], "lane": "otp"}}
    try:
        out, _ = s.ends(EX_OK, "topics", "create", "5", settings=settings)
        equal(out.count("created"), 5, f"topics created: {out}")
        config = config_of(s.world, names["a"])
        equal((config["cleanup.policy"], config["message.timestamp.type"]), ("delete", "LogAppendTime"), "settings of a request topic")
        true(0 < int(config["retention.ms"]) + int(config["segment.ms"]) <= 7 * 86400000, "requests are kept for days, not weeks")
        equal(len(s.world.cluster.partitions(names["b"])), 5, "partitions")
        before = config_of(s.world, names["e"])
        out, _ = s.ends(EX_OK, "topics", "create", "9", settings=settings)
        equal(out.count("is there already"), 5, f"topics left alone: {out}")
        equal((config_of(s.world, names["e"]), len(s.world.cluster.partitions(names["b"]))), (before, 5), "topic after the second run")
        out, _ = s.ends(EX_OK, "check", "--json", settings=merged(settings, {"topics": {"a": {"reply_headers": False},
                                                                                       "b": {"reply_headers": False}}}))
        bad = [row for row in json.loads(out)["findings"] if row["subject"] == "topics" and row["level"] != "ok"]
        equal(bad, [], "what check thinks of them")
    finally:
        s.world.cluster.delete(names.values())


def case_topics_without_brokers(s):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        servers = f"127.0.0.1:{probe.getsockname()[1]}"
        _, err = s.ends(EX_UNAVAILABLE, "topics", "create", settings=merged(s.settings, {"kafka": {"bootstrap_servers": servers}}))
    true(err.startswith("enrolld: "), f"why, in {err!r}")


def case_progress(s):
    world = s.world
    topic, group = world.topics["signup"], f"{world.group}-signup"
    world.cluster.commit(group, topic, {0: 7, 1: 8})
    world.cluster.commit(f"{group}.passed", topic, {0: 7, 1: 8})
    world.sql('insert into enrolld.progress ("group", topic, partition, mark) values (%s, %s, 0, 7), (%s, %s, 1, 8)', group, topic, group, topic)
    out, _ = s.ends(EX_OK, "progress", "forget", topic, "0")
    true(topic in out and group in out, f"what was done, in {out!r}")
    equal(world.sql('select partition, mark from enrolld.progress where "group" = %s and topic = %s', group, topic), [(1, 8)], "marks left")
    for name in (group, f"{group}.passed"):
        committed = world.cluster.committed(name, topic)
        equal((committed[0], committed[1]), (-1, 8), f"offsets of {name}")
    s.ends(EX_OK, "progress", "forget", topic, "0")  # again: nothing left to forget
    _, err = s.ends(EX_USAGE, "progress", "forget", "unknown.topic", "0")
    true("unknown.topic" in err, f"the topic in {err!r}")


def case_progress_while_a_worker_reads(s):
    world = s.world
    topic, group = world.topics["otp"], f"{world.group}-otp"
    world.cluster.commit(group, topic, {0: 3})
    reader = world.cluster._consumer(group)
    try:
        owned = threading.Event()
        reader.subscribe([topic], on_assign=lambda *_: owned.set())
        for _ in range(200):
            reader.poll(0.1)
            if owned.is_set():
                break
        true(owned.is_set(), "a member of the group")
        status, _, err = s.run("progress", "forget", topic, "0")
        true(status != EX_OK and "stop its workers" in err, f"{status}: {err!r}")
        equal(reader.committed([type(reader.assignment()[0])(topic, 0)], timeout=10)[0].offset, 3, "the offset that is left")
    finally:
        reader.close()


# --- health ----------------------------------------------------------------------------------------------------------------------


class Answer(http.server.BaseHTTPRequestHandler):
    """Stands where the worker's admin endpoint would."""
    status, text, asked = 200, "ok\n", []

    def do_GET(self):
        Answer.asked.append(self.path)
        self.send_response(Answer.status)
        self.end_headers()
        self.wfile.write(Answer.text.encode())

    def log_message(self, *_):
        pass


def case_health(s):
    server = http.server.HTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings = merged(s.settings, {"admin": {"port": server.server_address[1]}})
    try:
        s.ends(EX_OK, "health", settings=settings)
        equal(Answer.asked, ["/readyz"], "what was asked")
        s.ends(EX_OK, "health", settings=merged(settings, {"admin": {"address": "0.0.0.0"}}))
        Answer.status, Answer.text = 503, "lane signup: no partitions\n"
        out, _ = s.ends(EX_TEMPFAIL, "health", settings=settings)
        true("lane signup: no partitions" in out, f"the reasons in {out!r}")
        Answer.status = 404
        s.ends(EX_UNAVAILABLE, "health", settings=settings)
    finally:
        server.shutdown()
        server.server_close()
    _, err = s.ends(EX_UNAVAILABLE, "health", settings=settings)
    true("no answer" in err and str(settings["admin"]["port"]) in err, f"who does not answer, in {err!r}")
    s.ends(EX_CONFIG, "health")  # port 0: nobody knows which one the worker took
    s.ends(EX_CONFIG, "health", settings=merged(settings, {"admin": {"address": ""}}))


def case_health_of_a_worker(s):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    worker = s.world.worker("healthy", admin={"port": port})
    settings = s.world.settings("healthy", admin={"port": port})
    worker.start()
    try:
        out, _ = s.ends(EX_OK, "health", settings=settings)
        equal(out, "ready\n", "what it says")
    finally:
        status = worker.stop()
    equal(status, EX_OK, "exit status of the worker")
    s.ends(EX_UNAVAILABLE, "health", settings=settings)


def case_health_of_something_that_is_silent(s):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(1)
        settings = merged(s.settings, {"admin": {"port": silent.getsockname()[1]}})
        _, err = s.ends(EX_UNAVAILABLE, "health", settings=settings)
        true("timed out" in err, f"why, in {err!r}")


def case_output_that_nobody_takes(s):
    path = s.write("shell.yaml", s.settings)
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run([s.world.binary, "settings", "--effective", "--config", path], stdin=subprocess.DEVNULL, stdout=full,
                              stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    true(done.returncode != EX_OK and "stdout" in done.stderr, f"{done.returncode}: {done.stderr!r}")


def main():
    cases = Cases()
    with World("commands") as world:
        shell = Shell(world)
        for name, case in list(globals().items()):
            if name.startswith("case_"):
                cases.run(case, shell)
    return cases.end()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (services.Missing, KafkaException) as missing:
        print(f"test_commands: {missing}\n0 passed, 1 failed")
        sys.exit(1)
