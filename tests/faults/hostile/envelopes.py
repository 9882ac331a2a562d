# SPDX-License-Identifier: Apache-2.0
"""Requests as gateways with an envelope or habits of their own write them, as far as the manual describes them (records.md), and what can be done to these."""
import base64
import json

from . import bodies

TARGET = "POST /v1/accounts"


def _kong(rng, request_id):
    def wrap(body):
        envelope = {"method": "POST", "uri": "/v1/accounts", "uri_args": {}, "headers": {"content-type": "application/json",
                                                                                         "idempotency-key": request_id.decode()}}
        if encoded:
            envelope.update(body=base64.b64encode(body).decode(), body_base64=True)
        else:
            envelope["body"] = body.decode("utf-8", "surrogateescape")
        return json.dumps(envelope).encode()
    encoded = rng.random() < 0.4
    return [], wrap, None


def _structured(_, request_id):
    def wrap(body):
        head = json.dumps({"specversion": "1.0", "type": "enrolld.signup.v1", "source": "/shop", "id": request_id.decode(),
                           "datacontenttype": "application/json"}).encode()
        return head[:-1] + b', "data": ' + body + b"}"
    return [(b"content-type", b"application/cloudevents+json; charset=utf-8")], wrap, "cloudevents"


def _structured_base64(_, request_id):
    def wrap(body):
        return json.dumps({"specversion": "1.0", "type": "enrolld.signup.v1", "source": "/shop", "id": request_id.decode(),
                           "data_base64": base64.b64encode(body).decode()}).encode()
    return [], wrap, "spring"


def _confluent(rng, request_id):
    prefix = b"\0" + rng.randbytes(4)
    return [(b"idempotency-key", request_id)], lambda body: prefix + body, "spring"


def _debezium(rng, request_id):
    def wrap(body):
        text = json.dumps(body.decode("utf-8", "surrogateescape")).encode()
        if form == 0:
            return body
        if form == 1:
            return text
        return b'{"schema": {"type": "string", "optional": true}, "payload": ' + text + b"}"
    form = rng.randrange(3)
    return [(b"id", b'"' + request_id + b'"' if rng.random() < 0.5 else request_id)], wrap, "spring"


def _rest_proxy(rng, request_id):
    quoted = rng.random() < 0.5
    return ([(b"idempotency-key", request_id)],
            lambda body: json.dumps(body.decode("utf-8", "surrogateescape")).encode() if quoted else body, "cloudevents")


def _plain(content_type, key, style):
    def write(_, request_id):
        return [(content_type, b"application/json"), (key, request_id)], lambda body: body, style
    return write


# {name of the gateway: (topic, writer)}; a writer gives headers, a way to wrap a body, and how replies are asked for.
SHAPES = {
    "kong": ("kong", _kong),
    "structured events": ("cloudevents", _structured),
    "structured events in base64": ("cloudevents", _structured_base64),
    "confluent": ("confluent", _confluent),
    "debezium": ("debezium", _debezium),
    "rest proxy": ("rest-proxy", _rest_proxy),
    "krakend": ("krakend", _plain(b"Content-Type", b"Idempotency-Key", None)),
    "gravitee": ("gravitee", _plain(b"content-type", b"idempotency-key", None)),
    "spring": ("spring", _plain(b"contentType", b"idempotency-key", "spring")),
}
TOPICS = tuple(sorted({topic for topic, _ in SHAPES.values()}))  # each is named as its shape


def spoil(rng, value):
    """Members gone, of other types, twice, under other names; an envelope in an envelope; what is base64 no more."""
    try:
        envelope = json.loads(value)
    except (ValueError, RecursionError):
        return bodies.spoil_bytes(rng, value)
    kind = rng.randrange(7)
    if not isinstance(envelope, dict) or not envelope:
        return json.dumps(rng.choice((envelope, [envelope], {"body": envelope}, {"payload": envelope, "schema": None}, {"data": envelope}))).encode()
    name = rng.choice(list(envelope))
    if kind == 0:
        del envelope[name]
    elif kind == 1:
        envelope[name] = rng.choice(bodies.VALUES)
    elif kind == 2:
        envelope[name] = rng.choice(bodies.STRANGE)
    elif kind == 3:
        envelope[rng.choice(("body", "data", "payload", "schema", "headers", "method", "uri", "type", "id", "specversion", "body_base64", "body_args",
                             "uri_args", "data_base64", "datacontenttype", name.upper(), ""))] = rng.choice((*bodies.VALUES, *bodies.STRANGE, envelope[name]))
    elif kind == 4:
        text = json.dumps(envelope).encode()
        return text[:-1] + b", " + json.dumps(name).encode() + b": " + json.dumps(rng.choice(bodies.STRANGE)).encode() + b"}"
    elif kind == 5:
        depth = rng.choice((1, 2, 20, 70))
        for _ in range(depth):
            envelope = {rng.choice(("body", "data", "payload")): envelope}
    else:
        headers = {rng.choice(("content-type", "idempotency-key", "a", "")): rng.choice(("", "x" * 300, ["a", "b"], [], [1], None, "\r\nx: y", "\u0000"))
                   for _ in range(rng.choice((1, 3, 300)))}
        envelope.update(headers=headers, uri_args=rng.choice(({"a": "b"}, {"a": ["b", True]}, {"": {}}, [], {"a": 1})),
                        body_args=rng.choice(({"username": "x"}, {}, [], None)))
    return json.dumps(envelope, ensure_ascii=rng.random() < 0.5).encode("utf-8", "surrogatepass")
