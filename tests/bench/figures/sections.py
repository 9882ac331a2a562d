# SPDX-License-Identifier: Apache-2.0
"""The sections of a run. One that breaks leaves its figures out, by name and with the reason; the others go on."""
import contextlib
import os
import traceback

from harness import services
from harness.world import World, merged

from . import exchange, front, memory, otp, speed
from .figure import Unmeasured
from .tools import MailServer, Tools

# What a section owes: named even where it cannot be measured.
OWED = {
    "speed": (("sign_ups_ratio", "sign-ups ÷ stock loop"), ("lone_over", "lone request p50 − hash alone"), ("start", "start to first result"),
              ("peak_default_ratio", "peak memory at default cost ÷ formula")),
    "exchange": (("insert", "set-based insert of the same rows, one connection"), ("silent_ratio", "silent replay ÷ bare loop"),
                 ("emitted_ratio", "replay, results emitted on request ÷ bare loop"),
                 ("redelivery_ratio", "redelivery, results emitted ÷ bare loop"), ("mails", "mails handed over from a backlog, one worker")),
    "transactions": (("transaction_ratio", "transaction ÷ bare loop's"),),
    "otp": (("codes_ratio", "codes asked for ÷ the same rows"), ("checks_ratio", "codes tried ÷ the same rows"),
            ("check_idle", "a code tried on an idle worker, p50"), ("check_busy_ratio", "p99 beside a backlog ÷ p99 idle")),
    "memory": (("peak_ratio", "peak memory over a long backlog ÷ formula"), ("growth", "its growth")),
    "front": (("front_ratio", "intake, dialect and rules ÷ jansson"),),
}


class Section:
    """Turns what goes wrong into figures that say so."""

    def __init__(self, run, name):
        self.run, self.name = run, name

    def step(self, function, *arguments):
        """One measurement of a round; None if it could not be had."""
        try:
            return function(self.run, *arguments)
        except Unmeasured as why:
            self.missing(str(why))
        return None

    def missing(self, why):
        self.run.say(f"{self.name}: {why}")
        for key, name in OWED[self.name]:
            figure = self.run.figure(key, name)
            if not figure.samples:
                figure.missing = why


@contextlib.contextmanager
def section(run, name):
    this = Section(run, name)
    try:
        yield this
    except (RuntimeError, OSError, Unmeasured) as error:
        this.missing(str(error))
    except Exception as error:
        traceback.print_exc()
        this.missing(repr(error))


def measure_speed(run, tools, this, threads):
    with MailServer(tools) as mail, World("bench", settings={"hash": {**speed.DEFAULT_HASH, "threads": threads}, **mail.settings}) as world:
        worker = world.worker("bench-0").start()
        this.step(speed.warm, tools, world, worker)
        for number in range(run.rounds):
            run.say(f"round {number + 1} of {run.rounds}")
            stock, kept = speed.hash_limits(run, tools, threads)
            this.step(speed.backlog, tools, world, worker, mail, number, stock, kept)
            if number == run.rounds - 1:
                this.step(memory.peak_default, worker, threads)
            this.step(speed.lone, tools, world, worker, number)
            this.step(speed.start, tools, world, worker, number)
        worker.stop()


def measure_exchange(run, tools, this, _threads):
    count = run.pick(50_000, 10_000, 2_000)
    with World("bench", settings=exchange.SETTINGS) as world, World("benchcopy", partitions=1) as copy:
        worker = world.worker("bench-0")
        this.step(exchange.copies, tools, world, worker, count)
        for number in range(run.rounds):
            if number == 0 or run.form == "full":
                this.step(exchange.insert_limit, tools, world, copy.dsn)
            this.step(exchange.replay, tools, world, worker, count, number)
        with MailServer(tools) as mail:
            this.step(exchange.mails, world, mail)


def measure_transactions(run, tools, this, _threads):
    with World("bench", partitions=1, settings=exchange.window_settings(run)) as world:
        worker = world.worker("bench-0").start()
        for number in range(run.rounds):
            this.step(exchange.transactions, tools, world, worker, number, run.pick(25, 12, 5))


def measure_otp(run, tools, this, threads):
    for number in range(min(run.rounds, otp.ROUNDS)):
        run.say(f"round {number + 1} of {min(run.rounds, otp.ROUNDS)}")
        this.step(otp.backlog, tools, run.pick(200_000, 30_000, 2_000))
    with World("bench", settings=merged(otp.SETTINGS, {"hash": {**speed.DEFAULT_HASH, "threads": threads}})) as world:
        for number in range(run.rounds):
            this.step(otp.latency, tools, world, number)


def measure_memory(run, tools, this, threads):
    with MailServer(tools) as mail, World("bench", settings={"hash": {"threads": threads}, **mail.settings}) as world:
        this.step(memory.long_backlog, tools, world, world.worker("bench-0"), threads)


def measure_front(run, tools, this, _threads):
    this.step(front.costs, tools)


def measure(run, build, names):
    threads = len(os.sched_getaffinity(0))
    kinds = {"speed": measure_speed, "exchange": measure_exchange, "transactions": measure_transactions, "otp": measure_otp, "memory": measure_memory,
             "front": measure_front}
    for name in names:
        with section(run, name) as this:
            kinds[name](run, Tools(build, services.Services().bootstrap), this, threads)
