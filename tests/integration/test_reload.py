#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Dialects that are read again while the worker runs: SIGHUP with files that are right and files that are wrong.

usage: test_reload.py [--keep] [CASE...]   CASE is part of a case's name

The password hash is cheap on purpose (8 MiB, one pass): what is tried here is which dialect answers, not the cost of a hash.
"""
import pathlib
import shutil
import sys

import psycopg2

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))

from harness import program  # noqa: E402
from harness.cases import equal, eventually, true  # noqa: E402
from harness.talk import Talk  # noqa: E402

DIALECT = HERE.parent / "data" / "dialects" / "counted"
HELD = 20


def settings(_):
    return {"topics": {"signup": {"dialects": ["counted"]}, "otp": {"dialects": ["counted"]}}, "signup": {"verify_email": False}}


class Context:
    def __init__(self, world):
        self.world, self.talk, self.worker = world, Talk(world), world.worker("reload-1")
        self.file = world.folder / "schemas" / "dialects" / "counted" / "dialect.yaml"
        self.right = self.file.read_text(encoding="utf-8")

    def post(self, name="named", key="sk-free"):
        return self.talk.post(self.talk.person(first_name="Jane", last_name="Doe"), path=f"/{name}", headers=(("x-shop-key", key),))

    def reload(self, event, text=None):
        """Writes the file, asks for a reload, and gives the event that tells how it went."""
        count = len(self.worker.events(event))
        self.file.write_text(text or self.right, encoding="utf-8")
        self.worker.reload()
        found = self.worker.wait_event(event, 10, count + 1)
        equal(len(found), count + 1, f"events {event}")
        return found[-1]

    def answers_with(self, status):
        return self.right.replace("    status: 201\n", f"    status: {status}\n", 1)

    def reloads(self, outcome):
        return self.worker.metrics().sum("dialect_reloads_total", outcome=outcome)


def case_a_changed_answer_is_in_force(c):
    c.post().reply("201")
    c.reload("dialects_reloaded", c.answers_with(202))
    c.post().reply("202")
    equal(c.reloads("done"), 1, "dialect_reloads_total")


def case_what_is_wrong_changes_nothing(c):
    wrong = c.answers_with(203).replace("operation: sign_up", "operation: signup", 1).replace("- {key: sk-fixed, name: fixed}", "- {kye: sk-fixed}")
    refused = c.reload("dialects_refused", wrong)
    true("counted/dialect.yaml:" in refused["detail"], f"detail: {refused['detail']}")
    errors = [row["error"].split("counted/dialect.yaml:")[-1] for row in c.worker.events("dialect_error")]
    places = {"kye": '"kye" is not among the table\'s columns', "signup": 'operation "signup" is not known; did you mean "sign_up"?'}
    equal(len(errors), 2, "errors")
    for error, sentence in zip(errors, places.values()):
        true(sentence in error and error.split(":")[0].isdigit(), f"{error}: a line, and {sentence}")
    c.post().reply("202")
    equal((c.reloads("done"), c.reloads("refused")), (1, 1), "dialect_reloads_total")
    true(c.worker.running(), "it goes on")
    # A file that is gone, or no YAML at all.
    c.reload("dialects_refused", "format: 1\n\t{")
    c.file.unlink()
    c.worker.reload()
    equal(len(c.worker.wait_event("dialects_refused", 10, 3)), 3, "events dialects_refused")
    c.post().reply("202")
    c.reload("dialects_reloaded")
    c.post().reply("201")


def case_what_is_in_hand_keeps_its_dialect(c):
    """The database stands still: requests wait in hand, the dialects change, and those that were in hand are answered as before."""
    c.reload("dialects_reloaded")
    with psycopg2.connect(c.world.dsn) as blocker:
        blocker.cursor().execute("lock table enrolld.account in access exclusive mode")
        held = [c.post() for _ in range(HELD)]
        c.world.gateway.flush()
        eventually(lambda: c.worker.metrics().sum("window_records", lane="signup") == HELD, "all are in hand", 20, 0.1)
        for status in (210, 211, 212):
            c.reload("dialects_reloaded", c.answers_with(status))
        after = c.post()
        blocker.rollback()
    for exchange in held:
        exchange.reply("201", 30)
    after.reply("212", 30)
    c.reload("dialects_reloaded")


def case_limits_go_on(c):
    """What was counted before a reload counts after it, by the dialect that is in force then."""
    for left in ("2", "1"):
        equal(c.post("small", key="sk-small").reply("201").header("x-ratelimit-remaining"), left, "left")
    c.reload("dialects_reloaded", c.answers_with(202))
    equal(c.post("small", key="sk-small").reply("202").header("x-ratelimit-remaining"), "0", "left")
    c.post("small", key="sk-small").reply("429")
    c.reload("dialects_reloaded")


def case_a_reload_under_load(c):
    """Two hundred requests and ten reloads: each is answered, with one of the two answers that were in force."""
    exchanges = []
    for n in range(10):
        c.reload("dialects_reloaded", c.answers_with(201 + n % 2))
        exchanges += [c.post() for _ in range(20)]
    c.world.gateway.flush()
    answers = [exchange.reply(timeout=30) for exchange in exchanges]
    equal({answer.header(":status") for answer in answers}, {"201", "202"}, "answers")
    true(c.worker.running(), "it goes on")


def prepare(world):
    shutil.copytree(DIALECT, world.folder / "schemas" / "dialects" / DIALECT.name)


def started(world):
    context = Context(world)
    context.worker.start()
    return context


def main():
    return program.run(globals(), "reload", started, prepare, settings=settings)


if __name__ == "__main__":
    sys.exit(main())
