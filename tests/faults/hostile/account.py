# SPDX-License-Identifier: Apache-2.0
"""Holds what came of a round of records against what the contract says of each: rows, results, replies, events, dead letters."""
import collections
import json
import time

from confluent_kafka import Consumer, KafkaError, TopicPartition

from harness.kafka import QUIET

from .contract import may_be_accepted, read_json

ROWS = ('select topic, partition, "offset", realm, route, request_id, state, outcome, reason, result, account_id::text from enrolld.inbox '
        "where stored_at >= %s")
SHOWN = 12


class Follow:
    """Reads the outputs with read_committed, from where it stopped to the end."""

    def __init__(self, cluster, topics):
        self.bootstrap = cluster.bootstrap
        self.next = {(topic, partition): 0 for topic in topics for partition in cluster.partitions(topic)}

    def to_end(self, timeout=120):
        """Records until every partition has said that this is its end. A new reader each time, as an end is told only once."""
        consumer = Consumer({"bootstrap.servers": self.bootstrap, "group.id": f"follow-{time.time_ns()}", "isolation.level": "read_committed",
                             "enable.auto.commit": False, "auto.offset.reset": "earliest", "enable.partition.eof": True, "fetch.wait.max.ms": 10,
                             **QUIET})
        consumer.assign([TopicPartition(topic, partition, offset) for (topic, partition), offset in self.next.items()])
        until = time.monotonic() + timeout
        waiting = set(self.next)
        try:
            while waiting:
                if time.monotonic() > until:
                    raise TimeoutError(f"no end of {sorted(waiting)}")
                raw = consumer.poll(0.5)
                if raw is None:
                    continue
                if raw.error() is None:
                    self.next[raw.topic(), raw.partition()] = raw.offset() + 1
                    yield raw
                elif raw.error().code() == KafkaError._PARTITION_EOF:
                    waiting.discard((raw.topic(), raw.partition()))
        finally:
            consumer.close()


