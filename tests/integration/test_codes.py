#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Codes from a real Kafka through PostgreSQL to the provider of texts and back: asked for, sent, tried, used.

usage: test_codes.py [--keep] [CASE...]   CASE is part of a case's name
"""
import json
import pathlib
import re
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))

from harness import program  # noqa: E402
from harness.cases import equal, eventually, true  # noqa: E402
from harness.talk import Talk  # noqa: E402

CODE = re.compile(r"your code is (\d{6})\.")


class Context:
    def __init__(self, world):
        self.world = world
        self.worker = world.worker("worker-1")
        self.talk = Talk(world)
        self.numbers = 0
        self.rows = world.sql

    def number(self):
        """A telephone number of nobody else."""
        self.numbers += 1
        return f"+4420718{38000 + self.numbers}"

    def ask(self, phone, purpose="sign_up", **how):
        return self.talk.post({"purpose": purpose, "phone": phone}, topic="otp", path="/v1/codes", **how)

    def check(self, phone, code, purpose="sign_up", **how):
        return self.talk.post({"purpose": purpose, "phone": phone, "code": code}, topic="otp", path="/v1/codes/check", **how)

    def texts(self, phone, count=1):
        """The codes that were sent to the number."""
        found = self.world.sinks.texts.wait(phone, count=count)
        return [CODE.search(json.dumps(row["fields"])).group(1) for row in found]

    def age(self, phone, column, interval):
        """As if a moment of the number's codes were longer ago."""
        self.rows(f"update enrolld.challenge set {column} = {column} - %s::interval where claim_value = %s", interval, phone)

    def state(self, phone):
        """(tries, used) of each code, oldest first, and the number's failures."""
        codes = self.rows("select attempts, consumed_at is not null from enrolld.challenge where claim_value = %s order by created_at", phone)
        return codes, self.rows("select failures from enrolld.address where value = %s", phone)[0][0]

    def settle(self):
        self.world.gateway.flush()
        eventually(lambda: self.world.lag("otp") == 0, "everything has passed", 60, 0.2)


def other(code, n=1):
    return f"{(int(code) + n) % 1000000:06d}"


def case_asked_for_sent_and_accepted_once(c):
    phone = c.number()
    asked = c.ask(phone)
    answer = asked.body(202)
    equal(sorted(answer), ["challenge_id", "expires_at", "next_at", "request_id"], "answer")
    code, = c.texts(phone)
    equal(c.check(phone, other(code)).body(422)["tries_left"], 4, "tries left")
    first = c.check(phone, code)
    body = first.body(201)
    equal(body["verified"], {"kind": "phone", "value": phone}, "what was verified")
    equal(first.account(), body["account_id"], "account of the result")
    second = c.check(phone, code)
    equal(second.body(409)["reason"], "code_used", "the second time")
    equal(c.state(phone), ([(2, True)], 0), "tries, used, failures")
    equal(c.rows("select a.state, k.verified_at is not null from enrolld.account a join enrolld.claim k using (account_id) where k.value = %s", phone),
          [("active", True)], "account and claim")
    events = eventually(lambda: len(c.talk.events(body["account_id"])) == 2 and c.talk.events(body["account_id"]), "two events")
    equal([event.header("ce_type") for event in events], ["enrolld.account.registered.v1", "enrolld.account.verified.v1"], "events")
    equal(events[1].json()["identity"], {"kind": "phone", "value": phone}, "identity of the event")


def case_a_known_number_signs_in(c):
    phone = c.number()
    c.ask(phone).reply(202)
    account = c.check(phone, c.texts(phone)[0]).body(201)["account_id"]
    c.age(phone, "sent_at", "2 minutes")
    asked = c.ask(phone, "sign_in")
    challenge = asked.body(202)["challenge_id"]
    code = c.texts(phone, 2)[1]
    tried = c.talk.post({"challenge_id": challenge, "code": code}, topic="otp", path="/v1/codes/check")
    equal(tried.body(200)["account_id"], account, "the account that has the number")
    stranger = c.ask(c.number(), "sign_in")
    equal(sorted(stranger.body(202)), sorted(asked.body(202)), "a stranger's answer has the same members")
    c.settle()
    equal(c.rows("select count(*) from enrolld.message m join enrolld.challenge k using (challenge_id) where k.challenge_id = %s",
                 stranger.body(202)["challenge_id"]), [(0,)], "messages to a stranger")


