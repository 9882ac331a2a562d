#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Records as each gateway writes them, and the replies each waits for: one worker, a topic for each shape, a case a contract.

usage: test_shapes.py [--keep] [CASE...]   CASE is part of a case's name

For Spring a real ReplyingKafkaTemplate asks (tests/integration/spring); its jars come from Maven Central, once, into the services' scratch folder.
"""
import base64
import json
import pathlib
import shutil
import struct
import subprocess
import sys
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from harness import program, services  # noqa: E402
from harness.cases import Failed, equal, eventually, true  # noqa: E402
from harness.talk import Talk, status_of  # noqa: E402

SPRING = pathlib.Path(__file__).resolve().parent / "spring"
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
SHAPES = ("zilla", "krakend", "gravitee", "spring", "cloudevents", "confluent", "kong", "debezium", "rest-proxy", "auto")
SIGN_UP = "POST /v1/accounts"


def settings(world):
    topics = {shape.replace("-", "_"): {"name": world.topics[shape], "lane": "signup", "shape": shape, "target": SIGN_UP,
                                        "reply_topics": [world.topics["replies"]]} for shape in SHAPES}
    topics["zilla"].pop("target")
    topics["krakend"]["target"] = {"header": "x-enroll-target"}
    for name in ("kong", "cloudevents", "auto"):
        topics[name]["realm"] = {"header": "x-enroll-realm", "allow": ["shop-*", "main"]}
        topics[name]["address_header"] = "x-forwarded-for"
    return {"kafka": {"session_timeout": "3s"}, "topics": topics}


class Context:
    def __init__(self, world):
        self.world = world
        self.worker = world.worker("worker-1")
        self.talk = Talk(world)

    def publish(self, shape, value, headers=(), key=None):
        value = value if value is None or isinstance(value, bytes) else json.dumps(value, ensure_ascii=False).encode()
        return self.talk.publish(shape, list(headers), value, key=key)

    def account(self, body, realm="default"):
        """Waits for the account with the body's address: its id, and the request id of its result."""
        email = body["email"]
        query = "select account_id::text from enrolld.claim where realm = %s and kind = 'email' and value = %s"
        account = eventually(lambda: self.world.sql(query, realm, email), f"an account for {email} in {realm}")[0][0]
        query = "select request_id, result from enrolld.inbox where account_id = %s"
        rows = self.world.sql(query, account)
        equal(len(rows), 1, f"inbox rows of {email}")
        result = self.talk.result(rows[0][0], "accepted")
        equal(result.value, bytes(rows[0][1]) if not isinstance(rows[0][1], str) else rows[0][1].encode(), "result and its row")
        return account, rows[0][0]

    def replies(self):
        return self.talk.seen()["replies"]


def wire(body, schema=7):
    return struct.pack(">bI", 0, schema) + json.dumps(body).encode()


REALM = [("x-enroll-realm", "main")]


# --- reply contracts -----------------------------------------------------------------------------------------------------------

def case_zilla(c):
    x = c.talk.post(c.talk.person(), "zilla", headers=[("zilla:identity", "ada")])
    reply = x.reply(201)
    equal(reply.json()["account_id"], x.account(), "answer")
    equal(reply.key, x.sent.key.encode(), "the reply's key is the request's")
    names = [name for name, _ in reply.headers]
    equal(sorted(names), sorted(set(names)), "no header twice")
    equal({"zilla:correlation-id", ":status", "content-type"} - set(names), set(), "headers of the reply")
    c.talk.post({"email": "bad"}, "zilla").reply(422)
    c.talk.post(c.talk.person(), "zilla", path="/v1/nothing").reply(404)


def case_zilla_believes_no_header_of_a_client(c):
    before = c.replies()
    name, replies = str(uuid.uuid4()), c.world.topics["replies"]
    c.publish("zilla", c.talk.person(), [(":method", "POST"), (":path", "/v1/accounts"), ("idempotency-key", name), ("id", "7"),
                                         ("kafka_replyTopic", replies), ("kafka_correlationId", b"c"), ("ce_replyto", replies),
                                         ("ce_correlationid", "c")])
    c.talk.result(name, "accepted")
    equal(c.replies(), before, "replies")


