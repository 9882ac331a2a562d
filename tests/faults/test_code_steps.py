#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The worker dies between each two steps of asking for a code, sending it and trying it: the code that arrived is the one that works.

usage: test_code_steps.py [--seed N] [--keep] [STEP...]

At each step of include/enrolld/base/failpoints.def that a request for a code, its message or a try passes, a worker is made to die once, with requests
for codes, right tries and wrong tries in hand; another life of it ends the work. Then each request has one result and one reply, each wrong try is counted
once, a number has one text and the code in it is accepted once. Where the worker died between the last byte of a message and the record of
its answer, and only there, a message counts as unknown: of a text nothing follows, of a mail one more with the same code and Message-ID.
Short form: each step once, texts; with ENROLLD_TEST_FULL=1 the first, second and third time that a step is reached in a life, and mails too.
"""
import argparse
import json
import pathlib
import random
import re
import signal
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]

from harness import failpoints, flood, services  # noqa: E402
from harness.cases import Cases, Failed, equal, eventually  # noqa: E402
from harness.talk import Talk  # noqa: E402
from harness.world import World, merged  # noqa: E402
from trial import FULL  # noqa: E402

LANE = ("reader.taken", "reader.entered", "look.done", "store.begun", "store.finished", "store.committed", "store.settled", "sink.taken", "sink.begun",
        "sink.passed_sent", "sink.produced", "sink.offsets_sent", "sink.lost", "sink.committed")
COURIER = ("courier.claimed", "courier.transmitting", "courier.sent", "courier.settled")
OTHERS = {"hash.done": "no password is hashed on this path",
          "source.assigned": "before any record", "source.dropped": "before any record", "hand.on": "of a start after a death, which every life here is",
          "notice.published": "of what is told about a message after its end", "leave.begun": "of an orderly stop", "leave.raised": "of an orderly stop"}
IN_DOUBT = ("courier.transmitting", "courier.sent")
CODE = re.compile(r"code(?: is|:)\s+(\d{6})(?!\d)")
DIES_WITHIN = 20  # seconds
APART = 0.1  # seconds between two requests that are not to be one batch


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--keep", action="store_true", help="keep the folder with the logs")
    parser.add_argument("steps", nargs="*", help="of LANE and COURIER; all if none is named")
    return parser.parse_args()


def other(code):
    return f"{(int(code) + 1) % 1000000:06d}"


class Steps:
    def __init__(self, world, arguments, cases):
        self.world, self.cases = world, cases
        self.random = random.Random(f"code steps {arguments.seed}")
        self.worker = world.worker("worker-1")
        self.talk = Talk(world)
        self.count = 0
        self.deaths = {}

    # --- what people do ------------------------------------------------------------------------------------------------------

    def somebody(self, kind="phone"):
        self.count += 1
        return f"+4420718{30000 + self.count}" if kind == "phone" else f"step{self.count}@{self.world.suffix}.example"

    def post(self, path, address, **more):
        kind = "email" if "@" in address else "phone"
        return self.talk.post({"purpose": "sign_up", kind: address, **more}, topic="otp", path=path, partition=self.random.randrange(2))

    def ask(self, address):
        return self.post("/v1/codes", address)

    def check(self, address, code):
        return self.post("/v1/codes/check", address, code=code)

    def messages(self, address):
        """What arrived there: [(code, Message-ID or None)]."""
        if "@" not in address:
            return [(CODE.search(json.dumps(row["fields"])).group(1), None) for row in self.world.sinks.texts.to(address)]
        box = self.world.sinks.mailbox
        mails = [(row, box.content(row)) for row in box.to(address)]
        return [(re.search(r"^ +(\d{6})\r?$", mail.get_body(("plain",)).get_content(), re.M).group(1), row["message_id"]) for row, mail in mails]

    def code_of(self, address, timeout=15):
        eventually(lambda: self.messages(address), f"a message to {address}", timeout, 0.1)
        return self.messages(address)[0][0]

    # --- lives ---------------------------------------------------------------------------------------------------------------

    def live(self, failpoints=None):
        if not self.worker.running() or failpoints:
            if self.worker.running():
                equal(self.worker.stop(), 0, "exit status of an orderly stop")
            self.worker.start(failpoints=failpoints)

    def die_at(self, step, nth, work):
        """A life that ends there, with that work in hand, and the next one; leases of the dead are over."""
        self.live(f"{step}=die@{nth}")
        exchanges = work()
        equal(self.world.gateway.flush(), 0, "records that Kafka did not acknowledge")
        eventually(lambda: not self.worker.running(), f"the death at {step}", DIES_WITHIN, 0.05)
        equal(self.worker.process.returncode, -signal.SIGKILL, f"exit status after {step}")
        equal(failpoints.said(self.worker)[step, "die"], 1, f"deaths at {step}")
        self.deaths[step] = self.deaths.get(step, 0) + 1
        self.world.sql("update enrolld.message set due_at = now() where state in ('claimed', 'transmitting')")
        self.worker.start()
        return exchanges

    def answered(self, exchange, status):
        """One result, one reply."""
        exchange.reply(status)
        exchange.result()
        equal(len(exchange.replies()), 1, f"replies to {exchange.sent.request_id}")

    def works_once(self, address):
        """The code that arrived is accepted, once."""
        codes = {code for code, _ in self.messages(address)}
        equal(len(codes), 1, f"codes that arrived at {address}")
        code, = codes
        self.answered(self.check(address, code), 201)
        equal(self.check(address, code).body(409)["reason"], "code_used", "the second time")

    def rows(self, address):
        return self.world.sql("select c.attempts, c.consumed_at is not null, a.failures from enrolld.challenge c join enrolld.address a "
                              "on a.realm = c.realm and a.kind = c.claim_kind and a.value = c.claim_value where c.claim_value = %s", address)

    # --- cases ---------------------------------------------------------------------------------------------------------------

    def case_every_step_of_the_table_is_tried_or_named(self):
        """A step that is added must find its place here."""
        table = {name for name, kind in failpoints.points() if kind != "RULE"}
        equal(sorted(table ^ ({*LANE, *COURIER} | OTHERS.keys())), [], "steps of the table that are neither tried nor excused, or are gone")

    def lane(self, step, nth):
        """Two numbers ask, one is tried with its code and one with another, while the worker dies."""
        right, wrong = self.somebody(), self.somebody()
        self.live()
        for address in (right, wrong):
            self.ask(address)
        codes = {address: self.code_of(address) for address in (right, wrong)}
        new = [self.somebody(), self.somebody()]

        def work():
            for send, status in ((lambda: self.check(right, codes[right]), 201), (lambda: self.ask(new[0]), 202),
                                 (lambda: self.check(wrong, other(codes[wrong])), 422), (lambda: self.ask(new[1]), 202)):
                yield send(), status
                time.sleep((nth - 1) * APART)
        for exchange, status in self.die_at(step, nth, lambda: list(work())):
            self.answered(exchange, status)
        equal(self.rows(right), [(1, True, 0)], "tries, use and failures of the right one")
        equal(self.rows(wrong), [(1, False, 1)], "tries, use and failures of the wrong one")
        eventually(lambda: self.waiting() == 0, "every message is settled", 30, 0.1)
        doubtful = self.doubtful(new)  # the lane's death may have met a text on its way
        equal([len(self.messages(address)) for address in (right, wrong)], [1, 1], "texts to the numbers whose codes were tried")
        for address in new:
            equal(len(self.messages(address)) in ((0, 1) if address in doubtful else (1,)), True, f"a text to {address}, or one that counts as unknown")
            self.again(address)
        for address in (*new, wrong):
            self.works_once(address)

    def again(self, address):
        """A message that was lost is asked for again: the same code comes."""
        if not self.messages(address):
            self.world.sql("update enrolld.challenge set sent_at = sent_at - interval '1 hour' where claim_value = %s", address)
            self.answered(self.ask(address), 202)
            self.code_of(address)
            equal(self.world.sql("select count(*) from enrolld.challenge where claim_value = %s", address), [(1,)], "codes of the address")

    def doubtful(self, addresses):
        return {value for value, in self.world.sql("select c.claim_value from enrolld.message m join enrolld.challenge c using (challenge_id) "
                                                   "where m.unknowns > 0 and c.claim_value = any (%s)", list(addresses))}

    def courier(self, step, nth, kind):
        """The worker dies while it hands over a message, the first or a later one of its life."""
        address, others = self.somebody(kind), [self.somebody(kind) for _ in range(nth - 1)]

        def work():
            for one in others:
                yield self.ask(one)
                self.code_of(one)
                eventually(lambda: self.waiting() == 0, "its message is settled", 10, 0.05)
            yield self.ask(address)
        for exchange in self.die_at(step, nth, lambda: list(work())):
            self.answered(exchange, 202)
        if step in IN_DOUBT:
            eventually(lambda: self.doubtful([address]), "a message that counts as unknown", 20)
            self.world.sql("update enrolld.message set due_at = now() where unknowns > 0 and due_at is not null")
        eventually(lambda: self.waiting() == 0, "every message is settled", 30, 0.1)
        equal(self.doubtful([address, *others]), {address} if step in IN_DOUBT else set(), "messages that ever were unknown")
        lost, doubled = kind == "phone" and step == "courier.transmitting", kind == "email" and step == "courier.sent"
        equal([len(self.messages(one)) for one in (address, *others)], [0 if lost else 2 if doubled else 1] + [1] * (nth - 1), "messages to each")
        equal(len(set(self.messages(address))) <= 1, True, "code and Message-ID of all that came are the same")
        for one in (address, *others):
            self.again(one)
            self.works_once(one)

    def waiting(self):
        return self.world.sql("select count(*) from enrolld.message where due_at is not null")[0][0]

    def case_a_superseded_code_is_not_sent(self):
        """Its text waits while the provider is away; the newer one comes, alone."""
        self.live()
        self.world.sinks.stop("text")
        phone = self.somebody()
        self.answered(self.ask(phone), 202)
        self.world.sql("update enrolld.challenge set sent_at = sent_at - interval '1 hour', attempts = 1 where claim_value = %s", phone)
        self.answered(self.ask(phone), 202)
        equal(self.world.sql("select count(*) from enrolld.challenge where claim_value = %s", phone)[0][0], 2, "codes of the number")
        self.world.sinks.start("text")
        eventually(lambda: self.waiting() == 0, "every message is settled", 30, 0.1)
        equal(self.world.sql("select m.state, m.code from enrolld.message m join enrolld.challenge c using (challenge_id) where c.claim_value = %s "
                             "order by c.created_at", phone), [("expired", "code_superseded"), ("accepted", "201")], "state of both texts")
        equal(len(self.messages(phone)), 1, "texts")
        self.works_once(phone)

    def case_the_worker_complains_of_nothing(self):
        equal(self.worker.stop(), 0, "exit status")
        if flood.trouble([self.worker]):
            raise Failed("\n".join(flood.trouble([self.worker])))


def main():
    arguments = options()
    cases = Cases()
    try:
        more = {"courier": {"resend_unknown_mail": True, "retry_min": "200ms"}}
        with World("codesteps", settings=merged(flood.settings(), more)) as world:
            cases.say(f"seed {arguments.seed}; {world.binary}")
            steps = Steps(world, arguments, cases)
            wanted = arguments.steps or [*LANE, *COURIER]
            cases.run(steps.case_every_step_of_the_table_is_tried_or_named)
            for nth in (1, 2, 3) if FULL else (1,):
                for step in LANE:
                    if step in wanted:
                        run(cases, f"{step}, time {nth}: codes asked for and tried", steps.lane, step, nth)
                for step in COURIER:
                    for kind in ("phone", "email") if FULL else ("phone",):
                        if step in wanted:
                            run(cases, f"{step}, time {nth}: {kind}", steps.courier, step, nth, kind)
            cases.run(steps.case_a_superseded_code_is_not_sent)
            cases.run(steps.case_the_worker_complains_of_nothing)
            cases.say("deaths: " + ", ".join(f"{step} {count}" for step, count in steps.deaths.items()))
            steps.talk.close()
            world.keep = arguments.keep or cases.failed > 0
            if world.keep:
                cases.say(f"logs are in {world.folder}")
    except services.Missing as error:
        print(error)
        cases.failed += 1
    return cases.end()


def run(cases, name, function, *arguments):
    def case():
        function(*arguments)
    case.__name__ = name
    cases.run(case)


if __name__ == "__main__":
    sys.exit(main())
