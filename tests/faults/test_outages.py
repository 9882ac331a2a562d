#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Outages under load, one after the other, and connections cut at the end of a transaction; then the checker reads what is left.

usage: test_outages.py [--seconds N] [--cuts N] [--seed N] [--only WORD] [--keep]

Everything is this run's own: a broker, a pair of PostgreSQL clusters, sinks, the links to them and, where the system allows it, a name
server. The load is half of what the worker did at the start of the run. Short form: some outages of 4 s, two cuts of each kind; with
ENROLLD_TEST_FULL=1 all of them for 20 s, twenty cuts of each kind. --only: outages with that word in their name.
The password hash is cheap on purpose (8 MiB, one pass): what is tried here is what becomes of requests, not the cost of a hash.
"""
import argparse
import contextlib
import pathlib
import random
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]

from harness import flood, services  # noqa: E402
from harness.between import AFTER, BEFORE, Between  # noqa: E402
from harness.cases import Cases, Failed, equal, eventually, true  # noqa: E402
from harness.mailbox import free_port  # noqa: E402
from harness.own import Broker, Folder, Names, OwnServices, Pair  # noqa: E402
from harness.world import World  # noqa: E402
from outages import OUTAGES, Backlog, Eye, Outage, Pacer, Stage, waiting_mails  # noqa: E402
from trial import FULL, Trial  # noqa: E402

FIRST, DRAINED = (10, 60) if FULL else (30, 60)  # seconds after the end of an outage
PROBE = 3000 if FULL else 600  # records by which the capacity is measured
MAILERS = 8
FORGOTTEN = 60 if FULL else 25  # seconds after which the brokers forget an idle transactional id
TRANSACTION_TIMEOUT = 5
CUT_LONGER = TRANSACTION_TIMEOUT + 2  # so that the brokers end the transaction meanwhile


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20 if FULL else 4)
    parser.add_argument("--cuts", type=int, default=20 if FULL else 2)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--only", help="outages with this word in their name, of the long list")
    parser.add_argument("--keep", action="store_true", help="keep the folders with logs and evidence")
    return parser.parse_args()


class Setting:
    """Broker, pair, what stands between, and the world over them."""

    def __init__(self, stack, cases):
        self.folder = Folder("outages")
        self.between = stack.enter_context(contextlib.closing(Between()))
        named = Names.possible()
        self.host = f"here.{Names.SUFFIX}" if named else "127.0.0.1"
        self.ports = {name: free_port() for name in ("kafka", "first", "second")}
        self.broker = Broker(self.folder.path / "kafka", services.Services(), f"{self.host}:{self.ports['kafka']}",
                             (f"transactional.id.expiration.ms={FORGOTTEN * 1000}",
                              "transaction.remove.expired.transaction.cleanup.interval.ms=1000"))
        stack.callback(self.broker.close)
        self.broker.begin()
        self.pair = stack.enter_context(contextlib.closing(Pair(self.folder.path / "postgres")))
        self.pair.begin()
        self.broker.wait()
        for name, target, protocol in (("kafka", self.broker.link_port, "kafka"), ("first", self.pair.first.port, "postgres"),
                                       ("second", self.pair.second.port, "postgres")):
            self.between.link(name, self.ports[name], target, protocol)
        self.names = Names(self.folder.path, self.between) if named else None
        program = self.names.program(services.binary()) if named else None
        self.world = stack.enter_context(World("outages", settings=self.settings, own=OwnServices(self.pair, self.broker), binary=program))
        cases.say(f"names by {'a name server' if named else 'address only'}, "
                  f"the primary's tables {'in a small place' if self.pair.keeper else 'on the common disk'}")

    def settings(self, world):
        return {
            "kafka": {"bootstrap_servers": f"{self.host}:{self.ports['kafka']}", "transaction_timeout": f"{TRANSACTION_TIMEOUT}s"},
            "database": {"dsn": self.pair.dsn(self.host, self.ports["first"], self.ports["second"]) + f" dbname={world.database}"},
            "hash": {"threads": 1},
            "courier": {"smtp_url": f"smtp://{self.host}:{world.sinks.smtp_port}", "allow_cleartext": True,
                        "smtp_connections": MAILERS, "lease": "5s"},
        }

    def possible(self, outage):
        if outage.begin is Stage.disk_fills:
            return self.pair.keeper is not None
        return outage.begin is not Stage.names_vanish or self.names is not None


class Outages(Trial):
    """One worker, one outage after the other."""

    name = "outages"

    def __init__(self, setting, arguments, cases):
        super().__init__(setting.world, arguments.seed, 1, cases)
        self.setting, self.arguments = setting, arguments
        self.stage = Stage(self.world, setting.broker, setting.pair, setting.between, setting.names)
        self.worker = self.workers[0].start()
        self.more = {"open_ends": True, "unknown_at_most": 2 * MAILERS}
        self.watch()
        self.backlog, self.eye = Backlog(self.world), Eye(self.worker)
        self.pacer = None
        self.rate = 0.0
        self.table = []

    def close(self):
        for part in (self.pacer, self.eye, self.backlog):
            if part:
                part.close()

    # --- cases -----------------------------------------------------------------------------------------------------------

    def case_capacity(self):
        start = time.monotonic()
        for _ in range(PROBE):
            self.load.one()
        equal(self.world.gateway.flush(), 0, "records that Kafka did not acknowledge")
        sent = time.monotonic()
        took = eventually(lambda: self.backlog.empty(sent), "the probe has passed", 120) - start
        mails = eventually(lambda: waiting_mails(self.world, 0) == 0 and time.monotonic() - start, "its mails are out", 240)
        self.rate = PROBE / max(took, mails) / 2
        self.cases.say(f"{PROBE} records in {took:.1f} s, their mails in {mails:.1f} s: goes on with half of that, {self.rate:.0f} records a second")
        self.pacer = Pacer(self.load, self.rate)

    def outage(self, outage):
        """As a case of its own."""
        def case():
            self._calm()
            if outage.mails:
                eventually(lambda: waiting_mails(self.world, 2) == 0, "no mails wait before", 2 * DRAINED, 0.2)
            begin = time.monotonic()
            outage.begin(self.stage)
            time.sleep(max(0.0, self.arguments.seconds - (time.monotonic() - begin)))
            mails = len(self.world.sinks.mailbox.mails())
            restored = time.monotonic()
            outage.end(self.stage)
            end, wall = time.monotonic(), time.time()
            self.faults.append({"at": round(begin - self.begin, 3), "what": outage.name, "seconds": round(end - begin, 1)})
            row = {"name": outage.name, "away": end - begin, "first": self._first(outage, end, wall, mails),
                   "drained": self._drained(outage, end), "said": self.eye.texts(begin, restored)}
            self.table.append(row)
            self._judge(outage, row, begin, restored, end)
        case.__name__ = f"case_{outage.name.replace(' ', '_')}"
        return case

    def _calm(self):
        since = time.monotonic()
        eventually(lambda: self.backlog.drained(since, since), "no backlog before", 60)
        eventually(lambda: self.eye.ready_since(since), "ready before", 30)

    def _first(self, outage, end, wall, mails):
        """Seconds until the first result that was made after the end, or the first mail."""
        if outage.mails:
            eventually(lambda: len(self.world.sinks.mailbox.mails()) > mails, "a mail after the outage", 2 * DRAINED)
            return time.monotonic() - end
        topic = self.world.topics["results"]
        found = self.tail.wait(lambda m: m.topic == topic and m.timestamp >= wall * 1000, 2 * DRAINED)
        if not found:
            raise Failed(f"no result within {2 * DRAINED} s: {self.worker.get('/readyz')[1].strip()}")
        return found[0].seen - end

    def _drained(self, outage, end):
        at = eventually(lambda: self.backlog.drained(end, end), "the backlog is gone", 2 * DRAINED, 0.2)
        if outage.mails:
            eventually(lambda: waiting_mails(self.world, 2) == 0, "mails are out", 2 * DRAINED, 0.2)
            at = time.monotonic()
        return at - end

    def _judge(self, outage, row, begin, restored, end):
        self.cases.say(f"{outage.name}: first {'mail' if outage.mails else 'result'} {row['first']:.1f} s, drained {row['drained']:.1f} s after the end; "
                       + "; ".join(row["said"]))
        true(any(reason in line for line in row["said"] for reason in outage.reasons),
             f"/readyz names one of {', '.join(outage.reasons)} meanwhile; it said {row['said'] or 'nothing'}")
        for gauge in outage.gauges:
            true(self.eye.zero(gauge, begin, restored + 1), f"enrolld_{gauge} at 0 meanwhile")
        true(row["first"] <= FIRST, f"{row['first']:.1f} s until the first one, {FIRST} are allowed")
        true(row["drained"] <= DRAINED, f"{row['drained']:.1f} s until drained, {DRAINED} are allowed")
        eventually(lambda: self.eye.ready_since(end), "ready again", DRAINED)
        row["ready"] = self.eye.ready_since(end) - end
        equal([health for _, health, *_ in self.eye.between(begin, time.monotonic()) if health not in (0, 200)], [],
              "answers of /healthz other than 200, or none from a busy machine")
        true(self.worker.running(), "the worker runs still")

    def case_cuts_at_commit(self):
        primary = "first" if self.setting.pair.first.running() else "second"
        self._cuts(primary, "COMMIT", lambda number: 0.0)

    def case_cuts_at_the_end_of_the_kafka_transaction(self):
        # Shorter ones are mended inside librdkafka, which asks again; for longer ones the producer is made again.
        self._cuts("kafka", "EndTxn", lambda number: CUT_LONGER if number % 5 >= 3 else 0.0)

    def _cuts(self, link, what, hold):
        chance = random.Random(f"{what} {self.arguments.seed}")
        slowest, before = 0.0, self.worker.metrics()
        for number in range(self.arguments.cuts):
            self._calm()
            time.sleep(chance.uniform(0.0, 0.5))
            when = (BEFORE, AFTER)[number % 2]
            true(self.setting.between.cut_exchange(link, when, hold(number)), f"a {what} came")
            end, wall = time.monotonic(), time.time()
            self.faults.append({"at": round(end - self.begin, 3), "what": f"cut {when} {what}"})
            slowest = max(slowest, self._first(Outage(what, None, None, (), ()), end, wall, 0))

        def more(name, **labels):
            return self.worker.metrics().sum(name, **labels) - before.sum(name, **labels)

        def retries_seen():
            return more("retries_total", lane="signup", stage="store")

        if link != "kafka":  # the first result may be of a batch before the one that was cut
            eventually(lambda: retries_seen() >= self.arguments.cuts, f"{self.arguments.cuts} tries of the storer", FIRST)
        retries, rewinds = retries_seen(), more("rewinds_total", lane="signup")
        self.cases.say(f"{self.arguments.cuts} cuts at {what}: at most {slowest:.1f} s until the next result; the storer tried "
                       f"{retries:.0f} times again, {rewinds:.0f} times all was dropped and read again")
        true(slowest <= FIRST, f"{slowest:.1f} s until the next result, {FIRST} are allowed")

    def case_an_idle_producer_whose_id_was_forgotten(self):
        """The otp lane's has sent nothing so far."""
        time.sleep(max(0.0, self.begin + FORGOTTEN + 5 - time.monotonic()))
        for number in range(2):
            body = {"email": f"late.{number}@{self.world.suffix}.example", "password": "violet tractor sings staple"}
            sent = self.world.gateway.post(self.world.topics["otp"], body, partition=0,
                                           note={"class": "good", "claims": [["email", body["email"]]]})
            found = self.tail.wait(lambda m, sent=sent: m.header("zilla:correlation-id") == sent.correlation, 30)
            equal(len(found), 1, f"replies to request {number}: {self.worker.get('/readyz')[1].strip()}")
        metrics = self.worker.metrics()
        self.cases.say(f"the lane dropped and read again {metrics.sum('rewinds_total', lane='otp'):.0f} times")
        true(metrics.sum("rewinds_total", lane="otp") > 0, "the id had been forgotten")

    def case_everything_passes_without_a_restart(self):
        self.pacer.close()
        self.all_sent()
        self.drain(120)
        self.eye.close()
        equal(self.worker.starts, 1, "starts of the worker")

    def print_table(self):
        print(f"{'outage':28} {'away':>6} {'first':>6} {'drained':>8} {'ready':>6}  /readyz meanwhile", flush=True)
        for row in self.table:
            ready = f"{row['ready']:.1f}" if "ready" in row else "?"
            print(f"{row['name']:28} {row['away']:6.1f} {row['first']:6.1f} {row['drained']:8.1f} {ready:>6}  {'; '.join(row['said'])}", flush=True)


