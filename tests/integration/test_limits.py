#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Limits, slugs and integer ids through two workers at once: from a real Kafka to a real PostgreSQL and back.

usage: test_limits.py [--keep] [CASE...]   CASE is part of a case's name

The password hash is cheap on purpose (8 MiB, one pass): what is tried here is what is counted, not the cost of a hash.
"""
import collections
import pathlib
import shutil
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))

from harness import program  # noqa: E402
from harness.cases import equal, eventually, true  # noqa: E402
from harness.talk import Talk, correlation_of, status_of  # noqa: E402

DIALECT = HERE.parent / "data" / "dialects" / "counted"
MANY = 1000
LIMIT = 100


def settings(_):
    return {"topics": {"signup": {"dialects": ["counted"]}, "otp": {"dialects": ["counted"]}}, "signup": {"verify_email": False}}


class Context:
    """Two workers, and what the cases share."""

    def __init__(self, world):
        self.world = world
        self.workers = [world.worker(f"worker-{n}") for n in (1, 2)]
        self.talk = Talk(world)

    def start(self):
        for worker in self.workers:
            if not worker.running():
                worker.start()
        self.wait_shared()

    def wait_shared(self):
        """Until each has partitions of the topic."""
        eventually(lambda: all(worker.metrics().sum("partitions", lane="signup", state="running") > 0 for worker in self.workers),
                   "both workers have partitions", 30, 0.2)

    def settle(self):
        """Until everything has passed."""
        self.world.gateway.flush()
        eventually(lambda: self.world.lag() == 0, "everything has passed", 120, 0.2)

    def stop(self):
        for worker in self.workers:
            worker.stop()

    def post(self, name, body=None, key=None, **how):
        headers = () if key == "" else (("x-shop-key", key or f"sk-{name}"),)
        return self.talk.post(self.talk.person() if body is None else body, path=f"/{name}", headers=headers, **how)

    def ended(self):
        """How many requests each worker ended."""
        return [worker.metrics().sum("requests_total", lane="signup") for worker in self.workers]


def replies_of(c, exchanges):
    """Each exchange's reply, in order."""
    topic, wanted = c.world.topics["replies"], {exchange.sent.correlation for exchange in exchanges}

    def all_of_them():
        found = {correlation_of(message): message for message in c.talk.tail.find(lambda m: m.topic == topic)}
        return found if wanted <= found.keys() else None
    found = eventually(all_of_them, "a reply to each", 60, 0.2)
    return [found[exchange.sent.correlation] for exchange in exchanges]


def statuses(replies):
    return collections.Counter(status_of(reply) for reply in replies)


def hashes(c):
    return sum(worker.metrics().sum("hash_seconds_count") for worker in c.workers)


def accounts_of(c, exchanges):
    ids = [exchange.sent.request_id for exchange in exchanges]
    return c.world.sql("select count(*) from enrolld.inbox i join enrolld.account a using (account_id) where i.request_id = any(%s)", ids)[0][0]


def check_a_hundred(c, exchanges):
    c.settle()
    replies = replies_of(c, exchanges)
    equal(statuses(replies), {"201": LIMIT, "429": MANY - LIMIT}, "answers")
    equal(accounts_of(c, exchanges), LIMIT, "accounts")
    remaining = sorted(int(reply.header("x-ratelimit-remaining")) for reply in replies if status_of(reply) == "201")
    equal(remaining, list(range(LIMIT)), "what the answers say is left: each number once")
    for reply in replies:
        if status_of(reply) == "429":
            wait = int(reply.header("retry-after"))
            true(3300 < wait <= 3600, f"retry-after {wait}")
            equal(reply.json(), {"error": "rate_limited", "retry_after": wait}, "body")
    ids = [exchange.sent.request_id for exchange in exchanges]
    equal(c.world.sql("select outcome, reason, count(*) from enrolld.inbox where request_id = any(%s) group by 1, 2 order by 1", ids),
          [("accepted", None, LIMIT), ("refused", "rate_limited", MANY - LIMIT)], "inbox")


def case_a_hundred_of_a_thousand_at_once(c):
    before, hashed = c.ended(), hashes(c)
    begin = time.monotonic()
    exchanges = [c.post("fixed") for _ in range(MANY)]
    c.settle()
    took = time.monotonic() - begin
    shares = [now - then for now, then in zip(c.ended(), before)]
    print(f"          {took:.1f} s, ended by each worker: {shares}, hashes: {hashes(c) - hashed:.0f}")
    check_a_hundred(c, exchanges)
    true(min(shares) > MANY / 10, f"both workers took part: {shares}")
    reached = sum(worker.metrics().sum("limits_reached_total", limit="shop") for worker in c.workers)
    true(reached >= MANY - LIMIT, f"limits_reached_total: {reached}")


def case_a_hundred_of_a_backlog(c):
    c.stop()
    exchanges = [c.post("sliding") for _ in range(MANY)]
    c.world.gateway.flush()
    c.start()
    check_a_hundred(c, exchanges)


def case_a_hundred_though_workers_are_killed(c):
    exchanges = [c.post("killed") for _ in range(MANY)]
    c.world.gateway.flush()
    for worker in c.workers:
        eventually(lambda worker=worker: worker.metrics().sum("stage_seconds_count", lane="signup", stage="store") > 0, "it stores", 20, 0.02)
        worker.kill()
        worker.start()
    check_a_hundred(c, exchanges)
    answers = collections.defaultdict(set)
    for message in c.talk.tail.find(lambda m: m.topic == c.world.topics["replies"]):
        answers[correlation_of(message)].add((message.value, message.header("x-ratelimit-remaining"), message.header("retry-after")))
    equal([len(answers[exchange.sent.correlation]) for exchange in exchanges], [1] * MANY, "different answers to one request")


