# SPDX-License-Identifier: Apache-2.0
"""Requests as three kinds of gateways write them, and what an attacker makes of them. The same seed makes the same records."""
import base64
import json
import random
import struct
import time

import routes

from . import bodies, envelopes, foreign

NAMES = ("Ada", "José", "Zoë", "O'Neil", "Нина", "李", "Jean-Luc", "Siobhán")
PART_MAX = 1_500_000  # bytes of a value, and of all headers
BCRYPT = "$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy"
ARGON = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$" + base64.b64encode(bytes(32)).decode().rstrip("=")


class Record:
    """One record: what is written, and how it came about."""

    __slots__ = ("number", "topic", "partition", "headers", "key", "value", "timestamp", "kinds", "valid", "offset", "body", "earlier", "wrap", "reply", "own_id")

    def __init__(self, number, topic, partition, headers, key, value, body):
        self.number, self.topic, self.partition, self.headers, self.key, self.value = number, topic, partition, headers, key, value
        self.body = body  # before anything was done to it
        self.timestamp = 0
        self.kinds = []
        self.valid = True
        self.offset = None
        self.earlier = None  # the record whose id this one takes
        self.wrap = lambda body: body  # a body as a value of the topic's shape
        self.reply = None  # (topic, correlation) of the reply to an honest one
        self.own_id = None  # the request id before anything was done to it

    def set(self, name, value):
        """Replaces the value of a header, or adds it."""
        for at, (own, _) in enumerate(self.headers):
            if own == name:
                self.headers[at] = (own, value)
                return
        self.headers.append((name, value))

    def get(self, name):
        return next((value for own, value in self.headers if own == name), None)

    def drop(self, name):
        self.headers = [pair for pair in self.headers if pair[0] != name]

    def __repr__(self):
        return (f"record {self.number} {'+'.join(self.kinds) or 'valid'} at {self.topic}/{self.partition}@{self.offset} "
                f"{[(n[:60], v[:60] if v else v) for n, v in self.headers[:12]]} key {self.key and self.key[:40]!r} "
                f"value {len(self.value) if self.value is not None else None} {self.value and self.value[:300]!r}")


def noise(rng, most):
    return rng.randbytes(rng.randint(1, most))