def case_wrong_ones_end_the_code(c):
    phone = c.number()
    c.ask(phone).reply(202)
    code, = c.texts(phone)
    wrong = [c.check(phone, other(code, n)) for n in range(1, 9)]
    c.settle()
    reasons = sorted(x.result().json()["reason"] for x in wrong)
    equal(reasons, ["code_exhausted"] * 3 + ["code_wrong"] * 5, "reasons")
    equal(c.check(phone, code).body(410)["reason"], "code_exhausted", "the right one, too late")
    equal(c.state(phone), ([(5, False)], 5), "tries, used, failures")
    c.age(phone, "sent_at", "2 minutes")
    c.ask(phone).reply(202)
    new = c.texts(phone, 2)[1]
    true(new != code, "another code")
    c.rows("update enrolld.address set failures = 10 where value = %s", phone)
    wait = c.check(phone, other(new))
    true("next_at" in wait.body(422), "the wrong one says how long the number has to wait")
    locked = c.check(phone, new).reply(429)
    true(25 <= int(locked.header("retry-after")) <= 30, f"retry-after {locked.header('retry-after')}")
    c.rows("update enrolld.address set locked_until = now() where value = %s", phone)
    c.check(phone, new).reply(201)
    equal(c.state(phone), ([(5, False), (2, True)], 0), "tries, used, failures")


def case_asked_again(c):
    phone = c.number()
    c.ask(phone).reply(202)
    code, = c.texts(phone)
    soon = c.ask(phone).reply(429)
    true(50 <= int(soon.header("retry-after")) <= 60, f"retry-after {soon.header('retry-after')}")
    c.age(phone, "sent_at", "2 minutes")
    c.ask(phone).reply(202)
    equal(c.texts(phone, 2), [code, code], "the same code again")
    c.check(phone, other(code)).reply(422)
    c.age(phone, "sent_at", "2 minutes")
    c.ask(phone).reply(202)
    new = c.texts(phone, 3)[2]
    true(new != code, "another code after a failed try")
    equal(c.check(phone, code).body(422)["reason"], "code_wrong", "the old one")
    c.check(phone, new).reply(201)
    equal(c.state(phone)[0], [(1, False), (2, True)], "tries and use of both")


def case_two_requests_at_once_are_one_code(c):
    phone = c.number()
    asked = [c.ask(phone) for _ in range(6)]
    c.settle()
    outcomes = sorted(x.result().json().get("reason", "sent") for x in asked)
    equal(outcomes, ["code_too_soon"] * 5 + ["sent"], "outcomes")
    equal(len(c.texts(phone)), 1, "texts")


def case_a_link_and_a_code_for_one_address(c):
    address = c.talk.address()
    up = c.talk.post(c.talk.person(email=address))
    up.reply(201)
    mail = c.world.sinks.mailbox.content(c.world.sinks.mailbox.wait(address)[0])
    token = re.search(r"token=([\w-]+)", mail.get_body(("plain",)).get_content()).group(1)
    link = c.talk.post(None, topic="otp", path=f"/v1/verify?token={token}", method="GET")
    equal(link.body(200)["verified"], {"kind": "email", "value": address}, "verified")
    equal(c.rows("select a.state, k.verified_at is not null from enrolld.account a join enrolld.claim k using (account_id) where k.value = %s", address),
          [("active", True)], "account and claim")
    again = c.talk.post(None, topic="otp", path=f"/v1/verify?token={token}", method="GET")
    equal(again.body(409)["reason"], "code_used", "the second time")
    wrong = c.talk.post(None, topic="otp", path=f"/v1/verify?token={token[:-1]}{'A' if token[-1] != 'A' else 'B'}", method="GET")
    equal(wrong.body(404)["reason"], "code_unknown", "another token")
    account = up.account()
    kinds = eventually(lambda: len(c.talk.events(account)) == 2 and [m.header("ce_type") for m in c.talk.events(account)], "two events")
    equal(kinds[1], "enrolld.account.verified.v1", "event")


