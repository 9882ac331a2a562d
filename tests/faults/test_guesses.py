#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Codes are tried by many at once while workers die: each right one is accepted once, of wrong ones as many are compared as are allowed.

usage: test_guesses.py [--codes N] [--tries N] [--kills N] [--workers N] [--seed N] [--keep]

--codes challenges are tried with their code, as many with another one, --tries times each, spread over the workers' partitions.
A record that is in hand at three deaths is buried, as the worker does with such: it has a dead letter in place of its result. One that was stored by then is
answered; if it is in hand at a fourth it is buried too, and counts as its row says.
Short form: 12 and 12 codes, 4 kills; with ENROLLD_TEST_FULL=1 1,000 and 1,000 codes, once while nobody dies and once with 20 kills.
"""
import argparse
import collections
import json
import pathlib
import random
import re
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]

from harness import flood, services  # noqa: E402
from harness.cases import Cases, Failed, equal, eventually  # noqa: E402
from harness.chaos import Chaos  # noqa: E402
from harness.kafka import Tail, read_all, text  # noqa: E402
from harness.mailbox import lines_of  # noqa: E402
from harness.world import World  # noqa: E402
from trial import FULL  # noqa: E402

CODE = re.compile(r"your code is (\d{6})\.")
LIMIT = 5  # tries of the native dialect's codes
GAP = (0.8, 2.0)  # seconds between two kills


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--codes", type=int, default=1000 if FULL else 12)
    parser.add_argument("--tries", type=int, default=64)
    parser.add_argument("--kills", type=int, default=20 if FULL else 4)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--keep", action="store_true", help="keep the folder with the logs")
    return parser.parse_args()


class Guesses:
    def __init__(self, world, arguments, cases):
        self.world, self.arguments, self.cases = world, arguments, cases
        self.random = random.Random(arguments.seed)
        self.workers = [world.worker(f"worker-{number}") for number in range(1, arguments.workers + 1)]
        self.tail = Tail(world.cluster, [world.topics["results"]])
        self.right = [f"+4420718{10000 + n}" for n in range(arguments.codes)]
        self.wrong = [f"+4420718{50000 + n}" for n in range(arguments.codes)]
        self.codes = {}
        self.sent = collections.defaultdict(list)  # request ids by number

    def post(self, path, body):
        return self.world.gateway.post(self.world.topics["otp"], body, path=path, partition=self.random.randrange(2), reply=False)

    def texts(self):
        """Codes that were sent, by number, in order."""
        found = collections.defaultdict(list)
        for row in lines_of(self.world.sinks.texts.path):
            match = CODE.search(json.dumps(row["fields"] or {}))
            number = re.search(r"\+4420718\d{5}", json.dumps(row["fields"] or {}).replace("%2B", "+"))
            if row["did"] in ("kept", "drop") and match and number:
                found[number.group()].append(match.group(1))
        return found

    def passed(self):
        return self.world.lag("otp") == 0

    def case_codes_are_sent(self):
        for worker in self.workers:
            worker.start()
        numbers = self.right + self.wrong
        for phone in numbers:
            self.post("/v1/codes", {"purpose": "sign_up", "phone": phone})
        self.world.gateway.flush()
        eventually(lambda: len(self.texts()) == len(numbers), "a text to each", 60 + len(numbers) / 20, 0.5)
        self.codes = {phone: codes[0] for phone, codes in self.texts().items()}

    def tries(self):
        """(number, code) of all tries, in an order that leaves those of one number close together."""
        rows = []
        for phone in self.right + self.wrong:
            code = self.codes[phone]
            typed = code if phone < "+442071850000" else f"{(int(code) + 1) % 1000000:06d}"
            rows += [(self.random.random(), phone, typed) for _ in range(self.arguments.tries)]
        place = {phone: self.random.random() for phone in self.codes}
        return [row[1:] for row in sorted(rows, key=lambda row: place[row[1]] + row[0] / 20)]

    def case_tried_by_many_while_workers_die(self):
        a, say = self.arguments, self.cases.say
        rows = self.tries()
        chaos = Chaos(a.seed, self.workers, kills=a.kills, gap=GAP, away=(0.0, 1.0), say=say)
        seconds = a.kills * sum(GAP) / 2
        begin = time.monotonic()
        for n, (phone, code) in enumerate(rows):
            sent = self.post("/v1/codes/check", {"purpose": "sign_up", "phone": phone, "code": code})
            self.sent[phone].append(sent.request_id)
            if n % 64 == 0:
                ahead = n / len(rows) * seconds - (time.monotonic() - begin)
                if ahead > 0:
                    time.sleep(ahead)
        equal(self.world.gateway.flush(), 0, "records that Kafka did not acknowledge")
        chaos.wait(seconds + 120)
        equal(len(chaos.done), a.kills, "kills")
        say(f"{len(rows)} tries of {len(self.codes)} codes, {a.kills} kills")
        eventually(self.passed, "everything has passed", 120 + len(rows) / 50, 0.5)
        if flood.trouble(self.workers):
            raise Failed("\n".join(flood.trouble(self.workers)))

    def buried(self):
        """What became of records that were in hand at three deaths, by request id: each has a dead letter. Its row may have been written before."""
        letters = {tuple(letter.header(f"__connect.errors.{name}") for name in ("topic", "partition", "offset"))
                   for letter in read_all(self.world.cluster, self.world.topics["dead"]) if letter.header("enrolld-reason") == "kills-worker"}
        rows = self.world.sql("select request_id, case state when 'dead' then 'dead' else coalesce(reason, outcome) end, topic, partition::text, "
                              "\"offset\"::text from enrolld.inbox where (topic, partition::text, \"offset\"::text) in %s", tuple(letters)) if letters else []
        return {request_id: fate for request_id, fate, *_ in rows}

    def outcomes(self):
        """Reasons of each number's tries, as readers of committed results see them; each request has one, or was buried."""
        wanted = {request_id for ids in self.sent.values() for request_id in ids}
        results, buried = collections.defaultdict(list), {}

        def all_of_them():
            results.clear()
            for message in self.tail.find(lambda m: m.key is not None and text(m.key) in wanted):
                results[text(message.key)].append(message.json())
            buried.update(self.buried())
            return wanted <= results.keys() | buried.keys()
        try:
            eventually(all_of_them, "a result of each try", 60, 0.5)
        except Failed as error:
            lost = sorted(wanted - results.keys() - buried.keys())
            rows = self.world.sql("select request_id, outcome, reason, partition, \"offset\" from enrolld.inbox where request_id = any (%s)", lost)
            raise Failed(f"{error}: {len(lost)} have none; rows: {rows[:20]}") from error
        self.cases.say(f"{len(buried)} tries were in hand at three deaths and are buried: {sorted(buried.values())}")
        equal([key for key, rows in results.items() if len(rows) != 1], [], "requests with more than one result")
        return {phone: collections.Counter(results[key][0].get("reason", "accepted") if key in results else buried[key] for key in ids)
                for phone, ids in self.sent.items()}

    def case_each_is_accepted_once_and_compared_no_more_than_allowed(self):
        outcomes = self.outcomes()
        tries = self.arguments.tries
        dead = {phone: outcome.pop("dead", 0) for phone, outcome in outcomes.items()}  # were never tried
        bad = {phone: dict(outcomes[phone]) for phone in self.right if outcomes[phone] != {"accepted": 1, "code_used": tries - 1 - dead[phone]}}
        equal(bad, {}, "outcomes of right ones that are not 1 accepted and the others used")
        bad = {phone: dict(outcomes[phone]) for phone in self.wrong
               if outcomes[phone] != {"code_wrong": LIMIT, "code_exhausted": tries - LIMIT - dead[phone]}}
        equal(bad, {}, f"outcomes of wrong ones that are not {LIMIT} compared and the others refused")
        rows = self.world.sql("select c.claim_value, c.attempts, c.consumed_at is not null, a.failures from enrolld.challenge c "
                              "join enrolld.address a on a.realm = c.realm and a.kind = c.claim_kind and a.value = c.claim_value")
        wanted = {(phone, 1, True, 0) for phone in self.right} | {(phone, LIMIT, False, LIMIT) for phone in self.wrong}
        equal(set(rows) ^ wanted, set(), "rows of challenges and addresses")
        equal(self.world.sql("select count(*), count(distinct account_id) from enrolld.claim where verified_at is not null"),
              [(len(self.right), len(self.right))], "accounts")

    def case_no_text_twice(self):
        texts = self.texts()
        equal({phone: codes for phone, codes in texts.items() if len(codes) != 1}, {}, "numbers with several texts")


def trial(arguments, cases):
    with World("guesses", settings=flood.settings()) as world:
        cases.say(f"{arguments.codes} right and {arguments.codes} wrong codes, {arguments.tries} tries each, {arguments.kills} kills, "
                  f"{arguments.workers} workers, seed {arguments.seed}; {world.binary}")
        guesses = Guesses(world, arguments, cases)
        steps = (guesses.case_codes_are_sent, guesses.case_tried_by_many_while_workers_die,
                 guesses.case_each_is_accepted_once_and_compared_no_more_than_allowed, guesses.case_no_text_twice)
        failed = cases.failed
        for step in steps:
            if not cases.run(step):
                break
        guesses.tail.close()
        world.keep = arguments.keep or cases.failed > failed
        if world.keep:
            cases.say(f"logs are in {world.folder}")


def main():
    arguments = options()
    cases = Cases()
    try:
        for kills in sorted({0, arguments.kills}) if FULL else (arguments.kills,):
            arguments.kills = kills
            trial(arguments, cases)
    except services.Missing as error:
        print(error)
        cases.failed += 1
    return cases.end()


if __name__ == "__main__":
    sys.exit(main())
