# SPDX-License-Identifier: Apache-2.0
"""Lives of workers that end, stall or fail at a named step, each proved by what the worker said before it did it."""
import collections
import random
import re
import signal
import threading
import time

from .cases import Failed
from .services import ROOT

ROW = re.compile(r'^FAILPOINT_ROW\((\w+), "([\w.]+)", (\w+),', re.M)
SAID = re.compile(r"^failpoint ([\w.]+): (\w+)$", re.M)
CAUTIOUS = 8     # records that go one by one after a death: the setting of these runs
STALL = 9        # longer than session (4 s), idle transaction (5 s) and Kafka transaction (8 s)
HIT_WITHIN = 25  # seconds
TRIES = 4        # lives in which a step may not be reached, as when the partitions are another's


def points():
    """[(name, kind)] of the table."""
    table = (ROOT / "include/enrolld/base/failpoints.def").read_text(encoding="utf-8")
    return [(name, kind) for _, name, kind in ROW.findall(table)]


def steps(acts):
    """Every (name, act) that the table has a meaning for; rules are no steps."""
    return [(name, act) for name, kind in points() if kind != "RULE" for act in acts if act != "fail" or kind == "FALLIBLE"]


def said(worker, since_start=True):
    """{(name, act): how often}: what a worker's log says it did."""
    return collections.Counter(SAID.findall(worker.text(since_start)))


class Lives:
    """One thread a worker: a life for each step, until every step of the plan was hit. kills: SIGKILLs at random moments, more than that.

    Between two lives a worker sometimes stays away for longer than its session."""

    def __init__(self, seed, workers, helper, plan, kills, note, say):
        self.random = random.Random(f"lives {seed}")
        self.helper, self.note, self.say = helper, note, say
        self.lock = threading.Lock()
        self.plan = [(step, 0) for step in plan]
        self.random.shuffle(self.plan)
        self.kills = kills
        self.all = len(plan) + kills
        self.done = 0
        self.error = None
        self.helping = threading.Lock()
        self.threads = [threading.Thread(target=self._keep, args=(worker,), daemon=True) for worker in workers]
        for thread in self.threads:
            thread.start()

    def running(self):
        return any(thread.is_alive() for thread in self.threads)

    def finish(self):
        for thread in self.threads:
            thread.join()
        if self.error:
            raise Failed(self.error)

    def _roll(self, low, high):
        with self.lock:
            return self.random.uniform(low, high)

    def _next(self, early):
        """A step, or None for a life that only a SIGKILL ends, or False when all is done. early: the last life may have ended with a record
        in hand; not a second time in a row, since a record that was in hand at three deaths is buried."""
        with self.lock:
            if self.error:
                return False
            if self.kills > 0 and self.random.random() < 0.25:
                return None
            for place, ((name, _), _) in enumerate(self.plan):
                if not early or not is_early(name):
                    return self.plan.pop(place)
            if self.kills > 0:
                return None
            return self.plan.pop() if self.plan else False

    def _keep(self, worker):
        try:
            early = True  # nothing is unclean yet
            while (step := self._next(early)) is not False:
                if step is None:
                    self._plain(worker)
                else:
                    self._life(worker, *step)
                early = step is not None and is_early(step[0][0])
            worker.start()
        except Exception as error:  # shown at the end of the run
            self.error = self.error or f"{worker.name}: {error!r}"

    def _plain(self, worker):
        worker.start(ready=None)
        time.sleep(self._roll(1.5, 4.0))
        self._kill(worker)

    def _life(self, worker, step, tries):
        name, act = step
        worker.start(ready=None, failpoints=f"{name}={act if act != 'stall' else f'stall:{STALL}s'}@{self._nth(name)}")
        if not self._provoke(worker, step):
            if tries + 1 == TRIES:
                raise Failed(f"{name} was not reached in {TRIES} lives")
            with self.lock:
                self.plan.append((step, tries + 1))
            self.say(f"{worker.name}: {name} was not reached")
            self._kill(worker)
            return
        self.done += 1
        self.say(f"{self.done} of {self.all}: {worker.name}: {name}: {act}")
        self._outlive(worker, name, act)

    def _outlive(self, worker, name, act):
        self.note(f"{act} at a failpoint", worker)
        if act == "stall":
            time.sleep(STALL)
        if act == "die" or name.startswith("leave."):
            status = worker.process.wait(30)
            if status != (-signal.SIGKILL if act == "die" else 0):
                raise Failed(f"exit status {status} after {name}: {act}")
            return
        if not worker.running():
            raise Failed(f"exit status {worker.process.returncode} after {name}: {act}:\n{worker.text()[-1500:]}")
        time.sleep(self._roll(0.2, 2.0))
        self._kill(worker)

    def _nth(self, name):
        with self.lock:
            if name.startswith(("source.", "courier.claimed")):
                return 1
            if name.startswith("leave."):
                return self.random.randint(1, 2)  # either lane
            if is_early(name):
                return self.random.randint(1, CAUTIOUS)
            return CAUTIOUS + self.random.randint(3, 10)

    def _provoke(self, worker, step):
        """Waits for the step, with what it needs; whether it was hit."""
        name, _ = step
        if name.startswith("leave."):
            seen = self._passing(worker)
            worker.signal(signal.SIGTERM)
            return seen and self._hit(worker, step)
        if name == "source.dropped":
            with self.helping:  # one more member: the others give partitions up for it, those that they have by then
                seen = self._passing(worker)
                self.helper.start(ready=None)
                hit = seen and self._hit(worker, step)
                self.helper.kill()
                self.note("SIGKILL", self.helper)
            return hit
        return self._hit(worker, step)

    def _passing(self, worker):
        """There is work in hand, more than one record at a time."""
        until = time.monotonic() + HIT_WITHIN
        while worker.metrics().sum("records_total", lane="signup") < 4 * CAUTIOUS:
            if time.monotonic() > until:
                return False
            time.sleep(0.05)
        return True

    def _hit(self, worker, step):
        until = time.monotonic() + HIT_WITHIN
        while step not in said(worker):
            if time.monotonic() > until or not worker.running():
                return step in said(worker)
            time.sleep(0.05)
        return True

    def _kill(self, worker):
        worker.kill()
        self.note("SIGKILL", worker)
        with self.lock:
            if self.kills > 0:
                self.kills -= 1
                self.done += 1
        if self._roll(0, 1) < 0.2:
            time.sleep(self._roll(0.0, 5.0))


def is_early(name):
    """Steps that a life reaches while its first records go one by one."""
    return name.startswith(("courier.", "source.", "hand."))
