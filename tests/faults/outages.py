# SPDX-License-Identifier: Apache-2.0
"""Outages, the load that goes on meanwhile, and what is seen of both."""
import collections
import dataclasses
import threading
import time

import psycopg2
from confluent_kafka import KafkaException

from harness.between import CUT, PASS, SILENT
from harness.kafka import OffsetWatch

LINKS = ("kafka", "first", "second")
FRESH = 1.0  # seconds that a record may take when nothing is behind


class Stage:
    """Who can be broken: the services of this run and what stands between."""

    def __init__(self, world, broker, pair, between, names):
        self.world, self.broker, self.pair, self.between, self.names = world, broker, pair, between, names

    # Each pair of functions breaks and mends. The port of a server that is gone refuses, so its link does.

    def kafka_dies(self):
        self.broker.do("kill")
        self.between.set(CUT, "kafka")

    def kafka_starts(self):
        self.broker.do("start")
        self.between.set(PASS, "kafka")

    def kafka_hangs(self):
        self.broker.do("pause")

    def kafka_goes_on(self):
        self.broker.do("resume")

    def postgres_stops_fast(self):
        self.pair.first.stop("fast")
        self.between.set(CUT, "first")

    def postgres_stops_at_once(self):
        self.pair.first.stop("immediate")
        self.between.set(CUT, "first")

    def postgres_starts(self):
        self.pair.start_first()
        self.between.set(PASS, "first")

    def standby_takes_over(self):
        self.pair.promote()

    def disk_fills(self):
        self.pair.fill()

    def disk_has_room(self):
        self.pair.make_room()

    def kafka_link_breaks(self):
        self.between.set(CUT, "kafka")

    def links_break(self):
        self.between.set(CUT, *LINKS)

    def links_fall_silent(self):
        self.between.set(SILENT, *LINKS)

    def links_work(self):
        self.between.set(PASS, *LINKS)

    def mail_stops(self):
        self.world.sinks.stop("mail")

    def mail_starts(self):
        self.world.sinks.start("mail")

    def names_vanish(self):
        self.between.silence_names(True)
        self.between.drop(*LINKS)

    def names_are_back(self):
        self.between.silence_names(False)


@dataclasses.dataclass(frozen=True)
class Outage:
    """One thing that goes away and comes back."""

    name: str
    begin: object       # functions of Stage
    end: object
    reasons: tuple      # that /readyz must name, one at least
    gauges: tuple       # that must be at 0 meanwhile
    short: bool = False  # also in the short form
    mails: bool = False  # what comes back is told by mails, not by results


OUTAGES = (
    Outage("Kafka killed", Stage.kafka_dies, Stage.kafka_starts, ("kafka_unavailable",), ("kafka_up",)),
    Outage("Kafka hangs", Stage.kafka_hangs, Stage.kafka_goes_on, ("kafka_unavailable", "kafka_unknown", "kafka_aborted"), ("kafka_up",)),
    Outage("Kafka's link cut", Stage.kafka_link_breaks, Stage.links_work, ("kafka_unavailable",), ("kafka_up",), short=True),
    Outage("PostgreSQL stop fast", Stage.postgres_stops_fast, Stage.postgres_starts, ("store_unavailable",), ("store_up",)),
    Outage("PostgreSQL stop immediate", Stage.postgres_stops_at_once, Stage.postgres_starts, ("store_unavailable",), ("store_up",)),
    Outage("PostgreSQL disk full", Stage.disk_fills, Stage.disk_has_room, ("store_unavailable",), ("store_up",)),
    Outage("links cut", Stage.links_break, Stage.links_work, ("store_unavailable", "kafka_unavailable"), ("store_up", "kafka_up")),
    Outage("links silent", Stage.links_fall_silent, Stage.links_work, ("store_unavailable", "kafka_unavailable"), ("store_up", "kafka_up")),
    Outage("SMTP away", Stage.mail_stops, Stage.mail_starts, ("delivery_unreachable",), ("courier_up",), short=True, mails=True),
    Outage("DNS silent, links cut", Stage.names_vanish, Stage.names_are_back, ("store_unavailable", "kafka_unavailable"),
           ("store_up", "kafka_up")),
    # Last: the first one does not come back.
    Outage("PostgreSQL fails over", Stage.postgres_stops_at_once, Stage.standby_takes_over, ("store_unavailable",), ("store_up",), short=True),
)