STORE = "/ecommerce/v1/auth"
VISITOR = (("authorization", "Bearer visitor"),)


def case_sign_in_with_a_password(c):
    """In the words of a PosBytz store: pending until the address is verified, then in; strangers and wrong passwords are told apart by nobody."""
    address = c.talk.address()
    body = {"email": address, "password": "violet tractor"}
    c.talk.post(body, path=f"{STORE}/signup", headers=VISITOR).reply(201)

    def enter(**more):
        return c.talk.post({**body, **more}, topic="otp", path=f"{STORE}/signin", headers=VISITOR)
    equal(enter().body(403)["message"], "Account not verified", "before the address is verified")
    mail = c.world.sinks.mailbox.content(c.world.sinks.mailbox.wait(address)[0])
    token = re.search(r"token=([\w-]+)", mail.get_body(("plain",)).get_content()).group(1)
    c.talk.post(None, topic="otp", path=f"/v1/verify?token={token}", method="GET").reply(200)
    entered = enter()
    equal(entered.body(200)["data"]["tokenType"], "Bearer", "token")
    equal(c.talk.events(entered.account())[0].json()["identities"][0]["value"], address, "the account")
    counted = "select value from enrolld.address where kind = 'password:email' and failures > 0"
    others = set(c.rows(counted))
    wrong = enter(password="violet tractors")
    wrong.reply(401)
    ((subject,),) = set(c.rows(counted)) - others
    equal(c.rows("select count(*) from enrolld.address where kind like 'password:%' and value like '%@%'"), [(0,)], "identities in clear that were typed")
    stranger = enter(email=c.talk.address())
    equal((wrong.reply(401).value, wrong.result().json()["reason"]), (stranger.reply(401).value, "password_wrong"), "wrong and unknown")
    equal(c.rows("select failures from enrolld.address where value = %s", subject), [(1,)], "failures")
    enter().reply(200)
    c.settle()
    equal(c.rows("select failures from enrolld.address where value = %s", subject), [(0,)], "failures after the right one")
    c.rows("update enrolld.address set failures = 10 where value = %s", subject)
    enter(password="violet tractors").reply(401)
    before = c.worker.metrics().sum("hash_seconds_count")
    locked = enter().reply(429)
    true(25 <= int(locked.header("retry-after")) <= 30, f"retry-after {locked.header('retry-after')}")
    equal(c.worker.metrics().sum("hash_seconds_count"), before, "hashes while it waits")
    asked = c.talk.post({"purpose": "sign_in", "email": address}, topic="otp", path="/v1/codes")
    equal(asked.body(202)["request_id"], asked.sent.request_id, "who guesses at a password keeps nobody from a code")


def case_reminders_of_a_pending_account_are_limited(c):
    """Two at a time, so that some meet their limit in the database alone."""
    address = c.talk.address()
    body = {"email": address, "password": "violet tractor"}
    c.talk.post(body, path=f"{STORE}/signup", headers=VISITOR).reply(201)
    c.world.sinks.mailbox.wait(address)
    for _ in range(4):
        c.rows("update enrolld.challenge set sent_at = now() - interval '1 hour' where claim_value = %s", address)
        both = [c.talk.post({**body, "n": n}, topic="otp", path=f"{STORE}/signin", headers=VISITOR) for n in (1, 2)]
        equal([x.body(403)["message"] for x in both], ["Account not verified"] * 2, "answers")
    for _ in range(4):
        c.rows("update enrolld.challenge set sent_at = now() - interval '1 hour' where claim_value = %s", address)
        equal(c.talk.post(body, topic="otp", path=f"{STORE}/signin", headers=VISITOR).body(403)["message"], "Account not verified", "answer")
    c.settle()
    equal(len(c.world.sinks.mailbox.wait(address, count=6)), 6, "mails: of the sign-up, and five reminders")
    equal(c.rows("select count(*) from enrolld.message m join enrolld.challenge h using (challenge_id) where h.claim_value = %s", address), [(6,)], "messages")
    c.talk.post({"email": address}, topic="otp", path=f"{STORE}/otp", headers=VISITOR).reply(429)


def stopped(c):
    c.settle()
    equal(c.worker.stop(), 0, "exit status")
    group, topic = f"{c.world.group}-otp", c.world.topics["otp"]
    return group, topic, c.world.cluster.committed(group, topic)


