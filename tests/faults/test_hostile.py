#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Spoilt records between honest ones, through a real broker into a worker built with AddressSanitizer and UndefinedBehaviorSanitizer.

usage: test_hostile.py [--count N] [--seed N] [--round N] [--pause FILE] [--keep]

Short form: 20,000 records; with ENROLLD_TEST_FULL=1 a million. One in five is honest (of the million, one in twenty more) and must be accepted, with one
result, one reply and its account; each other one must end as the contract (hostile/contract.py) says: one result, or one dead letter. The worker must not die, report, leak, rewind or
cease to be ready.
The build: ENROLLD_ASAN_BINARY, else ENROLLD_BINARY if that is such a build, else the newest one in the tree.
The password hash is cheap on purpose (8 MiB, one pass): what is tried here is what becomes of records, not the cost of a hash.
"""
import argparse
import copy
import json
import os
import pathlib
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]

import routes  # noqa: E402
from harness import services  # noqa: E402
from harness.cases import Cases, Failed, equal, true  # noqa: E402
from harness.evidence import wait_settled  # noqa: E402
from harness.kafka import OffsetWatch  # noqa: E402
from harness.world import World  # noqa: E402
from hostile import envelopes  # noqa: E402
from hostile.account import Account  # noqa: E402
from hostile.builds import sanitized  # noqa: E402
from hostile.contract import Contract  # noqa: E402
from hostile.forge import Forge  # noqa: E402
from hostile.raw import RawProducer  # noqa: E402

REALMS = ["main", "shop-*"]
LANES = {**{name: "signup" for name in ("signup", "tenants", "events", "clock", "frontends", *envelopes.TOPICS)}, "otp": "otp"}
STALL = 30  # seconds without any progress
MILLION = 1_055_000  # a million spoilt ones, and honest ones between them
# From this many on, honest ones are one in twenty instead of five, most people bring a hash of their password, and fewer an address: that many more hashes
# and mails would say nothing more.
MANY = 200_000


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=MILLION if os.environ.get("ENROLLD_TEST_FULL") else 20_000)
    parser.add_argument("--seed", type=int, default=4)
    parser.add_argument("--round", type=int, default=10_000, help="records between two looks at everything")
    parser.add_argument("--pause", type=pathlib.Path, metavar="FILE", help="while this file exists, nothing is published and the worker rests")
    parser.add_argument("--keep", action="store_true", help="keep the folder with the log")
    return parser.parse_args()


def settings(world):
    def topic(name, **more):
        return {"name": world.topics[name], "lane": LANES[name], "reply_topics": [world.topics["replies"], "absent.*"],
                "address_header": "x-forwarded-for", **more}

    def enveloped(name):
        asks = {} if name in ("kong", "cloudevents") else {"target": envelopes.TARGET}
        return topic(name, shape=name, **asks)
    return {
        "kafka": {"session_timeout": "10s"},
        "topics": {"signup": topic("signup"), "otp": topic("otp"), "events": topic("events", shape="auto"), "clock": topic("clock"),
                   "frontends": topic("frontends", dialects=sorted({route.dialect for route in routes.routes()})),
                   "tenants": topic("tenants", realm={"header": "x-enroll-realm", "allow": REALMS}),
                   **{name.replace("-", "_"): enveloped(name) for name in envelopes.TOPICS}},
        "courier": {"smtp_connections": 2},
    }


class Watch:
    """Asks whether the worker is ready, all the time."""

    def __init__(self, worker):
        self.worker, self.asked, self.bad = worker, 0, []
        self.closing = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        while not self.closing.wait(0.2):
            answer = self.worker.get("/readyz", timeout=10)
            self.asked += 1
            if answer != (200, "ok\n"):
                self.bad.append(answer)

    def close(self):
        self.closing.set()
        self.thread.join()


class Siege:
    """One worker and all that is thrown at it."""

    def __init__(self, world, arguments, cases):
        self.world, self.arguments, self.cases = world, arguments, cases
        self.worker = world.worker("besieged")
        self.partitions = {name: len(world.cluster.partitions(world.topics[name])) for name in LANES}
        many = arguments.count >= MANY
        self.honest = 0.05 if many else 0.2
        self.spoilt = 0
        self.forge = Forge(arguments.seed, world.topics, world.topics["replies"], self.partitions, f"{world.suffix}.example",
                           ready=0.75 if many else 0.1, mails=0.08 if many else 0.25)
        _, printed, _ = world.command("reasons", "--json")
        refusals = {row["code"] for row in json.loads(printed)["reasons"] if row["verdict"] == "refuse"}
        contract = Contract({world.topics["replies"]: world.reply_partitions}, refusals, {"frontends", *envelopes.TOPICS}, REALMS)
        self.account = Account(world, contract, list(LANES))
        self.producer = RawProducer(world.services.bootstrap)
        self.watches = {name: OffsetWatch(world.cluster, f"{world.group}-{lane}", world.topics[name]) for name, lane in LANES.items()}
        self.ends = {name: dict.fromkeys(range(count), 0) for name, count in self.partitions.items()}
        self.ready = None
        self.begin, self.judged = 0.0, 0

    def publish(self, count):
        def done(record, partition, offset):
            record.offset = offset
            ends = self.ends[record.topic]
            ends[partition] = max(ends[partition], offset + 1)
        records = []
        for _ in range(count):
            r = self.forge.one(self.honest)
            self.spoilt += not r.valid
            records.append(r)
            self.producer.send(r, self.world.topics[r.topic], r.partition, r.headers, r.key, r.value, r.timestamp, done)
        self.producer.flush()
        return records

    def lag(self, ends):
        left = 0
        for name, watch in self.watches.items():
            committed = watch.read()
            left += sum(max(0, end - max(0, committed.get(partition, 0))) for partition, end in ends[name].items())
        return left

    def drain(self, ends):
        """Until everything before these offsets is through."""
        last, moved = None, time.monotonic()
        while True:
            lag = self.lag(ends)
            if lag == 0:
                return
            if not self.worker.running():
                raise Failed(f"the worker ended with {self.worker.process.returncode}:\n{self.worker.text()[-6000:]}")
            if lag != last:
                last, moved = lag, time.monotonic()
            if time.monotonic() - moved > STALL:
                raise Failed(f"{lag} records to go, and nothing moves for {STALL} s: {self.worker.get('/readyz')}")
            time.sleep(0.2)

    def rounds(self):
        """(records, their ends, time of the database before them); the next ones are published before these are waited for, so that it never rests."""
        sent = 0
        while sent < self.arguments.count:
            since = self.world.sql("select clock_timestamp()")[0][0]
            records = self.publish(min(self.arguments.round, self.arguments.count - sent))
            sent += len(records)
            yield records, copy.deepcopy(self.ends), since

    def pausing(self):
        return self.arguments.pause is not None and self.arguments.pause.exists()

    def pause(self):
        begin = time.monotonic()
        self.cases.say("paused")
        while self.pausing():
            time.sleep(1)
        self.begin += time.monotonic() - begin
        self.cases.say("goes on")

    def judge(self, records, ends, since):
        self.drain(ends)
        self.account.round(records, since)
        self.judged += len(records)
        seconds = time.monotonic() - self.begin
        self.cases.say(f"{self.judged} of {self.arguments.count} records, {self.judged / seconds:.0f} a second; {self.account.accepted} accounts")

    def case_every_record_ends_as_the_contract_says(self):
        self.worker.start(ready=60)
        self.ready = Watch(self.worker)
        self.begin = time.monotonic()
        before = None
        for current in self.rounds():
            if before:
                self.judge(*before)
            before = current
            if self.account.findings:
                break
            if self.pausing():
                self.judge(*before)
                before = None
                self.pause()
        if before:
            self.judge(*before)
        self.account.end()
        outcomes = ", ".join(f"{count} {name}" for name, count in self.account.outcomes.most_common())
        self.cases.say(f"{self.spoilt} spoilt ones; all ended as: {outcomes}")
        if self.account.findings:
            raise Failed("\n  ".join(self.account.findings))
        equal(self.world.sql("select count(*) from enrolld.account")[0][0], self.account.accepted, "accounts")

    def case_the_mails_go_to_owners_of_their_address_and_nobody_else(self):
        equal(wait_settled(self.world, 60), 0, "messages that still wait")
        mails = self.world.sinks.mailbox.mails()
        addresses = {value for value, in self.world.sql("select value from enrolld.claim where kind = 'email'")}
        strangers = [row["to"] for row in mails if len(row["to"]) != 1 or row["to"][0] not in addresses]
        equal(strangers[:5], [], "recipients that are nobody's address")
        rows = self.world.sql("select count(*) from enrolld.message where channel = 'email' and state = 'accepted'")[0][0]
        equal(len(mails), rows, "mails")
        true(rows > self.arguments.count / 100, f"only {rows} mails were sent")

    def case_it_was_ready_all_the_time_and_never_went_back(self):
        self.ready.close()
        true(self.ready.asked > 0, "nobody asked whether it is ready")
        equal(self.ready.bad[:3], [], f"answers of /readyz other than ok, of {self.ready.asked}")
        metrics = self.worker.metrics()
        for name in ("rewinds_total", "bisections_total", "retries_total", "offset_gaps_total", "log_lines_lost_total"):
            equal(metrics.sum(name), 0, name)
        equal(len(self.worker.events("worker_started")), 1, "starts")

    def case_it_ends_cleanly_without_a_report_or_a_leak(self):
        peak = next(line for line in pathlib.Path(f"/proc/{self.worker.process.pid}/status").read_text().splitlines() if line.startswith("VmHWM"))
        self.cases.say(f"peak memory of the instrumented worker: {' '.join(peak.split()[1:])}")
        status = self.worker.stop(timeout=90)
        strange = [line for line in self.worker.text().splitlines() if not line.startswith("{")]
        if strange or status != 0:
            raise Failed(f"exit status {status}; lines that are no log:\n" + "\n".join(strange[:120]))
        lines = self.worker.text().splitlines()
        equal(len(self.worker.events()), len(lines), "lines of the log that are JSON")
        true(max(len(line) for line in lines) < 2000, "a line of the log is long")
        bad = [row for row in self.worker.events() if row["level"] == "error"]
        equal(bad[:3], [], "errors in the log")
        equal(self.worker.events("worker_stopped")[-1]["clean"], True, "clean stop")

    def close(self):
        if self.ready:
            self.ready.close()
        self.producer.close()
        for watch in self.watches.values():
            watch.close()


def make_clock(world):
    """A topic that keeps the times its producers give, whatever they are."""
    world.topics["clock"] = f"{world.purpose}.{world.suffix}.clock"
    world.cluster.create({world.topics["clock"]: 2}, **{"message.timestamp.type": "CreateTime", "max.message.bytes": "4000000", "retention.ms": "-1",
                                                        "message.timestamp.after.max.ms": str(2**63 - 1)})


class HostileWorld(World):
    def _begin(self):
        make_clock(self)
        super()._begin()


def main():
    arguments = options()
    cases = Cases()
    try:
        os.environ["ENROLLD_BINARY"] = sanitized("address")
        os.environ.setdefault("ASAN_OPTIONS", "detect_leaks=1:strict_string_checks=1:detect_stack_use_after_return=1")
        os.environ.setdefault("UBSAN_OPTIONS", "print_stacktrace=1:halt_on_error=1")
        with HostileWorld("hostile", settings=settings, more_topics=("events", "tenants", "frontends", *envelopes.TOPICS)) as world:
            cases.say(f"{arguments.count} records, seed {arguments.seed}; cheap password hash on purpose (8 MiB, 1 pass); {world.binary}")
            siege = Siege(world, arguments, cases)
            if cases.run(siege.case_every_record_ends_as_the_contract_says):
                cases.run(siege.case_the_mails_go_to_owners_of_their_address_and_nobody_else)
            if siege.worker.running():
                cases.run(siege.case_it_was_ready_all_the_time_and_never_went_back)
                cases.run(siege.case_it_ends_cleanly_without_a_report_or_a_leak)
            siege.close()
            world.keep = arguments.keep or cases.failed > 0
            if world.keep:
                cases.say(f"the log is in {world.folder}")
    except services.Missing as error:
        print(error)
        cases.failed += 1
    return cases.end()


if __name__ == "__main__":
    sys.exit(main())
