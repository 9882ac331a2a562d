#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The way of a sign-up in detail, from a real Kafka to a real PostgreSQL and back, and the mail out: one worker, one case a behaviour.

usage: test_signup.py [--keep] [CASE...]   CASE is part of a case's name

The password hash is cheap on purpose (8 MiB, one pass): what is tried here is what becomes of requests, not the cost of a hash.
"""
import base64
import json
import pathlib
import re
import struct
import sys
import time
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from harness import services  # noqa: E402
from harness.cases import Cases, Failed, equal, eventually, true  # noqa: E402
from harness.evidence import wait_settled  # noqa: E402
from harness.kafka import read_all  # noqa: E402
from harness.talk import Talk, status_of  # noqa: E402
from harness.world import World  # noqa: E402

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
BCRYPT = "$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy"


def settings(world):
    def topic(name, **more):
        return {"name": world.topics[name], "lane": "signup", "reply_topics": [world.topics["replies"], "absent.*"], **more}
    return {
        "kafka": {"session_timeout": "3s"},
        "topics": {
            "signup": {"reply_topics": [world.topics["replies"], "absent.*"]},
            "tenants": topic("tenants", realm={"header": "x-enroll-realm", "allow": ["shop-*", "main"]}),
            "events": topic("events", shape="auto"),
        },
    }


class Context:
    """What the cases share."""

    def __init__(self, world, cases):
        self.world, self.cases = world, cases
        self.worker = world.worker("worker-1")
        self.talk = Talk(world)

    def rows(self, query, *values):
        return self.world.sql(query, *values)

    def inbox(self, request_id):
        found = self.rows("select realm, route, state, outcome, result, account_id::text from enrolld.inbox where request_id = %s", request_id)
        equal(len(found), 1, f"inbox rows of {request_id}")
        return found[0]


# --- accepted ----------------------------------------------------------------------------------------------------------------

def case_accepted_with_all_fields(c):
    number = f"+1555{time.time_ns() % 10**7:07d}"
    name = f"Ada_{c.world.suffix}"
    body = {"email": f"Ada.L@{c.world.suffix}.Example", "phone": f"{number[:5]} {number[5:]}", "username": name,
            "password": "Violet Tractor Sings Stäple", "given_name": "Ada", "family_name": "Lovelace", "display_name": "Ada L.",
            "birth_date": "1990-12-10", "locale": "en-gb", "attributes": {"plan": "free", "tags": ["a", "b"]}}
    x = c.talk.post(body)
    reply = x.reply(201)
    answer = reply.json()
    equal(reply.header("content-type"), "application/json", "content type")
    result = x.result("accepted")
    account = result.json()["account_id"]
    equal((answer["request_id"], answer["account_id"], answer["state"]), (x.sent.request_id, account, "pending"), "reply")
    equal(sorted(result.json()), ["account_id", "at", "operation", "outcome", "realm", "request_id"], "members of the result")
    equal([result.header(h) for h in ("ce_specversion", "ce_type", "ce_source", "ce_subject", "content-type")],
          ["1.0", "enrolld.result.v1", "/enrolld", x.sent.request_id, "application/json"], "headers of the result")
    true(result.key == x.sent.request_id.encode(), "the result's key is the request id")
    row = c.inbox(x.sent.request_id)
    equal(row, ("default", "native.sign_up", "done", "accepted", result.value.decode(), account), "inbox row")
    email = f"ada.l@{c.world.suffix}.example"
    equal(c.rows("select kind, value, shown from enrolld.claim where account_id = %s order by kind", account),
          [("email", email, body["email"]), ("phone", number, body["phone"]), ("username", name.lower(), name)], "claims")
    stored = c.rows("select state, password_hash, given_name, family_name, display_name, birth_date::text, locale, attributes "
                    "from enrolld.account where account_id = %s", account)[0]
    true(stored[1].startswith("$argon2id$v=19$m=8192,t=1,p=1$"), f"hash {stored[1]}")
    equal((stored[0], *stored[2:]), ("pending", "Ada", "Lovelace", "Ada L.", "1990-12-10", "en-GB", body["attributes"]), "account")
    events = c.talk.events(account)
    equal(len(events), 1, "account events")
    event = events[0].json()
    equal(events[0].header("ce_type"), "enrolld.account.registered.v1", "event type")
    equal(event["identities"], [{"kind": "email", "value": email, "verified": False}, {"kind": "phone", "value": number, "verified": False},
                                {"kind": "username", "value": name.lower(), "verified": False}], "identities of the event")
    equal(event["attributes"], body["attributes"], "attributes of the event")


def case_accepted_in_the_order_of_one_partition(c):
    sent = [c.talk.post(c.talk.person(), partition=2) for _ in range(30)]
    for x in sent:
        x.reply(201)
    places = {}
    for x in sent:
        result = x.result("accepted")
        places.setdefault(result.partition, []).append(result.offset)
    for partition, offsets in places.items():
        equal(offsets, sorted(offsets), f"offsets of the results in partition {partition}")


def case_foreign_hash_accepted(c):
    account = c.talk.post(c.talk.person(password=None, password_hash=BCRYPT)).account()
    equal(c.rows("select password_hash from enrolld.account where account_id = %s", account), [(BCRYPT,)], "hash")


def case_foreign_hash_refused(c):
    wanted = {
        "$2b$04$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy": "hash_too_weak",
        "$2b$15$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy": "hash_too_costly",
        "$argon2id$v=19$m=8388608,t=4,p=1$c29tZXNhbHRzb21lc2FsdA$" + "A" * 43: "hash_too_costly",
        "5f4dcc3b5aa765d61d8327deb882cf99": "unknown_hash",
    }
    for value, code in wanted.items():
        answer = c.talk.post(c.talk.person(password=None, password_hash=value)).body(422)
        equal([(v["field"], v["code"]) for v in answer["violations"]], [("/password_hash", code)], value)


# --- refused -----------------------------------------------------------------------------------------------------------------

def case_duplicate_identity(c):
    number = f"+1556{time.time_ns() % 10**7:07d}"
    first = c.talk.person(phone=number, username=f"Grace_{c.world.suffix}")
    account = c.talk.post(first).account()
    for body, field in (
            (c.talk.person(email=first["email"].upper()), "/email"),
            (c.talk.person(phone=f"{number[:2]} ({number[2:5]}) {number[5:]}"), "/phone"),
            (c.talk.person(username=first["username"].upper()), "/username")):
        x = c.talk.post(body)
        answer = x.body(409)
        equal((answer["reason"], [(v["field"], v["code"]) for v in answer["violations"]]), ("identity_taken", [(field, "taken")]), "answer")
        result = x.result("refused", "identity_taken").json()
        equal(result["violations"], [{"field": field, "code": "taken"}], "violations of the result")
        true("account_id" not in result, "a refused result names no account")
    equal(c.rows("select count(*) from enrolld.claim where account_id = %s", account), [(3,)], "claims of the first")


def case_race_for_one_identity(c):
    """Twenty at once for one address, over all partitions: one wins."""
    email = c.talk.address()
    sent = [c.talk.post(c.talk.person(email=email, given_name=f"No {n}"), partition=n % c.world.partitions) for n in range(20)]
    statuses = sorted(status_of(x.reply()) for x in sent)
    equal(statuses, ["201"] + ["409"] * 19, "statuses")
    equal(c.rows("select count(*) from enrolld.claim where value = %s", email), [(1,)], "claims")


def case_invalid_fields_are_all_named(c):
    x = c.talk.post({"email": "no address", "phone": "12", "username": "-", "password": "short", "birth_date": "2024-02-30",
                     "locale": "!", "attributes": [], "given_name": "x" * 101})
    answer = x.body(422)
    equal(answer["reason"], "invalid", "reason")
    fields = {v["field"] for v in answer["violations"]}
    equal(fields, {"/email", "/phone", "/username", "/password", "/birth_date", "/locale", "/attributes", "/given_name"}, "fields")
    true(all(v["text"] for v in answer["violations"]), "each violation has a sentence")
    result = x.result("refused", "invalid").json()
    equal([(v["field"], v["code"]) for v in result["violations"]], [(v["field"], v["code"]) for v in answer["violations"]], "same violations")


def case_password_rules(c):
    email = c.talk.address()
    for password, code in (("short", "too_short"), ("x" * 257, None), ("123456789012345", None), (f"{email} again", "similar_to_identity")):
        x = c.talk.post({"email": email, "password": password})
        answer = x.body(422)
        codes = [v["code"] for v in answer["violations"] if v["field"] == "/password"]
        true(codes and (code is None or code in codes), f"{password[:20]}: {answer}")
    answer = c.talk.post({"email": email}).body(422)
    equal([v["field"] for v in answer["violations"]], ["/password"], "neither password nor hash")
    answer = c.talk.post({"password": "violet tractor sings staple"}).body(422)
    equal([v["code"] for v in answer["violations"]], ["identity_required"], "no identity")


def case_bodies_that_cannot_be_read(c):
    deep = b'{"attributes":' + b"[" * 40 + b"]" * 40 + b"}"
    for value, reason, status in (
            (b'{"email":', "malformed_json", 400), (b"", "empty", 400), (b"[]", "not_an_object", 400), (b"42", "not_an_object", 400),
            (b'{"email":"a","email":"b"}', "duplicate_key", 400), (b'{"email":"\xff\xfe"}', "invalid_utf8", 400),
            (b'{"email\\u0000":"a"}', "nul_character", 400), (b'{"n":1e999}', "number_out_of_range", 400), (deep, "too_deep", 400),
            (b'{"email":"' + b"x" * 70000 + b'"}', "too_large", 413), (b"x" * 900000, "too_large", 413)):
        x = c.talk.post(value)
        equal(x.body(status)["reason"], reason, f"reason of {value[:20]!r}")
        x.result("refused", reason)
    x = c.talk.post(None)
    equal(x.body(400)["reason"], "empty", "a null value with request headers")


def case_media_type_route_and_method(c):
    x = c.talk.post(c.talk.person(), headers=[("content-type", "text/xml")])
    equal(x.body(415)["reason"], "unsupported_media_type", "media type")
    c.talk.post(c.talk.person(), headers=[("content-type", "application/vnd.api+json; charset=utf-8")]).reply(201)
    x = c.talk.post(c.talk.person(), path="/v2/nothing")
    equal(x.body(404)["reason"], "unknown_route", "path")
    x.result("refused", "unknown_route")
    x = c.talk.post(c.talk.person(), method="PATCH")
    reply = x.reply(405)
    equal((reply.json()["reason"], reply.header("allow")), ("method_not_allowed", "POST"), "method")
    c.talk.post(c.talk.person(), path="/v1/accounts?source=ad").reply(201)


def case_a_refused_id_is_answered_again_and_not_executed(c):
    x = c.talk.post({"email": "bad"})
    first = x.reply(422)
    again = c.talk.post({"email": "bad"}, request_id=x.sent.request_id).reply(422)
    equal(again.value, first.value, "the answer to the repeat")


# --- records that are no request --------------------------------------------------------------------------------------------

def case_tombstone(c):
    letter = c.talk.publish("signup", [], None, key="gone", partition=1).letter("tombstone")
    equal(letter.value, None, "a dead letter carries no value")
    names = {name for name, _ in letter.headers}
    true({"kafka_dlt-original-topic", "kafka_dlt-original-partition", "kafka_dlt-original-offset", "kafka_dlt-exception-message",
          "__connect.errors.exception.class.name"} <= names, f"headers {names}")
    place = dict(letter.headers)
    equal(struct.unpack(">i", place["kafka_dlt-original-partition"])[0], 1, "Spring's partition")
    equal(str(struct.unpack(">q", place["kafka_dlt-original-offset"])[0]), letter.header("__connect.errors.offset"), "Spring's offset")


def case_record_that_asks_nothing(c):
    secret = f"secret-{uuid.uuid4().hex}"
    x = c.talk.publish("signup", [("traceparent", TRACE), ("idempotency-key", str(uuid.uuid4()))], secret.encode(), key=secret)
    letter = x.letter("unaddressed")
    equal(letter.header("traceparent"), TRACE, "trace of the dead letter")
    true(secret not in repr(letter), "neither value nor key are in the dead letter")
    row = c.rows('select state, outcome, result from enrolld.inbox where topic = %s and partition = %s and "offset" = %s',
                 x.sent.topic, x.sent.partition, x.sent.offset)
    equal(row, [("dead", "dead", None)], "its row")


# --- request ids -------------------------------------------------------------------------------------------------------------

def case_record_without_id(c):
    x = c.talk.post(c.talk.person(), request_id=None)
    answer = x.body(201)
    true(re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", answer["request_id"]), answer["request_id"])
    c.talk.result(answer["request_id"], "accepted")
    twin = c.talk.post(json.loads(x.sent.value), request_id=None)
    true(twin.body(409)["request_id"] != answer["request_id"], "the same bytes elsewhere are another request")


def case_request_id_of_the_body(c):
    name = f"body-{uuid.uuid4()}"
    x = c.talk.post(c.talk.person(request_id=name), request_id=None)
    equal(x.body(201)["request_id"], name, "request id")
    c.talk.result(name, "accepted")


def case_request_id_that_is_none(c):
    for bad in ("x" * 257, "line\nbreak"):
        x = c.talk.post(c.talk.person(), request_id=bad, key=None)
        answer = x.body(400)
        equal(answer["reason"], "invalid_request_id", repr(bad[:20]))
        c.talk.result(answer["request_id"], "refused", "invalid_request_id")


def case_repeat_gets_a_reply_only(c):
    body = c.talk.person()
    x = c.talk.post(body)
    first = x.reply(201)
    before, seen = c.worker.metrics(), c.talk.seen()
    hashes = before.sum("hash_seconds_count")
    for partition in range(c.world.partitions):
        again = c.talk.post(body, request_id=x.sent.request_id, partition=partition).reply(201)
        equal((again.value, again.headers[1:]), (first.value, first.headers[1:]), "the answer to the repeat")
    after = c.worker.metrics()
    equal(after.sum("inbox_hits_total", kind="repeat") - before.sum("inbox_hits_total", kind="repeat"), c.world.partitions, "repeats counted")
    equal(after.sum("hash_seconds_count"), hashes, "hashes made")
    now = c.talk.seen()
    equal({name: now[name] - seen[name] for name in now}, {"results": 0, "replies": c.world.partitions, "accounts": 0, "dead": 0}, "outputs")


def case_same_id_with_other_content(c):
    x = c.talk.post(c.talk.person())
    account = x.account()
    other = c.talk.post(c.talk.person(), request_id=x.sent.request_id, partition=x.sent.partition)
    equal(other.body(409)["reason"], "request_conflict", "answer")
    other.letter("request_conflict")
    equal(x.account(), account, "the first one's result stays alone")


def case_flood_of_one_id(c):
    """A gateway that retries a hundred times at once, over all partitions: one account, a hundred equal answers."""
    body, name = c.talk.person(), str(uuid.uuid4())
    sent = [c.talk.post(body, request_id=name, partition=n % c.world.partitions) for n in range(100)]
    answers = {(status_of(x.reply()), x.reply().value) for x in sent}
    equal(len(answers), 1, "different answers")
    c.talk.result(name, "accepted")


# --- realms and reply addresses ---------------------------------------------------------------------------------------------

def case_realm_by_header(c):
    body = c.talk.person()
    for realm in ("shop-1", "shop-2", "main"):
        x = c.talk.post(body, "tenants", headers=[("X-Enroll-Realm", realm)])
        account = x.account()
        equal(c.rows("select realm from enrolld.account where account_id = %s", account), [(realm,)], "realm of the account")
        equal(x.result().json()["realm"], realm, "realm of the result")
    c.talk.post(body, "tenants", headers=[("x-enroll-realm", "shop-1")]).reply(409)
    for headers in ([("x-enroll-realm", "other")], [], [("x-enroll-realm", "shop-1 or more")]):
        x = c.talk.post(c.talk.person(), "tenants", headers=headers)
        equal(x.body(403)["reason"], "realm_refused", repr(headers))
        x.result("refused", "realm_refused")
    x = c.talk.post(c.talk.person(realm="main"), headers=[("x-enroll-realm", "main")])
    equal(x.result("accepted").json()["realm"], "default", "a topic with a fixed realm takes no other one")


def case_bad_reply_addresses_harm_nobody(c):
    before = c.worker.metrics()
    bad = [c.talk.post(c.talk.person(), reply_to=address, partition=0)
           for address in ("elsewhere", "absent.topic", c.world.topics["results"], "no/topic name")]
    good = [c.talk.post(c.talk.person(), partition=0) for _ in range(5)]
    for x in good:
        x.reply(201)
    for x in bad:
        x.result("accepted")
        equal(x.replies(), [], "replies to a bad address")
    after = c.worker.metrics()
    for reason, count in (("topic_not_allowed", 3), ("unknown_topic", 1)):
        equal(after.sum("replies_dropped_total", reason=reason) - before.sum("replies_dropped_total", reason=reason), count, reason)


def case_no_reply_wanted(c):
    before = c.talk.seen()["replies"]
    c.talk.post(c.talk.person(), reply=False).result("accepted")
    equal(c.talk.seen()["replies"], before, "replies")


def case_spring_reply_goes_to_its_partition(c):
    correlation = uuid.uuid4().bytes
    for partition in (0, 1):
        name = str(uuid.uuid4())
        c.talk.publish("signup", [(":method", "POST"), (":path", "/v1/accounts"), ("content-type", "application/json"),
                                  ("idempotency-key", name), ("kafka_replyTopic", c.world.topics["replies"]),
                                  ("kafka_correlationId", correlation), ("kafka_replyPartition", struct.pack(">i", partition)),
                                  ("traceparent", TRACE)], json.dumps(c.talk.person()).encode())
        found = c.talk.tail.wait(lambda m, p=partition: dict(m.headers).get("kafka_correlationId") == correlation and m.partition == p, 15)
        equal(len(found), 1, f"replies in partition {partition}")
        equal((found[0].header("http_status"), found[0].header("traceparent")), ("201", TRACE), "status and trace")


# --- shapes of records -------------------------------------------------------------------------------------------------------

def case_cloudevents_binary(c):
    body = c.talk.person()
    x = c.talk.event(body, headers=[("traceparent", TRACE), ("tracestate", "vendor=value")])
    reply = x.reply(201)
    equal((reply.header("ce_type"), reply.header("ce_specversion"), reply.header("ce_correlationid")),
          ("enrolld.reply.v1", "1.0", x.sent.correlation), "reply")
    result = x.result("accepted")
    equal((result.header("traceparent"), result.header("tracestate")), (TRACE, "vendor=value"), "trace of the result")
    account = x.account()
    event = c.talk.tail.wait(lambda m: m.topic == c.world.topics["accounts"] and m.header("ce_subject") == account, 15)[0]
    equal((event.header("traceparent"), event.header("tracestate")), (TRACE, "vendor=value"), "trace of the event")
    again = c.talk.event(body, event_id=x.sent.request_id.split(" ")[1]).reply(201)
    equal(again.value, reply.value, "the same event again")
    c.talk.post(c.talk.person(), "events").reply(201)  # raw records may come by the same topic
    c.talk.event(c.talk.person(), event_type="enrolld.unknown.v1").result("refused", "unknown_route")


def case_cloudevents_incomplete(c):
    base = [("ce_specversion", "1.0"), ("ce_type", "enrolld.signup.v1"), ("ce_source", "/shop"), ("content-type", "application/json")]
    for headers in (base, [("ce_specversion", "0.3"), *base[1:], ("ce_id", "1")]):
        name = str(uuid.uuid4())
        c.talk.publish("events", [*headers, ("idempotency-key", name)], json.dumps(c.talk.person()).encode())
        c.talk.result(name, "refused", "invalid_event")


def case_header_names_in_any_case(c):
    name, correlation = str(uuid.uuid4()), str(uuid.uuid4())
    c.talk.publish("signup", [(":Method", "post"), (":PATH", "/v1/accounts"), ("Content-Type", "Application/JSON"),
                              ("Idempotency-Key", name), ("Zilla:Reply-To", c.world.topics["replies"]),
                              ("ZILLA:correlation-id", correlation), ("TraceParent", TRACE)], json.dumps(c.talk.person()).encode())
    result = c.talk.result(name, "accepted")
    equal(result.header("traceparent"), TRACE, "trace")
    found = c.talk.tail.wait(lambda m: m.header("zilla:correlation-id") == correlation, 15)
    equal([status_of(message) for message in found], ["201"], "reply")


def case_trace_that_is_none_is_left_out(c):
    x = c.talk.post(c.talk.person(), headers=[("traceparent", "00-zz"), ("tracestate", "a=b")])
    result = x.result("accepted")
    equal((result.header("traceparent"), result.header("tracestate")), (None, None), "trace")


# --- mails and texts ---------------------------------------------------------------------------------------------------------

def mail_of(c, body, status=201):
    x = c.talk.post(body)
    x.reply(status)
    address = body["email"].lower()
    found = c.world.sinks.mailbox.wait(address)
    equal(len(found), 1, f"mails to {address}")
    return x, found[0], c.world.sinks.mailbox.content(found[0])


def case_mail_with_code_and_link(c):
    x, row, mail = mail_of(c, c.talk.person(given_name="Ada", locale="en"))
    text_part = mail.get_body(("plain",)).get_content()
    html_part = mail.get_body(("html",)).get_content()
    equal(mail.get_content_type(), "multipart/alternative", "content type")
    equal((mail["Subject"], mail["Auto-Submitted"]), ("Confirm your e-mail address", "auto-generated"), "headers")
    equal(row["from"], "accounts@shop.example", "envelope's sender")
    codes = re.findall(r"^ +(\d{6,8})\r?$", text_part, re.M)
    links = re.findall(r"https://shop\.example/verify\?token=([\w.~-]+)", text_part)
    true(len(codes) == 1 and len(links) == 1, f"one code and one link in:\n{text_part}")
    true(codes[0] in html_part and links[0] in html_part, "code and link in the HTML part too")
    true(codes[0] not in mail["Subject"], "no code in the subject")
    true("Hello Ada," in text_part and "Valid for 24 h." in text_part and "Shop & Sons" in text_part and "Shop &amp; Sons" in html_part, "name and brand, escaped in HTML")
    message = c.rows("select m.message_id::text, m.state, m.sealed, m.attempts from enrolld.message m join enrolld.challenge g using (challenge_id) "
                     "where g.account_id = %s", x.account())
    equal(len(message), 1, "message rows")
    equal(mail["Message-ID"], f"<{message[0][0]}@shop.example>", "Message-ID")
    eventually(lambda: c.rows("select state from enrolld.message where message_id = %s", message[0][0]) == [("accepted",)], "accepted")
    equal(c.rows("select sealed, attempts from enrolld.message where message_id = %s", message[0][0]), [(None, 1)], "payload wiped")
    everything = json.dumps(c.rows("select t::text from enrolld.challenge t where account_id = %s", x.account()))
    true(codes[0] not in everything and links[0] not in everything, "neither code nor token is in the row")


def case_mail_in_other_languages(c):
    _, _, mail = mail_of(c, c.talk.person(locale="es-MX", given_name="José"))
    equal(mail["Subject"], "Confirma tu dirección de correo electrónico", "subject in Spanish")
    true("José" in mail.get_body(("plain",)).get_content(), "name with its accent")
    _, _, mail = mail_of(c, c.talk.person(locale="ar"))
    true('dir="rtl"' in mail.get_body(("html",)).get_content(), "from right to left")
    _, _, mail = mail_of(c, c.talk.person(locale="tlh"))
    equal(mail["Subject"], "Confirm your e-mail address", "subject in the language for all others")


def case_no_header_can_be_slipped_in(c):
    answer = c.talk.post(c.talk.person(given_name="Ada\r\nBcc: victim@example.com")).body(422)
    equal([v["field"] for v in answer["violations"]], ["/given_name"], "a name with a line break")
    c.talk.post(c.talk.person(email=f"a\r\nRCPT@{c.world.suffix}.example")).reply(422)
    for name in ("<script>alert(1)</script>", "{{code}}", "Win at evil.example", "=?utf-8?q?x?="):
        _, _, mail = mail_of(c, c.talk.person(given_name=name))
        for part in ("plain", "html"):
            content = mail.get_body((part,)).get_content()
            true(name not in content and "Hello," in content, f"a mail does not repeat {name!r}:\n{content}")
    _, _, mail = mail_of(c, c.talk.person(given_name="Siobhán O'Neil"))
    true("Hello Siobhán O'Neil," in mail.get_body(("plain",)).get_content(), "a name in the text part")
    true("Hello Siobhán O&#39;Neil," in mail.get_body(("html",)).get_content(), "a name, escaped, in the HTML part")


def case_text_with_code(c):
    number = f"+1557{time.time_ns() % 10**7:07d}"
    x = c.talk.post(c.talk.person(email=None, phone=number))
    x.reply(201)
    found = c.world.sinks.texts.wait(number)
    equal(len(found), 1, "texts")
    true(re.search(r"Shop & Sons: your code is \d{6}\.", json.dumps(found[0]["fields"], ensure_ascii=False)), f"text {found[0]['fields']}")
    state = "select m.state from enrolld.message m join enrolld.challenge g using (challenge_id) where g.account_id = %s"
    eventually(lambda: c.rows(state, x.account()) == [("accepted",)], "the message counts as accepted")


def case_nothing_is_sent_without_an_address(c):
    x = c.talk.post(c.talk.person(email=None, username=f"solo_{c.world.suffix}"))
    equal(x.body(201)["state"], "active", "state of an account without address")
    equal(c.rows("select count(*) from enrolld.challenge where account_id = %s", x.account()), [(0,)], "challenges")


def case_mail_that_is_put_off_and_refused(c):
    later = f"defer1+{c.talk.address()}"
    gone = f"refuse+{c.talk.address()}"
    c.talk.post(c.talk.person(email=later)).reply(201)
    x = c.talk.post(c.talk.person(email=gone))
    state = "select m.state from enrolld.message m join enrolld.challenge g using (challenge_id) where g.account_id = %s"
    eventually(lambda: c.rows(state, x.account()) == [("refused",)], "the one that is refused")
    equal(len(c.world.sinks.mailbox.wait(later, 20)), 1, "mails to the one that was put off")


# --- secrets -----------------------------------------------------------------------------------------------------------------

def case_no_password_anywhere(c):
    marker = f"Canary {uuid.uuid4().hex} tractor"
    x = c.talk.post(c.talk.person(password=marker))
    x.reply(201)
    c.talk.post(c.talk.person(password=marker, email="bad")).reply(422)
    c.talk.post(f'{{"password":"{marker}"'.encode()).reply(400)
    forms = [marker, base64.b64encode(marker.encode()).decode().rstrip("="), marker.encode().hex()]
    places = {"log": c.worker.text(since_start=False), "metrics": c.worker.get("/metrics")[1], "page": c.worker.get("/")[1]}
    for name in ("results", "replies", "accounts", "dead"):
        places[name] = repr(c.talk.tail.find(lambda m, name=name: m.topic == c.world.topics[name]))
    for (table,) in c.rows("select tablename::text from pg_tables where schemaname = 'enrolld' and tablename !~ '_[0-9]+$'"):
        places[table] = json.dumps(c.rows(f'select t::text from enrolld."{table}" t'))
    for place, content in places.items():
        for form in forms:
            true(form not in content, f"a password in {place}")


# --- operation ---------------------------------------------------------------------------------------------------------------

def case_metrics_and_probes(c):
    c.talk.post(c.talk.person()).reply(201)
    equal(c.worker.get("/healthz"), (200, "ok\n"), "/healthz")
    equal(c.worker.get("/readyz"), (200, "ok\n"), "/readyz")
    equal(c.worker.get("/nothing")[0], 404, "another path")
    metrics = c.worker.metrics()
    true(metrics.sum("requests_total", lane="signup", outcome="accepted", reason="ok") > 10, "accepted requests are counted")
    true(metrics.sum("requests_total", lane="signup", outcome="refused", reason="invalid") > 3, "refused ones by their reason")
    for stage in ("intake", "look", "store", "sink"):
        true(metrics.sum("stage_seconds_count", lane="signup", stage=stage) > 0, f"times of {stage}")
    equal((metrics.sum("store_up"), metrics.sum("kafka_up"), metrics.sum("hash_threads")), (1, 1, 2), "gauges")
    eventually(lambda: c.worker.metrics().sum("lag_records", lane="signup") == 0, "no lag")
    status, page = c.worker.get("/")
    true(status == 200 and "worker-1" in page and "Ready" in page, "the page for people")
    c.worker.write(c.world.settings("worker-1", admin={"port": c.worker.port}))
    done = c.world.command("health", check=False, config=c.worker.config)
    equal(done[0], 0, f"enrolld health: {done}")
    c.worker.write(c.world.settings("worker-1"))
    done = c.world.command("check", check=False)
    true(done[0] in (0, 78) and "ok" in done[1], f"enrolld check: {done}")


def case_reload(c):
    base = c.world.settings("worker-1")
    c.worker.write({**base, "log": {"level": "debug"}, "worker": {**base["worker"], "window_records": 500}})
    c.worker.reload()
    true(c.worker.wait_event("settings_reloaded"), "settings_reloaded in the log")
    changed = {row["setting"]: row["in_force"] for row in c.worker.events("setting_changed")}
    equal(changed, {"log.level": True, "worker.window_records": False}, "changed settings")
    c.worker.write({**base, "log": {"level": "chatty"}})
    c.worker.reload()
    true(c.worker.wait_event("settings_refused"), "settings_refused in the log")
    c.worker.write(base)
    c.worker.reload()
    true(c.worker.wait_event("settings_reloaded", count=2), "the old settings again")
    c.talk.post(c.talk.person()).reply(201)


def case_drain_leaves_nothing_behind(c):
    """SIGTERM with work in hand: what was taken is finished, the rest is taken up after the next start."""
    sent = [c.talk.post(c.talk.person()) for _ in range(400)]
    c.world.gateway.flush()
    begin = time.monotonic()
    equal(c.worker.stop(), 0, "exit status")
    took = time.monotonic() - begin
    true(took < 10, f"the stop took {took:.1f} s")
    equal(c.worker.events("worker_stopped")[-1]["clean"], True, "clean")
    equal(c.rows("select lane, ended_at is not null, unclean from enrolld.run order by lane"), [("otp", True, False), ("signup", True, False)],
          "runs")
    passed = sum(len(c.talk.results(x.sent.request_id)) for x in sent)
    stored = c.rows("select count(*) from enrolld.inbox where request_id = any(%s)", [x.sent.request_id for x in sent])[0][0]
    eventually(lambda: sum(len(c.talk.results(x.sent.request_id)) for x in sent) == stored, f"a result for each of {stored} rows ({passed})", 5)
    equal(c.world.lag(), len(sent) - stored, "records that no offset has passed")
    c.worker.start()
    equal(c.worker.events("unclean_start"), [], "unclean starts after a clean stop")
    for x in sent:
        x.result("accepted", timeout=30)


def stopped(c):
    """The worker stopped, every record passed; offsets of its group."""
    eventually(lambda: c.world.lag() == 0, "everything has passed", 30, 0.3)
    equal(c.worker.stop(), 0, "exit status")
    group, topic = f"{c.world.group}-signup", c.world.topics["signup"]
    return group, topic, c.world.cluster.committed(group, topic)


def batches(worker, stage):
    """(transactions, requests in them) of a stage since the worker's start."""
    metrics = worker.metrics()
    return tuple(int(metrics.sum(f"batch_size_{what}", lane="signup", stage=stage)) for what in ("count", "sum"))