def case_redelivery_counts_nothing(c):
    phone = c.number()
    asked = c.ask(phone, partition=1)
    asked.reply(202)
    code, = c.texts(phone)
    tried = [c.check(phone, other(code), partition=1), c.check(phone, code, partition=1)]
    tried[0].reply(422)
    tried[1].reply(201)
    group, topic, offsets = stopped(c)
    back = asked.sent.offset
    before = c.state(phone), c.rows("select count(*) from enrolld.message")
    c.rows('update enrolld.progress set mark = %s where "group" = %s and topic = %s and partition = 1', back, group, topic)
    for name in (group, f"{group}.passed"):
        c.world.cluster.commit(name, topic, {1: back})
    c.worker.start()
    eventually(lambda: c.world.cluster.committed(group, topic) == offsets, "the offsets are where they were", 30, 0.2)
    equal(c.worker.metrics().sum("inbox_hits_total", kind="redelivery"), offsets[1] - back, "redeliveries counted")
    equal((c.state(phone), c.rows("select count(*) from enrolld.message")), before, "tries, failures, messages")
    for x in (asked, *tried):
        found = c.talk.results(x.sent.request_id, 10, 2)
        equal(len(found), 2, "results, the one before and the one again")
        equal((found[0].value, found[0].headers), (found[1].value, found[1].headers), "bytes of the result")
        replies = x.replies(10)
        equal((len(replies), replies[0].value), (2, replies[-1].value), "replies")
    events = c.talk.events(tried[1].body()["account_id"])
    equal(len(events), 4, "events, each twice")
    equal((events[0].value, events[1].value), (events[2].value, events[3].value), "bytes of the events")


def case_what_is_stale_sends_nothing(c):
    """Asked while nobody worked, for longer than such a request may wait; and a replay of the whole topic."""
    _, topic, _ = stopped(c)
    phone = c.number()
    stale = c.ask(phone, "custom")
    c.world.gateway.flush()
    time.sleep(2.5)
    sent = len(c.world.sinks.texts.rows())
    c.worker.start()
    stale.result("expired", "expired")
    stale.reply(410)
    group, topic, offsets = stopped(c)
    c.world.cluster.commit(group, topic, {partition: 0 for partition in offsets})
    c.worker.start()
    eventually(lambda: c.world.cluster.committed(group, topic) == offsets, "the offsets are where they were", 30, 0.2)
    fresh = c.number()
    c.ask(fresh).reply(202)
    c.texts(fresh)
    equal(len(c.world.sinks.texts.rows()), sent + 1, "texts: only the fresh one's")


def case_no_code_is_kept(c):
    """Neither the database nor the log has a code that was sent."""
    codes = [CODE.search(json.dumps(row["fields"])).group(1) for row in c.world.sinks.texts.rows()]
    true(len(codes) > 5, "codes were sent")
    tables = [row[0] for row in c.rows("select tablename from pg_tables where schemaname = 'enrolld'")]
    for table in tables:
        for code in codes:
            found = c.rows(f'select count(*) from enrolld."{table}" t where t::text ~ %s', rf"(^|[^0-9a-f]){code}([^0-9a-f]|$)")
            equal(found, [(0,)], f"rows of {table} with a code")
    log = c.worker.text(since_start=False)
    for code in codes:
        true(not re.search(rf"(?<![0-9a-f]){code}(?![0-9a-f])", log), "the log has no code")


def prepare(world):
    """Requests of purpose custom may wait for two seconds here."""
    path = world.folder / "schemas/dialects/native/dialect.yaml"
    text = path.read_text()
    path.write_text(text.replace("custom: {then: nothing, message: code}", "custom: {then: nothing, message: code, request_age: 2s}"))
    true("request_age: 2s" in path.read_text(), "the dialect is as it was known")


def started(world):
    context = Context(world)
    context.worker.start()
    return context


def main():
    return program.run(globals(), "codes", started, prepare, settings={"topics": {"signup": {"dialects": ["native", "posbytz"]}, "otp": {"dialects": ["native", "posbytz"]}}})


if __name__ == "__main__":
    sys.exit(main())