def case_spring_bytes(c):
    """As ReplyingKafkaTemplate writes them: 16 raw bytes, a partition of 4 bytes, nothing else."""
    correlation = b"\x00\xff\n\r\x00" + uuid.uuid4().bytes[5:]
    for partition in (0, 1):
        body = c.talk.person()
        c.publish("spring", body, [("kafka_replyTopic", c.world.topics["replies"]), ("kafka_replyPartition", struct.pack(">i", partition)),
                                   ("kafka_correlationId", correlation)], key="ada")
        found = c.talk.tail.wait(lambda m, p=partition: dict(m.headers).get("kafka_correlationId") == correlation and m.partition == p, 15)
        equal(len(found), 1, f"replies in partition {partition}")
        equal((status_of(found[0]), found[0].key, found[0].header("content-type")), ("201", b"ada", "application/json"), "reply")
        equal(found[0].json()["account_id"], c.account(body)[0], "account")


def spring_lib():
    """The jars of tests/integration/spring/pom.xml, fetched once."""
    version = [line.split(">")[1].split("<")[0] for line in (SPRING / "pom.xml").read_text(encoding="utf-8").splitlines()
               if "<version>" in line][1]
    scratch = pathlib.Path(services.Services().values["ENROLLD_SCRATCH"])
    lib = scratch / "jars" / f"spring-kafka-{version}"
    if not lib.is_dir():
        fresh, repository = lib.with_suffix(".new"), scratch / "maven-spring"
        shutil.rmtree(fresh, ignore_errors=True)
        done = subprocess.run(["mvn", "-q", "-B", "-f", str(SPRING / "pom.xml"), f"-Dmaven.repo.local={repository}", "dependency:copy-dependencies",
                               f"-DoutputDirectory={fresh}"], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300, check=False)
        shutil.rmtree(repository, ignore_errors=True)
        if done.returncode != 0:
            raise Failed("Maven could not fetch spring-kafka; is repo.maven.apache.org reachable? (Mirrors and proxies: ~/.m2/settings.xml)\n"
                         f"{done.stdout[-1500:]}{done.stderr[-500:]}")
        fresh.rename(lib)
    return lib


def case_spring_client(c):
    """A real ReplyingKafkaTemplate, as a BFF has it: answers find their questions, by record and by message."""
    lib, classes = spring_lib(), c.world.folder / "classes"
    done = subprocess.run(["javac", "-cp", f"{lib}/*", "-d", str(classes), str(SPRING / "Asker.java")], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=120, check=False)
    equal(done.returncode, 0, f"javac's exit status ({done.stderr})")
    done = subprocess.run(["java", "-Xmx256m", "-XX:TieredStopAtLevel=1", "-Dorg.slf4j.simpleLogger.defaultLogLevel=error", "-cp",
                           f"{lib}/*:{classes}", "Asker", c.world.services.bootstrap, c.world.topics["spring"], c.world.topics["replies"], "1",
                           f"{c.world.suffix}.example"], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False)
    equal(done.returncode, 0, f"the client's exit status ({done.stderr[-3000:]})")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    scenes = {}
    for line in lines:
        scenes.setdefault(line["scene"], []).append(line)
    equal({name: len(found) for name, found in scenes.items()},
          {"record": 1, "repeat": 2, "refused": 1, "many": 50, "text": 1, "message": 1, "encoded": 1, "path": 1}, "answers")
    for name in ("record", "repeat", "refused", "many", "text"):
        for line in scenes[name]:
            equal((line["same"], line["content_type"]), (True, "application/json"), f"correlation and content type of {name}")
    for name in ("record", "repeat", "refused", "many"):
        for line in scenes[name]:
            equal((len(line["correlation"]), line["partition"]), (32, 1), f"length of the correlation and partition of {name}")
    equal(scenes["record"][0]["status"], "201", "status by record")
    equal(scenes["record"][0]["key"], "ada", "key")
    equal([line["status"] for line in scenes["repeat"]], ["201", "201"], "statuses of a question and its repeat")
    equal(scenes["repeat"][0]["body"], scenes["repeat"][1]["body"], "answers to a question and its repeat")
    true(scenes["repeat"][0]["correlation"] != scenes["repeat"][1]["correlation"], "a repeat has a correlation of its own")
    equal(scenes["refused"][0]["status"], "422", "status of what is refused")
    equal({line["status"] for line in scenes["many"]}, {"201"}, "statuses of many")
    equal(len({line["body"]["account_id"] for line in scenes["many"]}), 50, "accounts of many")
    true(len(scenes["text"][0]["correlation"]) == 72, "a correlation as text")
    for name, status in (("message", "201"), ("encoded", "201"), ("path", "404")):
        line = scenes[name][0]
        equal((line["status"], line["status_class"]), (status, "java.lang.String"), f"status as the mapper hands it out, {name}")
        equal(line["body"]["request_id"], line["request_id"], f"request id, {name}")