def case_a_backlog_shares_transactions_and_nobody_waits_alone(c):
    """Finished hashes gather while many wait for theirs; the last ones and a lone one go at once."""
    stopped(c)
    sent = [c.talk.post(c.talk.person()) for _ in range(150)]
    c.world.gateway.flush()
    c.worker.write(c.world.settings("worker-1", hash={"passes": 4, "threads": 1}))  # slower than the database, so that nothing gathers there
    c.worker.start()
    for x in sent:
        x.result("accepted", timeout=30)
    eventually(lambda: c.world.lag() == 0, "everything has passed")
    for stage in ("store", "sink"):
        eventually(lambda stage=stage: batches(c.worker, stage)[1] == len(sent), f"all requests have gone through {stage}")
        count, _ = batches(c.worker, stage)
        true(count <= len(sent) / 3, f"{count} transactions of {stage} for {len(sent)} requests")
    before = batches(c.worker, "store")
    c.talk.post(c.talk.person()).reply(201)
    equal(batches(c.worker, "store"), (before[0] + 1, before[1] + 1), "transactions and requests of store, one more")
    equal(c.worker.stop(), 0, "exit status")
    c.worker.write(c.world.settings("worker-1"))
    c.worker.start()


def case_replay_has_no_effect(c):
    """Offsets back to the start: nothing but a metric."""
    equal(wait_settled(c.world), 0, "messages that wait")
    group, topic, offsets = stopped(c)
    seen = c.talk.seen()
    accounts = c.rows("select count(*) from enrolld.account")
    mails = len(c.world.sinks.mailbox.mails())
    c.world.cluster.commit(group, topic, {partition: 0 for partition in offsets})
    c.worker.start()
    eventually(lambda: c.world.cluster.committed(group, topic) == offsets, "the offsets are where they were", 30, 0.2)
    metrics = c.worker.metrics()
    equal(metrics.sum("inbox_hits_total", kind="replay"), sum(offsets.values()), "replays counted")
    equal((metrics.sum("hash_seconds_count"), metrics.sum("requests_total")), (0, 0), "hashes, requests executed")
    x = c.talk.post(c.talk.person())
    x.reply(201)
    eventually(lambda: c.talk.events(x.account()), "its result and event")
    seen.update(results=seen["results"] + 1, replies=seen["replies"] + 1, accounts=seen["accounts"] + 1)
    equal(c.talk.seen(), seen, "outputs, one sign-up later")
    equal(c.rows("select count(*) from enrolld.account"), [(accounts[0][0] + 1,)], "accounts")
    eventually(lambda: len(c.world.sinks.mailbox.mails()) == mails + 1, "one mail more, of that sign-up")


