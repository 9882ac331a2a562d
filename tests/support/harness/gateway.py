# SPDX-License-Identifier: Apache-2.0
"""Requests as gateways write them, and the history of what was sent and acknowledged."""
import json
import threading
import time
import uuid

from confluent_kafka import Producer

from .kafka import encode


class Sent:
    """One record: what was meant, what was written, what Kafka said."""

    def __init__(self, number, topic, request_id, correlation, reply_to, headers, key, value, note):
        self.number, self.topic, self.request_id, self.correlation, self.reply_to = number, topic, request_id, correlation, reply_to
        self.headers, self.key, self.value, self.note = headers, key, value, note
        self.at = time.time()
        self.acknowledged = False
        self.partition = self.offset = self.error = None
        self.done = threading.Event()

    def delivered(self, error, message):
        if error is None:
            self.acknowledged, self.partition, self.offset = True, message.partition(), message.offset()
        else:
            self.error = error.str()
        self.done.set()

    def row(self):
        return {"n": self.number, "at": self.at, "topic": self.topic, "partition": self.partition, "offset": self.offset,
                "acknowledged": self.acknowledged, "error": self.error, "request_id": self.request_id, "correlation": self.correlation,
                "reply_to": self.reply_to, "headers": [[name, value.decode("utf-8", "replace") if isinstance(value, bytes) else value]
                                                       for name, value in self.headers],
                "value": encode(self.value), **self.note}


class Gateway:
    """Publishes records with full acknowledgement. Threads may share one."""

    def __init__(self, bootstrap, reply_topic):
        self.reply_topic = reply_topic
        self.producer = Producer({"bootstrap.servers": bootstrap, "enable.idempotence": True, "linger.ms": 2, "log_level": 0, "reconnect.backoff.max.ms": 500,
                                  "allow.auto.create.topics": False, "message.max.bytes": 4000000})
        self.history = []
        self.lock = threading.Lock()

    def publish(self, topic, headers, value, *, key=None, partition=None, request_id=None, correlation=None, reply_to=None, note=None):
        """Any record at all."""
        with self.lock:
            sent = Sent(len(self.history), topic, request_id, correlation, reply_to, headers, key, value, note or {})
            self.history.append(sent)
        more = {} if partition is None else {"partition": partition}
        self.producer.produce(topic, key=key, value=value, headers=headers, on_delivery=sent.delivered, **more)
        self.producer.poll(0)
        return sent

    def post(self, topic, body, *, path="/v1/accounts", method="POST", request_id=True, key=True, partition=None, headers=(),
             reply=True, reply_to=None, correlation=None, note=None):
        """A record as Zilla http-kafka writes it. body: bytes, None, or what becomes JSON. request_id: a text, True for a new one, None for none.

        key: True takes the request id's."""
        value = body if body is None or isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        request_id = str(uuid.uuid4()) if request_id is True else request_id
        correlation = correlation or (f"{request_id or uuid.uuid4()}-{uuid.uuid4().hex[:12]}" if reply else None)
        address = (reply_to or self.reply_topic) if reply else None
        lines = [(":scheme", "https"), (":method", method), (":path", path), (":authority", "shop.example"),
                 ("content-type", "application/json")]
        lines = [line for line in lines if line[0] not in {name for name, _ in headers}] + list(headers)
        if request_id is not None:
            lines.append(("idempotency-key", request_id))
        if reply:
            lines += [("zilla:reply-to", address), ("zilla:correlation-id", correlation)]
        return self.publish(topic, lines, value, key=(request_id if key is True else key), partition=partition, request_id=request_id,
                            correlation=correlation, reply_to=address, note=note)

    def event(self, topic, data, *, event_type="enrolld.signup.v1", source="/shop", event_id=None, headers=(), reply=True, note=None):
        """A CloudEvent in binary mode."""
        event_id = event_id or str(uuid.uuid4())
        correlation = f"{event_id}-{uuid.uuid4().hex[:12]}" if reply else None
        lines = [("ce_specversion", "1.0"), ("ce_type", event_type), ("ce_source", source), ("ce_id", event_id),
                 ("content-type", "application/json"), *headers]
        if reply:
            lines += [("ce_replyto", self.reply_topic), ("ce_correlationid", correlation)]
        value = data if data is None or isinstance(data, bytes) else json.dumps(data, ensure_ascii=False).encode()
        return self.publish(topic, lines, value, key=event_id, request_id=f"{source} {event_id}", correlation=correlation,
                            reply_to=self.reply_topic if reply else None, note=note)

    def flush(self, timeout=30):
        """Waits for every acknowledgement; the number of records that have none is returned."""
        self.producer.flush(timeout)
        return sum(not sent.acknowledged for sent in self.history)
