# SPDX-License-Identifier: Apache-2.0
"""The lane of codes: how many are asked for and tried a second, against the same rows written bare; and how soon one is answered."""
import time

from harness.world import World, merged

from . import machine
from .figure import Unmeasured
from .observe import batches, passed_rate, stages, wait_passed
from .processors import Usage

SETTINGS = {"courier": {"enabled": False}}
STORE_BATCH = 250  # the worker's default
GAP_MS = 20
ROUNDS = 3  # of backlogs: each takes minutes


def emptied(run, world, worker, tools, kind, count, codes=None):
    """The stopped worker meets a backlog of a kind; requests per second."""
    run.say(f"otp: {count} of {kind}")
    tools.fill(world.topics["otp"], count, kind, kind=kind, codes=codes)
    worker.start()
    before, usage = worker.metrics(), Usage(world, worker)
    wait_passed(world, worker, count, 60 + count / 300, lane="otp")
    found = batches(worker, "otp")
    rate = passed_rate(found, skip=count // 10)
    run.detail(f"otp_{kind}", {"count": count, "per_second": rate, "stages": stages(before, worker.metrics(), "otp"), "cpu_ms_each": usage.per(count),
                               "transactions": len(found), "load": machine.load()})
    worker.stop()
    refused = world.sql("select outcome, reason, count(*) from enrolld.inbox where outcome <> 'accepted' group by 1, 2")
    if refused:
        raise Unmeasured(f"not all of {kind} were accepted: {refused}")
    return rate


def compared(run, world, tools, copy, kind, name, rate):
    """The rows that they left, written bare."""
    run.say(f"limit: the same rows of {name}, set-based")
    found = tools.insert_loop(world.dsn, copy.dsn, STORE_BATCH, set=kind)
    run.detail(f"otp_{kind}_limit", {**found, "load": machine.load()})
    run.figure(f"{kind}s", f"{name} from a backlog", "/s", digits=0).add(rate)
    run.figure(f"{kind}s_limit", "the same rows, set-based, one connection", "/s", digits=0).add(found["per_second"])
    run.figure(f"{kind}s_ratio", f"{name} ÷ the same rows", "x", (">=", 0.25)).add(rate / found["per_second"])


def backlog(run, tools, count):
    """One round, in a world of its own: all that were asked for, then all tried."""
    quiet = merged(SETTINGS, {"log": {"level": "debug"}, "kafka": {"static_membership": False}})
    with World("bench", settings=quiet) as world, World("benchcopy", partitions=1) as copy:
        worker = world.worker("bench-0")
        compared(run, world, tools, copy, "code", "codes asked for", emptied(run, world, worker, tools, "code", count))
        codes = world.folder / "codes"
        tools.codes(world.dsn, world.folder / "keys", codes)
        compared(run, world, tools, copy, "check", "codes tried", emptied(run, world, worker, tools, "check", count, codes))


def settled(world, asked, timeout):
    """Until all codes that were asked for are there, and some time for what follows a backlog."""
    until = time.monotonic() + timeout
    while world.lag("otp") > 0:
        if time.monotonic() > until:
            raise Unmeasured(f"{asked} codes were not made within {timeout} s")
        time.sleep(0.2)
    time.sleep(1.5)


def lone_checks(run, tools, world, codes, first, count, what):
    found = tools.lone(world.topics["otp"], world.topics["results"], what, count, GAP_MS, kind="check", codes=codes, first=first)["latency"]
    run.detail(what, {**found, "load": machine.load()})
    return found


def latency(run, tools, world, number):
    """Single checks while nothing else is to do, then while sign-ups keep every hash thread busy."""
    count = run.pick(300, 150, 20)
    asked, first = 2 * (count + 1), 2 * (count + 1) * number
    worker = world.worker("bench-0").start()
    tools.fill(world.topics["otp"], asked, "asked", kind="code", first=first)
    settled(world, asked, 60)
    codes = world.folder / "codes"
    tools.codes(world.dsn, world.folder / "keys", codes)
    run.say(f"otp: {count} checks on an idle worker")
    idle = lone_checks(run, tools, world, codes, first, count, "check_idle")
    sign_ups = run.pick(1500, 800, 200)
    run.say(f"otp: {count} checks beside a backlog of sign-ups")
    tools.fill(world.topics["signup"], sign_ups, f"load{number}")
    busy = lone_checks(run, tools, world, codes, first + count + 1, count, "check_busy")
    left = world.lag("signup")
    if left == 0:
        raise Unmeasured(f"the backlog of {sign_ups} sign-ups ended before the checks did")
    run.figure("check_idle", "a code tried on an idle worker, p50", "ms", ("<=", 30), 1).add(idle["p50_ms"])
    run.figure("check_idle_p99", "same, p99", "ms", digits=1).add(idle["p99_ms"])
    run.figure("check_busy", "same beside a backlog of sign-ups, p50", "ms", digits=1).add(busy["p50_ms"])
    run.figure("check_busy_p99", "same, p99", "ms", digits=1).add(busy["p99_ms"])
    run.figure("check_busy_ratio", "p99 beside a backlog ÷ p99 idle", "x", ("<=", 5)).add(busy["p99_ms"] / idle["p99_ms"])
    run.say(f"otp: {left} sign-ups are left")
    forget(world, worker)


def forget(world, worker):
    """Gives up what is left of the backlog, so that the next round begins idle."""
    worker.kill()
    topic = world.topics["signup"]
    world.cluster.commit(f"{world.group}-signup", topic, world.cluster.ends(topic))
