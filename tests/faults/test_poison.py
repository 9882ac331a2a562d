#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Records and topics that could stop a lane: what the database refuses, what kills the worker, replies that are too large, logs that are gone.

usage: test_poison.py [--keep]
"""
import json
import os
import pathlib
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from harness import services  # noqa: E402
from harness.cases import Cases, Failed, equal, eventually, true  # noqa: E402
from harness.talk import Talk  # noqa: E402
from harness.world import World  # noqa: E402

TRANSACTION_TIMEOUT = 60
TINY = 300  # bytes that the topic of small replies takes
FULL = bool(os.environ.get("ENROLLD_TEST_FULL"))
POISON = "alter table enrolld.claim add constraint poison check (value not like 'poison%') not valid"


def settings(world):
    world.topics["tiny"] = f"{world.topics['replies']}.tiny"
    replies = [world.topics["replies"], world.topics["tiny"]]
    more = {name: {"name": world.topics[name], "lane": "signup", "reply_topics": replies} for name in ("signup", "again", "short")}
    return {"topics": more, "kafka": {"session_timeout": "3s", "transaction_timeout": f"{TRANSACTION_TIMEOUT}s"}}


class Trial:
    """One run; its steps are the cases."""

    def __init__(self, world, cases):
        self.world, self.cases = world, cases
        world.cluster.create({world.topics["tiny"]: 1}, **{"max.message.bytes": str(TINY)})
        self.talk = Talk(world)
        self.worker = world.worker("worker-1").start()

    def _together(self, bodies, **how):
        """Posted so that they are one batch."""
        self.worker.pause()
        sent = [self.talk.post(body, partition=0, **how) for body in bodies]
        self.world.gateway.flush()
        self.worker.resume()
        return sent

    def _poison(self, number):
        return self.talk.person(email=f"poison{number}@{self.world.suffix}.example")

    def case_what_the_database_refuses_is_buried_alone(self):
        self.world.sql(POISON)
        bodies = [self.talk.person() for _ in range(40)]
        bodies[17] = self._poison(0)
        with self.world.connect() as blocker:  # the storer has one in hand, the others gather behind it
            blocker.cursor().execute("lock table enrolld.claim in exclusive mode")
            first = self.talk.post(self.talk.person(), partition=0)
            self.world.gateway.flush()
            eventually(lambda: self.world.sql("select count(*) from pg_locks where not granted and relation = 'enrolld.claim'::regclass")[0][0] > 0,
                       "the storer waits")
            sent = [self.talk.post(body, partition=0) for body in bodies]
            self.world.gateway.flush()
            eventually(lambda: self.worker.metrics().sum("queue_depth", lane="signup", stage="store") == 40, "all others wait for the storer", 20, 0.1)
            blocker.rollback()
        first.result("accepted")
        sent[17].letter("store_rejects")
        sent[17].reply(500)
        for number, exchange in enumerate(sent):
            if number != 17:
                exchange.result("accepted")
        equal(self.talk.results(sent[17].sent.request_id), [], "results of the buried one")
        true(self.worker.metrics().sum("bisections_total") > 0, "a batch was halved")

    def case_three_in_a_row_are_an_outage(self):
        sent = self._together([self._poison(number) for number in range(1, 6)])
        eventually(lambda: "signup: store: store_data" in self.worker.get("/readyz")[1], "/readyz names it")
        time.sleep(2)
        equal(len(self.worker.events("record_buried")), 3, "records that were buried, one of them before")
        self.world.sql("alter table enrolld.claim drop constraint poison")
        results = self.world.topics["results"]
        ids = {exchange.sent.request_id for exchange in sent}
        found = self.talk.tail.wait(lambda m: m.topic == results and m.json()["request_id"] in ids, 15, 3)
        equal([m.json()["outcome"] for m in found], ["accepted"] * 3, "results of the others")
        eventually(lambda: self.talk.seen()["dead"] == 3, "a dead letter of each that was buried")
        eventually(lambda: self.worker.get("/readyz")[0] == 200, "ready again")

    def case_a_record_in_hand_at_three_crashes_is_buried(self):
        world = self.world
        equal(self.worker.stop(), 0, "exit status")
        killer, other = self.talk.post(self.talk.person(), partition=1), self.talk.post(self.talk.person(), partition=1)
        world.gateway.flush()
        place = (killer.sent.topic, killer.sent.partition, killer.sent.offset)
        blocker = world.connect()
        for death in range(3):
            with blocker.cursor() as cursor:
                cursor.execute("lock table enrolld.inbox in access exclusive mode")
            self.worker.start(ready=None)
            eventually(lambda: self.worker.metrics().sum("window_records", lane="signup") > 0, "it is in hand", 20)
            if death:  # after an unclean end the database knows what is in hand
                eventually(lambda d=death: world.sql('select times from enrolld.hand where topic = %s and partition = %s and "offset" = %s', *place)
                           == [(d,)], "the record in hand, and how often", 10)
            self.worker.kill()
            blocker.rollback()
        blocker.close()
        self.worker.start()
        killer.letter("kills-worker", timeout=30)
        other.result("accepted", timeout=30)
        equal(self.talk.results(killer.sent.request_id), [], "results of the buried one")
        equal(len(self.worker.events("unclean_start")) > 0, True, "unclean_start in the log")
        eventually(lambda: world.sql("select count(*) from enrolld.hand") == [(0,)], "nothing in hand any more")

    def case_a_record_that_was_stored_before_three_crashes_is_answered(self):
        equal(self.worker.stop(), 0, "exit status")
        stored = self.talk.post(self.talk.person(), partition=1)
        self.world.gateway.flush()
        for step in ("store.settled", "sink.begun", "sink.produced"):  # the first has it among others, the next two alone
            self.worker.start(ready=None, failpoints=f"{step}=die@1")
            eventually(lambda: not self.worker.running(), f"dies at {step}", 20)
        place = (stored.sent.topic, stored.sent.partition, stored.sent.offset)
        equal(self.world.sql('select times from enrolld.hand where topic = %s and partition = %s and "offset" = %s', *place), [(2,)],
              "how often it was in hand")
        self.worker.start()
        account = stored.result("accepted", timeout=30).json()["account_id"]
        equal(stored.reply(201).json()["account_id"], account, "account of the reply")
        eventually(lambda: self.world.sql("select count(*) from enrolld.hand") == [(0,)], "nothing in hand any more")
        equal(self.talk.tail.find(lambda m: m.topic == self.world.topics["dead"] and m.header("enrolld-reason") == "kills-worker"
                                  and m.header("__connect.errors.offset") == str(stored.sent.offset) and m.header("__connect.errors.partition") == "1"),
              [], "dead letters of it")

    def case_a_reply_that_its_topic_does_not_take_is_dropped(self):
        tiny = self.world.topics["tiny"]
        before = self.worker.metrics().sum("replies_dropped_total", reason="too_large")
        bodies = [self.talk.person() for _ in range(10)]
        self.worker.pause()
        large = self.talk.post(self.talk.person(), partition=0, reply_to=tiny, headers=[("traceparent", "x" * TINY)])
        sent = [self.talk.post(body, partition=0) for body in bodies]
        self.worker.resume()
        large.result("accepted")
        for exchange in sent:
            exchange.reply(201)
            exchange.result("accepted")
        true(self.worker.metrics().sum("replies_dropped_total", reason="too_large") > before, "a reply that was dropped as too large")
        self.talk.post(self.talk.person(), partition=0).reply(201)

    def case_a_results_topic_that_takes_too_little_holds_its_lane(self):
        results = self.world.topics["results"]
        self.world.cluster.alter(results, **{"max.message.bytes": str(TINY)})
        late = self.talk.post(self.talk.person(), partition=0)
        self.world.gateway.flush()
        eventually(lambda: "signup: sink: output_too_large" in self.worker.get("/readyz")[1], "/readyz names it", 20)
        equal(self.worker.get("/healthz")[0], 200, "/healthz")
        self.world.cluster.alter(results, **{"max.message.bytes": "1048588"})
        if not FULL:  # a new worker does not know what the topic took, the old one asks again after a minute
            self.worker.kill()
            self.worker.start()
        late.reply(201, 90)
        late.result("accepted")
        eventually(lambda: self.worker.get("/readyz")[0] == 200, "ready again")

    def case_a_transaction_of_its_own_that_is_open_is_ended_with_nothing_in_hand(self):
        equal(self.worker.stop(), 0, "exit status")
        self.worker.start(failpoints="sink.lost=fail@1")
        exchange = self.talk.post(self.talk.person(), partition=0)
        exchange.reply(201, TRANSACTION_TIMEOUT / 2)
        exchange.result("accepted")
        equal(self.worker.metrics().sum("rewinds_total", reason="kafka_unknown"), 1, "times that the outcome was not known")
        eventually(lambda: self.worker.get("/readyz")[0] == 200, "ready again")
        equal(self.worker.stop(), 0, "exit status")
        self.worker.start()

    def case_below_the_start_of_the_log_it_goes_on(self):
        world, topic = self.world, self.world.topics["short"]
        self.talk.post(self.talk.person(), topic="short", partition=0).reply(201)
        equal(self.worker.stop(), 0, "exit status")
        for _ in range(5):
            self.talk.post(self.talk.person(), topic="short", partition=0)
        last = self.talk.post(self.talk.person(), topic="short", partition=0)
        world.gateway.flush()
        before = world.folder / "before.json"
        before.write_text(json.dumps({"version": 1, "partitions": [{"topic": topic, "partition": 0, "offset": last.sent.offset}]}), encoding="utf-8")
        subprocess.run([services.ROOT / "scripts/services", "tool", "records", "--bootstrap-server", world.services.bootstrap,
                        "--offset-json-file", before], stdin=subprocess.DEVNULL, capture_output=True, check=True)
        self.worker.start()
        last.reply(201)
        equal([row["missed"] for row in self.worker.events("partition_below_start")], [5], "records that were missed, in the log")
        equal(self.worker.metrics().sum("offset_gaps_total", kind="below_start"), 1, "the metric of it")

    def case_a_topic_that_is_made_again_waits_until_it_is_forgotten(self):
        world, topic = self.world, self.world.topics["again"]
        for _ in range(5):
            self.talk.post(self.talk.person(), topic="again", partition=0).reply(201)
        self._marked(topic, 5)
        world.cluster.delete([topic])
        eventually(lambda: topic not in world.cluster.names(), "the topic is gone")
        world.cluster.create({topic: 1})
        world.cluster.partitions(topic)
        late = [self.talk.post(self.talk.person(), topic="again", partition=0) for _ in range(2)]
        world.gateway.flush()
        eventually(lambda: self.worker.metrics().sum("partitions", lane="signup", state="paused") == 1, "the partition is paused", 60, 0.2)
        true([row for row in self.worker.events("partition_above_end") if row["topic"] == topic], "partition_above_end in the log")
        self.talk.post(self.talk.person(), partition=0).reply(201)  # the others go on
        equal([exchange for exchange in late if exchange.replies()], [], "replies of the partition that waits")
        equal(self.worker.stop(), 0, "exit status")
        eventually(lambda: world.command("progress", "forget", topic, "0", check=False)[0] == 0, "it is forgotten", 30, 0.5)
        self.worker.start()
        for exchange in late:
            exchange.reply(201)
            exchange.result("accepted")

    def _marked(self, topic, offset):
        """Waits until the database knows that the records have passed."""
        self.talk.post(self.talk.person(), partition=0).reply(201)
        eventually(lambda: self.world.sql("select mark from enrolld.progress where topic = %s", topic) == [(offset,)], "the mark", 20, 0.2)


def main():
    cases = Cases()
    try:
        with World("poison", settings=settings, more_topics=("again", "short")) as world:
            trial = Trial(world, cases)
            for case in (trial.case_what_the_database_refuses_is_buried_alone, trial.case_three_in_a_row_are_an_outage,
                         trial.case_a_record_in_hand_at_three_crashes_is_buried,
                         trial.case_a_record_that_was_stored_before_three_crashes_is_answered, trial.case_a_reply_that_its_topic_does_not_take_is_dropped,
                         trial.case_a_results_topic_that_takes_too_little_holds_its_lane,
                         trial.case_a_transaction_of_its_own_that_is_open_is_ended_with_nothing_in_hand,
                         trial.case_below_the_start_of_the_log_it_goes_on, trial.case_a_topic_that_is_made_again_waits_until_it_is_forgotten):
                cases.run(case)
            trial.talk.close()
            world.keep = cases.failed > 0 or "--keep" in sys.argv[1:]
            if world.keep:
                cases.say(f"logs are in {world.folder}")
    except services.Missing as error:
        print(error)
        cases.failed += 1
    return cases.end()


if __name__ == "__main__":
    sys.exit(main())