class Forge:
    """topics: {"signup", "otp", "events", "tenants", "clock" and those of envelopes.SHAPES: name}; replies: the allowed reply topic."""

    def __init__(self, seed, topics, replies, partitions, domain, ready=0.1, mails=0.25):
        """ready, mails: shares of people who come with a hash of their password, and with an address."""
        self.rng = random.Random(seed)
        self.ready, self.mails = ready, mails
        self.topics, self.replies, self.partitions, self.domain = topics, replies, partitions, domain
        self.number = 0
        self.recent = []  # valid records that later ones may imitate
        self.routes = [route for route in routes.routes() if route.path]
        self.mutations = [getattr(self, name) for name in dir(self) if name.startswith("spoil_")]
        self.mutations += [self.spoil_bytes, self.spoil_text, self.spoil_field, self.spoil_members, self.spoil_size, self.spoil_envelope]

    # --- honest ones -------------------------------------------------------------------------------------------------------

    def person(self, valid):
        """Names of honest ones begin with another letter, so that no flipped bit makes somebody else's name of one that is spoilt."""
        rng, n = self.rng, self.number
        body = {"username": f"{'v' if valid else 'h'}{n}_{self.domain[:8]}", "password": f"violet tractor sings {rng.getrandbits(48):x}"}
        if rng.random() < self.mails:
            body["email"] = f"{'Valid' if valid else 'Hostile'}.{n}@{self.domain}"
        if rng.random() < 0.2:
            body["given_name"] = rng.choice(NAMES)
        if rng.random() < 0.1:
            body.update(family_name=rng.choice(NAMES), birth_date="1990-12-10", locale=rng.choice(("en", "de-CH", "ar")))
        if rng.random() < 0.1:
            body["attributes"] = {"plan": "free", "tags": ["a", "ü", 1, 2.5, None, True], "deep": {"er": {"n": n}}}
        if rng.random() < self.ready:
            body["password_hash"] = rng.choice((BCRYPT, ARGON))
            del body["password"]
        return body

    def honest(self, valid=True):
        """A request that must be accepted."""
        self.number += 1
        rng, n = self.rng, self.number
        body = self.person(valid)
        value = json.dumps(body, ensure_ascii=rng.random() < 0.5).encode()
        request_id = f"{rng.getrandbits(64):016x}-{n}".encode()
        correlation = f"corr-{rng.getrandbits(64):016x}-{n}".encode()
        if rng.random() < 0.3:
            record = self.enveloped(body, value, request_id, correlation)
        else:
            record = self.raw(body, value, request_id, correlation)
        record.own_id = request_id
        if rng.random() < 0.2:
            record.headers += [(b"traceparent", b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"), (b"tracestate", b"a=1,b=2")]
        if rng.random() < 0.2:
            record.headers.append((b"x-forwarded-for", b"203.0.113.7, 10.0.0.1"))
        return record

    def enveloped(self, body, value, request_id, correlation):
        """As one of the gateways that have their own way."""
        shape = self.rng.choice(list(envelopes.SHAPES))
        topic, write = envelopes.SHAPES[shape]
        headers, wrap, style = write(self.rng, request_id)
        record = Record(self.number, topic, self.rng.randrange(self.partitions[topic]), headers, request_id, wrap(value), body)
        record.wrap = wrap
        if style:
            record.headers += self.address(style, correlation)
            record.reply = (self.replies.encode(), correlation)
        return record

    def address(self, style, correlation):
        """Headers that ask for a reply."""
        topic = self.replies.encode()
        if style == "zilla":
            return [(b"zilla:reply-to", topic), (b"zilla:correlation-id", correlation)]
        if style == "cloudevents":
            return [(b"ce_replyto", topic), (b"ce_correlationid", correlation)]
        more = [(b"kafka_replyPartition", struct.pack(">i", self.rng.randrange(2)))] if self.rng.random() < 0.5 else []
        return [(b"kafka_replyTopic", topic), (b"kafka_correlationId", correlation), *more]

    def raw(self, body, value, request_id, correlation):
        rng = self.rng
        style = rng.choice(("zilla", "zilla", "spring", "cloudevents"))
        topic = "events" if style == "cloudevents" else rng.choice(("signup", "signup", "signup", "tenants", "clock"))
        headers = [(b"content-type", b"application/json")]
        if topic == "events":
            headers += [(b"ce_specversion", b"1.0"), (b"ce_type", b"enrolld.signup.v1"), (b"ce_source", b"/shop"), (b"ce_id", request_id)]
        else:
            headers += [(b":scheme", b"https"), (b":method", b"POST"), (b":path", b"/v1/accounts"), (b"idempotency-key", request_id)]
        if topic == "tenants":
            headers.append((b"x-enroll-realm", rng.choice((b"main", b"shop-1", b"shop-two"))))
        headers += self.address(style, correlation)
        key = request_id if rng.random() < 0.8 else None
        record = Record(self.number, topic, rng.randrange(self.partitions[topic]), headers, key, value, body)
        record.reply = (self.replies.encode(), correlation)
        return record

    def one(self, share_of_valid):
        valid = self.rng.random() < share_of_valid
        record = self.honest(valid)
        if valid:
            if record.topic in ("signup", "tenants", "clock"):
                self.recent = (self.recent + [record])[-50:]
            return record
        record.valid = False
        mutations = self.rng.choices(self.mutations, k=self.rng.choice((1, 1, 1, 2, 3)))
        if self.rng.random() < 0.15:
            mutations.insert(0, self.for_frontend)
        if self.spoil_id_of_another in mutations:  # alone: elsewhere it could come before the one whose id it takes
            mutations = [self.spoil_id_of_another]
        for mutation in mutations:
            record.kinds.append(mutation.__name__.removeprefix("spoil_"))
            mutation(record)
        return within_limits(record)

    # --- the value -----------------------------------------------------------------------------------------------------------

    def spoil_bytes(self, r):
        r.value = bodies.spoil_bytes(self.rng, r.value or b"")

    def spoil_bytes_twice(self, r):
        r.value = bodies.spoil_bytes(self.rng, bodies.spoil_bytes(self.rng, r.value or b""))

    def spoil_text(self, r):
        r.value = r.wrap(bodies.spoil_text(self.rng, r.body))

    def spoil_field(self, r):
        r.value = r.wrap(bodies.spoil_field(self.rng, r.body))

    def spoil_members(self, r):
        r.value = r.wrap(bodies.spoil_members(self.rng, r.body))

    def spoil_size(self, r):
        r.value = r.wrap(bodies.spoil_size(self.rng, r.body))

    def spoil_envelope(self, r):
        """The members of an envelope, wherever it is sent."""
        if r.topic not in envelopes.TOPICS:
            topic, write = envelopes.SHAPES[self.rng.choice(list(envelopes.SHAPES))]
            headers, r.wrap, _ = write(self.rng, b"env-%d" % r.number)
            r.headers += headers
            r.topic = self.rng.choice((topic, topic, "events"))
            r.partition = self.rng.randrange(self.partitions[r.topic])
            r.value = r.wrap(json.dumps(r.body).encode())
        r.value = envelopes.spoil(self.rng, r.value or b"")

    def spoil_splice(self, r):
        other = self.rng.choice(self.recent).value if self.recent else b"{}"
        value = r.value or b""
        # Never all of the other one: that would be an honest request in its name.
        r.value = value[:self.rng.randrange(len(value) + 1)] + other[:self.rng.randrange(len(other))]

    def spoil_value_absent(self, r):
        r.value = self.rng.choice((None, b"", b" ", b"\n\n", b"\x00", b"null", b"true", b"[]", b"{}", b'"x"', b"0", b"\xef\xbb\xbf{}"))

    def spoil_tombstone(self, r):
        r.value = None
        if self.rng.random() < 0.7:
            r.headers = [pair for pair in r.headers if pair[0] not in (b":path", b":method", b"ce_type")]
        elif self.rng.random() < 0.5:
            r.headers = []

    # --- headers -------------------------------------------------------------------------------------------------------------

    def spoil_header_gone(self, r):
        if r.headers:
            r.headers.pop(self.rng.randrange(len(r.headers)))

    def spoil_header_name(self, r):
        if not r.headers:
            return
        at = self.rng.randrange(len(r.headers))
        name, value = r.headers[at]
        r.headers[at] = (self.rng.choice((
            name.upper(), name.title(), name + b" ", b" " + name, name + b"\0tail", name + b"\r\nx-evil: 1", name.replace(b"-", b"_"), b"",
            name * 50, bytes(byte ^ 0x80 for byte in name), noise(self.rng, 40), b"\xff\xfe", b"\0")), value)

    def spoil_header_value(self, r):
        if not r.headers:
            return
        at = self.rng.randrange(len(r.headers))
        name, value = r.headers[at]
        value = value or b""
        r.headers[at] = (name, self.rng.choice((
            None, b"", b" ", value + b"\r\nx-evil: 1", value + b"\0", b"\0" + value, value.upper(), value * 30, noise(self.rng, 400),
            b"\xff" * 10, b"A" * self.rng.choice((255, 256, 257, 1023, 1024, 1025, 8000, 65536, 70000)), value[:-1],
            "héader".encode(), "\u202e\u0000\u2028".encode(), b"%00%0d%0a", b"{{code}}", b"$(id)", b"'; drop table account; --",
            bodies.flip(self.rng, value, 3))))

    def spoil_header_twice(self, r):
        if r.headers:
            name, value = self.rng.choice(r.headers)
            for _ in range(self.rng.choice((1, 1, 2, 40))):
                r.headers.insert(self.rng.randrange(len(r.headers) + 1), (name, self.rng.choice((value, None, b"", noise(self.rng, 60)))))

    def spoil_header_order(self, r):
        self.rng.shuffle(r.headers)

    def spoil_header_many(self, r):
        size = self.rng.choice((0, 1, 30, 250))
        for n in range(self.rng.choice((20, 200, 247, 260, 1000))):
            r.headers.append((f"x-{n}".encode(), noise(self.rng, size) if size else None))

    def spoil_header_large(self, r):
        r.headers.insert(self.rng.randrange(len(r.headers) + 1), (self.rng.choice((b"x-large", b"n" * 40000)),
                                                                   b"v" * self.rng.choice((30000, 65000, 65536, 200000))))

    def spoil_method(self, r):
        r.set(b":method", self.rng.choice((b"PATCH", b"GET", b"", None, b"post", b"POST ", b"PO\0ST", b"POST\r\n", b"x" * 5000, noise(self.rng, 20),
                                           b"CONNECT", b"*")))

    def spoil_path(self, r):
        r.set(b":path", self.rng.choice((
            b"/v1/accounts/", b"//v1/accounts", b"/v1/accounts?a=b&c", b"/v1/accounts?" + b"q" * 3000, b"/v1/accounts#x", b"/V1/ACCOUNTS",
            b"/v1/%61ccounts", b"/v1/accounts\0", b"/v1/accounts\r\nx: y", b"/../v1/accounts", b"", None, b"?", b"/", b"x", b"/v1/codes",
            b"/v1/sessions", b"/v1/password", b"https://shop.example/v1/accounts", b"/" * 5000, noise(self.rng, 60))))

    def spoil_content_type(self, r):
        r.set(b"content-type", self.rng.choice((
            b"text/xml", b"", None, b"application/json;charset=utf-8", b"application/json;;;;=;", b"APPLICATION/JSON", b" application/json ",
            b"application/jsonx", b"application/+json", b"application/x+json", b"*/*", b"application/json\r\n", b";", b"a" * 9000,
            b"application/json\0", b"multipart/form-data; boundary=x", noise(self.rng, 30))))

    def spoil_id(self, r):
        """A request id that is none, or somebody else's."""
        name = b"ce_id" if r.topic == "events" else b"idempotency-key"
        r.set(name, self.rng.choice((
            b"", None, (b"%d-" % r.number).ljust(256, b"x"), b"x" * 257, b"x" * 60000, b"line\nbreak", b"nul\0", "ключ".encode(),
            b" ", b"%d \t" % r.number, b"\x7f", noise(self.rng, 30), b"%d'; --" % r.number, b'%d"}{"' % r.number)))

    def spoil_id_of_another(self, r):
        """An id that was used before in this partition: with the same content a repeat, else a conflict."""
        if r.topic == "events" or not self.recent:
            return
        other = self.rng.choice(self.recent)
        r.topic, r.partition, r.headers = other.topic, other.partition, list(other.headers)
        correlation = f"again-{self.rng.getrandbits(64):016x}-{r.number}".encode()
        for name in (b"zilla:correlation-id", b"kafka_correlationId"):
            if r.get(name):
                r.set(name, correlation)
        if self.rng.random() < 0.5:
            r.value = other.value
        r.earlier = other

    # --- CloudEvents ---------------------------------------------------------------------------------------------------------

    def spoil_event(self, r):
        r.topic, r.partition = "events", self.rng.randrange(self.partitions["events"])
        for name, value in ((b"ce_specversion", b"1.0"), (b"ce_type", b"enrolld.signup.v1"), (b"ce_source", b"/x"), (b"ce_id", b"e-%d" % r.number)):
            if r.get(name) is None:
                r.set(name, value)
        for _ in range(self.rng.choice((1, 1, 2))):
            name, values = self.rng.choice((
                (b"ce_specversion", (b"0.3", b"1.0 ", b"1", b"", None, b"1.0\0", b"2.0")),
                (b"ce_type", (b"enrolld.signup.v2", b"", None, b"ENROLLD.SIGNUP.V1", b"enrolld.refresh.v1", b"enrolld.signup.v1\n", b"t" * 9000)),
                (b"ce_source", (b"", None, b"a b", b"/" * 300, "/ü".encode(), b"\r\n", noise(self.rng, 50))),
                (b"ce_id", (b"", None, b"i" * 300, b"i" * 60000, b"e %d" % r.number, "é%d".encode() % r.number, b"\0%d" % r.number)),
                (b"content-type", (b"application/cloudevents+json", b"application/cloudevents-batch+json", b"application/json")),
                (b":path", (b"/v1/accounts", b"")), (b":method", (b"POST", b"")),
                (b"ce_time", (b"yesterday",)), (b"ce_dataschema", (b"http://127.0.0.1:1/x",))))
            r.set(name, self.rng.choice(values))
        if self.rng.random() < 0.1:
            r.value = json.dumps({"specversion": "1.0", "type": "enrolld.signup.v1", "source": "/x", "id": str(r.number), "data": r.body}).encode()

    # --- other frontends -----------------------------------------------------------------------------------------------------

    def for_frontend(self, r):
        """A request to any other route of the tree, with everything that a body, a path and headers may have."""
        kept = [pair for pair in r.headers if pair[0] in (b"zilla:reply-to", b"zilla:correlation-id")]
        r.topic, r.partition = "frontends", self.rng.randrange(self.partitions["frontends"])
        r.headers, r.value = foreign.write(self.rng, self.rng.choice(self.routes), r.own_id)
        r.headers += kept
        r.wrap = lambda body: body

    # --- reply addresses, realms, senders --------------------------------------------------------------------------------------

    def spoil_reply_topic(self, r):
        name = next((n for n in (b"zilla:reply-to", b"kafka_replyTopic", b"ce_replyto") if r.get(n) is not None), b"zilla:reply-to")
        own = [self.topics[n].encode() for n in ("signup", "otp", "results", "dead", "accounts")]
        r.set(name, self.rng.choice((b"absent.topic", b"absent." + b"x" * 242, b"absent." + b"x" * 243, b"", None, b".", b"..", b"../etc", b"a/b",
                                     b"x" * 250, b"__consumer_offsets", b"__transaction_state", self.replies.encode() + b" ",
                                     self.replies.encode() + b"\0", self.replies.upper().encode(), b"absent.\0", b"absent.\xff", noise(self.rng, 30),
                                     *own)))

    def spoil_reply_partition(self, r):
        r.set(b"kafka_replyTopic", self.replies.encode())
        r.set(b"kafka_correlationId", r.get(b"kafka_correlationId") or f"forged-{self.rng.getrandbits(64):x}-{r.number}".encode())
        r.drop(b"zilla:reply-to")
        r.set(b"kafka_replyPartition", self.rng.choice((
            struct.pack(">i", 2), struct.pack(">i", 99), struct.pack(">i", 2**31 - 1), struct.pack(">i", -1), struct.pack(">i", -2**31), b"",
            None, b"\0\0\1", b"\0\0\0\0\0", b"1", noise(self.rng, 8))))

    def spoil_correlation(self, r):
        name = next((n for n in (b"zilla:correlation-id", b"kafka_correlationId", b"ce_correlationid") if r.get(n) is not None), b"zilla:correlation-id")
        unique = b"%d-%d-" % (r.number, self.rng.getrandbits(32))
        r.set(name, self.rng.choice((b"", None, unique + b"c" * (1024 - len(unique)), b"c" * 1025, b"c" * 60000, unique + b"\r\nset-cookie: a=b",
                                     unique + b"\0\0", unique + noise(self.rng, 30))))

    def spoil_realm(self, r):
        r.topic, r.partition = "tenants", self.rng.randrange(self.partitions["tenants"])
        r.set(b"x-enroll-realm", self.rng.choice((b"", None, b"main ", b"Main", b"shop-", b"shop-*", b"*", b"shop-\0", b"shop- x", "shop-ü".encode(),
                                                  b"shop-" + b"x" * 59, b"shop-" + b"x" * 60, b"other", b"default", b"main\r\n", noise(self.rng, 20))))

    def spoil_sender(self, r):
        r.set(b"x-forwarded-for", self.rng.choice((b"", None, b",,,,", b"1.2.3.4," * 500, b"::1", b"[::1]:80", b"[::1", b"999.1.1.1", b"1.2.3.4:99999",
                                                   b"::ffff:1.2.3.4", b"a" * 5000, b"\0", noise(self.rng, 60), b"1.2.3.4\r\n5.6.7.8")))

    def spoil_trace(self, r):
        r.set(b"traceparent", self.rng.choice((b"", b"00-0-0-0", b"ff" * 30, b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n",
                                               b"00-" + b"0" * 32 + b"-" + b"0" * 16 + b"-00", noise(self.rng, 60))))
        r.set(b"tracestate", self.rng.choice((b"", None, b"a=" + b"b" * 2000, b"\r\nx: y", noise(self.rng, 60))))

    # --- key, time, lane -------------------------------------------------------------------------------------------------------

    def spoil_key(self, r):
        r.key = self.rng.choice((None, b"", b"k" * 60000, b"\0", b"\r\n", noise(self.rng, 100)))

    def spoil_time(self, r):
        """Only this topic keeps the time that a producer gives."""
        r.topic, r.partition = "clock", self.rng.randrange(self.partitions["clock"])
        now = int(time.time() * 1000)
        r.timestamp = self.rng.choice((-1, 1, 946684800000, now - 3600_000, now + 240_000, now + 3600_000, 253402300799000, 2**62))

    def spoil_lane(self, r):
        r.topic, r.partition = "otp", self.rng.randrange(self.partitions["otp"])
        r.set(b":method", b"POST")
        r.set(b":path", self.rng.choice((b"/v1/codes", b"/v1/codes/check", b"/v1/sessions/refresh", b"/v1/password", b"/v1/nothing", b"/v1/accounts")))
        r.value = self.rng.choice((r.value, b"{", None, b"[[[["))


def within_limits(record):
    """What a broker takes; larger ones never become records."""
    if record.value:
        record.value = record.value[:PART_MAX]
    size, kept = 0, []
    for name, value in record.headers:
        size += len(name) + len(value or b"")
        if size <= PART_MAX:
            kept.append((name, value))
    record.headers = kept
    return record
