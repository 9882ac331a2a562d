#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Every case of every frontend through a worker: from a real Kafka to a real PostgreSQL and back, each case in a realm of its own, all at once.

usage: test_frontends.py [--keep] [--verbose] [DIALECT...]

The password hash is cheap on purpose (8 MiB, one pass): what is tried here is what is answered, not the cost of a hash.
"""
import json
import pathlib
import sys
import time

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]

from frontends import case as cases  # noqa: E402
from frontends import match  # noqa: E402
from harness import services  # noqa: E402
from harness.kafka import text  # noqa: E402
from harness.talk import Talk, correlation_of, status_of  # noqa: E402
from harness.world import World  # noqa: E402

REPLY_WAIT = 30  # seconds; a worker that answers at all does so within milliseconds


def settings(world):
    keys = world.folder / "storefront-keys.yaml"
    keys.write_text(json.dumps([{"key": "pk_storefront_test_valid", "name": "web", "hourly": 100000},
                                {"key": "pk_storefront_test_limited", "name": "limited", "hourly": 5}]), encoding="utf-8")
    how = {"realm": {"header": "x-enroll-realm", "allow": ["case-*"]}, "address_header": "x-forwarded-for"}
    return {"topics": {"signup": {**how, "dialects": ["django-ecommerce", "bagisto", "password-generator", "posbytz", "mastodon", "aspnet-identity"]},
                       "otp": {**how, "dialects": ["phone-customers", "posbytz", "password-generator", "django-ecommerce"]}},
            "dialects": {"bagisto": {"values": {"keys_file": str(keys)}}}}


class Run:
    """One case on its way: its steps one after the other, each sent when the one before is answered; those that are alike go together."""

    def __init__(self, case, number):
        self.case, self.number, self.next, self.faults = case, number, 0, []
        self.waiting = set()

    def over(self):
        return self.next == len(self.case.steps) or bool(self.faults)

    def send(self, world):
        step = self.case.steps[self.next]
        headers = [*step.headers.items(), ("x-enroll-realm", f"case-{self.number}"),
                   ("x-forwarded-for", f"192.0.{2 + self.number // 250}.{1 + self.number % 250}")]
        alike = next((n for n, other in enumerate(self.case.steps[self.next:]) if other != step), len(self.case.steps) - self.next)
        for _ in range(alike):
            self.waiting.add(world.gateway.post(world.topics[step.topic], step.body, path=step.path, method=step.method, headers=headers).correlation)

    def take(self, message):
        step = self.case.steps[self.next]
        headers = {name: text(value) for name, value in message.headers}
        self.waiting.remove(correlation_of(message))
        self.faults += match.faults(int(status_of(message) or 0), headers, message.value, step.expect)
        self.faults += match.echoes(step.body, message.value)
        self.next += 1


def run_all(world, talk, runs):
    """Sends what can be sent, takes what has come, until nothing is open."""
    waiting, until, ready, seen = {}, time.monotonic() + REPLY_WAIT, list(runs), 0
    while ready or waiting:
        for run in ready:
            run.send(world)
            waiting.update(dict.fromkeys(run.waiting, run))
        ready = []
        world.gateway.producer.poll(0)
        with talk.tail.lock:
            if len(talk.tail.messages) == seen:
                talk.tail.lock.wait(1)
            fresh, seen = talk.tail.messages[seen:], len(talk.tail.messages)
        for message in fresh:
            run = waiting.pop(correlation_of(message), None) if message.topic == world.topics["replies"] else None
            if run:
                run.take(message)
                until = time.monotonic() + REPLY_WAIT
                ready += [] if run.waiting or run.over() else [run]
        if not fresh and time.monotonic() > until:
            break
    for run in waiting.values():
        run.faults.append("no reply")


def main():
    names = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
    begin, failed = time.monotonic(), 0
    try:
        with World("frontends", settings=settings) as world:
            world.worker("worker-1").start()
            talk = Talk(world)
            runs = [Run(case, number) for number, case in enumerate(cases.read_all(names))]
            run_all(world, talk, runs)
            replies = len(talk.tail.find(lambda m: m.topic == world.topics["replies"]))
            talk.close()
            for run in runs:
                if run.faults:
                    failed += 1
                    print(f"FAIL {run.case.name} (step {run.next} of {len(run.case.steps)}): {run.faults[0]}")
                elif "--verbose" in sys.argv:
                    print(f"ok   {run.case.name}")
            requests = sum(run.next for run in runs)
            print(f"{len(runs)} cases, {requests} requests answered by {replies} replies, {time.monotonic() - begin:.1f} s")
            if replies != requests:
                print("FAIL each request has one reply")
                failed += 1
            world.keep = "--keep" in sys.argv or failed > 0
            if world.keep:
                print(f"logs are in {world.folder}")
    except services.Missing as error:
        print(error)
        print("0 passed, 1 failed")
        return 1
    print(f"{len(runs) + 1 - failed} passed, {failed} failed", flush=True)
    return 0 if runs and not failed else 1


if __name__ == "__main__":
    sys.exit(main())
