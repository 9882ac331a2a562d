#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Offsets are set back to the start over requests that were processed: nothing happens again, and results come again only when asked to.

usage: test_replay.py [--requests N] [--seed N] [--keep]

Short form: 3,000 records; with ENROLLD_TEST_FULL=1 100,000, and a silent replay by two workers of which one dies. Most bring a password hash of their own, so that the run is about replays and not
about hashing; some bring a password, so that a hash made twice would show.
"""
import argparse
import collections
import os
import pathlib
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]

from harness import services  # noqa: E402
from harness.cases import Cases, equal, eventually, true  # noqa: E402
from harness.evidence import wait_settled  # noqa: E402
from harness.kafka import OffsetWatch, read_all  # noqa: E402
from harness.load import Load  # noqa: E402
from harness.world import World  # noqa: E402

FULL = bool(os.environ.get("ENROLLD_TEST_FULL"))
OUTPUTS = ("results", "replies", "accounts", "dead")
BCRYPT = "$2b$12$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy"
SETTINGS = {"kafka": {"session_timeout": "3s"}}
STEP = 50
SMALL_STEPS = {"worker": {"look_batch": STEP, "sink_batch": STEP}}  # so that a death falls into the middle


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=100000 if FULL else 3000)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--keep", action="store_true", help="keep the folder with logs")
    return parser.parse_args()


class Imports(Load):
    """As a platform that moves its accounts: user names and hashes made elsewhere, some addresses, some passwords."""

    def _person(self):
        self.count += 1
        body, claims = {"username": f"Person_{self.count}"}, [["username", f"person_{self.count}"]]
        if self.random.random() < 0.02:
            body["password"] = f"violet tractor sings {self.random.getrandbits(40):x}"
        else:
            body["password_hash"] = BCRYPT
        if self.random.random() < 0.05:
            body["email"] = f"Person.{self.count}@{self.domain}"
            claims.append(["email", f"person.{self.count}@{self.domain}"])
        return body, claims


class State:
    """Everything that a replay could change."""

    def __init__(self, world):
        self.rows = {name: world.sql(f"select count(*) from enrolld.{name}")[0][0]
                     for name in ("account", "claim", "inbox", "message", "challenge", "notice")}
        self.hashes = world.sql("select md5(string_agg(password_hash, ',' order by account_id)) from enrolld.account")[0][0]
        self.ends = {name: world.cluster.ends(world.topics[name]) for name in OUTPUTS}
        self.mails, self.texts = len(world.sinks.mailbox.mails()), len(world.sinks.texts.rows())
        self.results = collections.Counter((m.partition, m.key, tuple(m.headers), m.value)
                                           for m in read_all(world.cluster, world.topics["results"]))

    def differences(self, other, again):
        """What is not the same; again: each result must be there once more."""
        found = [name for name in ("rows", "hashes", "mails", "texts") if getattr(self, name) != getattr(other, name)]
        found += [f"end of {name}" for name in OUTPUTS if self.ends[name] != other.ends[name] and not (again and name == "results")]
        wanted = collections.Counter({result: count + again for result, count in self.results.items()})
        missing, more = wanted - other.results, other.results - wanted
        if missing or more:
            found.append(f"{sum(missing.values())} results missing, {sum(more.values())} too many")
        return found


class Trial:
    """One run; its steps are the cases, each on the state that the one before left."""

    def __init__(self, world, arguments, cases):
        self.world, self.arguments, self.cases = world, arguments, cases
        self.group = f"{world.group}-signup"
        self.watch = OffsetWatch(world.cluster, self.group, world.topics["signup"])
        self.sent = 0
        self.state = None

    def _passed(self, timeout):
        """Waits until everything has passed."""
        def reached():
            committed = self.watch.read()
            return all(max(0, committed[partition]) >= end for partition, end in self.watch.ends().items())
        eventually(reached, "all records have passed", timeout, 0.02)

    def _set_back(self):
        topic = self.world.topics["signup"]
        self.world.cluster.commit(self.group, topic, dict.fromkeys(self.world.cluster.partitions(topic), 0))

    def _limit(self):
        return 60 + self.arguments.requests / 100

    def _stop(self, *workers):
        for worker in workers:
            metrics = worker.metrics()
            equal(metrics.sum("requests_total"), 0, f"requests that ended in {worker.name}")
            equal(metrics.sum("hash_seconds_count"), 0, f"hashes made in {worker.name}")
            equal(worker.stop(), 0, f"exit status of {worker.name}")

    def _compare(self, again):
        state = State(self.world)
        equal(self.state.differences(state, again), [], "what differs from before the replay")
        self.state = state

    def case_requests_are_processed(self):
        world, a = self.world, self.arguments
        worker = world.worker("worker-1", **SETTINGS).start()
        load = Imports(a.seed, world.gateway, world.topics["signup"], f"{world.suffix}.example", world.partitions)
        for number in range(a.requests):
            load.one()
            if number % 5000 == 4999:
                world.gateway.flush()  # the producer's queue is bounded
        equal(world.gateway.flush(60), 0, "records that Kafka did not acknowledge")
        start = time.monotonic()
        self._passed(self._limit())
        equal(wait_settled(world, self._limit()), 0, "messages that still wait")
        metrics = worker.metrics()
        self.sent = a.requests
        equal(worker.stop(), 0, "exit status")
        self.state = State(world)
        self.cases.say(f"{self.sent} records passed, the last {time.monotonic() - start:.1f} s after they were sent: {self.state.rows['account']} accounts, "
                       f"{metrics.sum('hash_seconds_count'):.0f} hashes, {self.state.mails} mails, {sum(self.state.results.values())} results")
        for what, count in (("hashes", metrics.sum("hash_seconds_count")), ("mails", self.state.mails), ("dead", sum(self.state.ends["dead"].values()))):
            true(count > 0, f"{what} to tell from none")

    def _replay(self, again=False, **more):
        self._set_back()
        worker = self.world.worker("worker-1", **{**SETTINGS, **more}).start(ready=None)
        start = time.monotonic()
        self._passed(self._limit())
        took = time.monotonic() - start
        metrics = worker.metrics()
        self.cases.say(f"replayed in {took:.1f} s: " + ", ".join(f"{metrics.sum('inbox_hits_total', kind=kind):.0f} {kind}"
                                                                for kind in ("replay", "redelivery", "repeat", "conflict")))
        equal(metrics.sum("records_total"), self.sent, "records read again")
        equal(metrics.sum("inbox_hits_total", kind="redelivery") + metrics.sum("inbox_hits_total", kind="repeat"), 0, "hits that are no replay")
        time.sleep(1)  # for a message that must not be
        self._stop(worker)
        self._compare(again)

    def case_a_replay_changes_nothing(self):
        self._replay()

    def case_asked_to_it_repeats_each_result_byte_for_byte(self):
        self._replay(True, worker={"replays": "results"})
        equal(set(self.state.results.values()), {2}, "how often each result is there")

    def _killed(self, back, again, **more):
        """Two workers; one dies when it has done a quarter of its share, and comes back or not."""
        self._set_back()
        workers = [self.world.worker(f"worker-{number}", **{**SETTINGS, "worker": {**SMALL_STEPS["worker"], **more}}) for number in (1, 2)]
        workers[0].start(ready=None, failpoints=f"sink.committed=die@{self.sent // STEP // 8}")
        eventually(lambda: workers[0].partitions(self.world.topics["signup"]), "partitions of the one that dies", 20)
        workers[1].start(ready=None)
        eventually(lambda: not workers[0].running(), "the death of a worker", self._limit(), 0.02)
        passed = sum(max(0, offset) for offset in self.watch.read().values())
        self.cases.say(f"dead; {passed} of {self.sent} had passed a moment later")
        if back:
            workers[0].start(ready=None)
        self._passed(self._limit())
        time.sleep(1)
        self._stop(*workers[0 if back else 1:])
        self._compare(again)

    def case_nor_does_one_by_two_workers_of_which_one_is_killed(self):
        self._killed(True, False)

    def case_asked_to_two_repeat_each_result_once_though_one_is_killed(self):
        self._killed(False, True, replays="results")
        equal(set(self.state.results.values()), {3}, "how often each result is there")


def main():
    arguments = options()
    cases = Cases()
    try:
        with World("replay", settings=SETTINGS) as world:
            cases.say(f"{arguments.requests} records, seed {arguments.seed}, commit {services.commit()}; {world.binary}; "
                      + ", ".join(f"{name} {version}" for name, version in world.services.versions().items()))
            trial = Trial(world, arguments, cases)
            for case in (trial.case_requests_are_processed, trial.case_a_replay_changes_nothing,
                         trial.case_asked_to_it_repeats_each_result_byte_for_byte,
                         FULL and trial.case_nor_does_one_by_two_workers_of_which_one_is_killed,
                         trial.case_asked_to_two_repeat_each_result_once_though_one_is_killed):
                if case and not cases.run(case):
                    break
            trial.watch.close()
            world.keep = arguments.keep or cases.failed > 0
            if world.keep:
                cases.say(f"logs are in {world.folder}")
    except services.Missing as error:
        print(error)
        cases.failed += 1
    return cases.end()


if __name__ == "__main__":
    sys.exit(main())