class Account:
    """Findings are sentences; an empty list is what must be."""

    def __init__(self, world, contract, asked):
        """asked: short names of the request topics."""
        self.world, self.contract = world, contract
        self.topics = {name: world.topics[name] for name in ("results", "replies", "accounts", "dead")}
        self.follow = Follow(world.cluster, self.topics.values())
        self.names = {world.topics[name]: name for name in asked}
        self.outcomes = collections.Counter()
        self.findings = []
        self.accepted = 0
        self.ids = collections.Counter()
        self.possible = set()  # correlations of replies that may come
        self.left = {"results": collections.Counter(), "replies": collections.Counter(), "accounts": collections.Counter(),
                     "dead": collections.defaultdict(list)}  # what was read and belongs to records that are not judged yet

    def find(self, sentence, record=None):
        if len(self.findings) < SHOWN:
            self.findings.append(f"{sentence}{': ' + repr(record) if record else ''}")

    def round(self, records, since):
        """Judges all records of a round once they are through, while those of the next one may be on their way; since: database time before it."""
        own = {(record.topic, record.partition, record.offset): record for record in records}
        rows = self._rows(own, since)
        self._read_outputs()
        left = self.left
        replies = collections.Counter()
        contract = {place: self.contract.expected(record) for place, record in own.items()}
        for place, expected in contract.items():
            if expected.loose:
                self.ids.update({value for name, value in own[place].headers if name.lower() in (b"idempotency-key", b"id", b"ce_id")})
            else:
                self.ids[expected.request_id] += 1
        for place, record in own.items():
            expected = contract[place]
            outcome = self._outcome(record, rows.get(place), left["dead"].pop(place, []))
            self._judge(record, expected, outcome, rows.get(place))
            if expected.reply:
                replies[expected.reply] += 1
            self.possible |= expected.may_reply or set()
        self._take("replies", replies)
        # One request id may stand in two realms, or on two routes: each is a request of its own.
        self._take("results", collections.Counter((row[5].encode(), row[9].encode()) for row in rows.values() if row[6] == "done"))
        self._judge_accounts(own, rows)

    def end(self):
        """After the last round: nothing may have come that was not asked for."""
        self._read_outputs()
        self.left["replies"] = {reply: count for reply, count in self.left["replies"].items() if reply[1] not in self.possible}
        for name in ("replies", "results", "accounts", "dead"):
            for key in list(self.left[name])[:3]:
                self.find(f"one of {sum(1 for _ in self.left[name])} {name} that nobody may get: {repr(key)[:300]}")

    def _rows(self, own, since):
        """Rows of the round's records."""
        first, last = {}, {}
        for topic, partition, offset in own:
            first[topic, partition] = min(first.get((topic, partition), offset), offset)
            last[topic, partition] = max(last.get((topic, partition), offset), offset)
        rows = {}
        for row in self.world.sql(ROWS, since):
            place = (self.names[row[0]], row[1], row[2])
            if place in own:
                if place in rows:
                    self.find(f"two rows of {place}")
                rows[place] = row
            elif first.get(place[:2], row[2] + 1) <= row[2] <= last.get(place[:2], -1):
                self.find(f"a row of a record that nobody sent: {row[:7]}")
        return rows

    def _take(self, name, wanted):
        """Takes what must be there out of what was read."""
        left = self.left[name]
        missing = wanted - left
        for key, count in list(missing.items())[:3]:
            self.find(f"{count} {name} missing: {repr(key)[:300]}")
        left.subtract(wanted)
        for key in wanted:
            if left[key] <= 0:
                del left[key]

    def _read_outputs(self):
        found = self.left
        back = {topic: name for name, topic in self.topics.items()}
        for raw in self.follow.to_end():
            name, headers = back[raw.topic()], dict(raw.headers() or [])
            if name == "results":
                found["results"][raw.key(), raw.value()] += 1
            elif name == "replies":
                correlation = next((headers[h] for h in ("zilla:correlation-id", "kafka_correlationId", "ce_correlationid") if h in headers), None)
                if correlation is None:  # a structured event
                    correlation = json.loads(raw.value())["correlationid"].encode()
                found["replies"][raw.topic().encode(), correlation] += 1
                self._judge_reply(raw, headers)
            elif name == "accounts" and not headers["ce_type"].startswith(b"enrolld.account."):
                pass  # what became of a message
            elif name == "accounts":
                found["accounts"][json.loads(raw.value())["account_id"]] += 1
            else:
                place = tuple(headers[f"__connect.errors.{part}"].decode() for part in ("topic", "partition", "offset"))
                found["dead"][self.names[place[0]], int(place[1]), int(place[2])].append(headers["enrolld-reason"].decode())
                if raw.value() is not None or raw.key() is not None:
                    self.find(f"a dead letter with a value or key: {place}")

    def _judge_reply(self, raw, headers):
        try:
            told = b"json" in (headers.get("content-type") or b"")  # some frontends answer with nothing, or in words
            body = json.loads(raw.value()) if told else {}
            status = headers.get(":status") or headers.get("http_status") or headers.get("ce_httpstatus") or body.get("httpstatus", "")
            if not (100 <= int(status) < 600 and isinstance(body, dict)):
                raise ValueError
        except (ValueError, TypeError):
            self.find(f"a reply that is none: {raw.headers()} {repr(raw.value())[:200]}")
        for name, value in raw.headers():
            exact = name in ("zilla:correlation-id", "kafka_correlationId", "ce_correlationid")  # the asker's own bytes
            if not exact and value and (b"\r" in value or b"\n" in value or b"\0" in value):
                self.find(f"a header of a reply that ends a line: {name} {value[:100]!r}")

    def _outcome(self, record, row, letters):
        if row is None:
            if letters == ["request_conflict"]:
                return "conflict"
            if letters:
                self.find(f"no row, and dead letters {letters}", record)
            return "repeat"
        _, _, _, _, _, request_id, state, outcome, reason, result, _ = row
        if state == "dead":
            if letters != [reason]:
                self.find(f"row says dead because of {reason}, dead letters {letters}", record)
            return f"dead:{reason}"
        if letters:
            self.find(f"a dead letter {letters} besides a row", record)
        said = json.loads(result)
        if (said["outcome"], said.get("reason"), said["request_id"]) != (outcome, None if outcome == "accepted" else reason, request_id):
            self.find(f"the result says {said}, the row {row[:9]}", record)
        return outcome if outcome in ("accepted", "expired") else reason

    def _judge(self, record, expected, outcome, row):
        self.outcomes[outcome] += 1
        if record.valid and outcome != "accepted":
            self.find(f"an honest request ended as {outcome}", record)
        allowed = expected.outcomes
        if outcome in ("conflict", "repeat"):
            # Two spoilt records may have come upon one id, or one took another's; an honest one never shares its own.
            shared = expected.loose or expected.request_id is None or self.ids[expected.request_id] > 1
            if record.earlier is not None:
                shared = (outcome == "repeat") == (record.value == record.earlier.value)
            allowed = {outcome} if shared and not record.valid else set()
        if outcome not in allowed:
            self.find(f"ended as {outcome}, the contract says {sorted(allowed)}", record)
        if row and expected.request_id and row[5].encode() != expected.request_id:
            self.find(f"request id {row[5]!r} instead of {expected.request_id!r}", record)
        if outcome == "identity_taken" and record.value and not expected.loose:
            self._judge_taken(record)
        if outcome == "accepted" and not expected.loose and json.loads(row[9])["operation"] == "sign_up":
            body, _ = read_json(record.value)
            why = may_be_accepted(body)
            if why:
                self.find(f"accepted with {why}", record)

    def _judge_taken(self, record):
        """Somebody must have it: the texts of the body, as far as claims look like them."""
        body, _ = read_json(record.value)
        values = [value.strip().lower() for value in (body.get(kind) for kind in ("username", "email", "phone")) if isinstance(value, str)]
        if not self.world.sql("select 1 from enrolld.claim where value = any(%s) limit 1", values) and record.value == json.dumps(record.body).encode():
            self.find("an identity that nobody has is called taken", record)

    def _judge_accounts(self, own, rows):
        made = {row[10]: own[place] for place, row in rows.items()
                if row[7] == "accepted" and place in own and json.loads(row[9])["operation"] == "sign_up"}  # others may ask for a code
        self.accepted += len(made)
        self._take("accounts", collections.Counter(list(made)))
        claims = collections.defaultdict(set)
        for account, kind, value in self.world.sql("select account_id::text, kind, value from enrolld.claim where account_id = any(%s::uuid[])",
                                                   list(made)):
            claims[account].add((kind, value))
        hashes = dict(self.world.sql("select account_id::text, coalesce(password_hash, '') from enrolld.account where account_id = any(%s::uuid[])",
                                     list(made)))
        for account, record in made.items():
            if not claims[account] and record.topic != "frontends":  # some take people without any
                self.find("an account without identity", record)
            if not hashes.get(account):
                self.find("an account without a password hash", record)
            if record.valid and not hashes.get(account, "").startswith(record.body.get("password_hash", "$argon2id$v=19$m=8192,t=1,p=1$")):
                self.find(f"password hash {hashes[account]}", record)
            if record.valid:
                wanted = {(kind, record.body[kind].lower()) for kind in ("username", "email") if kind in record.body}
                if claims[account] != wanted:
                    self.find(f"claims {claims[account]} instead of {wanted}", record)
