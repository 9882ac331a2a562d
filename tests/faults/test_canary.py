#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Markers in every password, code and token, and then a search for them wherever they might have come to rest.

usage: test_canary.py [--requests N] [--seed N] [--keep] [--core FILE]

Short form: 500 requests; with ENROLLD_TEST_FULL=1 10,000. Passwords carry markers; codes and tokens are those that arrive in mails and texts; keys are those
of the run's key file. Looked at: all files of broker and database (heap, indexes, WAL, logs) that were written meanwhile, the worker's log at its most
verbose level, its pages, what its commands print, and core files forced out of the idle worker, the last ones each after requests of one kind, since
registers and stacks hold what was handled last. In plain and in the usual encodings. Exempt are the request topics, by name, and the mailbox.
The build: ENROLLD_RELEASE_BINARY, else ENROLLD_BINARY. Needs gcore (gdb) and cc.
The password hash is cheap on purpose (8 MiB, one pass): what is tried here is what is left of secrets, not the cost of a hash.
"""
import argparse
import base64
import binascii
import json
import os
import pathlib
import random
import re
import shutil
import sys
import time
import urllib.parse

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]

from canary import places  # noqa: E402
from canary.forms import forms  # noqa: E402
from canary.load import Load  # noqa: E402
from canary.scan import Scanner, summary  # noqa: E402
from harness import services  # noqa: E402
from harness.cases import Cases, Failed, equal, eventually, true  # noqa: E402
from harness.evidence import wait_settled  # noqa: E402
from harness.world import World  # noqa: E402

IDLE = 2  # seconds of rest before a core
OUTPUTS = ("results", "replies", "accounts", "dead", "planted")  # topics where no secret may be
PLANTED_LOG = "planted.log"
PLANTED = "planted"  # a marker that is put where markers must not be, to see that it is found there
LAST = ("long", "mail", "twice")  # kinds before the last cores, in the short form
TOKEN = re.compile(r"token=([A-Za-z0-9_-]{43})")
CODE = re.compile(r"code(?: is|:)\s+(\d{6})(?!\d)")
CODE_WINDOW = 400  # bytes: a code that close to its owner's address or ids is no chance


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=10_000 if os.environ.get("ENROLLD_TEST_FULL") else 500)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--keep", action="store_true", help="keep the folder with the log and the core")
    return parser.parse_args()


def settings(world):
    values = world.services.values
    return {
        "kafka": {"session_timeout": "3s"},
        "topics": {"events": {"name": world.topics["events"], "lane": "signup", "shape": "auto", "reply_topics": [world.topics["replies"]]}},
        "log": {"level": "debug"},
        "courier": {"smtp_url": f"smtps://{values['ENROLLD_SMTPS'].replace('127.0.0.1', 'localhost')}", "smtp_tls": "starttls",
                    "smtp_ca_file": values["ENROLLD_SMTP_CA"], "smtp_connections": 2},
    }


class Canary:
    """One run; its steps are the cases."""

    def __init__(self, world, arguments, cases):
        self.world, self.arguments, self.cases = world, arguments, cases
        self.worker = world.worker("canary")
        self.load = Load(arguments.seed, world)
        self.scratch = places.scratch()
        self.scanner = Scanner(world.folder)
        self.begin = time.time() - 2
        self.codes = {}  # code: {texts that belong to its owner}
        self.tokens = []
        self.learnt = set()  # numbers of requests whose code is known
        self.pages = world.folder / "pages.txt"
        self.mark = self.load.new_mark()
        self.scanner.add(PLANTED, self.mark.encode())

    def note_pages(self):
        with open(self.pages, "a", encoding="utf-8") as file:
            for path in ("/", "/metrics", "/readyz", "/healthz"):
                file.write(self.worker.get(path)[1])

    def drain(self):
        places_of = {name: self.world.cluster.ends(self.world.topics[name]) for name in ("signup", "otp", "events")}
        for name, ends in places_of.items():
            group = f"{self.world.group}-{'otp' if name == 'otp' else 'signup'}"
            wanted = {partition: end for partition, end in ends.items() if end > 0}
            eventually(lambda name=name, group=group, wanted=wanted: wanted.items() <= self.world.cluster.committed(
                group, self.world.topics[name]).items(), f"everything on {name} has passed", 120, 0.3)

    def case_the_scanner_finds_every_form(self):
        """Planted in noise, at any distance from what stands before it."""
        rng = random.Random(1)
        secrets = {"a marker": b"q7VbK2x9Zp", "a text": 'Mark-7/"+ ü&é<Mark'.encode(), "a token": rng.randbytes(24).hex()[:43].encode(), "a key": rng.randbytes(32)}
        folder = self.world.folder / "planted"
        folder.mkdir()
        missed = []
        for name, secret in secrets.items():
            scanner = Scanner(self.world.folder)
            scanner.add(name, secret)
            wanted, near = {}, []
            for number, (form, pattern) in enumerate(forms(secret).items()):
                for lead in range(8):
                    path = folder / f"{number}-{lead}"
                    path.write_bytes(rng.randbytes(1000 + lead) + pattern + rng.randbytes(100))
                    wanted[str(path)] = form, range(1000 + lead, 1000 + lead + len(pattern))
                if len(pattern) < 32:
                    near.append(folder / f"{number}-near")
                    near[-1].write_bytes(rng.randbytes(1000) + pattern[:len(pattern) // 2] + b"?" + pattern[len(pattern) // 2 + 1:])
            found = {hit.path for hit in scanner.look(wanted) if hit.offset in wanted[hit.path][1]}
            missed += [(name, wanted[path][0], path) for path in set(wanted) - found]
            equal(scanner.look(near), [], "what differs in one byte")
        equal(missed, [], "planted secrets that were missed")
        # What others do to a secret, said independently of forms(): a stream of base64 lines, a dump, a form.
        scanner = Scanner(self.world.folder)
        scanner.add("mark", b"q7VbK2x9Zp")
        body = '{"password": "q7VbK2x9Zp-1/\\" ü"}'
        for number, written in enumerate((base64.b64encode(body.encode()), base64.urlsafe_b64encode(b"xy" + body.encode()), binascii.hexlify(body.encode()),
                                          urllib.parse.urlencode({"body": body}).encode(), json.dumps({"inner": json.dumps(body)}).encode(),
                                          body.encode("utf-16"), repr(body).encode(), b"\\x" + body.encode().hex().upper().encode())):
            path = folder / "body"
            path.write_bytes(written)
            true(scanner.look([path]), f"a body as {number}: {written[:80]}")

    def plant(self):
        """A marker in each kind of place where none may be: a search that finds nothing must find these."""
        for name in OUTPUTS:
            self.world.gateway.publish(self.world.topics[name], [("x", self.mark)], f"x{self.mark}x".encode())
        self.world.sql("create table public.planted as select %s as text", self.mark)
        (self.scratch / "log" / PLANTED_LOG).write_text(f"password {self.mark}\n", encoding="utf-8")
        self.pages.write_text(f"password={self.mark}\n", encoding="utf-8")
        os.environ["PLANTED"] = self.mark  # in the worker's own environment

    def case_requests_of_every_fate_end(self):
        a, load, worker = self.arguments, self.load, self.worker
        self.plant()
        worker.start()
        self.world.gateway.post(self.world.topics["signup"], {"username": f"taken_{self.world.suffix}", "password": "violet tractor sings staple"})
        load.publish(a.requests // 2)
        self.note_pages()
        worker.kill()
        worker.start()
        load.publish(a.requests - a.requests // 2)
        equal(self.world.gateway.flush(), 0, "records that Kafka did not acknowledge")
        self.drain()
        equal(wait_settled(self.world, 120, open_ends=False), 0, "messages that still wait")
        self.note_pages()
        fates = dict(self.world.sql("select coalesce(reason, outcome), count(*) from enrolld.inbox group by 1"))
        self.cases.say(f"{len(load.sent)} requests in {len(load.kinds)} kinds: {fates}")
        for reason in ("ok", "invalid", "malformed_json", "too_large", "unknown_route", "unaddressed", "identity_taken", "duplicate_key", "invalid_utf8",
                       "password_wrong", "token_invalid", "invalid_event", "too_deep", "not_an_object", "unsupported_media_type", "method_not_allowed",
                       "invalid_request_id", "empty"):
            true(fates.get(reason) or reason in ("ok", "empty"), f"no request ended as {reason}")
        true(worker.metrics().sum("hash_seconds_count") > 0, "hashes")

    def case_codes_and_tokens_are_learnt_from_their_messages(self):
        self.learn_messages()
        self.cases.say(f"{len(self.codes)} codes, {len(self.tokens)} tokens")

    def learn_messages(self):
        """Of those that were sent since the last time."""
        mailbox, texts = self.world.sinks.mailbox, self.world.sinks.texts
        mails = {row["to"][0]: row for row in mailbox.mails() if row["to"][0].endswith(f"@{self.world.suffix}.example")}
        by_phone = {row["fields"]["to"]: row["fields"]["text"] for row in texts.rows() if row["fields"] and "text" in row["fields"]}
        # The worker died once; whether what it was handing over then has arrived, nobody knows.
        open_ends = self.world.sql("select count(*) from enrolld.message where state in ('transmitting', 'unknown')")[0][0]
        missing = (set(self.load.addresses.values()) - set(mails)) | (set(self.load.phones.values()) - set(by_phone))
        true(len(missing) <= open_ends, f"nothing arrived at {sorted(missing)[:5]}, and {open_ends} messages have an open end")
        for number, address in self.load.addresses.items():
            if number not in self.learnt and address not in missing:
                content = mailbox.content(mails[address]).get_body(("plain",)).get_content()
                self.tokens.append(TOKEN.search(content)[1])
                self.scanner.add("a token", self.tokens[-1].encode())
                self.learn_code(number, address, content)
        for number, phone in self.load.phones.items():
            if number not in self.learnt and phone not in missing:
                self.learn_code(number, phone, by_phone[phone])

    def learn_code(self, number, address, content):
        self.learnt.add(number)
        code = CODE.search(content)[1]
        ids = self.world.sql("select g.account_id::text, g.challenge_id::text, m.message_id::text, encode(g.nonce, 'hex') from enrolld.challenge g "
                             "join enrolld.message m using (challenge_id) where g.claim_value = %s", address)
        true(ids, f"no challenge of {address}")
        self.codes.setdefault(code, set()).update(text.encode() for row in ids for text in (address, *row, f"c{number}_{self.world.suffix}"))
        # The words around it, as the message has them: what is left of a message has these.
        place = CODE.search(content).start(1)
        self.scanner.add("a code in its message", content[max(0, place - 6):place + 8].encode(), parts=False)

    def learn_secrets(self):
        for kind, mark in self.load.marks.items():
            self.scanner.add(f"password of kind {kind}", mark.encode())
        for name, key in places.keys(self.world.folder / "keys").items():
            self.scanner.add(name, key)

    def codes_near_their_owners(self, paths):
        """Places of codes, as digits that stand alone, next to something of the one they were sent to."""
        digits = re.compile(rb"(?<![0-9A-Za-z.-])([0-9]{6})(?![0-9A-Za-z])")
        known = {code.encode(): owners for code, owners in self.codes.items()}
        found = []
        for path in paths:
            for start, data in places.stretches(path):
                for match in digits.finditer(data):
                    owners = known.get(match[1])
                    if owners:
                        window = data[max(0, match.start() - CODE_WINDOW):match.end() + CODE_WINDOW]
                        if any(owner in window for owner in owners):
                            found.append(f"{match[1].decode()} in {path} at {start + match.start()}: {data[match.start() - 60:match.end() + 60]!r}")
        return found

    def case_the_exempt_places_do_hold_them(self):
        """Else nothing was looked for in the right way."""
        self.learn_secrets()
        exempt = places.segments(self.scratch / "kafka", [self.world.topics[name] for name in ("signup", "otp", "events")])
        seen = {hit.secret for hit in self.scanner.look(exempt)}
        missing = {f"password of kind {kind}" for kind in self.load.kinds} - seen
        equal(missing, set(), "markers that the request topics do not hold")
        mailbox = self.world.sinks.mailbox
        mails = [mailbox.folder / row["file"] for row in mailbox.mails() if row["to"][0].endswith(f"@{self.world.suffix}.example")]
        seen = {hit.secret for hit in self.scanner.look(mails)}
        true({"a token", "a code in its message"} <= seen, f"mails hold {seen}")
        true(len(self.codes_near_their_owners(mails[:50])) > 0, "codes beside their owners in mails")
        equal({hit.secret for hit in self.scanner.look([self.world.folder / "keys"])} & {"key 0 as in its file"}, {"key 0 as in its file"}, "key file")

    def must_be_clean(self, what, paths, codes=True):
        before = self.scanner.bytes
        found = self.scanner.look(paths)
        hits = [hit for hit in found if hit.secret != PLANTED]
        planted = {hit.path for hit in found if hit.secret == PLANTED}
        near = self.codes_near_their_owners(paths) if codes else []
        self.cases.say(f"{what}: {len(paths)} files, {(self.scanner.bytes - before) / 1e6:.1f} MB, {len(hits)} hits, {len(near)} codes")
        if hits or near:
            raise Failed(f"{what}: {summary(hits)}\n  " + "\n  ".join(near[:10]))
        return planted

    def case_nothing_is_in_the_brokers_files(self):
        kafka = self.scratch / "kafka"
        exempt = set(places.segments(kafka, [self.world.topics[name] for name in ("signup", "otp", "events")]))
        files = [path for path in places.changed_since(kafka, self.begin) if path not in exempt]
        planted = self.must_be_clean("broker", files)
        found = {pathlib.Path(path).parent.name.rsplit("-", 1)[0] for path in planted}
        equal({name for name in OUTPUTS if self.world.topics[name] not in found}, set(), "topics where what was planted is not found")

    def case_nothing_is_in_the_databases_files(self):
        self.world.sql("checkpoint")
        data = self.scratch / "postgres" / "data"
        files = places.changed_since(data, self.begin)
        own = self.world.sql("select oid::text from pg_database where datname = current_database()")[0][0]
        true(any(path.parent.name == own for path in files), "files of the run's database")
        true(any(path.parent.name == "pg_wal" for path in files), "files of the WAL")
        planted = self.must_be_clean("database", files)
        true(any(pathlib.Path(path).parent.name == own for path in planted), "what was planted in a table is found")
        true(any("/pg_wal/" in path for path in planted), "what was planted in a table is found in the WAL")

    def case_nothing_is_in_the_logs_and_pages(self):
        printed = self.world.folder / "printed.txt"
        with open(printed, "w", encoding="utf-8") as file:
            for words in (("check",), ("health",), ("progress", "show"), ("reasons",)):
                _, out, err = self.world.command(*words, check=False, config=self.worker.config)
                file.write(out + err)
        logs = [path for path in places.changed_since(self.scratch / "log", self.begin) if "sink" not in path.name and path.name not in ("mail.log", "text.log")]
        true(self.worker.log.stat().st_size > 10_000, "the worker's log is there")
        true('"level":"debug"' in self.worker.text(), "the log is at its most verbose level")
        planted = self.must_be_clean("logs and pages", [self.worker.log, self.pages, printed, *logs])
        equal({pathlib.Path(path).name for path in planted}, {PLANTED_LOG, self.pages.name}, "files where what was planted is found")
        (self.scratch / "log" / PLANTED_LOG).unlink()

    def look_at_core(self, what):
        time.sleep(IDLE)
        core = places.core(self.worker.process, self.world.folder)
        try:
            planted = self.must_be_clean(what, [core])
            true(planted, "what was planted in the process is found")
        finally:
            if not self.arguments.keep:
                core.unlink()

    def case_nothing_is_in_a_core_of_the_idle_worker(self):
        self.look_at_core("core")

    def case_locked_memory_holds_the_keys_and_no_password(self):
        """Cores leave it out. The keys are found where they must be, so the search for them is the right one."""
        memory = places.left_out(self.worker.process, self.world.folder / "left-out")
        hits = self.scanner.look([memory])
        memory.unlink()
        seen = {hit.secret for hit in hits}
        equal({name for name in seen if not name.startswith("key 0, purpose")}, set(), "secrets other than derived keys")
        equal({f"key 0, purpose {number}" for number in range(1, 6)} - seen, set(), "derived keys that are not in locked memory")

    def case_nothing_is_in_cores_whatever_came_last(self):
        kinds = self.load.kinds if os.environ.get("ENROLLD_TEST_FULL") else LAST
        for kind in kinds:
            for _ in range(5):
                self.load.one(kind)
            self.world.gateway.flush()
            self.drain()
            equal(wait_settled(self.world, 60, open_ends=False), 0, "messages that still wait")
            self.learn_messages()
            self.look_at_core(f"core after {kind}")

    def case_the_worker_stops_cleanly(self):
        equal(self.worker.stop(), 0, "exit status")


def main():
    arguments = options()
    cases = Cases()
    try:
        if os.environ.get("ENROLLD_RELEASE_BINARY"):
            os.environ["ENROLLD_BINARY"] = os.environ["ENROLLD_RELEASE_BINARY"]
        for tool in ("gcore", "cc"):
            if not shutil.which(tool):
                raise services.Missing(f"{tool} is missing: run scripts/setup")
        with World("canary", settings=settings, more_topics=("events", "planted"), own_sinks=False) as world:
            cases.say(f"{arguments.requests} requests, seed {arguments.seed}; cheap password hash on purpose (8 MiB, 1 pass); {world.binary}")
            canary = Canary(world, arguments, cases)
            good = cases.run(canary.case_the_scanner_finds_every_form)
            good = good and cases.run(canary.case_requests_of_every_fate_end)
            good = good and cases.run(canary.case_codes_and_tokens_are_learnt_from_their_messages)
            if good and cases.run(canary.case_the_exempt_places_do_hold_them):
                cases.run(canary.case_nothing_is_in_the_brokers_files)
                cases.run(canary.case_nothing_is_in_the_databases_files)
                cases.run(canary.case_nothing_is_in_the_logs_and_pages)
                cases.run(canary.case_nothing_is_in_a_core_of_the_idle_worker)
                cases.run(canary.case_locked_memory_holds_the_keys_and_no_password)
                cases.run(canary.case_nothing_is_in_cores_whatever_came_last)
                cases.run(canary.case_the_worker_stops_cleanly)
            world.keep = arguments.keep or cases.failed > 0
            if world.keep:
                cases.say(f"log and core are in {world.folder}")
    except services.Missing as error:
        print(error)
        cases.failed += 1
    return cases.end()


if __name__ == "__main__":
    sys.exit(main())