def case_cloudevents_binary(c):
    body = c.talk.person()
    x = c.talk.event(body, "cloudevents", headers=[*REALM, ("traceparent", TRACE)])
    reply = x.reply(201)
    equal([reply.header(name) for name in ("ce_specversion", "ce_type", "ce_source", "ce_correlationid", "content-type", "traceparent")],
          ["1.0", "enrolld.reply.v1", "/enrolld", x.sent.correlation, "application/json", TRACE], "reply")
    equal(reply.json()["account_id"], x.account(), "account")


def event(body, **more):
    return {"specversion": "1.0", "id": str(uuid.uuid4()), "source": "checkout", "type": "enrolld.signup.v1", "datacontenttype": "application/json",
            "data": body, **more}


def structured_reply(c, correlation):
    def is_it(message):
        return message.header("content-type") == "application/cloudevents+json" and message.json().get("correlationid") == correlation
    found = c.talk.tail.wait(lambda m: m.topic == c.world.topics["replies"] and is_it(m), 15)
    equal(len(found), 1, f"structured replies to {correlation}")
    return found[0].json()


def case_cloudevents_structured(c):
    """Dapr's way: no content type on the record, addresses as metadata; the answer is an event that its subscriber can read."""
    body, replies = c.talk.person(), c.world.topics["replies"]
    asked = event(body, pubsubname="pubsub", topic="enroll.signup", traceparent=TRACE)
    c.publish("cloudevents", asked, [*REALM, ("ce_replyto", replies), ("ce_correlationid", "dapr-1")], key="ada")
    answer = structured_reply(c, "dapr-1")
    account, request_id = c.account(body, "main")
    equal(request_id, f"checkout {asked['id']}", "request id")
    equal({name: answer[name] for name in ("specversion", "type", "source", "httpstatus", "datacontenttype", "traceparent")},
          {"specversion": "1.0", "type": "enrolld.reply.v1", "source": "/enrolld", "httpstatus": 201, "datacontenttype": "application/json",
           "traceparent": TRACE}, "attributes")
    equal(answer["data"]["account_id"], account, "data")
    bad = event({"email": "bad"})
    c.publish("cloudevents", bad, [("content-type", "application/cloudevents+json; charset=UTF-8"), *REALM, ("ce_replyto", replies)])
    answer = structured_reply(c, bad["id"])
    equal((answer["httpstatus"], answer["data"]["reason"]), (422, "invalid"), "a refusal, correlated by the event's id")


# --- shapes without a reply: the result tells ----------------------------------------------------------------------------------

def case_dapr_without_a_type_and_raw(c):
    body = c.talk.person()
    asked = event(body, type="com.dapr.event.sent")
    c.publish("cloudevents", asked, REALM)
    equal(c.account(body, "main")[1], f"checkout {asked['id']}", "request id")
    body, name = c.talk.person(), str(uuid.uuid4())
    c.publish("cloudevents", body, [*REALM, ("rawPayload", "true"), ("idempotency-key", name)])
    equal(c.account(body, "main")[1], name, "request id of a raw payload")
    body = c.talk.person()
    asked = event(body, data_base64=base64.b64encode(json.dumps(body).encode()).decode())
    asked.pop("data")
    c.publish("cloudevents", asked, REALM)
    c.account(body, "main")


def case_cloudevents_that_are_none(c):
    for change, reason in (({"specversion": "0.3"}, "invalid_event"), ({"data_base64": "e30="}, "invalid_event"), ({"source": ""}, "invalid_event")):
        name = str(uuid.uuid4())
        c.publish("cloudevents", event({}, **change), [*REALM, ("idempotency-key", name), ("content-type", "application/cloudevents+json")])
        c.talk.result(name, "refused", reason)
    name = str(uuid.uuid4())
    c.publish("cloudevents", [event({})], [*REALM, ("idempotency-key", name), ("content-type", "application/cloudevents-batch+json")])
    c.talk.result(name, "refused", "invalid_event")


def kong(body, **more):
    return {"body": json.dumps(body), "body_args": body, **more}