def run(trial, cases, setting, arguments):
    """All of it, but for the end that every trial has."""
    if not cases.run(trial.case_capacity):
        return
    for outage in OUTAGES:
        wanted = arguments.only in outage.name if arguments.only is not None else FULL or outage.short
        if wanted and not setting.possible(outage):
            cases.say(f"left out, since this system does not allow mounts: {outage.name}")
        elif wanted:
            cases.run(trial.outage(outage))
    if arguments.cuts:
        cases.run(trial.case_cuts_at_commit)
        cases.run(trial.case_cuts_at_the_end_of_the_kafka_transaction)
    trial.print_table()
    cases.run(trial.case_an_idle_producer_whose_id_was_forgotten)
    trial.course(trial.case_everything_passes_without_a_restart)


def main():
    arguments = options()
    cases = Cases()
    try:
        with contextlib.ExitStack() as stack:
            setting = Setting(stack, cases)
            cases.say(f"outages of {arguments.seconds:.0f} s, {arguments.cuts} cuts of each kind, seed {arguments.seed}; {flood.NOTE}")
            trial = Outages(setting, arguments, cases)
            stack.callback(trial.close)
            run(trial, cases, setting, arguments)
            trial.end(arguments.keep)
            if setting.world.keep:
                cases.say(f"logs of the services are in {setting.folder.path}")
            else:
                stack.callback(setting.folder.remove)
    except services.Missing as error:
        print(error)
        cases.failed += 1
    return cases.end()


if __name__ == "__main__":
    sys.exit(main())
