# SPDX-License-Identifier: Apache-2.0
"""Looking at a worker from outside while it works, without taking the processor from it."""
import datetime
import pathlib
import re
import threading
import time
import uuid

from confluent_kafka import Consumer, KafkaError, TopicPartition

from harness.kafka import QUIET

from .figure import Unmeasured


WARM_S = 1.5  # librdkafka looks for the leaders of newly assigned partitions once a second


class Arrivals:
    """Counts committed records of a topic as they become visible, from where it ends now: [(seconds, how many so far), ...]."""

    def __init__(self, cluster, topic):
        self.marks = []
        self.count = 0
        self.changed = threading.Condition()
        self.closing = False
        self.consumer = Consumer({"bootstrap.servers": cluster.bootstrap, "group.id": f"bench-{uuid.uuid4().hex}", "enable.auto.commit": False,
                                  "isolation.level": "read_committed", "fetch.wait.max.ms": 500, **QUIET})
        self.consumer.assign([TopicPartition(topic, partition, end) for partition, end in cluster.ends(topic).items()])
        self.thread = threading.Thread(target=self._run, name="arrivals", daemon=True)
        self.thread.start()
        time.sleep(WARM_S)

    def _run(self):
        while not self.closing:
            came = [raw for raw in self.consumer.consume(num_messages=2000, timeout=0.02)
                    if raw.error() is None or raw.error().code() != KafkaError._PARTITION_EOF]
            bad = [raw.error() for raw in came if raw.error()]
            if not came or bad:
                continue
            with self.changed:
                self.count += len(came)
                self.marks.append((time.monotonic(), self.count))
                self.changed.notify_all()

    def wait(self, count, timeout):
        """Until count records are visible; when the last of them came, by time.monotonic()."""
        until = time.monotonic() + timeout
        with self.changed:
            while self.count < count:
                left = until - time.monotonic()
                if left <= 0:
                    raise Unmeasured(f"{self.count} of {count} results after {timeout:.0f} s")
                self.changed.wait(left)
            return next(at for at, seen in self.marks if seen >= count)

    def rate(self, skip, until):
        """Records per second between the first mark past skip records and the last one up to until."""
        marks = [mark for mark in self.marks if skip < mark[1] <= until]
        if len(marks) < 2:
            raise Unmeasured("all results came at once: too few for a rate")
        (begin, before), (end, after) = marks[0], marks[-1]
        return (after - before) / (end - begin)

    def close(self):
        self.closing = True
        self.thread.join()
        self.consumer.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def batches(worker, lane="signup"):
    """The worker's Kafka transactions since its start: [(seconds since 1970, records, outputs, milliseconds)]; needs log.level debug."""
    found = []
    for row in worker.events("batch_sent"):
        if row["lane"] == lane:
            at = datetime.datetime.fromisoformat(row["time"].replace("Z", "+00:00")).timestamp()
            found.append((at, row["records"], row["outputs"], row["us"] / 1000))
    return found


def passed_rate(found, skip=0):
    """Records per second that passed in these transactions, without those that took the first skip records."""
    done = 0
    while found and done <= skip:
        done += found[0][1]
        begin = found[0][0]
        found = found[1:]
    if not found or found[-1][0] <= begin:
        raise Unmeasured("all records passed at once: too few for a rate")
    return sum(batch[1] for batch in found) / (found[-1][0] - begin)


def wait_passed(world, worker, records, timeout, pause=0.2, lane="signup"):
    """Until the worker's own transactions since its start have passed that many records."""
    until = time.monotonic() + timeout
    while True:
        done = sum(batch[1] for batch in batches(worker, lane))
        if done >= records:
            return
        if not worker.running():
            raise Unmeasured(f"the worker ended with {worker.process.returncode}: {worker.text()[-300:]}")
        if time.monotonic() > until:
            raise Unmeasured(f"{done} of {records} records passed within {timeout:.0f} s")
        time.sleep(pause)


def status(worker, field):
    """A size of /proc/PID/status, in KiB."""
    text = pathlib.Path(f"/proc/{worker.process.pid}/status").read_text(encoding="utf-8")
    found = re.search(rf"^{field}:\s*(\d+) kB", text, re.M)
    if not found:
        raise Unmeasured(f"the kernel tells no {field}")
    return int(found[1])


def stages(before, after, lane="signup"):
    """What a batch or request of each stage took between two readings of the metrics: {stage: (times, mean ms, mean size)}."""
    found = {}
    for stage in ("intake", "look", "store", "sink"):
        def change(name, stage=stage):
            return after.sum(name, lane=lane, stage=stage) - before.sum(name, lane=lane, stage=stage)
        count = change("stage_seconds_count")
        sizes = change("batch_size_count")
        if count:
            found[stage] = {"times": int(count), "mean_ms": round(change("stage_seconds_sum") / count * 1000, 3),
                            "mean_batch": round(change("batch_size_sum") / sizes, 1) if sizes else 1}
    count = after.sum("hash_seconds_count") - before.sum("hash_seconds_count")
    if count:
        found["hash"] = {"times": int(count), "mean_ms": round((after.sum("hash_seconds_sum") - before.sum("hash_seconds_sum")) / count * 1000, 3),
                         "mean_batch": 1}
    return found
