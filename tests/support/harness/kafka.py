# SPDX-License-Identifier: Apache-2.0
"""Topics, offsets and readers, as an administrator and a consumer of results see them."""
import base64
import json
import threading
import time
import uuid

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic

# Readers that are back soon after an outage, so that what they see of its end is the worker's doing.
QUIET = {"log_level": 0, "allow.auto.create.topics": False, "reconnect.backoff.max.ms": 500}


def text(value):
    """Bytes as they are shown: UTF-8 where it is."""
    return None if value is None else value.decode("utf-8", "backslashreplace")


def encode(value):
    return None if value is None else base64.b64encode(value).decode("ascii")


class Message:
    """A record as it was read; headers keep their order and may repeat."""

    def __init__(self, topic, partition, offset, timestamp, key, headers, value):
        self.topic, self.partition, self.offset, self.timestamp = topic, partition, offset, timestamp
        self.key, self.headers, self.value = key, headers, value
        self.seen = None  # when a tail got it

    @classmethod
    def of(cls, raw):
        return cls(raw.topic(), raw.partition(), raw.offset(), raw.timestamp()[1], raw.key(),
                   [(name, value) for name, value in raw.headers() or []], raw.value())

    def header(self, name):
        """The text of a header, or None."""
        for own, value in self.headers:
            if own == name:
                return text(value)
        return None

    def json(self):
        return json.loads(self.value)

    def row(self):
        """For a line of a dump."""
        return {"topic": self.topic, "partition": self.partition, "offset": self.offset, "timestamp": self.timestamp,
                "key": encode(self.key), "headers": [[name, encode(value)] for name, value in self.headers], "value": encode(self.value)}

    def __repr__(self):
        return f"{self.topic}/{self.partition}@{self.offset} {dict((n, text(v)) for n, v in self.headers)} {text(self.value)}"


class Cluster:
    """What an administrator does."""

    def __init__(self, bootstrap):
        self.bootstrap = bootstrap
        self.admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})

    def create(self, topics, **config):
        """topics: {name: partitions}."""
        made = self.admin.create_topics([NewTopic(name, count, 1, config=config) for name, count in topics.items()], operation_timeout=20)
        for future in made.values():
            future.result()

    def delete(self, names):
        for future in self.admin.delete_topics(list(names), operation_timeout=20).values():
            try:
                future.result()
            except KafkaException:
                pass  # it was never made

    def alter(self, topic, **config):
        for future in self.admin.alter_configs([ConfigResource(ConfigResource.Type.TOPIC, topic, config)]).values():
            future.result()

    def partitions(self, topic, timeout=15):
        """Numbers of a topic's partitions; waits for a topic that was made a moment ago."""
        until = time.monotonic() + timeout
        while True:
            known = self.admin.list_topics(topic, timeout=10).topics[topic]
            if known.error is None and known.partitions:
                return sorted(known.partitions)
            if time.monotonic() > until:
                raise KafkaException(known.error)
            time.sleep(0.05)

    def names(self):
        return set(self.admin.list_topics(timeout=10).topics)

    def _consumer(self, group=None):
        return Consumer({"bootstrap.servers": self.bootstrap, "group.id": group or f"look-{uuid.uuid4().hex}",
                         "enable.auto.commit": False, **QUIET})

    def ends(self, topic):
        """{partition: offset after the last record}."""
        consumer = self._consumer()
        try:
            return {p: consumer.get_watermark_offsets(TopicPartition(topic, p), timeout=10)[1] for p in self.partitions(topic)}
        finally:
            consumer.close()

    def committed(self, group, topic):
        """{partition: committed offset, -1 if none}, read stable."""
        consumer = self._consumer(group)
        try:
            places = consumer.committed([TopicPartition(topic, p) for p in self.partitions(topic)], timeout=15)
            return {place.partition: max(place.offset, -1) for place in places}
        finally:
            consumer.close()

    def commit(self, group, topic, offsets, timeout=30):
        """Sets committed offsets; waits until the group has no members left."""
        places = [TopicPartition(topic, partition, offset) for partition, offset in offsets.items()]
        until = time.monotonic() + timeout
        while True:
            consumer = self._consumer(group)
            try:
                done = consumer.commit(offsets=places, asynchronous=False)
                if all(place.error is None for place in done):
                    return
            except KafkaException as error:
                if error.args[0].code() not in (KafkaError.UNKNOWN_MEMBER_ID, KafkaError.ILLEGAL_GENERATION,
                                                KafkaError.REBALANCE_IN_PROGRESS, KafkaError.FENCED_INSTANCE_ID):
                    raise
            finally:
                consumer.close()
            if time.monotonic() > until:
                raise TimeoutError(f"group {group} has members still")
            time.sleep(0.3)


