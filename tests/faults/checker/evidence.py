# SPDX-License-Identifier: Apache-2.0
"""The files of one run, read.

  run.json        what was run: seed, commit, versions, faults; verifications: each address gets a message; unknown_at_most; open_ends:
                  messages of dead workers whose answer was still awaited may be left
  requests.jsonl  every record the gateway published, with what it knows of it:
                    class      "good", "invalid", "malformed", "tombstone", "conflict": what the record must become (see judge.py)
                    claims     [[kind, canonical value], ...] that a good one asks for
                    reason     of the refusal or burial that it must end in
  live/*.jsonl    results, replies, accounts, dead: as a read_committed reader saw them during the faults
  full/*.jsonl    the same topics, read once more from the start when all was over
  tables/*.jsonl  account, claim, inbox, message, notice of the database
  offsets.json    per request topic and partition: end, committed, passed
  samples.jsonl   offsets as they were committed at a time of the database's clock
  mails.jsonl     what the mailbox took; texts.jsonl what the provider of texts took
"""
import base64
import collections
import json
import pathlib

OUTPUTS = ("results", "replies", "accounts", "dead")


def _lines(path):
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def _bytes(text):
    return None if text is None else base64.b64decode(text)


class Record:
    """A record of an output topic."""

    def __init__(self, row):
        self.at = (row["topic"], row["partition"], row["offset"])
        self.key = _bytes(row["key"])
        self.headers = [(name, _bytes(value)) for name, value in row["headers"]]
        self.value = _bytes(row["value"])
        self.bytes = (self.key, tuple(self.headers), self.value)

    def header(self, name):
        for own, value in self.headers:
            if own == name:
                return None if value is None else value.decode("utf-8", "replace")
        return None

    def json(self):
        """The value as an object; {} if it is none."""
        try:
            value = json.loads(self.value)
        except (TypeError, ValueError):
            return {}
        return value if isinstance(value, dict) else {}

    def __str__(self):
        headers = ", ".join(f"{name}={'' if value is None else value.decode('utf-8', 'replace')}" for name, value in self.headers)
        return f"{self.at[0]}/{self.at[1]}@{self.at[2]} [{headers}] {(self.value or b'').decode('utf-8', 'replace')[:400]}"


class Request:
    """A record of the gateway's history."""

    def __init__(self, row):
        self.row = row
        self.acknowledged = row["acknowledged"]
        self.at = (row["topic"], row["partition"], row["offset"])
        self.id = row["request_id"]
        self.correlation = row["correlation"] if row.get("reply_to") else None
        self.kind = row.get("class", "good")
        self.claims = [tuple(claim) for claim in row.get("claims", [])]
        self.reason = row.get("reason")

    def __str__(self):
        return f"{self.at[0]}/{self.at[1]}@{self.at[2]} #{self.row['n']} id={self.id} {self.kind} claims={self.claims}"


class Evidence:
    """Everything of one folder."""

    def __init__(self, folder):
        folder = pathlib.Path(folder)
        self.run = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        self.requests = [Request(row) for row in _lines(folder / "requests.jsonl")]
        self.live = {name: [Record(row) for row in _lines(folder / "live" / f"{name}.jsonl")] for name in OUTPUTS}
        self.full = {name: [Record(row) for row in _lines(folder / "full" / f"{name}.jsonl")] for name in OUTPUTS}
        self.tables = {name: _lines(folder / "tables" / f"{name}.jsonl") for name in ("account", "claim", "inbox", "message", "notice")}
        self.offsets = json.loads((folder / "offsets.json").read_text(encoding="utf-8"))
        self.samples = _lines(folder / "samples.jsonl")
        self.mails = _lines(folder / "mails.jsonl")
        self.texts = _lines(folder / "texts.jsonl")
        self._index()

    def _index(self):
        self.acknowledged = [request for request in self.requests if request.acknowledged]
        self.request_at = {request.at: request for request in self.acknowledged}
        self.row_at = {(row["topic"], row["partition"], row["offset"]): row for row in self.tables["inbox"]}
        self.rows_of = collections.defaultdict(list)
        for row in self.tables["inbox"]:
            self.rows_of[row["request_id"]].append(row)
        self.results_of = collections.defaultdict(list)
        for record in self.full["results"]:
            self.results_of[record.json().get("request_id")].append(record)
        self.replies_of = collections.defaultdict(list)
        for record in self.full["replies"]:
            self.replies_of[record.header("zilla:correlation-id") or record.header("ce_correlationid")
                            or record.header("kafka_correlationId")].append(record)
        self.dead_at = collections.defaultdict(list)
        for record in self.full["dead"]:
            self.dead_at[self.dead_coordinates(record)].append(record)

    @staticmethod
    def dead_coordinates(record):
        """Which record a dead letter is about."""
        try:
            return (record.header("__connect.errors.topic"), int(record.header("__connect.errors.partition")),
                    int(record.header("__connect.errors.offset")))
        except (TypeError, ValueError):
            return (None, None, None)

    def id_of(self, request):
        """The request id under which a record went: its own, or the one that the worker gave to its coordinates."""
        if request.id is not None:
            return request.id
        row = self.row_at.get(request.at)
        return row["request_id"] if row else None

    def groups(self):
        """{request id: its records in order of offsets}; records that nobody gave an id stand under their coordinates."""
        groups = collections.defaultdict(list)
        for request in self.acknowledged:
            groups[self.id_of(request) or request.at].append(request)
        return groups
