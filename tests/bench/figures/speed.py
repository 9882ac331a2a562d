# SPDX-License-Identifier: Apache-2.0
"""Default cost: sign-ups from a backlog, lone requests, starts."""
import time

from . import machine
from .figure import Unmeasured
from .observe import Arrivals, stages
from .processors import Usage

# What an operator gets who sets nothing but addresses.
DEFAULT_HASH = {"memory": "64MiB", "passes": 2, "allow_weak": False}
MEMORY_KIB, PASSES = 65536, 2


LEAST = 250  # results come in batches: fewer make no rate
WARM = 5000  # sign-ups: a broker that has just started compiles its code while it serves, for half a minute of a backlog
PACE_US = 1500  # between them, so that they make many small transactions
TAIL = 300  # records behind the measured ones: a backlog does not end while it is measured


def hash_limits(run, tools, threads):
    """One round of the loops, as the programs print them."""
    seconds = run.pick(8, 4, 1)
    run.say(f"limits: {threads} hash threads, stock and with kept memory, {seconds} s each")
    stock = tools.hash("stock", threads, seconds, MEMORY_KIB, PASSES)
    kept = tools.hash("kept", threads, seconds, MEMORY_KIB, PASSES)
    run.figure("hash_stock", "stock crypto_pwhash_str loop", "/s").add(stock["per_second"])
    run.figure("hash_kept", "same, memory kept", "/s").add(kept["per_second"])
    run.figure("hash_gain", "kept memory ÷ stock", "x").add(kept["per_second"] / stock["per_second"])
    run.detail("hash_loops", {"stock": stock, "kept": kept, "load": machine.load()})
    return stock, kept


def warm(run, tools, world, worker):
    """Broker, database and worker as they are after some time: what they do for the first time is nobody's figure."""
    count = run.pick(WARM, WARM // 2, 50)
    run.say(f"warming up: {count} sign-ups with foreign hashes")
    tools.fill(world.topics["signup"], count, "warm", foreign=1, pace_us=PACE_US)
    settle(world, worker, 60 + count / 20)


def backlog(run, tools, world, worker, mail, number, stock, kept):
    """A backlog of sign-ups with passwords and verification mails, against the loops of the same round."""
    seconds, least, tail = run.pick((20, LEAST, TAIL), (8, LEAST, TAIL), (1, 40, 20))
    measured = max(least, int(seconds * stock["per_second"] * 1.3))
    run.say(f"backlog: {measured} of {measured + tail} sign-ups at default cost, a mail each")
    before = worker.metrics()
    with Arrivals(world.cluster, world.topics["results"]) as arrivals:
        usage, begin = Usage(world, worker, mail), time.monotonic()
        tools.fill(world.topics["signup"], measured + tail, f"backlog{number}")
        arrivals.wait(measured, limit(measured, stock["per_second"]))
        after = worker.metrics()
        hashed = after.sum("hash_seconds_count") - before.sum("hash_seconds_count")  # some of them are still on their way out
        each, machine_s, took = usage.per(hashed), usage.seconds()["machine"], time.monotonic() - begin
        rate = arrivals.rate(measured // 20, measured)
        arrivals.wait(measured + tail, limit(tail, stock["per_second"]))
    run.detail("backlog", {"count": measured, "per_second": rate, "stages": stages(before, after), "cpu_ms_each": each, "machine_busy": machine_s / took,
                           "load": machine.load()})
    run.figure("sign_ups", "sign-ups from a backlog", "/s").add(rate)
    run.figure("sign_ups_ratio", "sign-ups ÷ stock loop", "x", (">=", 1.3)).add(rate / stock["per_second"])
    run.figure("sign_ups_kept", "sign-ups ÷ loop with kept memory", "x").add(rate / kept["per_second"])
    whole = sum(used for name, used in each.items() if name not in ("machine", "others"))
    run.figure("cpu_sign_up", "processor time of a sign-up: worker, broker, database, mail", "ms", digits=1).add(whole)
    run.figure("cpu_ratio", "processor time: stock hash ÷ whole sign-up", "x").add(stock["cpu_ms_each"] / whole)
    run.figure("others", "processor time of others while measured", "%", digits=0).add(100 * each["others"] / each["machine"])


def limit(count, stock):
    """Patience in seconds: a fifth of the stock loop's speed is a failure, not a figure."""
    return 60 + 5 * count / stock


def settle(world, worker, timeout=60):
    """Until nothing is in hand and no mail is due, so that the next measurement meets an idle worker."""
    until = time.monotonic() + timeout
    while time.monotonic() < until:
        due = world.sql("select count(*) from enrolld.message where due_at <= now() + interval '1 second'")[0][0]
        if due == 0 and worker.metrics().sum("window_records") == 0:
            time.sleep(1.5)
            return
        time.sleep(0.2)
    states = world.sql("select state, count(*) from enrolld.message group by 1 order by 1")
    raise Unmeasured(f"the worker did not become idle within {timeout} s: mails {dict(states)}, "
                     f"in hand {worker.metrics().sum('window_records'):.0f}")


def lone(run, tools, world, worker, number):
    """Single requests, each after a pause longer than the idle time after which the hash memory is wiped."""
    count, gap_ms = run.pick((20, 1200), (12, 1200), (2, 100))
    run.say(f"lone requests: {count}, one each {gap_ms} ms on an idle worker")
    settle(world, worker)
    alone = tools.hash("kept", 1, 2, MEMORY_KIB, PASSES)
    before = worker.metrics()
    found = tools.lone(world.topics["signup"], world.topics["results"], f"lone{number}", count, gap_ms)["latency"]
    took = stages(before, worker.metrics())
    over = found["p50_ms"] - alone["hash"]["p50_ms"]
    run.figure("lone", "lone request, p50", "ms", digits=1).add(found["p50_ms"])
    run.figure("lone_p99", "lone request, slowest of a round", "ms", digits=1).add(found["max_ms"])
    run.figure("hash_alone", "one hash alone, p50", "ms", digits=1).add(alone["hash"]["p50_ms"])
    run.figure("lone_over", "lone request p50 − hash alone", "ms", ("<=", 30), 1).add(over)
    if "hash" in took:
        run.figure("lone_own", "lone request p50 − the worker's own hash time", "ms", digits=1).add(found["p50_ms"] - took["hash"]["mean_ms"])
    run.detail("lone", {"latency": found, "hash_alone": alone["hash"], "stages": took, "load": machine.load()})
    without = tools.lone(world.topics["signup"], world.topics["results"], f"bare{number}", count, 100, foreign=1)["latency"]
    run.figure("lone_foreign", "lone request without a hash, p50", "ms", digits=1).add(without["p50_ms"])
    run.detail("lone_foreign", {"latency": without})


def start(run, tools, world, worker, number):
    """From exec to the first result, with a request waiting; the worker had stopped in order."""
    run.say("start: from exec to the first result")
    code = worker.stop()
    if code != 0:
        raise Unmeasured(f"the worker ended with {code}")
    with Arrivals(world.cluster, world.topics["results"]) as arrivals:
        tools.fill(world.topics["signup"], 1, f"start{number}")
        begin = time.monotonic()
        worker.start(ready=None)
        seen = arrivals.wait(1, 60) - begin
    worker.wait_ready()
    run.figure("start", "start to first result", "s", ("<=", 1)).add(seen)
    run.detail("start", {"seconds": seen, "events": [(row["time"], row["event"]) for row in worker.events()][:20], "load": machine.load()})
