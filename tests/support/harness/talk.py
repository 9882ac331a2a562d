# SPDX-License-Identifier: Apache-2.0
"""One request and everything that comes back of it."""
import json

from .cases import Failed, equal
from .kafka import Tail, text


def correlation_of(message):
    for name in ("zilla:correlation-id", "ce_correlationid", "kafka_correlationId"):
        value = message.header(name)
        if value is not None:
            return value
    return None


def status_of(message):
    return message.header(":status") or message.header("ce_httpstatus") or message.header("http_status")


class Exchange:
    """What was sent, and ways to ask for what came."""

    def __init__(self, talk, sent):
        self.talk, self.sent = talk, sent

    def reply(self, status=None, timeout=15):
        """The reply, whose status must be that one."""
        found = self.replies(timeout)
        if not found:
            raise Failed(f"no reply to {self.sent.request_id or self.sent.row()['headers']}")
        if status is not None:
            equal((status_of(found[0]), None if status_of(found[0]) == str(status) else text(found[0].value)), (str(status), None), "status")
        return found[0]

    def replies(self, timeout=0):
        topic = self.talk.world.topics["replies"]
        return self.talk.tail.wait(lambda m: m.topic == topic and correlation_of(m) == self.sent.correlation, timeout)

    def body(self, status=None):
        return json.loads(self.reply(status).value)

    def result(self, outcome=None, reason=None, timeout=15):
        """The one result of its request id."""
        return self.talk.result(self.sent.request_id, outcome, reason, timeout)

    def account(self):
        """Id of the account that was made."""
        return self.result("accepted").json()["account_id"]

    def letter(self, reason=None, timeout=15):
        """The dead letter about its record."""
        self.talk.world.gateway.flush()
        place = [self.sent.topic, str(self.sent.partition), str(self.sent.offset)]
        names = ["__connect.errors.topic", "__connect.errors.partition", "__connect.errors.offset"]
        dead = self.talk.world.topics["dead"]
        found = self.talk.tail.wait(lambda m: m.topic == dead and [m.header(name) for name in names] == place, timeout)
        if not found:
            raise Failed(f"no dead letter about {place}")
        if reason is not None:
            equal(found[0].header("enrolld-reason"), reason, "reason of the dead letter")
        return found[0]


class Talk:
    """A gateway and a reader of all outputs, side by side."""

    def __init__(self, world):
        self.world = world
        self.tail = Tail(world.cluster, [world.topics[name] for name in ("results", "replies", "accounts", "dead")])
        self.count = 0

    def address(self):
        """A mail address of nobody else."""
        self.count += 1
        return f"person{self.count}@{self.world.suffix}.example"

    def person(self, **more):
        """A body that is acceptable."""
        body = {"email": self.address(), "password": "violet tractor sings staple"}
        body.update(more)
        return {name: value for name, value in body.items() if value is not None}

    def post(self, body, topic="signup", **how):
        return Exchange(self, self.world.gateway.post(self.world.topics.get(topic, topic), body, **how))

    def event(self, data, topic="events", **how):
        return Exchange(self, self.world.gateway.event(self.world.topics.get(topic, topic), data, **how))

    def publish(self, topic, headers, value, **how):
        return Exchange(self, self.world.gateway.publish(self.world.topics.get(topic, topic), headers, value, **how))

    def results(self, request_id, timeout=0, count=1):
        topic = self.world.topics["results"]
        return self.tail.wait(lambda m: m.topic == topic and m.key is not None and text(m.key) == request_id, timeout, count)

    def result(self, request_id, outcome=None, reason=None, timeout=15):
        found = self.results(request_id, timeout)
        if len(found) != 1:
            raise Failed(f"{len(found)} results of {request_id}")
        body = found[0].json()
        if outcome is not None:
            equal((body.get("outcome"), body.get("reason")), (outcome, reason), "outcome and reason")
        return found[0]

    def events(self, account_id):
        topic = self.world.topics["accounts"]
        return self.tail.find(lambda m: m.topic == topic and m.header("ce_subject") == account_id)

    def seen(self):
        """How many records of each output there are that requests gave; notices come when they come."""
        notices = ("enrolld.message.", "enrolld.sending.")
        return {name: len(self.tail.find(lambda m, name=name: m.topic == self.world.topics[name] and not (m.header("ce_type") or "").startswith(notices)))
                for name in ("results", "replies", "accounts", "dead")}

    def close(self):
        self.tail.close()
