# SPDX-License-Identifier: Apache-2.0
"""Writes down what was seen of a run, for the checker (tests/faults/checker/evidence.py says what each file is)."""
import json
import threading
import time

import psycopg2
from confluent_kafka import KafkaException

from .kafka import OffsetWatch, read_all

TABLES = {
    "account": "select account_id::text, realm, state, extract(epoch from created_at)::float8 as created_at from enrolld.account",
    "claim": "select realm, kind, value, account_id::text from enrolld.claim",
    "inbox": 'select realm, route, request_id, state, outcome, reason, topic, partition, "offset", result, account_id::text, '
             "extract(epoch from stored_at)::float8 as stored_at from enrolld.inbox",
    "message": "select message_id::text, realm, channel, state, attempts, unknowns, code, extract(epoch from due_at)::float8 as due_at "
               "from enrolld.message",
    "notice": "select notice_id::text, kind, key, subject, payload from enrolld.notice",
}


def write_lines(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


class Sampler:
    """Looks at committed offsets while the run goes on, each time with the database's clock read afterwards."""

    def __init__(self, world, lane="signup", every=0.2):
        self.world, self.every = world, every
        self.topic = world.topics[lane]
        self.rows = []
        self.closing = threading.Event()
        self.watch = OffsetWatch(world.cluster, f"{world.group}-{lane}", self.topic)
        self.thread = threading.Thread(target=self._run, name="sampler", daemon=True)
        self.thread.start()

    def _run(self):
        connection = None
        while not self.closing.wait(self.every):
            try:
                committed = self.watch.read()
                if connection is None:
                    connection = psycopg2.connect(self.world.dsn)
                    connection.autocommit = True
                with connection.cursor() as cursor:
                    cursor.execute("select extract(epoch from clock_timestamp())::float8")
                    at = cursor.fetchone()[0]
            except (KafkaException, psycopg2.Error):
                connection = None  # an outage is no sample
                continue
            self.rows += [{"at": at, "topic": self.topic, "partition": partition, "committed": offset}
                          for partition, offset in committed.items() if offset >= 0]
        if connection:
            connection.close()

    def close(self):
        self.closing.set()
        self.thread.join()
        self.watch.close()


def collect(world, folder, run, tail, sampler, lanes=("signup",)):
    """Reads everything once more and writes the folder. The workers must have stopped."""
    folder.mkdir(parents=True, exist_ok=True)
    outputs = {name: world.topics[name] for name in ("results", "replies", "accounts", "dead")}
    full = {name: read_all(world.cluster, topic) for name, topic in outputs.items()}
    total = sum(len(messages) for messages in full.values())
    tail.wait(lambda _: True, 15, total)
    for name, topic in outputs.items():
        write_lines(folder / "full" / f"{name}.jsonl", (message.row() for message in full[name]))
        write_lines(folder / "live" / f"{name}.jsonl", (message.row() for message in tail.find(lambda m, topic=topic: m.topic == topic)))
    write_lines(folder / "requests.jsonl", (sent.row() for sent in world.gateway.history))
    for name, query in TABLES.items():
        write_lines(folder / "tables" / f"{name}.jsonl", _rows(world, query))
    (folder / "offsets.json").write_text(json.dumps(list(_offsets(world, lanes))), encoding="utf-8")
    write_lines(folder / "samples.jsonl", sampler.rows if sampler else [])
    write_lines(folder / "mails.jsonl", world.sinks.mailbox.rows())
    write_lines(folder / "texts.jsonl", world.sinks.texts.rows())
    about = {"versions": world.services.versions(), "group": world.group, **run}
    (folder / "run.json").write_text(json.dumps(about, indent=1, default=str), encoding="utf-8")


def _rows(world, query):
    return (json.loads(row[0]) for row in world.sql(f"select row_to_json(t)::text from ({query}) as t"))


def _offsets(world, lanes):
    for lane in lanes:
        topic, group = world.topics[lane], f"{world.group}-{lane}"
        ends = world.cluster.ends(topic)
        committed, passed = world.cluster.committed(group, topic), world.cluster.committed(f"{group}.passed", topic)
        marks = dict(world.sql('select partition, mark from enrolld.progress where "group" = %s and topic = %s', group, topic))
        for partition, end in ends.items():
            yield {"topic": topic, "partition": partition, "end": end, "committed": committed[partition], "passed": passed[partition],
                   "mark": marks.get(partition)}


def wait_settled(world, timeout=30, open_ends=True):
    """Waits until no message waits any more; how many still do. open_ends: also for those of dead workers, whose answer is awaited long."""
    until = time.monotonic() + timeout
    done = ["unknown"] if open_ends else ["unknown", "transmitting"]
    while True:
        waiting = world.sql("select count(*) from enrolld.message where due_at is not null and state <> all(%s)", done)[0][0]
        if not waiting or time.monotonic() > until:
            return waiting
        time.sleep(0.2)
