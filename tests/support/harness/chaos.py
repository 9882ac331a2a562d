# SPDX-License-Identifier: Apache-2.0
"""Faults at random moments, from a seed; what was done when is kept for the report."""
import random
import threading
import time


class Chaos:
    """Kills and pauses workers while the load runs; each comes back by itself."""

    def __init__(self, seed, workers, kills=0, pauses=0, gap=(1.0, 4.0), away=(0.0, 6.0), pause_for=(8.0, 9.0), say=print):
        self.random = random.Random(f"chaos {seed}")
        self.workers, self.gap, self.away, self.pause_for, self.say = workers, gap, away, pause_for, say
        self.plan = ["kill"] * kills + ["pause"] * pauses
        self.random.shuffle(self.plan)
        self.done = []
        self.begin = time.monotonic()
        self.lock = threading.Lock()
        self.returns = []
        self.hits = {}
        self.closing = threading.Event()
        self.error = None
        self.thread = threading.Thread(target=self._run, name="chaos", daemon=True)
        self.thread.start()

    def _note(self, what, worker):
        with self.lock:
            self.done.append({"at": round(time.monotonic() - self.begin, 3), "what": what, "worker": worker.name})

    def _run(self):
        for number, what in enumerate(self.plan, 1):
            if self.closing.wait(self.random.uniform(*self.gap)):
                return
            standing = self._standing()
            if self.closing.is_set():
                return
            if not standing:
                self.error = "no worker runs any more"
                return
            worker = self.random.choice(standing)
            getattr(self, f"_{what}")(worker)
            self.say(f"{what} {number} of {len(self.plan)}: {worker.name}")

    def _standing(self):
        """Workers that a fault can hit; none if all are dead for good. While all of them are away it waits until one is back."""
        while not self.closing.is_set():
            away = self.busy()
            standing = [worker for worker in self.workers if worker.running() and worker not in away]
            if standing or not away:
                return standing
            time.sleep(0.1)
        return []

    def busy(self):
        """Workers that are away or paused."""
        with self.lock:
            return [worker for worker, thread in self.returns if thread.is_alive()]

    def _later(self, worker, seconds, do):
        def wait_and_do():
            time.sleep(seconds)
            try:
                do()
            except Exception as error:  # shown at the end of the run
                self.error = f"{worker.name}: {error}"
        thread = threading.Thread(target=wait_and_do, daemon=True)
        with self.lock:
            self.returns.append((worker, thread))
        thread.start()

    def count(self, workers):
        """Adds up what workers have seen of repeats, just before their counters go with them."""
        for worker in workers:
            metrics = worker.metrics()
            with self.lock:
                for kind in ("redelivery", "repeat", "replay", "conflict"):
                    self.hits[kind] = self.hits.get(kind, 0) + int(metrics.sum("inbox_hits_total", kind=kind))
                self.hits["rewinds"] = self.hits.get("rewinds", 0) + int(metrics.sum("rewinds_total"))

    def counts(self):
        with self.lock:
            return dict(self.hits)

    def _kill(self, worker):
        self.count([worker])
        worker.kill()
        self._note("SIGKILL", worker)
        # Sometimes at once, sometimes only after its partitions have gone to others.
        seconds = self.random.uniform(*self.away) if self.random.random() < 0.3 else 0.0
        self._later(worker, seconds, lambda: worker.start(ready=None))

    def _pause(self, worker):
        worker.pause()
        self._note("SIGSTOP", worker)
        self._later(worker, self.random.uniform(*self.pause_for), worker.resume)

    def finished(self):
        return not self.thread.is_alive() and not self.busy()

    def wait(self, timeout):
        """Until every fault has happened and everybody is back."""
        until = time.monotonic() + timeout
        while not self.finished():
            if time.monotonic() > until:
                self.closing.set()
                raise TimeoutError(f"faults are not over after {timeout} s")
            time.sleep(0.1)
        if self.error:
            raise RuntimeError(self.error)