def case_a_flood_is_not_hashed(c):
    """What is over a limit costs no hash."""
    before = hashes(c)
    exchanges = [c.post("fixed") for _ in range(200)]
    c.settle()
    equal(statuses(replies_of(c, exchanges)), {"429": 200}, "answers")
    equal(hashes(c), before, "hashes")


def case_a_repeat_is_not_counted_again(c):
    first = c.post("small", key="sk-free")
    message = first.reply("201")
    equal(message.header("x-ratelimit-remaining"), "2", "left after the first")
    body = first.sent.value
    again = c.post("small", body=body, key="sk-free", request_id=first.sent.request_id)
    second = again.reply("201")
    equal((second.value, second.header("x-ratelimit-remaining")), (message.value, "2"), "the same answer")
    equal(c.post("small", key="sk-free").reply("201").header("x-ratelimit-remaining"), "1", "left after another")


def case_bodies_that_cannot_be_read_count(c):
    for body in (b"{", b"[1]", b"\xff"):
        c.post("small", body=body).reply("400")
    answer = c.post("small").reply("429")
    true(int(answer.header("retry-after")) > 3000, "retry-after")
    c.post("small", body=b"{").reply("429")  # the limit comes before the body


def case_records_that_are_too_large_count(c):
    """They are counted before anybody looks at their size; only one of no realm has nowhere to be counted."""
    big = b'{"email": "' + b"x" * 70000 + b'"}'
    for _ in range(3):
        c.post("large", body=big).reply("413")
    c.post("large", body=big).reply("429")
    c.post("large").reply("429")
    c.post("large", body=big, key="").reply("401")  # who asks comes before what is asked
    c.post("large", body=big, key="sk-unknown").reply("403")


def case_who_does_not_say_who_it_is_is_not_counted(c):
    for _ in range(3):
        c.post("small", key="").reply("401")
        c.post("small", key="sk-unknown").reply("403")


def case_rules_first_where_they_come_first(c):
    for _ in range(4):
        c.post("rules", body={"email": "nobody", "password": "x"}).reply("400")
    kept = c.talk.person()
    c.post("rules", body=kept).reply("201")
    c.post("rules", body=kept).reply("409")  # met its rules: counted, although the identity is taken
    c.post("rules").reply("429")
    c.post("rules", body={"email": "nobody", "password": "x"}).reply("400")


def case_a_window_slides_on(c):
    begin = time.monotonic()
    for _ in range(2):
        c.post("short").reply("201")
    wait = int(c.post("short").reply("429").header("retry-after"))
    true(1 <= wait <= 3, f"retry-after {wait}")
    time.sleep(max(0.0, begin + 3.6 - time.monotonic()))
    c.post("short").reply("201")


def case_names_that_are_alike(c):
    """Sixty people of one name, half of them of a name in another script, through two workers."""
    people = [("John", "Doe"), ("李", "雷")] * 30
    exchanges = [c.post("named", key="sk-free", body=c.talk.person(first_name=first, last_name=last)) for first, last in people]
    c.settle()
    bodies = [exchange.body("201") for exchange in exchanges]
    for stem, begin in (("john-doe", 0), ("customer", 1)):
        wanted = {stem if n == 1 else f"{stem}-{n}" for n in range(1, 31)}
        equal({body["slug"] for body in bodies[begin::2]}, wanted, "slugs")
    equal(sorted(body["id"] for body in bodies), list(range(1, 61)), "integer ids")
    stored = c.world.sql("select a.account_id::text, a.number, k.value from enrolld.account a join enrolld.claim k using (account_id) "
                         "where a.number is not null and k.kind = 'slug'")
    equal(sorted(stored), sorted((body["account_id"], body["id"], body["slug"]) for body in bodies), "what is stored is what was answered")
    events = [c.talk.events(body["account_id"])[0].json() for body in bodies]
    equal([(event["number"], event["slug"]) for event in events], [(body["id"], body["slug"]) for body in bodies], "account events")


def case_names_in_a_race(c):
    """Fifty names, each twice at the same moment: where both workers propose the same, one is looked at again and keeps its hash."""
    exchanges = [c.post("named", key="sk-free", body=c.talk.person(first_name="Race", last_name=f"N{n}"))
                 for n in range(50) for _ in range(2)]
    c.settle()
    slugs = sorted(exchange.body("201")["slug"] for exchange in exchanges)
    equal(slugs, sorted(f"race-n{n}{tail}" for n in range(50) for tail in ("", "-2")), "slugs")
    lost = sum(worker.metrics().sum("proposals_lost_total") for worker in c.workers)
    print(f"          proposals lost: {lost:.0f}")
    rows = c.world.sql("select count(*) from enrolld.account where password_hash is null")[0][0]
    equal(rows, 0, "accounts without a hash")


def case_what_the_database_has(c):
    """The limit rows hold digests, and what was answered."""
    rows = c.world.sql('select realm, name, subject, used from enrolld."limit"')
    equal({row[:2] for row in rows}, {("default", "shop")}, "realm and name")
    true(all(len(subject) == 64 and "sk-" not in subject for _, _, subject, _ in rows), "subjects are digests")


def prepare(world):
    shutil.copytree(DIALECT, world.folder / "schemas" / "dialects" / DIALECT.name)


def started(world):
    context = Context(world)
    context.start()
    return context


def main():
    return program.run(globals(), "limits", started, prepare, settings=settings)


if __name__ == "__main__":
    sys.exit(main())
