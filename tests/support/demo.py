#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The part of scripts/demo that needs everything built and running: sends sign-ups, shows what became of them, says whether it is right."""
import argparse
import collections
import json
import os
import pathlib
import random
import signal
import sys
import time

import psycopg2.extensions

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from harness import services  # noqa: E402
from harness.evidence import wait_settled  # noqa: E402
from harness.kafka import Tail, text  # noqa: E402
from harness.talk import status_of  # noqa: E402
from harness.world import World, merged  # noqa: E402

GOOD, WITH_PHONE, DUPLICATE, INVALID, MALFORMED, REPEATED, TOMBSTONES = 200, 20, 30, 25, 20, 25, 2
BEGIN = time.monotonic()


def say(words):
    print(f"[{time.monotonic() - BEGIN:5.1f} s] {words}", flush=True)


def title(words):
    print(f"\n{words}\n{'-' * len(words)}", flush=True)


# --- what an earlier --keep left ------------------------------------------------------------------------------------------

def state_file(found):
    folder = pathlib.Path(found.values["ENROLLD_SCRATCH"])
    folder.mkdir(parents=True, exist_ok=True)
    return folder / "demo.json"


def started_at(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (FileNotFoundError, ProcessLookupError):
        return None


def clear_earlier(found):
    """Ends the worker and removes database and topics of a run that was kept."""
    file = state_file(found)
    if not file.exists():
        return
    kept = json.loads(file.read_text())
    if started_at(kept["pid"]) == kept["started"] is not None:
        say(f"stopping the worker that an earlier demo left (process {kept['pid']})")
        os.kill(kept["pid"], signal.SIGTERM)
        until = time.monotonic() + 30
        while started_at(kept["pid"]) == kept["started"] and time.monotonic() < until:
            time.sleep(0.1)
    world = World("demo", own_sinks=False)
    world.folder.rmdir()
    world.folder, world.database, world.topics = pathlib.Path(kept["folder"]), kept["database"], kept["topics"]
    world.__exit__()
    file.unlink()


# --- the load -----------------------------------------------------------------------------------------------------------------

class Load:
    """A few hundred requests of every kind, in a mixed order that is the same each time."""

    def __init__(self, world):
        self.world = world
        self.random = random.Random(1)
        self.sent = collections.defaultdict(list)

    def person(self, number):
        body = {"email": f"person{number}@{self.world.suffix}.example", "password": f"violet tractor {number} sings at noon",
                "given_name": self.random.choice(["Ada", "Grace", "Hedy", "Katherine", "Lise", "Mary"]),
                "locale": self.random.choice(["en", "en", "en", "es", "ar"])}
        if number < WITH_PHONE:
            body["phone"] = f"+1{int(self.world.suffix, 16) % 10**8:08d}{number:02d}"  # of no earlier demo
        return body

    def first(self):
        """What stands for itself, mixed."""
        self.people = [self.person(number) for number in range(GOOD)]
        plan = [("good", body) for body in self.people]
        plan += [("invalid", {"email": f"bad{n}@{self.world.suffix}.example", "password": "short"}) for n in range(INVALID)]
        plan += [("malformed", b'{"email": "broken@x.example",') for _ in range(MALFORMED)]
        plan += [("tombstone", None)] * TOMBSTONES
        self.publish(plan)

    def second(self):
        """What others have asked before: their addresses in other letters, and requests that a gateway sends again."""
        plan = [("duplicate", {"email": body["email"].upper(), "password": body["password"]}) for body in self.random.sample(self.people, DUPLICATE)]
        plan += [("repeated", sent) for sent in self.random.sample(self.sent["good"], REPEATED)]
        self.publish(plan)

    def publish(self, plan):
        topic, gateway = self.world.topics["signup"], self.world.gateway
        self.random.shuffle(plan)
        for kind, what in plan:
            if kind == "tombstone":
                self.sent[kind].append(gateway.publish(topic, [], None, key="gone"))
            elif kind == "repeated":
                self.sent[kind].append(gateway.post(topic, what.value, request_id=what.request_id))
            else:
                self.sent[kind].append(gateway.post(topic, what))
        if gateway.flush():
            raise RuntimeError("Kafka did not acknowledge every record")
        say(f"{len(plan)} records sent")

    def wanted(self):
        """Replies that are due for what was sent so far."""
        return sum(len(sent) for kind, sent in self.sent.items() if kind != "tombstone")


# --- showing ------------------------------------------------------------------------------------------------------------------

def show_record(what, message):
    print(f"{what}: {message.topic}/{message.partition}@{message.offset}, key {text(message.key)}")
    for name, value in message.headers:
        print(f"    {name}: {text(value)}")
    print(f"    {json.dumps(message.json(), indent=2, ensure_ascii=False)}".replace("\n", "\n    "))


def show_example(world, tail, sent):
    title("One request and all that came of it")
    print(f"request: {sent.topic}/{sent.partition}@{sent.offset}")
    for name, value in sent.headers:
        print(f"    {name}: {value}")
    body = json.loads(sent.value)
    print("    " + json.dumps({**body, "password": "***"}, ensure_ascii=False))
    mine = tail.find(lambda m: m.value is not None and m.json().get("request_id") == sent.request_id)
    for name in ("results", "replies", "accounts"):
        found = [message for message in mine if message.topic == world.topics[name]]
        for message in found[:1]:
            show_record({"results": "result", "replies": "reply", "accounts": "account event"}[name], message)
    print("rows:")
    account = [m for m in mine if m.topic == world.topics["results"]][0].json()["account_id"]
    for table, columns in (("account", "account_id, realm, state, left(password_hash, 30) || '…' as password_hash, given_name, locale"),
                           ("claim", "realm, kind, value, verified_at")):
        for row in world.sql(f"select row_to_json(t)::text from (select {columns} from enrolld.{table} where account_id = %s) t", account):
            print(f"    {table}: {row[0]}")


def show_mail(world, address):
    title("The mail that arrived")
    for row in world.sinks.mailbox.to(address)[:1]:
        mail = world.sinks.mailbox.content(row)
        for name in ("From", "To", "Subject", "Message-ID", "Content-Type"):
            print(f"    {name}: {str(mail[name]).splitlines()[0]}")
        print()
        for line in mail.get_body(("plain",)).get_content().splitlines():
            print(f"    {line}")
        print(f"    (and the same as HTML; the whole mail: {world.sinks.mailbox.folder / row['file']})")


class Ledger:
    """Counts as they are and as they must be."""

    def __init__(self):
        self.wrong = 0

    def line(self, what, found, wanted):
        good = found == wanted
        self.wrong += not good
        print(f"  {'ok' if good else 'WRONG':6} {what:44} {found:6}" + ("" if good else f"   must be {wanted}"))


def show_counts(world, tail, load):
    by = {name: tail.find(lambda m, name=name: m.topic == world.topics[name]) for name in ("results", "replies", "accounts", "dead")}
    outcomes = collections.Counter((m.json()["outcome"], m.json().get("reason", "")) for m in by["results"])
    statuses = collections.Counter(status_of(m) for m in by["replies"])
    ledger = Ledger()
    title("What was sent")
    for kind in ("good", "duplicate", "invalid", "malformed", "repeated", "tombstone"):
        print(f"         {kind:44} {len(load.sent[kind]):6}")
    title("Results by outcome")
    wanted = {("accepted", ""): GOOD, ("refused", "identity_taken"): DUPLICATE, ("refused", "invalid"): INVALID,
              ("refused", "malformed_json"): MALFORMED}
    for outcome in sorted(wanted.keys() | outcomes.keys()):
        ledger.line(" ".join(outcome).strip(), outcomes[outcome], wanted.get(outcome, 0))
    ledger.line("results of one request id, at most", max(collections.Counter(m.key for m in by["results"]).values()), 1)
    title("Replies by status")
    wanted = {"201": GOOD + REPEATED, "409": DUPLICATE, "422": INVALID, "400": MALFORMED}
    for status in sorted(wanted.keys() | statuses.keys()):
        ledger.line(status, statuses[status], wanted.get(status, 0))
    title("Account events, dead letters, messages, rows")
    suffix = f"@{world.suffix}.example"
    mails = [row for row in world.sinks.mailbox.mails() if row["to"][0].endswith(suffix)]
    numbers = [json.loads(sent.value)["phone"] for sent in load.sent["good"] if b'"phone"' in sent.value]
    count = {table: world.sql(f"select count(*) from enrolld.{table}")[0][0] for table in ("account", "claim", "inbox", "message")}
    ledger.line("account events", len(by["accounts"]), GOOD)
    ledger.line("dead letters (tombstones)", len(by["dead"]), TOMBSTONES)
    ledger.line("mails arrived", len(mails), GOOD)
    ledger.line("addresses that got one", len({row["to"][0] for row in mails}), GOOD)
    ledger.line("texts arrived", sum(len(world.sinks.texts.to(number)) for number in numbers), WITH_PHONE)
    ledger.line("rows of account", count["account"], GOOD)
    ledger.line("rows of claim", count["claim"], GOOD + WITH_PHONE)
    ledger.line("rows of message", count["message"], GOOD + WITH_PHONE)
    ledger.line("rows of inbox", count["inbox"], GOOD + DUPLICATE + INVALID + MALFORMED + TOMBSTONES)
    ledger.line("records that no offset has passed", world.lag(), 0)
    return ledger.wrong


def leave(world, worker):
    """Everything stays; says how to look around."""
    world.leave = True
    file = state_file(world.services)
    file.write_text(json.dumps({"pid": worker.process.pid, "started": started_at(worker.process.pid), "folder": str(world.folder),
                                "database": world.database, "topics": world.topics}))
    uri = psycopg2.extensions.parse_dsn(world.dsn)
    title("Left running (--keep)")
    print(f"""  the worker's page     http://127.0.0.1:{worker.port}/   and /metrics /readyz /healthz
  its settings, its log {worker.config}  {worker.log}
  the database          psql -h {uri['host']} -p {uri['port']} -U {uri['user']} {uri['dbname']}    (schema enrolld)
  a topic               scripts/services tool consume --from-beginning --topic {world.topics['results']}
  sign up               echo '{{"email":"you@x.example","password":"violet tractor sings at noon"}}' | kcat -P -b {world.services.bootstrap} \\
                          -t {world.topics['signup']} -H :method=POST -H :path=/v1/accounts -H idempotency-key=mine -H content-type=application/json
  mails                 {world.sinks.mailbox.folder}
  the end of it         kill {worker.process.pid}; the next scripts/demo clears the rest; scripts/services down""")


def wait_replies(world, tail, wanted, timeout=120):
    """Until all are there, with a line every two seconds."""
    until = time.monotonic() + timeout
    while True:
        replies = len(tail.wait(lambda m: m.topic == world.topics["replies"], 2, wanted))
        say(f"{replies} of {wanted} replies")
        if replies >= wanted or time.monotonic() > until:
            return


def run(world, keep):
    worker = world.worker("demo-1")
    worker.start()
    say(f"the worker is ready: http://127.0.0.1:{worker.port}/")
    tail = Tail(world.cluster, [world.topics[name] for name in ("results", "replies", "accounts", "dead")])
    load = Load(world)
    begin = time.monotonic()
    load.first()
    say("hashing takes most of the time from here: Argon2id, 64 MiB, 2 passes")
    wait_replies(world, tail, load.wanted())
    load.second()
    wait_replies(world, tail, load.wanted())
    say(f"answered in {time.monotonic() - begin:.1f} s; waiting for the mails")
    wait_settled(world, 30)
    tail.wait(lambda m: m.topic == world.topics["dead"], 10, TOMBSTONES)
    tail.wait(lambda m: m.topic == world.topics["results"], 10, GOOD + DUPLICATE + INVALID + MALFORMED)
    tail.wait(lambda m: m.topic == world.topics["accounts"], 10, GOOD)
    show_example(world, tail, load.sent["good"][0])
    show_mail(world, json.loads(load.sent["good"][0].value)["email"])
    wrong = show_counts(world, tail, load)
    tail.close()
    if keep:
        leave(world, worker)
    else:
        status = worker.stop()
        clean = worker.events("worker_stopped")
        print()
        say(f"the worker has stopped, status {status}, {'nothing' if clean and clean[-1]['clean'] else 'SOMETHING'} left in hand")
        wrong += status != 0 or not clean or not clean[-1]["clean"]
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args()
    try:
        clear_earlier(services.Services())
        hash_as_delivered = {"hash": {"memory": "64MiB", "passes": 2, "allow_weak": False, "threads": 0}}
        with World("demo", settings=merged({"kafka": {"session_timeout": "6s"}}, hash_as_delivered), own_sinks=False) as world:
            say(f"database {world.database} is migrated, topics {world.topics['signup']} and others are made, keys are new")
            wrong = run(world, options.keep)
            world.keep = wrong > 0
            if wrong:
                print(f"\ndemo: {wrong} things are not as they must be; the worker's log is in {world.folder}")
                return 1
    except services.Missing as error:
        print(f"demo: {error}", file=sys.stderr)
        return 69
    print("\ndemo: everything is as it must be")
    return 0


if __name__ == "__main__":
    sys.exit(main())