def case_redelivery_repeats_the_same_bytes(c):
    """As after a crash between both commits: rows are there, no offset has passed. Results, events and replies again, byte for byte."""
    body = [c.talk.person() for _ in range(20)]
    sent = [c.talk.post(one, partition=3) for one in body]
    refused = c.talk.post({"email": "bad"}, partition=3)
    grave = c.talk.publish("signup", [], None, partition=3)
    for x in (*sent, refused):
        x.result()
    grave.letter()
    equal(wait_settled(c.world), 0, "messages that wait")
    group, topic, offsets = stopped(c)
    back = sent[0].sent.offset
    c.rows('update enrolld.progress set mark = %s where "group" = %s and topic = %s and partition = 3', back, group, topic)
    for name in (group, f"{group}.passed"):
        c.world.cluster.commit(name, topic, {3: back})
    accounts, mails = c.rows("select count(*) from enrolld.account"), len(c.world.sinks.mailbox.mails())
    c.worker.start()
    eventually(lambda: c.world.cluster.committed(group, topic) == offsets, "the offsets are where they were", 30, 0.2)
    equal(c.worker.metrics().sum("inbox_hits_total", kind="redelivery"), offsets[3] - back, "redeliveries counted")
    for x in (*sent, refused):
        found = c.talk.results(x.sent.request_id, 10, 2)
        equal(len(found), 2, "results, the one before and the one again")
        equal((found[0].value, found[0].headers), (found[1].value, found[1].headers), "bytes of the result")
        replies = [m for m in c.talk.tail.find(lambda m, x=x: m.header("zilla:correlation-id") == x.sent.correlation)]
        equal(len(replies), 2, "replies")
        equal((replies[0].value, replies[0].headers), (replies[1].value, replies[1].headers), "bytes of the reply")
    for x in sent:
        account = c.talk.results(x.sent.request_id)[0].json()["account_id"]
        events = c.talk.events(account)
        equal(len(events), 2, "events")
        equal((events[0].value, events[0].headers), (events[1].value, events[1].headers), "bytes of the event")
    equal(c.rows("select count(*) from enrolld.account"), accounts, "accounts")
    equal(len(c.world.sinks.mailbox.mails()), mails, "mails")


