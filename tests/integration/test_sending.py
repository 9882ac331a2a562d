#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Whom texts are sent to, through a real Kafka and a provider of texts: prefix lists, numbers for tests, budgets of two workers, prefixes on hold.

usage: test_sending.py [--keep] [CASE...]   CASE is part of a case's name
"""
import json
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))

from harness import program  # noqa: E402
from harness.cases import equal, eventually, true  # noqa: E402
from harness.kafka import text  # noqa: E402
from harness.talk import Talk  # noqa: E402

TESTER = "+15550100001"
REALM = {
    "deny": ["+33"],
    "test": True,
    "test_numbers": {TESTER: "424242"},
    "budgets": {"+49": "12/1d"},
}
HOLD = {"percent": 50, "sends": 4, "grace": "0s", "digits": 2}


class Context:
    def __init__(self, world):
        self.world = world
        self.workers = [world.worker(f"sending-{n}", **self.settings()) for n in (1, 2)]
        self.talk = Talk(world)
        self.rows = world.sql
        self.numbers = 0

    @staticmethod
    def settings(**more):
        return {"sending": {"budgets": {"+": "1000/1d", "mail": "1000/1d"}}, "realms": {"default": {**REALM, **more}}}

    def reload(self, **more):
        """Puts other settings of the realm in force."""
        for worker in self.workers:
            count = len(worker.events("settings_reloaded"))
            worker.write(self.world.settings(worker.name, **self.settings(**more)))
            worker.reload()
            equal(len(worker.wait_event("settings_reloaded", 10, count + 1)), count + 1, "events settings_reloaded")

    def number(self, prefix):
        """A telephone number of nobody else."""
        self.numbers += 1
        return f"{prefix}{7000000 + self.numbers}"

    def ask(self, phone, purpose="sign_up"):
        return self.talk.post({"purpose": purpose, "phone": phone}, topic="otp", path="/v1/codes")

    def check(self, phone, code):
        return self.talk.post({"purpose": "sign_up", "phone": phone, "code": code}, topic="otp", path="/v1/codes/check")

    def settle(self):
        self.world.gateway.flush()
        eventually(lambda: self.world.lag("otp") == 0 and self.world.lag("signup") == 0, "everything has passed", 30, 0.1)
        eventually(lambda: self.rows("select count(*) from enrolld.message where due_at is not null") == [(0,)], "all messages are handed over", 30, 0.1)

    def texts(self, prefix):
        """How many texts the provider was given for numbers that begin so."""
        return sum(prefix.strip("+") in json.dumps(row["fields"]) for row in self.world.sinks.texts.rows())

    def notices(self, what, count):
        """Events of holds that begin or end."""
        topic = self.world.topics["accounts"]
        return self.talk.tail.wait(lambda m: m.topic == topic and m.header("ce_type") == f"enrolld.sending.{what}.v1", 10, count)

    def measure(self, name, **labels):
        return sum(worker.metrics().sum(name, **labels) for worker in self.workers if worker.running())


def case_a_denied_prefix_is_sent_nothing(c):
    phone = c.number("+33612")
    equal(c.ask(phone).body(403)["reason"], "prefix_denied", "reason")
    up = c.talk.post(c.talk.person(phone=c.number("+33612")))
    up.reply(403)
    up.result("refused", "prefix_denied")
    c.ask(c.number("+31612")).reply(202)
    c.settle()
    equal((c.texts("+33612"), c.texts("+31612")), (0, 1), "texts")
    equal(c.rows("select count(*) from enrolld.challenge where claim_value like '+33%%'"), [(0,)], "challenges")
    equal(c.rows("select count(*) from enrolld.claim where value like '+33%%'"), [(0,)], "accounts")
    equal(c.measure("messages_withheld_total", realm="default", reason="prefix_denied"), 2, "messages_withheld_total")


def case_a_number_for_tests_has_its_code(c):
    c.ask(TESTER).reply(202)
    equal(c.check(TESTER, "424241").body(422)["tries_left"], 4, "tries left")
    c.check(TESTER, "424242").reply(201)
    equal(c.check(TESTER, "424242").body(409)["reason"], "code_used", "the second time")
    c.settle()
    equal(c.texts(TESTER), 0, "texts")
    equal(c.rows("select attempts, consumed_at is not null from enrolld.challenge where claim_value = %s", TESTER), [(2, True)], "tries, used")
    config = c.world.folder / "not-for-tests.yaml"
    config.write_text(json.dumps(c.world.settings("x", **c.settings(test=False))))
    for command in ("check", "run"):
        status, out, err = c.world.command(command, check=False, config=config)
        true(status != 0, f"{command} refuses it")
        true("realms.default.test_numbers" in out + err and "test realms alone" in out + err, f"{command} says why: {out}{err}")


def case_two_workers_send_what_the_budget_allows(c):
    phones = [c.number("+49151") for _ in range(40)]
    asked = [c.ask(phone) for phone in phones]
    c.settle()
    reasons = [x.result().json().get("reason", "sent") for x in asked]
    equal(sorted(set(reasons)), ["budget_exhausted", "sent"], "reasons")
    true(reasons.count("sent") <= 12, f"{reasons.count('sent')} were sent")
    equal(c.texts("+49151"), reasons.count("sent"), "texts")
    left = c.rows("select allowed - used from enrolld.budget where realm = 'default' and name = '+49/1d'")[0][0]
    equal(left, 0, "left of the budget")
    equal(c.measure("messages_withheld_total", reason="budget_exhausted"), reasons.count("budget_exhausted"), "messages_withheld_total")
    for worker in c.workers:  # a clean stop gives back what it has leased and not used
        equal(worker.stop(), 0, "exit status")
    used = c.rows("select used from enrolld.budget where realm = 'default' and name = '+49/1d'")[0][0]
    equal(used, reasons.count("sent"), "used of the budget")
    written = c.rows("select count(*) from enrolld.message where channel = 'sms'")
    equal(c.rows("select used from enrolld.budget where realm = '' and name = '+/1d'"), written, "used of the budget of all realms")
    for worker in c.workers:
        worker.start()
    rest = [c.ask(c.number("+49151")) for _ in range(15)]
    c.settle()
    sent = sum(x.result().json()["outcome"] == "accepted" for x in rest)
    true(used + sent <= 12, f"{used} and {sent} were sent")
    equal(c.texts("+49151"), used + sent, "texts")


def case_a_prefix_whose_codes_do_not_come_back_is_held(c):
    c.reload(hold=HOLD)
    for _ in range(5):
        c.ask(c.number("+3538612")).reply(202)
    held = eventually(lambda: [row for worker in c.workers for row in worker.events("prefix_held")], "event prefix_held", 10)
    equal((held[0]["realm"], held[0]["prefix"], held[0]["verified"]), ("default", "+35386", 0), "event")
    eventually(lambda: all(worker.metrics().sum("prefixes_held", realm="default") == 1 for worker in c.workers), "both workers know", 5)
    told = c.notices("held", 1)
    body = told[0].json()
    equal((text(told[0].key), told[0].header("ce_subject")), ("default/+35386", "default/+35386"), "key and subject")
    equal([body[name] for name in ("realm", "prefix", "sends", "verified", "percent")], ["default", "+35386", held[0]["sends"], 0, 0], "event")
    equal(sorted(body), ["at", "percent", "prefix", "realm", "sends", "until", "verified"], "members")
    true(body["until"] > body["at"], "it ends later")
    equal(c.ask(c.number("+3538612")).body(429)["reason"], "prefix_held", "reason")
    c.ask(c.number("+3538712")).reply(202)
    c.rows("update enrolld.prefix set held_until = now() where realm = 'default' and prefix = '+35386'")
    eventually(lambda: all(worker.metrics().sum("prefixes_held", realm="default") == 0 for worker in c.workers), "it is lifted", 5)
    c.ask(c.number("+3538612")).reply(202)
    equal(c.notices("released", 1)[0].json()["prefix"], "+35386", "event of its end")
    equal((len(c.notices("held", 1)), len(c.notices("released", 1))), (1, 1), "events")
    equal(c.rows("select sends, held_until from enrolld.prefix where prefix = '+35386' and sends > 1"), [], "what it was for is forgotten")


def case_what_is_withheld_may_be_answered_silently(c):
    """Settings that are read again: the realm answers as if it had sent."""
    c.reload(withheld="silent", deny=["+33", "+32"])
    phone = c.number("+32476")
    equal(sorted(c.ask(phone).body(202)), ["challenge_id", "expires_at", "next_at", "request_id"], "answer")
    equal(c.ask(phone).body(429)["reason"], "code_too_soon", "asked again")
    c.settle()
    equal(c.texts("+32476"), 0, "texts")


def started(world):
    context = Context(world)
    for worker in context.workers:
        worker.start()
    return context


def main():
    return program.run(globals(), "sending", started)


if __name__ == "__main__":
    sys.exit(main())
