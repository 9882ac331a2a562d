#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Workers are stopped (SIGSTOP) under load for longer than their session and wake as zombies; the others must go on soon.

usage: test_zombies.py [--stops N] [--rate N] [--workers N] [--seed N] [--keep]

Short form: two stops; with ENROLLD_TEST_FULL=1 twenty. Session and transaction timeout are those that the program is delivered with. Half of
the stops are anywhere; the others are where a stopped process holds something up: within the database transaction, and within the Kafka
transaction, which hides what is behind it from readers until somebody ends it.
Measured: from the stop to the first result, as a read_committed reader sees it, of a record that was published after the stop to each
partition that the stopped worker had; the slowest partition counts. After it wakes the worker must take part again by itself.
The password hash is cheap on purpose (8 MiB, one pass): what is tried here is what becomes of requests, not the cost of a hash.
"""
import argparse
import collections
import pathlib
import random
import statistics
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]

from harness import flood, services  # noqa: E402
from harness.cases import Cases, Failed, eventually  # noqa: E402
from harness.world import World  # noqa: E402
from trial import FULL, Trial  # noqa: E402

LIMIT = 10 if FULL else 30  # seconds until the others go on: the goal, and what a busy machine may take
PAUSE = (8.0, 12.0)         # at least
STEPS = ("sink.offsets_sent", "store.begun", "sink.produced")
TRIES = 5                   # to stop a worker that has partitions
SLOW = "300ms"              # how long a step is held now and then, so that a stop can fall into it


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stops", type=int, default=20 if FULL else 2)
    parser.add_argument("--rate", type=float, default=50.0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--keep", action="store_true", help="keep the folder with logs and evidence")
    return parser.parse_args()


class Zombies(Trial):
    name = "zombies"

    def __init__(self, world, arguments, cases):
        super().__init__(world, arguments.seed, arguments.workers, cases)
        self.arguments = arguments
        self.random = random.Random(f"zombies {arguments.seed}")
        self.topic = world.topics["signup"]
        self.times = []
        self.over = threading.Event()
        for worker in self.workers:
            settings = world.settings(worker.name)
            del settings["kafka"]["session_timeout"], settings["kafka"]["transaction_timeout"]
            worker.write(settings)

    def case_the_others_go_on_while_one_is_stopped(self):
        for worker in self.workers:
            worker.start(failpoints=";".join(f"{step}=stall:{SLOW}%2" for step in STEPS))
        self.watch()
        publisher = threading.Thread(target=self._publish, daemon=True)
        publisher.start()
        try:
            for number in range(self.arguments.stops):
                step = STEPS[number // 2 % len(STEPS)] if number % 2 == 0 else None
                if not any(self._stop(number, self.random.choice(self.workers), step) for _ in range(TRIES)):
                    raise Failed(f"{TRIES} times a worker was stopped just when it had no partition")
            self._everybody_works()
        finally:
            self.over.set()
            publisher.join()
            self.all_sent()
        self.drain(60)
        self.more["figures"] = {"went on": f"{statistics.median(self.times):.1f} s after a stop (p50), at most {max(self.times):.1f} s"}
        slow = [round(seconds, 1) for seconds in self.times if seconds > LIMIT]
        if slow:
            raise Failed(f"the others went on only after {slow} s, more than {LIMIT}")

    def _publish(self):
        while not self.over.is_set():
            self.load.one()
            time.sleep(1 / self.arguments.rate)

    def _everybody_works(self):
        """Each worker has partitions and passes records of them, all by itself."""
        for worker in self.workers:
            eventually(lambda worker=worker: worker.partitions(self.topic), f"partitions of {worker.name}", 40)
            before = worker.metrics().sum("request_seconds_count", lane="signup")
            eventually(lambda worker=worker, before=before: worker.metrics().sum("request_seconds_count", lane="signup") > before + 10,
                       f"{worker.name} works", 40)

    def _stop(self, number, worker, step):
        """False if the worker had just no partition, so that there is nothing to see."""
        self._everybody_works()
        if step:
            self._wait_for(worker, step)
        began, wall = time.monotonic(), time.time()
        worker.pause()
        held = worker.partitions(self.topic)
        if not held:
            worker.resume()
            return False
        pause = self.random.uniform(*PAUSE)
        try:
            seconds = self._wait_until_all_go_on(held, began, wall)
            time.sleep(max(0.0, began + pause - time.monotonic()))
        finally:
            worker.resume()
        self.note("SIGSTOP", worker)
        self.times.append(seconds)
        self.cases.say(f"stop {number + 1} of {self.arguments.stops}: {worker.name} in {step or 'whatever it did'}, partitions {sorted(held)}: "
                       f"the others went on after {seconds:.1f} s, it woke after {time.monotonic() - began:.1f} s")
        return True

    @staticmethod
    def _wait_for(worker, step):
        """Until the worker has just come to the step and is held there."""
        with open(worker.log, "rb") as log:
            log.seek(0, 2)
            until = time.monotonic() + 60
            while f"failpoint {step}: stall".encode() not in log.read():
                if time.monotonic() > until:
                    raise Failed(f"{worker.name} did not come to {step} within 60 s")
                time.sleep(0.02)

    def _wait_until_all_go_on(self, held, began, wall):
        """Seconds from the stop to the first result of a later record of the slowest partition."""
        results, first = self.world.topics["results"], {}
        while len(first) < len(held):
            if time.monotonic() > began + 60:
                raise Failed(f"no results of partitions {sorted(held - first.keys())} within 60 s of the stop")
            time.sleep(0.1)
            late = self._late(held, wall)
            first.clear()
            for message in self.tail.find(lambda m: m.topic == results and m.seen > began and m.key in late):
                first.setdefault(late[message.key], message.seen - began)
        return max(first.values())

    def _late(self, held, wall):
        """{key of the result: partition} of requests that were published since, once and to one of these partitions."""
        history = list(self.world.gateway.history)
        times = collections.Counter(sent.request_id for sent in history)
        return {sent.request_id.encode(): sent.partition for sent in history
                if sent.at > wall and sent.partition in held and sent.request_id and times[sent.request_id] == 1}


def main():
    arguments = options()
    cases = Cases()
    try:
        with World("zombies", settings=flood.settings()) as world:
            cases.say(flood.NOTE)
            cases.say(f"{arguments.stops} stops, {arguments.rate:.0f} records/s, {arguments.workers} workers, seed {arguments.seed}; {world.binary}")
            trial = Zombies(world, arguments, cases)
            trial.course(trial.case_the_others_go_on_while_one_is_stopped)
            trial.end(arguments.keep)
    except services.Missing as error:
        print(error)
        cases.failed += 1
    return cases.end()


if __name__ == "__main__":
    sys.exit(main())