class Pacer:
    """Publishes at a rate, whatever is broken."""

    def __init__(self, load, rate):
        self.load, self.rate, self.count = load, rate, 0
        self.closing = threading.Event()
        self.thread = threading.Thread(target=self._run, name="pacer", daemon=True)
        self.thread.start()

    def _run(self):
        begin = time.monotonic()
        while not self.closing.wait(0.02):
            while self.count < (time.monotonic() - begin) * self.rate:
                self.load.one()
                self.count += 1

    def close(self):
        self.closing.set()
        self.thread.join()


class Backlog:
    """Looks many times a second how far the group is behind."""

    def __init__(self, world):
        self.watch = OffsetWatch(world.cluster, f"{world.group}-signup", world.topics["signup"])
        self.rows = collections.deque(maxlen=100000)  # (time, ends, committed)
        self.closing = threading.Event()
        self.thread = threading.Thread(target=self._run, name="backlog", daemon=True)
        self.thread.start()

    def _run(self):
        while not self.closing.wait(0.1):
            try:
                at, ends = time.monotonic(), self.watch.ends(timeout=2)
                self.rows.append((at, ends, self.watch.read(timeout=2)))
            except KafkaException:
                pass  # an outage is no sample

    def empty(self, since):
        """The first time after since at which everything in the log had passed; or None."""
        return next((at for at, ends, committed in list(self.rows) if at >= since and
                     all(max(0, committed[partition]) >= end for partition, end in ends.items())), None)

    def drained(self, since, needed):
        """The first time after since at which everything had passed that was in the log before FRESH seconds and by the time needed; or None."""
        rows = list(self.rows)
        for at, _, committed in rows:
            if at < max(since, needed + FRESH):
                continue
            before = [ends for then, ends, _ in rows if then <= at - FRESH]
            if before and all(max(0, committed[partition]) >= end for partition, end in before[-1].items()):
                return at
        return None

    def close(self):
        self.closing.set()
        self.thread.join()
        self.watch.close()


class Eye:
    """What a supervisor sees of the worker: /healthz, /readyz and the gauges."""

    GAUGES = ("kafka_up", "store_up", "courier_up")

    def __init__(self, worker):
        self.worker = worker
        self.rows = []  # (time, health status, ready status, text, {gauge: lowest})
        self.closing = threading.Event()
        self.thread = threading.Thread(target=self._run, name="eye", daemon=True)
        self.thread.start()

    def _run(self):
        while not self.closing.wait(0.25):
            at = time.monotonic()
            health, _ = self.worker.get("/healthz", 3)
            ready, text = self.worker.get("/readyz", 3)
            metrics = self.worker.metrics()
            gauges = {name: min((value for (own, _), value in metrics.items() if own == f"enrolld_{name}"), default=None) for name in self.GAUGES}
            self.rows.append((at, health, ready, text, gauges))

    def between(self, begin, end):
        return [row for row in self.rows if begin <= row[0] <= end]

    def texts(self, begin, end):
        """The distinct lines of /readyz while it was not ready, in the order they came."""
        lines = {}
        for _, _, ready, text, _ in self.between(begin, end):
            if ready != 200:
                lines.update(dict.fromkeys(text.strip().splitlines()))
        return list(lines)

    def zero(self, gauge, begin, end):
        return any(row[4][gauge] == 0 for row in self.between(begin, end))

    def ready_since(self, since):
        """When it was ready and stayed so until now; None if it is not."""
        when = None
        for at, _, ready, _, _ in self.rows:
            if at >= since:
                when = (when or at) if ready == 200 else None
        return when

    def close(self):
        self.closing.set()
        self.thread.join()


def waiting_mails(world, older_than):
    """Mails that are due for longer than that; None while nobody can tell."""
    try:
        return world.sql("select count(*) from enrolld.message where channel = 'email' and state not in ('unknown', 'transmitting') "
                         "and due_at is not null and created_at < clock_timestamp() - make_interval(secs => %s)", older_than)[0][0]
    except psycopg2.Error:
        return None
