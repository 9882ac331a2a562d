#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What arises without a request, on its way from its row to the topic of account events, by two workers.

usage: test_notices.py [--keep] [CASE...]   CASE is part of a case's name
"""
import collections
import json
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))

from harness import program  # noqa: E402
from harness.cases import equal, eventually, true  # noqa: E402
from harness.kafka import text  # noqa: E402
from harness.talk import Talk  # noqa: E402

INSERT = "insert into enrolld.notice (realm, kind, subject, key, payload, created_at) values ('default', 'message.accepted', %s, %s, %s, now() - %s * interval '1 ms')"


class Context:
    def __init__(self, world):
        self.world, self.talk, self.rows = world, Talk(world), world.sql
        self.workers = [world.worker(f"notices-{n}") for n in (1, 2)]

    def notices(self, **headers):
        """Records of notices as they were published, those with such headers."""
        topic = self.world.topics["accounts"]
        return self.talk.tail.find(lambda m: m.topic == topic and not m.header("ce_type").startswith("enrolld.account.")
                                   and all(m.header(f"ce_{name}") == value for name, value in headers.items()))

    def published(self, count, timeout=15, **headers):
        return eventually(lambda: (found := self.notices(**headers)) and len(found) >= count and found, f"{count} notices {headers}", timeout)

    def write(self, subject, key, payload="{}", age=0):
        self.rows(INSERT, subject, key, payload, age)

    def all_marked(self):
        eventually(lambda: self.rows("select count(*) from enrolld.notice where published_at is null") == [(0,)], "all are marked", 15)


def case_what_becomes_of_a_message_is_published(c):
    person = c.talk.person()
    account = c.talk.post(person).account()
    found = c.published(1, type="enrolld.message.accepted.v1")
    c.all_marked()
    notice, message, challenge, payload = c.rows("select n.notice_id::text, m.message_id::text, m.challenge_id::text, n.payload from enrolld.notice n "
                                                 "join enrolld.message m on m.message_id::text = n.subject")[0]
    equal(len(found), 1, "events")
    equal((text(found[0].key), found[0].header("ce_id"), found[0].header("ce_subject"), found[0].header("ce_source")), (account, notice, message, "/enrolld"),
          "key and headers")
    equal(found[0].value.decode(), payload, "value")
    body = found[0].json()
    true(body.pop("at").endswith("Z") and found[0].header("ce_time")[:10] == json.loads(payload)["at"][:10], "time")
    equal(body, {"message_id": message, "account_id": account, "challenge_id": challenge, "realm": "default", "channel": "email", "state": "accepted",
                 "code": "250 2.0.0", "attempts": 1}, "body")
    equal(sum(worker.metrics().sum("notices_total", kind="message.accepted") for worker in c.workers), 1, "notices_total")


def case_two_workers_share_them(c):
    count, keys, waves = 2000, 20, 0
    before = [worker.metrics().sum("notices_total") for worker in c.workers]

    def shares():
        return [worker.metrics().sum("notices_total") - was for worker, was in zip(c.workers, before)]
    while waves == 0 or 0 in shares() and waves < 10:  # one may be done with all before the other looks
        c.rows("insert into enrolld.notice (realm, kind, subject, key, payload, created_at) select 'default', 'message.accepted', %s || n, 'shared-' || n %% %s, "
               "'{}', now() + n * interval '1 us' from generate_series(1, %s) as n", f"{waves}-", keys, count)
        waves += 1
        c.all_marked()
    true(0 not in shares(), f"each has published some: {shares()}")
    equal(sum(shares()), count * waves, "notices that were published")
    order = collections.defaultdict(list)
    c.published(count * waves, timeout=30)
    for m in c.notices():
        if text(m.key).startswith("shared-"):
            order[text(m.key)].append(tuple(int(part) for part in m.header("ce_subject").split("-")))
    equal(sum(map(len, order.values())), count * waves, "records")
    equal([key for key, seen in order.items() if seen != sorted(seen)], [], "keys whose notices left out of order")


def case_a_key_waits_for_its_older_notice(c):
    """As if another worker had it in hand."""
    other = c.world.connect()
    with other, other.cursor() as cursor:
        for worker in c.workers:
            worker.pause()
        cursor.execute(INSERT, ("first", "kept", "{}", 2000))
        other.commit()
        cursor.execute("select 1 from enrolld.notice where subject = 'first' for update")
        c.write("second", "kept")
        c.write("apart", "free")
        for worker in c.workers:
            worker.resume()
        c.published(1, subject="apart")
        eventually(lambda: c.rows("select count(*) from enrolld.notice where published_at is null") == [(2,)], "two wait", 5)
        equal(c.notices(subject="second"), [], "published before the older one of its key")
        other.commit()
    c.published(1, subject="second")
    equal([m.header("ce_subject") for m in c.notices() if text(m.key) == "kept"], ["first", "second"], "order of the key")
    other.close()


def case_a_worker_that_dies_before_the_mark_repeats_it(c):
    one, two = c.workers
    equal(two.stop(), 0, "exit status")
    equal(one.stop(), 0, "exit status")
    one.start(failpoints="notice.published=die@1")
    c.write("twice", "repeated", '{"n": 1}')
    c.published(1, subject="twice")
    eventually(lambda: not one.running(), "it is dead", 15)
    equal(c.rows("select published_at is null from enrolld.notice where subject = 'twice'"), [(True,)], "not marked")
    one.start()
    found = c.published(2, subject="twice", timeout=30)
    equal((found[0].key, found[0].value, dict(found[0].headers)), (found[1].key, found[1].value, dict(found[1].headers)), "the same bytes and id")
    c.all_marked()
    equal(len(c.notices(subject="twice")), 2, "records")


def case_they_wait_while_kafka_does_not_take_them(c):
    """Last, as the topic is made anew."""
    one, topic = c.workers[0], c.world.topics["accounts"]
    c.talk.close()
    c.world.cluster.delete([topic])
    try:
        eventually(lambda: topic not in c.world.cluster.names(), "the topic is gone", 15)
        c.write("later", "waits")
        true(one.wait_event("notices_paused", 20), "notices_paused in the log")
        status, why = one.get("/readyz")
        true(status == 503 and "notices: kafka_" in why, f"readiness: {status} {why}")
        equal(c.rows("select published_at is null from enrolld.notice where subject = 'later'"), [(True,)], "not marked")
    finally:
        c.world.cluster.create({topic: 2})
        c.talk = Talk(c.world)
    true(one.wait_event("notices_resumed", 30), "notices_resumed in the log")
    c.published(1, subject="later")
    c.all_marked()
    one.wait_ready(20)


def started(world):
    context = Context(world)
    for worker in context.workers:
        worker.start()
    return context


def main():
    return program.run(globals(), "notices", started, settings={"worker": {"notice_every": "100ms"}})


if __name__ == "__main__":
    sys.exit(main())
