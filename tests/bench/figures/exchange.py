# SPDX-License-Identifier: Apache-2.0
"""Without hashing: how fast rows go in, results go out and replays go by, against bare loops with the same records and rows."""
import statistics
import time

from harness.kafka import read_all
from harness.world import merged

from . import machine
from .figure import Unmeasured
from .observe import batches, passed_rate, stages, wait_passed
from .processors import Usage

# The log tells each transaction; without static membership a stopped worker's group is empty at once and its offsets can be moved.
SETTINGS = {"courier": {"enabled": False}, "log": {"level": "debug"}, "kafka": {"static_membership": False}}
PAUSE_MS = 200
STORE_BATCH = 250  # the worker's default


def shapes(world, name):
    """A topic's records as an out= of the bare loop: count of headers and mean sizes."""
    found = read_all(world.cluster, world.topics[name])
    if not found:
        return None
    def mean(size):
        return round(statistics.fmean(map(size, found)))
    return (f"{world.topics[name]}:{mean(lambda m: len(m.key or b''))}:{mean(lambda m: len(m.value or b''))}:{mean(lambda m: len(m.headers))}:"
            f"{mean(lambda m: sum(len(n) + len(v or b'') for n, v in m.headers))}")


def copies(run, tools, world, worker, count):
    """First pass over sign-ups with foreign hashes; then their rows into copies of the tables."""
    run.say(f"exchange: {count} sign-ups with foreign hashes")
    tools.fill(world.topics["signup"], count, "foreign", foreign=1)
    worker.start()
    usage, before = Usage(world, worker), worker.metrics()
    wait_passed(world, worker, count, 60 + count / 100)
    rate = passed_rate(batches(worker), skip=count // 10)
    run.detail("foreign", {"count": count, "per_second": rate, "stages": stages(before, worker.metrics()), "cpu_ms_each": usage.per(count),
                           "load": machine.load()})
    run.figure("foreign", "sign-ups with foreign hashes", "/s", digits=0).add(rate)


def insert_limit(run, tools, world, copy_dsn):
    run.say("limit: set-based insert of the same rows")
    found = tools.insert_loop(world.dsn, copy_dsn, STORE_BATCH)
    run.detail("insert", found)
    run.figure("insert", "set-based insert of the same rows, one connection", "sign-ups/s", digits=0).add(found["per_second"])
    run.figure("insert_rows", "same, in rows", "rows/s", digits=0).add(found["rows_per_second"])
    run.figure("foreign_ratio", "sign-ups with foreign hashes ÷ set-based insert", "x").add(run.figures["foreign"].samples[-1] / found["per_second"])


def replayed(run, world, worker, count, what):
    """Starts the stopped worker over count records; records per second, and how they passed."""
    run.say(f"exchange: {what} of {count} records")
    worker.start()
    before, usage = worker.metrics(), Usage(world, worker)
    wait_passed(world, worker, count, 60 + count / 200)
    found = batches(worker)
    rate = passed_rate(found, skip=count // 10)
    run.detail(what, {"count": count, "per_second": rate, "stages": stages(before, worker.metrics()), "cpu_ms_each": usage.per(count),
                      "transactions": len(found), "load": machine.load()})
    worker.stop()
    return rate, found


def bare(run, tools, world, records, size, outs, number, **more):
    group = f"{world.group}-bare-{size}-{number}"
    run.say(f"limit: bare loop, {records} records, {size} a transaction")
    found = tools.kafka_loop(world.topics["signup"], group, records, size, outs, **more)
    run.detail("bare_loop", {"size": size, "outs": outs, **found, "load": machine.load()})
    return found


def results_of(world):
    return sum(world.cluster.ends(world.topics["results"]).values())


def emitting(run, tools, world, worker, count, number, what, topics):
    """The stopped worker passes all records with their results, then the bare loop does the same: (records per second, of the loop)."""
    before = results_of(world)
    rate, found = replayed(run, world, worker, count, what)
    more = results_of(world) - before
    if more < count:
        raise Unmeasured(f"{more} results came for {count} records ({what})")
    size = min(round(statistics.median(batch[1] for batch in found)), count // 2)
    outs = [shape for shape in (shapes(world, name) for name in topics) if shape]
    run.figure("bare_size", "records of a transaction, worker and loop", "", digits=0).add(size)
    return rate, bare(run, tools, world, count, size, outs, f"{number}-{len(outs)}")["per_second"]


def replay(run, tools, world, worker, count, number):
    """Silent, then with results as worker.replays asks, then as redeliveries; the latter against bare loops with the same outputs."""
    group, topic = f"{world.group}-signup", world.topics["signup"]
    start = {partition: 0 for partition in range(world.partitions)}
    worker.stop()
    world.cluster.commit(group, topic, start)
    silent, _ = replayed(run, world, worker, count, "silent replay")
    world.cluster.commit(group, topic, start)
    worker.write(merged(world.settings(worker.name), {"worker": {"replays": "results"}}))
    emitted, emitted_limit = emitting(run, tools, world, worker, count, number, "replay with results", ("results",))
    worker.write(world.settings(worker.name))
    for partition in start:
        world.command("progress", "forget", topic, str(partition))
    again, limit = emitting(run, tools, world, worker, count, number, "redelivery", ("results", "accounts"))
    run.figure("bare_loop", "bare consume-produce-commit loop, a result each", "records/s", digits=0).add(emitted_limit)
    run.figure("bare_two", "same, a result and an event each", "records/s", digits=0).add(limit)
    run.figure("silent", "silent replay", "records/s", digits=0).add(silent)
    run.figure("silent_ratio", "silent replay ÷ bare loop", "x").add(silent / emitted_limit)
    run.figure("emitted", "replay, results emitted on request", "records/s", digits=0).add(emitted)
    run.figure("emitted_ratio", "replay, results emitted on request ÷ bare loop", "x", (">=", 0.25)).add(emitted / emitted_limit)
    run.figure("redelivery", "redelivery, results and events emitted", "records/s", digits=0).add(again)
    run.figure("redelivery_ratio", "redelivery, results and events emitted ÷ bare loop", "x").add(again / limit)


def transactions(run, tools, world, worker, number, windows):
    """Transactions of exactly 1,000 results: each window of 1,000 records waits for the hash of its first one."""
    run.say(f"Kafka transactions: {windows} of 1,000 results each")
    worker.stop()
    tools.fill(world.topics["signup"], 1000 * windows, f"window{number}", head_every=1000)
    worker.start()
    wait_passed(world, worker, 1000 * windows, 120 + 3 * windows)
    found = [batch for batch in batches(worker) if batch[1] == 1000][1:]  # the first one meets cold connections
    if len(found) < (1 if run.smoke else windows // 2):
        raise Unmeasured(f"{len(found)} of {windows} transactions had 1,000 records: "
                         f"{sorted({batch[1] for batch in batches(worker)})[-5:]}")
    own = statistics.median(batch[3] for batch in found)
    outs = [shape for shape in (shapes(world, name) for name in ("results", "accounts")) if shape]
    limit = bare(run, tools, world, 1000 * windows, 1000, outs, number, pause_ms=PAUSE_MS)
    marked = bare(run, tools, world, 1000 * windows, 1000, outs, f"{number}m", pause_ms=PAUSE_MS, passed=f"{world.group}-bare.passed")
    run.detail("transactions", {"count": len(found), "p50_ms": own, "ms": sorted(round(batch[3], 2) for batch in found), "load": machine.load()})
    run.figure("transaction", "transaction of 1,000 sign-ups, p50", "ms").add(own)
    run.figure("transaction_bare", "same in the bare loop, p50", "ms").add(limit["transaction"]["p50_ms"])
    run.figure("transaction_ratio", "transaction ÷ bare loop's", "x", ("<=", 2)).add(own / limit["transaction"]["p50_ms"])
    run.figure("transaction_marked", "bare loop with offsets of two groups, p50", "ms").add(marked["transaction"]["p50_ms"])


def mails(run, world, server):
    """The messages that the sign-ups without a courier left behind, handed over by one worker's courier."""
    worker = world.worker("bench-0", **merged(server.settings, {"courier": {"enabled": True}}))
    count, every = run.pick((17, 1), (7, 1), (9, 0.1))
    run.say(f"mails: {count * every:.0f} s of a backlog")
    worker.start()
    samples = []  # while some are left
    for _ in range(count):
        time.sleep(every)
        sample = time.monotonic(), worker.metrics().sum("messages_total", channel="email", state="accepted")
        if world.sql("select count(*) from enrolld.message where due_at is not null")[0][0] == 0:
            break
        samples.append(sample)
    worker.stop()
    if len(samples) < 3 or samples[-1][1] <= samples[1][1]:
        raise Unmeasured(f"{[int(accepted) for _, accepted in samples]} mails had gone out at {every} s from each other while some were left")
    (begin, before), (end, after) = samples[1], samples[-1]
    run.figure("mails", "mails handed over from a backlog, one worker", "/s", digits=0).add((after - before) / (end - begin))


def window_settings(run):
    """A head that takes longer than all that waits behind it, and a window that is exactly one transaction."""
    return {"hash": {"memory": "256MiB", "passes": 2 if run.smoke else 4, "threads": 1, "allow_weak": False}, **SETTINGS,
            "worker": {"window_records": 1000, "window_bytes": "128MiB", "sink_batch": 1000, "store_batch": 500}}
