# SPDX-License-Identifier: Apache-2.0
"""The course of a run under load, and the checker, as the separate program that it is, on its evidence and on doctored copies of it."""
import concurrent.futures
import json
import os
import pathlib
import subprocess
import tempfile
import time

from doctoring import LIES, Folder
from harness import flood, services
from harness.cases import equal, eventually
from harness.evidence import Sampler, collect, wait_settled
from harness.kafka import Tail
from harness.load import Load

FULL = bool(os.environ.get("ENROLLD_TEST_FULL"))
CHECKER = pathlib.Path(__file__).resolve().parent / "checker"


class Trial:
    """One run; its steps are the cases. What kinds of runs differ in is their first case, which starts the workers and breaks them."""

    name = "trial"

    def __init__(self, world, seed, workers, cases):
        self.world, self.seed, self.cases = world, seed, cases
        self.evidence = world.folder / "evidence"
        self.workers = [world.worker(f"worker-{number}") for number in range(1, workers + 1)]
        self.load = Load(seed, world.gateway, world.topics["signup"], f"{world.suffix}.example", world.partitions)
        self.tail = Tail(world.cluster, [world.topics[name] for name in ("results", "replies", "accounts", "dead")])
        self.sampler = None
        self.faults = []     # {"at": seconds, "what": word, "worker": name}
        self.more = {}       # of run.json
        self.begin = time.monotonic()

    def watch(self):
        """Offsets are looked at from here on."""
        self.sampler = Sampler(self.world)

    def note(self, what, worker):
        self.faults.append({"at": round(time.monotonic() - self.begin, 3), "what": what, "worker": worker.name})

    def all_sent(self):
        equal(self.world.gateway.flush(), 0, "records that Kafka did not acknowledge")

    def drain(self, timeout):
        last = time.monotonic()
        flood.drain(self.world, self.workers, self.cases.say, timeout)
        self.cases.say(f"drained {time.monotonic() - last:.1f} s after the last fault")

    def case_every_message_is_settled(self):
        # A dead worker's last mails count as unknown only when their answer is overdue, half a minute later: the full form waits for it.
        equal(wait_settled(self.world, 60, open_ends=FULL), 0, "messages that still wait")

    def case_the_survivors_stop_cleanly(self):
        for worker in self.workers:
            equal(worker.stop(), 0, f"exit status of {worker.name}")
            eventually(lambda worker=worker: worker.events("worker_stopped"), "worker_stopped in the log", 2)
            equal(worker.events("worker_stopped")[-1].get("clean"), True, f"clean stop of {worker.name}")
        equal(flood.trouble(self.workers), [], "trouble in the logs")

    def cuts(self):
        """Faults that may fall between a message's last byte and our record of the answer: a process dies, or stands still."""
        return sum(fault["what"].startswith(("SIGKILL", "SIGSTOP", "die", "stall")) for fault in self.faults)

    def judge(self):
        """The checker's codes; its report is printed and kept."""
        self.sampler.close()
        run = {"name": self.name, "seed": self.seed, "commit": services.commit(), "note": flood.NOTE, "faults": self.faults,
               "seconds": time.monotonic() - self.begin, "verifications": True, "open_ends": not FULL,
               "unknown_at_most": self.cuts() * flood.HANDS, **self.more}
        collect(self.world, self.evidence, run, self.tail, self.sampler)
        codes, report = check(self.evidence)
        (self.evidence / "report.txt").write_text(report, encoding="utf-8")
        print(report, flush=True)
        return codes

    def case_nothing_is_lost_and_nothing_is_done_twice(self):
        equal(sorted(set(self.judge())), [], "findings of the checker")

    def course(self, first):
        """The first case, then those that all runs end with; whether all passed."""
        good = self.cases.run(first)
        good = self.cases.run(self.case_every_message_is_settled) and good
        good = self.cases.run(self.case_the_survivors_stop_cleanly) and good
        return bool(self.sampler) and self.cases.run(self.case_nothing_is_lost_and_nothing_is_done_twice) and good

    def end(self, keep):
        """Gives back the reader; keeps the folder if it is wanted."""
        self.tail.close()
        self.world.keep = keep or self.cases.failed > 0
        if self.world.keep:
            self.cases.say(f"logs and evidence are in {self.world.folder}")


def check(folder):
    """(findings' codes in order, report) of the checker."""
    with tempfile.NamedTemporaryFile(suffix=".json") as found:
        done = subprocess.run(["/usr/bin/python3", str(CHECKER), str(folder), "--json", found.name], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, check=False)
        if done.returncode not in (0, 1):
            raise RuntimeError(f"the checker ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        codes = [finding["code"] for finding in json.loads(pathlib.Path(found.name).read_text(encoding="utf-8"))]
    if (done.returncode == 0) != (not codes):
        raise RuntimeError(f"the checker's exit status {done.returncode} does not fit its {len(codes)} findings")
    return codes, done.stdout


def unnoticed(folder, lies=LIES):
    """Lies that the checker does not call by name in doctored copies of the evidence: [(lie, wanted, found)]."""
    missed = []
    with concurrent.futures.ThreadPoolExecutor(max(1, os.cpu_count() or 1)) as pool:
        for lie, wanted, codes in pool.map(lambda row: _tried(folder, *row), lies):
            if wanted not in codes:
                missed.append((lie.__name__, wanted, sorted(set(codes))))
    return missed


def _tried(folder, lie, wanted):
    with tempfile.TemporaryDirectory() as scratch:
        copy = Folder(folder, pathlib.Path(scratch) / "copy")
        lie(copy)
        return lie, wanted, check(copy.path)[0]
