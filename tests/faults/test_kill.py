#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Workers die under load: SIGKILL at random moments, then the checker reads what is left.

usage: test_kill.py [--requests N] [--kills N] [--pauses N] [--workers N] [--seed N] [--rate N] [--keep]

Short form: 2,000 records and ten kills; with ENROLLD_TEST_FULL=1 20,000 and fifty. A pause is a SIGSTOP that outlasts the group's session.
--rate is records per second, 0 as fast as they go; by default the load lasts as long as the faults.
The password hash is cheap on purpose (8 MiB, one pass): what is tried here is what becomes of requests, not the cost of a hash.
"""
import argparse
import pathlib
import random
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]

from doctoring import LIES  # noqa: E402
from harness import flood, services  # noqa: E402
from harness.cases import Cases, equal  # noqa: E402
from harness.chaos import Chaos  # noqa: E402
from harness.world import World  # noqa: E402
from trial import FULL, Trial, unnoticed  # noqa: E402

GAP = (1.5, 4.0)  # seconds between two faults
AWAY = (0.0, 5.0)  # how long some of the killed stay away; the session ends after 4


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=20000 if FULL else 2000)
    parser.add_argument("--kills", type=int, default=50 if FULL else 10)
    parser.add_argument("--pauses", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--rate", type=float)
    parser.add_argument("--keep", action="store_true", help="keep the folder with logs and evidence")
    return parser.parse_args()


class Kills(Trial):
    name = "kill"

    def __init__(self, world, arguments, cases):
        super().__init__(world, arguments.seed, arguments.workers, cases)
        self.arguments = arguments
        self.chaos = None

    def case_everything_passes_though_workers_die(self):
        for worker in self.workers:
            worker.start()
        self.watch()
        a, say = self.arguments, self.cases.say
        faults = a.kills + a.pauses
        seconds = faults * sum(GAP) / 2 + 2
        rate = a.requests / seconds if a.rate is None and faults else a.rate or 0
        self.chaos = Chaos(a.seed, self.workers, kills=a.kills, pauses=a.pauses, gap=GAP, away=AWAY, say=say)
        self.faults = self.chaos.done
        flood.publish(self.load, a.requests, rate, say, lambda: len(self.faults))
        self.all_sent()
        self.chaos.wait(seconds + 120)
        say("all sent, all faults over")
        equal(len(self.faults), faults, "faults that happened")
        self.drain(60 + a.requests / 100)

    def case_the_survivors_stop_cleanly(self):
        self.chaos.count(self.workers)
        self.more["seen"] = self.chaos.counts()
        super().case_the_survivors_stop_cleanly()

    def case_the_checker_finds_lies_in_this_very_evidence(self):
        lies = random.Random(self.seed).sample(LIES, 12)  # all of them are tried by test_checker.py
        self.cases.say("tries " + ", ".join(lie.__name__.replace("_", " ") for lie, _ in lies))
        equal(unnoticed(self.evidence, lies), [], "lies that were not found")


def main():
    arguments = options()
    cases = Cases()
    try:
        with World("kill", settings=flood.settings()) as world:
            cases.say(flood.NOTE)
            cases.say(f"{arguments.requests} records, {arguments.kills} kills, {arguments.pauses} pauses, {arguments.workers} workers, "
                      f"seed {arguments.seed}; {world.binary}")
            trial = Kills(world, arguments, cases)
            if trial.course(trial.case_everything_passes_though_workers_die):
                cases.run(trial.case_the_checker_finds_lies_in_this_very_evidence)
            trial.end(arguments.keep)
    except services.Missing as error:
        print(error)
        cases.failed += 1
    return cases.end()


if __name__ == "__main__":
    sys.exit(main())
