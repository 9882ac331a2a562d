#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Workers die at every named step under load; then the checker reads what is left.

usage: test_failpoints.py [--requests N] [--kills N] [--acts die,stall,fail] [--workers N] [--seed N] [--rate N] [--keep]

Short form: every step of include/enrolld/base/failpoints.def is died at once. With ENROLLD_TEST_FULL=1 20,000 records; every step is died at,
stalled at for longer than any timeout, and made to fail where that has a meaning; and there are fifty SIGKILLs at random moments besides.
Records are published at a rate as long as that lasts, and up to their number. A worker says what it does at a step before it does it:
the run is good only if each was said.
The password hash is cheap on purpose (8 MiB, one pass): what is tried here is what becomes of requests, not the cost of a hash.
"""
import argparse
import pathlib
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]

from harness import failpoints, flood, services  # noqa: E402
from harness.cases import Cases, equal  # noqa: E402
from harness.world import World, merged  # noqa: E402
from trial import FULL, Trial  # noqa: E402

PARTITIONS = 6  # so that each of two workers gives one up when a third joins


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=20000 if FULL else 1000)
    parser.add_argument("--kills", type=int, default=50 if FULL else 0)
    parser.add_argument("--acts", default="die,stall,fail" if FULL else "die")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--rate", type=float, default=80.0)
    parser.add_argument("--keep", action="store_true", help="keep the folder with logs and evidence")
    return parser.parse_args()


class Steps(Trial):
    name = "failpoints"

    def __init__(self, world, arguments, cases):
        super().__init__(world, arguments.seed, arguments.workers, cases)
        self.arguments = arguments
        self.helper = world.worker("helper")
        self.plan = failpoints.steps(arguments.acts.split(","))

    def case_everything_passes_though_workers_die_at_every_step(self):
        a, say = self.arguments, self.cases.say
        self.watch()
        lives = failpoints.Lives(a.seed, self.workers, self.helper, self.plan, a.kills, self.note, say)
        sent = 0
        while lives.running() or sent < a.requests:
            flood.publish(self.load, flood.BURST, 0, say, lambda: len(self.faults))
            sent += flood.BURST
            if lives.running():
                time.sleep(flood.BURST / a.rate)
        self.all_sent()
        lives.finish()
        say(f"all sent, all faults over: {sent} records")
        self.drain(60 + sent / 100)

    def case_every_step_was_hit(self):
        hits = {}
        for worker in self.workers:
            for step, count in failpoints.said(worker, since_start=False).items():
                hits[step] = hits.get(step, 0) + count
        self.cases.say("; ".join(f"{name}: {act} {count}" for (name, act), count in sorted(hits.items())))
        equal([step for step in self.plan if step not in hits], [], "steps that nobody reached")
        equal(sum(fault["what"] == "SIGKILL" for fault in self.faults) >= self.arguments.kills, True, "as many SIGKILLs as asked for")


def main():
    arguments = options()
    cases = Cases()
    try:
        more = {"worker": {"cautious_records": failpoints.CAUTIOUS, "drain_limit": "0s"}}
        with World("failpoints", settings=merged(flood.settings(), more), partitions=PARTITIONS) as world:
            cases.say(flood.NOTE)
            cases.say(f"{arguments.requests} records, {arguments.acts} at every step, {arguments.kills} kills, {arguments.workers} workers, "
                      f"seed {arguments.seed}; {world.binary}")
            trial = Steps(world, arguments, cases)
            trial.course(trial.case_everything_passes_though_workers_die_at_every_step)
            cases.run(trial.case_every_step_was_hit)
            trial.end(arguments.keep)
    except services.Missing as error:
        print(error)
        cases.failed += 1
    return cases.end()


if __name__ == "__main__":
    sys.exit(main())