class OffsetWatch:
    """Asks for the committed offsets of one group again and again, without a new connection each time."""

    def __init__(self, cluster, group, topic):
        self.places = [TopicPartition(topic, partition) for partition in cluster.partitions(topic)]
        self.consumer = Consumer({"bootstrap.servers": cluster.bootstrap, "group.id": group, "enable.auto.commit": False, **QUIET})

    def read(self, timeout=15):
        return {place.partition: max(place.offset, -1) for place in self.consumer.committed(self.places, timeout=timeout)}

    def ends(self, timeout=15):
        return {place.partition: self.consumer.get_watermark_offsets(place, timeout=timeout)[1] for place in self.places}

    def close(self):
        self.consumer.close()


class Tail:
    """A thread that reads whole topics from their start with read_committed, while things go wrong."""

    def __init__(self, cluster, topics):
        self.messages = []
        self.lock = threading.Condition()
        self.failure = None
        self.consumer = Consumer({"bootstrap.servers": cluster.bootstrap, "group.id": f"tail-{uuid.uuid4().hex}",
                                  "isolation.level": "read_committed", "enable.auto.commit": False, "auto.offset.reset": "earliest",
                                  "fetch.wait.max.ms": 50, **QUIET})
        self.consumer.assign([TopicPartition(topic, partition, 0) for topic in topics for partition in cluster.partitions(topic)])
        self.closing = threading.Event()
        self.thread = threading.Thread(target=self._run, name="tail", daemon=True)
        self.thread.start()

    def _run(self):
        while not self.closing.is_set():
            raw = self.consumer.poll(0.05)
            if raw is None:
                continue
            if raw.error():
                if not raw.error().retriable() and raw.error().code() not in (KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN):
                    self.failure = str(raw.error())
                continue
            message = Message.of(raw)
            message.seen = time.monotonic()
            with self.lock:
                self.messages.append(message)
                self.lock.notify_all()

    def wait(self, wanted, timeout, count=1):
        """The messages for which wanted() holds, as soon as there are count of them, or after the timeout."""
        until = time.monotonic() + timeout
        found, seen = [], 0
        with self.lock:
            while True:
                found += [message for message in self.messages[seen:] if wanted(message)]
                seen = len(self.messages)
                left = until - time.monotonic()
                if len(found) >= count or left <= 0:
                    return found
                self.lock.wait(left)

    def find(self, wanted):
        with self.lock:
            return [message for message in self.messages if wanted(message)]

    def close(self):
        self.closing.set()
        self.thread.join()
        self.consumer.close()


def read_all(cluster, topic, isolation="read_committed", timeout=60):
    """Every record of a topic, by a reader of its own. Stops at the last stable offset of each partition."""
    consumer = Consumer({"bootstrap.servers": cluster.bootstrap, "group.id": f"read-{uuid.uuid4().hex}", "isolation.level": isolation,
                         "enable.auto.commit": False, "auto.offset.reset": "earliest", "enable.partition.eof": True, **QUIET})
    waiting = set(cluster.partitions(topic))
    consumer.assign([TopicPartition(topic, partition, 0) for partition in waiting])
    messages = []
    until = time.monotonic() + timeout
    try:
        while waiting:
            if time.monotonic() > until:
                raise TimeoutError(f"{topic}: partitions {sorted(waiting)} have no stable end after {timeout} s")
            raw = consumer.poll(0.5)
            if raw is None:
                continue
            if raw.error() and raw.error().code() == KafkaError._PARTITION_EOF:
                waiting.discard(raw.partition())
            elif not raw.error():
                messages.append(Message.of(raw))
    finally:
        consumer.close()
    return sorted(messages, key=lambda message: (message.partition, message.offset))
