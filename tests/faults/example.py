# SPDX-License-Identifier: Apache-2.0
"""A run as it must be, made up: the evidence that the checker is tried on."""
import base64
import hashlib
import json
import uuid

SIGNUP, RESULTS, REPLIES, ACCOUNTS, DEAD = "t.signup", "t.results", "t.replies", "t.accounts", "t.dead"
PARTITIONS = 3


def encode(value):
    return None if value is None else base64.b64encode(value).decode()


class Example:
    """Builds the files row by row, as a worker without faults would leave them."""

    def __init__(self):
        self.files = {"requests.jsonl": [], "samples.jsonl": [], "mails.jsonl": [], "texts.jsonl": []}
        self.outputs = {"results": [], "replies": [], "accounts": [], "dead": []}
        self.tables = {"account": [], "claim": [], "inbox": [], "message": [], "notice": []}
        self.ends = [0] * PARTITIONS
        self.positions = {}
        self.clock = 1000.0
        self.stored = {}

    def _out(self, name, topic, partition, key, headers, value):
        offset = self.positions.get((topic, partition), 0)
        self.positions[topic, partition] = offset + 2  # control records take offsets too
        self.outputs[name].append({"topic": topic, "partition": partition, "offset": offset, "timestamp": 0, "key": encode(key),
                                   "headers": [[header, encode(text.encode())] for header, text in headers], "value": encode(value)})

    def ask(self, request_id, kind="good", claims=(), reason=None, partition=0, taken=False):
        """One record and everything that follows from it."""
        self.clock += 0.01
        number = len(self.files["requests.jsonl"])
        offset = self.ends[partition]
        self.ends[partition] += 1
        correlation = None if kind == "tombstone" else f"c-{number}"
        self.files["requests.jsonl"].append({
            "n": number, "at": self.clock, "topic": SIGNUP, "partition": partition, "offset": offset, "acknowledged": True, "error": None,
            "request_id": request_id, "correlation": correlation, "reply_to": correlation and REPLIES, "headers": [], "value": None,
            "class": kind, "claims": [list(claim) for claim in claims], "reason": reason})
        if kind == "tombstone":
            self._row(request_id or f"coordinates-{number}", partition, offset, "dead", "dead", reason, None, None)
            self._letter(partition, offset, reason)
        elif kind == "conflict":
            self._letter(partition, offset, "request_conflict")
            self._reply(correlation, "409", b'{"reason":"request_conflict"}')
        elif request_id in self.stored:
            self._reply(correlation, *self.stored[request_id])
        else:
            self._decide(request_id or f"coordinates-{number}", kind, claims, reason, partition, offset, taken, correlation)
        self.files["samples.jsonl"].append({"at": self.clock + 0.005, "topic": SIGNUP, "partition": partition, "committed": offset + 1})

    def _decide(self, request_id, kind, claims, reason, partition, offset, taken, correlation):
        accepted = kind == "good" and not taken
        account = str(uuid.uuid5(uuid.NAMESPACE_URL, request_id)) if accepted else None
        result = {"request_id": request_id, "realm": "default", "operation": "sign_up", "outcome": "accepted" if accepted else "refused"}
        if not accepted:
            result["reason"] = "identity_taken" if taken else reason
        else:
            result["account_id"] = account
        value = json.dumps(result).encode()
        self._row(request_id, partition, offset, "done", result["outcome"], result.get("reason"), value.decode(), account)
        self._out("results", RESULTS, partition % 2, request_id.encode(),
                  [("ce_id", f"result-{request_id}"), ("ce_type", "enrolld.result.v1"), ("ce_subject", request_id)], value)
        if accepted:
            self._account(request_id, account, claims)
        self.stored[request_id] = ("201" if accepted else "409" if taken else "422",
                                   json.dumps({"account_id": account} if accepted else {"reason": result["reason"]}).encode())
        self._reply(correlation, *self.stored[request_id])

    def _account(self, request_id, account, claims):
        self.tables["account"].append({"account_id": account, "realm": "default", "state": "pending", "created_at": self.clock})
        for kind, value in claims:
            self.tables["claim"].append({"realm": "default", "kind": kind, "value": value, "account_id": account})
            if kind == "email":
                self._mail(request_id, value, account)
            elif kind == "phone":
                message = str(uuid.uuid5(uuid.NAMESPACE_OID, request_id))
                self.tables["message"].append({"message_id": message, "realm": "default", "channel": "sms", "state": "accepted",
                                               "attempts": 1, "unknowns": 0, "code": None, "due_at": None})
                self._notice(message, account)
                self.files["texts.jsonl"].append({"number": len(self.files["texts.jsonl"]), "did": "kept",
                                                "headers": {"idempotency-key": message}})
        self._out("accounts", ACCOUNTS, 0, account.encode(),
                  [("ce_id", f"event-{request_id}"), ("ce_type", "enrolld.account.registered.v1"), ("ce_subject", account)],
                  json.dumps({"account_id": account}).encode())

    def _notice(self, message, account):
        notice, payload = str(uuid.uuid5(uuid.NAMESPACE_URL, message)), json.dumps({"message_id": message, "account_id": account})
        self.tables["notice"].append({"notice_id": notice, "kind": "message.accepted", "key": account, "subject": message, "payload": payload})
        self._out("accounts", ACCOUNTS, 0, account.encode(),
                  [("ce_id", notice), ("ce_type", "enrolld.message.accepted.v1"), ("ce_subject", message)], payload.encode())

    def _mail(self, request_id, address, account):
        message = str(uuid.uuid5(uuid.NAMESPACE_DNS, request_id))
        self.tables["message"].append({"message_id": message, "realm": "default", "channel": "email", "state": "accepted", "attempts": 1,
                                       "unknowns": 0, "code": "250", "due_at": None})
        self._notice(message, account)
        self.files["mails.jsonl"].append({"number": len(self.files["mails.jsonl"]) + 1, "to": [address], "message_id": f"<{message}@x.example>",
                                          "sha256": hashlib.sha256(message.encode()).hexdigest(), "code": "123456"})

    def _row(self, request_id, partition, offset, state, outcome, reason, result, account):
        self.tables["inbox"].append({"realm": "default", "route": "native.sign_up", "request_id": request_id, "state": state,
                                     "outcome": outcome, "reason": reason, "topic": SIGNUP, "partition": partition, "offset": offset,
                                     "result": result, "account_id": account, "stored_at": self.clock})

    def _letter(self, partition, offset, reason):
        self._out("dead", DEAD, 0, None, [("__connect.errors.topic", SIGNUP), ("__connect.errors.partition", str(partition)),
                                          ("__connect.errors.offset", str(offset)), ("enrolld-reason", reason)], None)

    def _reply(self, correlation, status, value):
        self._out("replies", REPLIES, 0, b"k", [("zilla:correlation-id", correlation), (":status", status)], value)

    def fill(self):
        """Some of everything; returns itself."""
        for number in range(40):
            partition = number % PARTITIONS
            claims = [("email", f"p{number}@x.example")] + ([("phone", f"+1555{number:07d}")] if number % 5 == 0 else [])
            self.ask(f"good-{number}", claims=claims, partition=partition)
            if number % 4 == 0:
                self.ask(f"good-{number}", claims=claims, partition=(partition + number % 2) % PARTITIONS)
            if number % 7 == 0:
                self.ask(f"rival-{number}", claims=[("email", f"p{number}@x.example")], partition=partition, taken=True)
            if number % 8 == 0:
                self.ask(f"good-{number}", kind="conflict", partition=partition)
            if number % 9 == 0:
                self.ask(f"bad-{number}", kind="invalid", reason="invalid", partition=partition)
            if number % 10 == 0:
                self.ask(None, kind="tombstone", reason="tombstone", partition=partition)
                self.ask(None, claims=[("email", f"a{number}@x.example")], partition=partition)
        return self

    def write(self, folder):
        """The folder of evidence; the reader during the faults saw what the reader afterwards sees."""
        def put(path, rows):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        for name, rows in self.files.items():
            put(folder / name, rows)
        for name, rows in self.outputs.items():
            put(folder / "full" / f"{name}.jsonl", rows)
            put(folder / "live" / f"{name}.jsonl", rows)
        for name, rows in self.tables.items():
            put(folder / "tables" / f"{name}.jsonl", rows)
        offsets = [{"topic": SIGNUP, "partition": partition, "end": end, "committed": end, "passed": end, "mark": end}
                   for partition, end in enumerate(self.ends)]
        (folder / "offsets.json").write_text(json.dumps(offsets), encoding="utf-8")
        (folder / "run.json").write_text(json.dumps({"name": "example", "seed": 1, "commit": "none", "versions": {}, "verifications": True,
                                                     "unknown_at_most": 0}), encoding="utf-8")