def case_kong(c):
    before, body = c.replies(), c.talk.person()
    c.publish("kong", kong(body), REALM, key=b"")
    account, request_id = c.account(body, "main")
    equal(len(request_id), 36, "an id from the coordinates")
    body, name = c.talk.person(), str(uuid.uuid4())
    text = json.dumps(body).encode()
    envelope = {"method": "POST", "uri": "/v1/accounts?source=ad", "uri_args": {"source": "ad"},
                "headers": {"content-type": "application/json", "idempotency-key": name, "x-request-id": "1"},
                "body": base64.b64encode(text).decode(), "body_args": {}, "body_base64": True}
    c.publish("kong", envelope, REALM, key=b"")
    account = c.talk.result(name, "accepted").json()["account_id"]
    equal(c.account(body, "main"), (account, name), "account")
    hits = c.worker.metrics().sum("inbox_hits_total", kind="repeat")
    envelope["headers"]["x-request-id"] = "2"  # the client tries again
    c.publish("kong", {**envelope, "body": text.decode(), "body_base64": False}, REALM)
    eventually(lambda: c.worker.metrics().sum("inbox_hits_total", kind="repeat") == hits + 1, "the second envelope is a repeat")
    name = str(uuid.uuid4())
    c.publish("kong", {"method": "POST", "uri": "/v1/nothing", "headers": {"idempotency-key": name}, "body": "{}"}, REALM)
    c.talk.result(name, "refused", "unknown_route")
    name = str(uuid.uuid4())
    c.publish("kong", {"body": "*", "body_base64": True, "headers": {"idempotency-key": name}}, REALM)
    c.talk.result(name, "refused", "invalid_envelope")
    equal(c.replies(), before, "replies")


def case_forged_envelopes(c):
    """What a client writes into a body or envelope gives neither realm nor reply nor address."""
    before, replies = c.replies(), c.world.topics["replies"]
    forged = {"x-enroll-realm": "main", "zilla:reply-to": replies, "zilla:correlation-id": "f", "kafka_replyTopic": replies,
              "kafka_correlationId": "f", "ce_replyto": replies, "ce_correlationid": "f", "x-forwarded-for": "192.0.2.1"}
    for topic in ("kong", "auto", "cloudevents"):
        for make in (lambda body, name: kong(body, method="POST", uri="/v1/accounts", headers={**forged, "idempotency-key": name}),
                     lambda body, name: event(body, id=name, replyto=replies, correlationid="f", realm="main", **forged),
                     lambda body, name: {**body, **forged}):
            body, name = c.talk.person(), str(uuid.uuid4())
            c.publish(topic, make(body, name), [("idempotency-key", name)])
            result = c.talk.result(name, "refused", "realm_refused").json()
            equal(result["realm"], "", f"realm in {topic}")
            equal(c.world.sql("select 1 from enrolld.claim where value = %s", body["email"]), [], f"accounts of a forged realm in {topic}")
            name = str(uuid.uuid4())
            c.publish(topic, make(body, name), [("idempotency-key", name), ("x-enroll-realm", "shop-1")])
            equal(c.talk.result(name).json()["realm"], "shop-1", f"realm by the record's header in {topic}")
    equal(c.replies(), before, "replies to forged addresses")


def case_confluent(c):
    body, name = c.talk.person(), str(uuid.uuid4())
    c.publish("confluent", wire(body), [("idempotency-key", name), ("traceparent", TRACE)], key="ada")
    equal(c.account(body)[1], name, "request id")
    equal(c.talk.result(name).header("traceparent"), TRACE, "trace")
    for value in (json.dumps(c.talk.person()).encode(), b"\x00\x00\x00"):
        name = str(uuid.uuid4())
        c.publish("confluent", value, [("idempotency-key", name)])
        c.talk.result(name, "refused", "invalid_envelope")


def case_debezium(c):
    forms = (lambda body: json.dumps(body), lambda body: body,
             lambda body: {"schema": {"type": "string", "name": "io.debezium.data.Json"}, "payload": json.dumps(body)},
             lambda body: {"schema": {"type": "struct"}, "payload": body},
             lambda body: {"schema": {"type": "bytes"}, "payload": base64.b64encode(json.dumps(body).encode()).decode()})
    for form in forms:
        body, row = c.talk.person(), str(uuid.uuid4())
        c.publish("debezium", form(body), [("id", row)], key="42")
        equal(c.account(body)[1], row, "the row's id is the request's")
    x = c.publish("debezium", None, [("id", str(uuid.uuid4()))], key="42")
    x.letter("tombstone")