def case_a_second_worker_shares_the_work(c):
    second = c.world.worker("worker-2").start()
    eventually(lambda: second.metrics().sum("partitions", lane="signup", state="running") > 0, "partitions of the second worker", 30, 0.2)
    sent = [c.talk.post(c.talk.person(), partition=n % c.world.partitions) for n in range(80)]
    for x in sent:
        x.reply(201)
    true(second.metrics().sum("records_total", lane="signup") > 0, "records of the second worker")
    equal(second.stop(), 0, "exit status of the second worker")
    equal(second.events("worker_stopped")[-1]["clean"], True, "clean")
    for x in [c.talk.post(c.talk.person(), partition=n) for n in range(c.world.partitions)]:
        x.reply(201, timeout=20)


def case_a_killed_worker_starts_again(c):
    sent = [c.talk.post(c.talk.person()) for _ in range(100)]
    time.sleep(0.1)
    c.worker.kill()
    c.worker.start()
    true(c.worker.wait_event("unclean_start"), "unclean_start in the log")
    for x in sent:
        x.result("accepted", timeout=30)
    eventually(lambda: c.rows("select count(*) from enrolld.hand") == [(0,)], "nothing counts as in hand")


def case_every_read_agrees_at_the_end(c):
    """What the reader saw all the time is what a new one reads; one result for each row."""
    eventually(lambda: c.world.lag() == 0, "everything has passed", 30, 0.3)
    equal(c.worker.stop(), 0, "exit status")
    for name in ("results", "replies", "accounts", "dead"):
        topic = c.world.topics[name]
        full = read_all(c.world.cluster, topic)
        c.talk.tail.wait(lambda m, topic=topic: m.topic == topic, 5, len(full))
        live = c.talk.tail.find(lambda m, topic=topic: m.topic == topic)
        key = [(m.partition, m.offset, m.value, m.headers) for m in full]
        equal(sorted((m.partition, m.offset, m.value, m.headers) for m in live) == sorted(key), True, f"readers of {name} agree")
    bad = [line for line in c.worker.text(since_start=False).splitlines() if not line.startswith("{") or '"level":"error"' in line]
    bad = [line for line in bad if "settings_refused" not in line]
    equal(bad, [], "errors in the log")


def worker_lives(c):
    """Run where a case has ended the worker, so that this counts too."""
    raise Failed(f"the worker ended with {c.worker.process.returncode}:\n{c.worker.text()[-1500:]}")


def all_cases():
    return [value for name, value in globals().items() if name.startswith("case_")]


def main():
    keep = "--keep" in sys.argv[1:]
    names = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
    cases = Cases()
    try:
        with World("signup", settings=settings, more_topics=("tenants", "events")) as world:
            context = Context(world, cases)
            context.worker.start()
            for case in all_cases():
                if not names or any(name.replace(" ", "_") in case.__name__ for name in names):
                    cases.run(case, context)
                    if not context.worker.running() and case is not all_cases()[-1]:
                        if context.worker.process.returncode != 0:
                            cases.run(worker_lives, context)
                        context.worker.start()
            context.talk.close()
            world.keep = keep or cases.failed > 0
            if world.keep:
                cases.say(f"logs are in {world.folder}")
    except services.Missing as error:
        print(error)
        cases.failed += 1
    return cases.end()


if __name__ == "__main__":
    sys.exit(main())
