#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Workers die under load: SIGKILL at random moments, then the checker reads what is left.

usage: test_kill.py [--requests N] [--kills N] [--pauses N] [--workers N] [--seed N] [--rate N] [--keep]

Short form: 2,000 records and ten kills; with ENROLLD_TEST_FULL=1 20,000 and fifty. A pause is a SIGSTOP that outlasts the group's session.
--rate is records per second, 0 as fast as they go; by default the load lasts as long as the faults.
The password hash is cheap on purpose (8 MiB, one pass): what is tried here is what becomes of requests, not the cost of a hash.
"""
import argparse
import os
import pathlib
import random
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]

from doctoring import LIES  # noqa: E402
from harness import services  # noqa: E402
from harness.cases import Cases, Failed, equal, eventually  # noqa: E402
from harness.chaos import Chaos  # noqa: E402
from harness.evidence import Sampler, collect, wait_settled  # noqa: E402
from harness.kafka import Tail  # noqa: E402
from harness.load import Load  # noqa: E402
from harness.world import World  # noqa: E402
from trial import check, unnoticed  # noqa: E402

FULL = bool(os.environ.get("ENROLLD_TEST_FULL"))
NOTE = "cheap password hash on purpose: 8 MiB, 1 pass (hash.allow_weak)"
SMTP_CONNECTIONS, TEXT_CONNECTIONS = 4, 8
BURST = 40
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


def settings(say):
    say(NOTE)
    return {
        "kafka": {"session_timeout": "4s", "transaction_timeout": "8s"},
        "hash": {"threads": 1},
        "courier": {"smtp_connections": SMTP_CONNECTIONS, "text_connections": TEXT_CONNECTIONS, "lease": "5s",
                    "smtp_command_timeout": "2s", "smtp_answer_timeout": "2s", "text_timeout": "4s"},
    }


def publish(load, count, rate, chaos, say):
    """The whole load, in bursts so that there is work in hand when things go wrong, and paced so that it lasts as long as they do."""
    start = time.monotonic()
    for number in range(count):
        load.one()
        if rate and number % BURST == 0:
            time.sleep(max(0.0, start + number / rate - time.monotonic()))
        if number % 500 == 499:
            say(f"{number + 1} of {count} records sent, {len(chaos.done)} faults so far")


def drain(world, workers, say, timeout):
    """Until everything has passed; fails if it does not, or if nothing moves for a long time."""
    until = time.monotonic() + timeout
    shown = None
    while True:
        lag = world.lag()
        if lag == 0:
            return
        if lag != shown:
            say(f"{lag} records to go")
            shown = lag
        dead = [worker.name for worker in workers if not worker.running()]
        if dead:
            raise Failed(f"{', '.join(dead)} ended by itself:\n{workers[0].text()[-1500:]}")
        if time.monotonic() > until:
            waits = "; ".join(f"{worker.name} says {worker.get('/readyz')[1].strip()}" for worker in workers)
            raise Failed(f"{lag} records have not passed {timeout} s after the last fault: {waits}")
        time.sleep(0.5)


def trouble(workers):
    """Lines of the logs that no kill explains: panics, sanitizer reports, failures."""
    found = []
    for worker in workers:
        for line in worker.text(since_start=False).splitlines():
            if not line.startswith("{") or '"event":"worker_failed"' in line or '"level":"error"' in line:
                found.append(f"{worker.name}: {line[:300]}")
    return found


class Trial:
    """One run; its steps are the cases."""

    def __init__(self, world, arguments, cases):
        self.world, self.arguments, self.cases = world, arguments, cases
        self.evidence = world.folder / "evidence"
        self.workers = [world.worker(f"worker-{number}") for number in range(1, arguments.workers + 1)]
        self.tail = Tail(world.cluster, [world.topics[name] for name in ("results", "replies", "accounts", "dead")])
        self.chaos = self.sampler = None
        self.begin = time.monotonic()

    def case_everything_passes_though_workers_die(self):
        for worker in self.workers:
            worker.start()
        self.sampler = Sampler(self.world)
        a, say = self.arguments, self.cases.say
        load = Load(a.seed, self.world.gateway, self.world.topics["signup"], f"{self.world.suffix}.example", self.world.partitions)
        faults = a.kills + a.pauses
        seconds = faults * sum(GAP) / 2 + 2
        rate = a.requests / seconds if a.rate is None and faults else a.rate or 0
        self.chaos = Chaos(a.seed, self.workers, kills=a.kills, pauses=a.pauses, gap=GAP, away=AWAY, say=say)
        publish(load, a.requests, rate, self.chaos, say)
        equal(self.world.gateway.flush(), 0, "records that Kafka did not acknowledge")
        self.chaos.wait(seconds + 120)
        say("all sent, all faults over")
        last = time.monotonic()
        drain(self.world, self.workers, say, 60 + a.requests / 100)
        say(f"drained {time.monotonic() - last:.1f} s after the last fault")

    def case_every_message_is_settled(self):
        # A dead worker's last mails count as unknown only when their answer is overdue, half a minute later: the full form waits for it.
        equal(wait_settled(self.world, 60, open_ends=FULL), 0, "messages that still wait")

    def case_the_survivors_stop_cleanly(self):
        self.chaos.count(self.workers)
        for worker in self.workers:
            equal(worker.stop(), 0, f"exit status of {worker.name}")
            eventually(lambda worker=worker: worker.events("worker_stopped"), "worker_stopped in the log", 2)
            equal(worker.events("worker_stopped")[-1].get("clean"), True, f"clean stop of {worker.name}")
        equal(trouble(self.workers), [], "trouble in the logs")

    def case_nothing_is_lost_and_nothing_is_done_twice(self):
        a = self.arguments
        self.sampler.close()
        run = {"name": "kill", "seed": a.seed, "commit": services.commit(), "note": NOTE, "faults": self.chaos.done,
               "seconds": time.monotonic() - self.begin, "verifications": True, "open_ends": not FULL,
               "unknown_at_most": a.kills * (SMTP_CONNECTIONS + TEXT_CONNECTIONS), "seen": self.chaos.counts()}
        collect(self.world, self.evidence, run, self.tail, self.sampler)
        codes, report = check(self.evidence)
        (self.evidence / "report.txt").write_text(report, encoding="utf-8")
        print(report, flush=True)
        equal(len(self.chaos.done), a.kills + a.pauses, "faults that happened")
        equal(sorted(set(codes)), [], "findings of the checker")

    def case_the_checker_finds_lies_in_this_very_evidence(self):
        lies = random.Random(self.arguments.seed).sample(LIES, 12)  # all of them are tried by test_checker.py
        self.cases.say("tries " + ", ".join(lie.__name__.replace("_", " ") for lie, _ in lies))
        equal(unnoticed(self.evidence, lies), [], "lies that were not found")


def main():
    arguments = options()
    cases = Cases()
    try:
        with World("kill", settings=settings(cases.say)) as world:
            cases.say(f"{arguments.requests} records, {arguments.kills} kills, {arguments.pauses} pauses, {arguments.workers} workers, "
                      f"seed {arguments.seed}; {world.binary}")
            trial = Trial(world, arguments, cases)
            good = cases.run(trial.case_everything_passes_though_workers_die)
            good = cases.run(trial.case_every_message_is_settled) and good
            cases.run(trial.case_the_survivors_stop_cleanly)
            if trial.sampler:
                good = cases.run(trial.case_nothing_is_lost_and_nothing_is_done_twice) and good
                if good:
                    cases.run(trial.case_the_checker_finds_lies_in_this_very_evidence)
            trial.tail.close()
            world.keep = arguments.keep or cases.failed > 0
            if world.keep:
                cases.say(f"logs and evidence are in {world.folder}")
    except services.Missing as error:
        print(error)
        cases.failed += 1
    return cases.end()


if __name__ == "__main__":
    sys.exit(main())