def case_rest_proxy(c):
    for quoted in (False, True):
        body = c.talk.person()
        text = json.dumps(body)
        c.publish("rest-proxy", json.dumps(text if quoted else body).encode(), key='"ada"')
        c.account(body)
    x = c.publish("rest-proxy", b"null", key="null")
    query = 'select state, outcome from enrolld.inbox where topic = %s and partition = %s and "offset" = %s'
    c.world.gateway.flush()
    rows = eventually(lambda: c.world.sql(query, x.sent.topic, x.sent.partition, x.sent.offset), "a row of the four bytes null")
    equal(rows, [("done", "refused")], "the four bytes null are refused, not buried")


def case_krakend(c):
    before, name = c.replies(), str(uuid.uuid4())
    body = c.talk.person()
    c.publish("krakend", body, [("Accept-Encoding", "gzip"), ("Ce_replyto", c.world.topics["replies"]), ("Content-Type", "application/json"),
                                ("Idempotency-Key", name), ("Kafka_replytopic", c.world.topics["replies"]), ("Traceparent", TRACE),
                                ("X-Enroll-Target", SIGN_UP)])
    equal(c.account(body)[1], name, "request id")
    equal(c.talk.result(name).header("traceparent"), TRACE, "trace")
    c.publish("krakend", c.talk.person(), [("Content-Type", "application/json")]).letter("unaddressed")
    equal(c.replies(), before, "replies")


def case_gravitee(c):
    body, name = c.talk.person(), str(uuid.uuid4())
    c.publish("gravitee", body, [("Content-Type", "application/json; charset=utf-8"), ("idempotency-key", name),
                                 ("X-Gravitee-Request-Id", str(uuid.uuid4()))], key=str(uuid.uuid4()))
    equal(c.account(body)[1], name, "request id")
    body = c.talk.person()
    c.publish("gravitee", body, key=str(uuid.uuid4()))
    c.account(body)


def case_auto(c):
    for make in (kong, event, wire, lambda body: {"schema": {"type": "struct"}, "payload": body}, lambda body: body):
        body = c.talk.person()
        c.publish("auto", make(body), REALM)
        c.account(body, "main")
    body = c.talk.person()
    x = c.talk.post(kong(body, method="DELETE", uri="/v1/sessions"), "auto", headers=[("x-enroll-realm", "main")])
    equal(x.body(422)["reason"], "invalid", "an envelope that comes as an HTTP body is a body")


def case_no_password_anywhere(c):
    """Bodies that were unwrapped leave no copy in what goes out or is kept."""
    marker = f"Canary {uuid.uuid4().hex} tractor"
    forms = [marker, base64.b64encode(marker.encode()).decode().rstrip("="), marker.encode().hex()]
    body = c.talk.person(password=marker)
    bad = {**c.talk.person(password=marker), "email": "bad"}
    c.publish("kong", kong(body), REALM)
    c.publish("kong", kong(bad), REALM)
    c.publish("debezium", json.dumps(bad), [("id", str(uuid.uuid4()))])
    c.publish("rest-proxy", json.dumps(json.dumps(bad)).encode())
    c.publish("cloudevents", event(bad), REALM)
    c.publish("confluent", json.dumps(bad).encode())
    c.account(body, "main")
    eventually(lambda: c.worker.metrics().sum("lag_records", lane="signup") == 0, "no lag")
    places = {"log": c.worker.text(since_start=False), "metrics": c.worker.get("/metrics")[1]}
    for name in ("results", "replies", "accounts", "dead"):
        places[name] = repr(c.talk.tail.find(lambda m, name=name: m.topic == c.world.topics[name]))
    for (table,) in c.world.sql("select tablename::text from pg_tables where schemaname = 'enrolld' and tablename !~ '_[0-9]+$'"):
        places[table] = json.dumps(c.world.sql(f'select t::text from enrolld."{table}" t'))
    for place, found in places.items():
        for form in forms:
            true(form not in found, f"a password in {place}")


def case_it_ends_cleanly(c):
    equal(c.worker.stop(), 0, "exit status")


def started(world):
    context = Context(world)
    context.worker.start()
    return context


def main():
    return program.run(globals(), "shapes", started, settings=settings, more_topics=SHAPES)


if __name__ == "__main__":
    sys.exit(main())
