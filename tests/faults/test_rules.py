#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What each rule holds: with one of them broken, the checker finds what must then go wrong; with none, the same run is good.

usage: test_rules.py [--requests N] [--seed N] [--keep]

A build with failpoints can be told to break a rule (rule.* in include/enrolld/base/failpoints.def). Request ids and identities are held twice, by
the worker and by a key of the table: here the key is gone too. Each run has the same requests, two workers and the same two deaths:
one after the database's commit, one after Kafka's, with a backlog in hand.
"""
import argparse
import collections
import os
import pathlib
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]

from harness import failpoints, flood, services  # noqa: E402
from harness.cases import Cases, Failed, equal, eventually  # noqa: E402
from harness.evidence import wait_settled  # noqa: E402
from harness.world import World, merged  # noqa: E402
from trial import FULL, Trial  # noqa: E402

DEATHS = ("store.committed", "sink.committed")  # of the first worker, of the second
DIES_AT = 2    # the transaction of that number: there is a backlog behind it
STILL = 4.0    # seconds without progress
ROUNDS = 5     # of restarts, until all has passed
# Rule, table whose key holds it too, findings that must be among those of the run. Whether a death also loses what was overtaken depends on its
# moment; results out of order show whatever dies.
BROKEN = (
    ("rule.inbox", "inbox", {"result_doubled", "answers_differ"}),
    ("rule.claims", "claim", {"identity_doubled"}),
    ("rule.inorder", None, {"out_of_order"}),
)


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=300)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--keep", action="store_true", help="keep the folders with logs and evidence")
    return parser.parse_args()


class Run(Trial):
    """All requests at once, a death of each worker, then restarts until all has passed: a broken order may leave offsets behind."""

    def __init__(self, world, arguments, cases, rule=None):
        super().__init__(world, arguments.seed, 2, cases)
        self.rule = rule
        self.name = f"rules, {rule} broken" if rule else "rules"
        self.count = arguments.requests

    def failpoints(self, worker=None):
        """Of a worker that is to die, or of one that is not."""
        asked = [f"{self.rule}=fail"] if self.rule else []
        if worker:
            asked.append(f"{DEATHS[self.workers.index(worker)]}=die@{DIES_AT}")
        return ";".join(asked)

    def go(self):
        for worker in self.workers:
            worker.start(failpoints=self.failpoints(worker))
        for worker in self.workers:
            eventually(lambda worker=worker: worker.partitions(self.world.topics["signup"]), f"partitions of {worker.name}")
        self.watch()
        flood.publish(self.load, self.count, 0, self.cases.say, lambda: 0)
        self.all_sent()
        for worker, point in zip(self.workers, DEATHS):
            eventually(lambda worker=worker: not worker.running(), f"the death of {worker.name}", 20)
            equal(failpoints.said(worker)[point, "die"], 1, f"deaths at {point}")
            self.note(f"die at {point}", worker)
            worker.start(ready=None, failpoints=self.failpoints())
        for _ in range(ROUNDS):
            if self.wait_still() == 0:
                break
            for worker in self.workers:
                worker.kill()
                self.note("SIGKILL", worker)
                worker.start(ready=None, failpoints=self.failpoints())
        wait_settled(self.world, 60, open_ends=FULL and not self.rule)
        for worker in self.workers:
            if self.rule:
                equal((self.rule, "fail") in failpoints.said(worker, since_start=False), True, f"{self.rule} was broken by {worker.name}")
            equal(worker.stop(), 0, f"exit status of {worker.name}")
        return collections.Counter(self.judge())

    def wait_still(self):
        """The lag, when it has been the same for a while or is nothing."""
        lag, since = self.world.lag(), time.monotonic()
        while lag and time.monotonic() - since < STILL:
            time.sleep(0.2)
            now = self.world.lag()
            if now != lag:
                lag, since = now, time.monotonic()
        return lag


class Rules:
    def __init__(self, arguments, cases):
        self.arguments, self.cases = arguments, cases
        self.binary = None

    def run(self, rule=None, table=None):
        more = {"worker": {"cautious_records": failpoints.CAUTIOUS}}
        with World("rules", settings=merged(flood.settings(), more)) as world:
            self.binary = world.binary
            if table:
                world.sql(f"alter table enrolld.{table} drop constraint {table}_pkey")
            run = Run(world, self.arguments, self.cases, rule)
            try:
                return run.go()
            except Exception:
                world.keep = True
                raise
            finally:
                run.tail.close()
                world.keep = world.keep or self.arguments.keep
                if world.keep:
                    self.cases.say(f"logs and evidence are in {world.folder}")

    def case_no_rule_broken_no_finding(self):
        equal(dict(self.run()), {}, "findings of the checker")

    def case_a_release_refuses_to_break_any(self):
        release = os.environ.get("ENROLLD_RELEASE_BINARY")
        if not release:
            self.cases.say("ENROLLD_RELEASE_BINARY is not set: no release to ask")
            return
        for rule, _, _ in BROKEN:
            done = subprocess.run([release, "run"], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20, check=False,
                                  env={**os.environ, "ENROLLD_FAILPOINTS": f"{rule}=fail"})
            equal((done.returncode != 0, "this build has no failpoints" in done.stderr), (True, True), f"refusal of {rule}: {done.stderr}")

    def broken(self, rule, table, wanted):
        def case():
            found = self.run(rule, table)
            self.cases.say(f"{rule} broken: " + ", ".join(f"{count} {code}" for code, count in sorted(found.items())))
            if not wanted <= set(found):
                raise Failed(f"not found: {sorted(wanted - set(found))}")
        case.__name__ = f"case_{rule}_broken_is_found"
        return case


def main():
    arguments = options()
    cases = Cases()
    try:
        cases.say(f"{flood.NOTE}; {arguments.requests} records, seed {arguments.seed}")
        rules = Rules(arguments, cases)
        equal([name for name, kind in failpoints.points() if kind == "RULE"], [rule for rule, _, _ in BROKEN], "rules of the table")
        cases.run(rules.case_a_release_refuses_to_break_any)
        cases.run(rules.case_no_rule_broken_no_finding)
        for row in BROKEN:
            cases.run(rules.broken(*row))
    except services.Missing as error:
        print(error)
        cases.failed += 1
    return cases.end()


if __name__ == "__main__":
    sys.exit(main())
