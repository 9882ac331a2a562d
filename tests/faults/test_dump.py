#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Who has a dump of the database, the logs, the topics and the metrics has no code, no token and no password, and cannot find a code by trying all.

usage: test_dump.py [--people N] [--seed N] [--keep]

People sign up with passwords, ask for codes, mistype them, type them, follow links and sign in, in three dialects, with the log at its most verbose
level. Then pg_dump's output, the log, the pages and all topics but those of requests and replies are searched in the usual encodings. With the dump alone
codes are tried: hashed in many ways, alone and with everything in their rows, and compared with all that is stored; and made of what is in
their rows. Plain and unkeyed hashes are planted: they must be found. Short form: the right codes and 300 others; with ENROLLD_TEST_FULL=1 all 1,000,000.
The password hash is cheap on purpose (8 MiB, one pass): what is tried here is what is left of secrets, not the cost of a hash.
"""
import argparse
import base64
import concurrent.futures
import hashlib
import hmac
import json
import pathlib
import random
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]

from canary import guess  # noqa: E402
from canary.scan import Scanner, summary  # noqa: E402
from harness import services  # noqa: E402
from harness.cases import Cases, Failed, equal, eventually, true  # noqa: E402
from harness.kafka import read_all  # noqa: E402
from harness.talk import Talk  # noqa: E402
from harness.world import World  # noqa: E402
from trial import FULL  # noqa: E402

STORE = "/ecommerce/v1/auth"
DIALECTS = ["native", "phone-customers", "posbytz"]
OUTPUTS = ("results", "accounts", "dead")
CODE = re.compile(r"code is (\d{5,6})\.|(?:code|Code)\D{1,40}(\d{5,6})(?!\d)")
TOKEN = re.compile(r"token=([\w-]+)")
ALONE = re.compile(rb"(?<![0-9A-Za-z.-])([0-9]{5,6})(?![0-9A-Za-z])")
CHUNK = 10_000
TRIED = ("challenge_id", "realm", "nonce", "claim_value")  # what each of a million is mixed with; the right ones with all that their rows hold


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", action="store_true", help="keep the folder with the dump")
    return parser.parse_args()


def encoded(code):
    """Short forms, which stand anywhere by chance but hardly in a given line."""
    for lead in range(3):
        yield base64.b64encode(bytes(lead) + code)[-(-lead * 8 // 6):(lead + len(code)) * 8 // 6]
    yield code.hex().encode()


def some(codes, row, path):
    """In a process of its own."""
    return guess.search(codes, row, guess.Stored(guess.tables(path)))


class Trial:
    def __init__(self, world, arguments, cases):
        self.world, self.people, self.cases = world, arguments.people, cases
        self.random = random.Random(f"dump {arguments.seed}")
        self.worker = world.worker("dump")
        self.talk = Talk(world)
        self.scanner = Scanner(world.folder)
        self.codes = {}      # address: code that it was sent last
        self.secrets = {"password": 0, "link token": 0, "token of a reply": 0, "code": 0}
        self.dump = world.folder / "dump.sql"

    # --- what people do ------------------------------------------------------------------------------------------------------

    def learn(self, kind, secret, parts=True):
        self.secrets[kind] += 1
        self.scanner.add(f"{kind} {self.secrets[kind]}", secret.encode(), parts)

    def password(self, length=27):
        word = f"{self.random.getrandbits(48):012x}-ü/{self.random.getrandbits(48):012x}"[:length]
        self.learn("password", word)
        return word

    def learn_tokens(self, value):
        """Whatever a reply calls one."""
        for name, member in value.items() if isinstance(value, dict) else ():
            if isinstance(member, str) and len(member) >= 20 and re.search("token|access|refresh|session|jwt", name, re.I):
                self.learn("token of a reply", member)
            self.learn_tokens(member)

    def code_sent_to(self, phone, count=1):
        text = self.world.sinks.texts.wait(phone, count=count)[count - 1]["fields"]["text"]
        code = next(group for group in CODE.search(text).groups() if group)
        self.codes[phone] = code
        self.learn("code", code, parts=False)  # in forms that are no shorter than 8 bytes: bare digits are looked for beside their owner
        return code

    def otp(self, path, body, status, method="POST", headers=()):
        exchange = self.talk.post(body, topic="otp", path=path, method=method, headers=headers)
        answer = exchange.reply(status)
        if answer.value:
            self.learn_tokens(json.loads(answer.value))
        return exchange

    def native(self, number):
        phone = f"+4420718{30000 + number}"
        self.otp("/v1/codes", {"purpose": "sign_up", "phone": phone}, 202)
        code = self.code_sent_to(phone)
        tried = {"purpose": "sign_up", "phone": phone}
        self.otp("/v1/codes/check", {**tried, "code": f"{(int(code) + 1) % 10**6:06d}"}, 422)
        if number % 2:  # the others' codes are still good
            self.otp("/v1/codes/check", {**tried, "code": code}, 201)

    def customer(self, number):
        phone = f"+2012345{67000 + number}"
        self.otp("/api/sms/send-auth-otp/", {"phone_number": phone, "otp_type": "customer_auth"}, 200)
        code = self.code_sent_to(phone)
        device = {"registration_id": f"reg-{number}", "device_id": f"dev-{number}"}
        self.otp("/api/customers/authenticate/", {"phone_number": phone, "otp": code, "device": device, "language": "en"}, 201)

    def shopper(self, number):
        address, password = f"dump{number}@{self.world.suffix}.example", self.password()
        visitor = (("authorization", f"Bearer {self.random.getrandbits(128):032x}"),)
        self.learn("token of a reply", visitor[0][1].removeprefix("Bearer "))
        body = {"email": address, "password": password}
        self.talk.post(body, path=f"{STORE}/signup", headers=visitor).reply(201)
        mail = self.world.sinks.mailbox.content(self.world.sinks.mailbox.wait(address)[0])
        token = TOKEN.search(mail.get_body(("plain",)).get_content())[1]
        self.learn("link token", token)
        self.otp(f"/v1/verify?token={token}", None, 200, method="GET")
        self.otp(f"{STORE}/signin", body, 200, headers=visitor)
        self.otp(f"{STORE}/signin", {**body, "password": self.password()}, 401, headers=visitor)

    def case_people_come_and_go(self):
        self.worker.start()
        for number in range(self.people):
            self.native(number)
            if number % 4 == 0:
                self.customer(number)
                self.shopper(number)
            if number % 8 == 0:
                self.talk.post(self.talk.person(password=self.password())).reply(201)
                self.talk.post(self.talk.person(password=self.password(9))).reply(422)
        self.world.gateway.flush()
        eventually(lambda: self.world.sql("select count(*) from enrolld.message where due_at is not null") == [(0,)], "every message is settled", 30, 0.2)
        self.cases.say(", ".join(f"{count} of kind {kind}" for kind, count in self.secrets.items()))
        true(all(self.secrets.values()), "secrets of each kind")

    # --- what is left ----------------------------------------------------------------------------------------------------------

    def challenges(self):
        """(nonce, code) of each number with six digits."""
        rows = self.world.sql("select claim_value, nonce from enrolld.challenge where claim_kind = 'phone' and length = 6")
        return [(bytes(nonce), self.codes[phone]) for phone, nonce in rows]

    def plant(self):
        """What a worse program would have stored."""
        nonce, code = self.challenges()[0]
        planted = {"plain hash, hexadecimal": hashlib.sha256(code.encode()).hexdigest(),
                   "salted hash, base64": base64.b64encode(hashlib.sha256(nonce + code.encode()).digest()).decode(),
                   "hash keyed by the nonce": hmac.digest(nonce, code.encode(), "sha1").hex(),
                   "hash cut to 16 bytes, in JSON": json.dumps({"a": [hashlib.blake2b(code.encode()).hexdigest()[:32]]})}
        self.world.sql("create schema planted")
        self.world.sql("create table planted.hash (way text, value text)")
        for way, value in planted.items():
            self.world.sql("insert into planted.hash values (%s, %s)", way, value)
        return len(planted)

    def write_outputs(self):
        """Files of all that is looked at."""
        program = next(path for path in ("/usr/lib/postgresql/15/bin/pg_dump", "pg_dump") if "/" not in path or pathlib.Path(path).exists())
        with open(self.dump, "wb") as file:
            subprocess.run([program, self.world.dsn], stdin=subprocess.DEVNULL, stdout=file, check=True)
        files = {"dump": self.dump, "log": self.worker.log, "pages": self.world.folder / "pages"}
        files["pages"].write_text("".join(self.worker.get(path)[1] for path in ("/metrics", "/", "/readyz", "/healthz")), encoding="utf-8")
        for name in (*OUTPUTS, "replies", "otp", "signup"):
            files[name] = self.world.folder / f"topic-{name}"
            with open(files[name], "wb") as file:
                for message in read_all(self.world.cluster, self.world.topics[name], "read_uncommitted"):
                    file.write(b"\n".join([message.key or b"", *(b"%s: %s" % (header.encode(), value or b"") for header, value in message.headers),
                                           message.value or b"", b""]))
        return files

    def beside_owners(self, path):
        """Codes as digits that stand alone, in a line (of a dump: a row) that names whom they were sent to or their challenge."""
        ids = dict(self.world.sql("select claim_value, challenge_id::text from enrolld.challenge where claim_kind = 'phone'"))
        found = []
        for line in path.read_bytes().split(b"\n"):
            for phone, code in self.codes.items():
                if (phone.encode() in line or ids[phone].encode() in line) and (code.encode() in ALONE.findall(line) or any(
                        piece in line for piece in encoded(code.encode()))):
                    found.append(line[:200])
        return found

    def case_nothing_is_in_dump_log_pages_and_topics(self):
        self.planted = self.plant()
        true('"level":"debug"' in self.worker.text(), "the log is at its most verbose level")
        files = self.write_outputs()
        for name in ("dump", "log", "pages", *OUTPUTS):
            hits, near = self.scanner.look([files[name]]), self.beside_owners(files[name])
            self.cases.say(f"{name}: {files[name].stat().st_size} bytes, {len(hits)} hits, {len(near)} codes")
            if hits or near:
                raise Failed(f"{name}: {summary(hits)}\n  " + "\n  ".join(map(repr, near[:5])))
        for name in OUTPUTS[:2]:
            true(files[name].stat().st_size > 1000, f"{name} has records")

    def case_the_named_exceptions_do_hold_them(self):
        """Else nothing was looked for in the right way."""
        seen = {hit.secret for name in ("otp", "signup") for hit in self.scanner.look([self.world.folder / f"topic-{name}"])}
        equal({f"password {n}" for n in range(1, self.secrets["password"] + 1)} - seen, set(), "passwords that the request topics do not hold")
        true(any(name.startswith("link token") for name in seen), "link tokens in the request topics")
        true(len(self.beside_owners(self.world.folder / "topic-otp")) >= self.people // 2, "codes in the request topics")
        seen = {hit.secret for hit in self.scanner.look([self.world.folder / "topic-replies"])}
        true(any(name.startswith("token of a reply") for name in seen), "tokens in the replies")
        equal([name for name in seen if not name.startswith(("token of a reply", "link token"))], [], "other secrets in the replies")  # a store's has its link's

    # --- trying all of them ------------------------------------------------------------------------------------------------------

    def case_no_code_is_found_by_trying_all(self):
        dumped = guess.tables(self.dump)
        by_phone = {row["claim_value"]: row for row in dumped["enrolld.challenge"] if row.get("claim_kind") == "phone" and row["length"] == "6"}
        stored = guess.Stored(dumped, ("planted.hash",))
        true(len(stored.heads) > 10 * len(by_phone), "values that could be digests")
        for phone, row in by_phone.items():
            equal(guess.search([self.codes[phone]], row, stored), [], f"ways to recognise the code of {phone}")
        equal(guess.derivable([(row, self.codes[phone]) for phone, row in list(by_phone.items())[:6]]), [], "ways to make the codes of what is stored")
        nonce, code = self.challenges()[0]  # that of which hashes are planted: these are found, or nothing could be
        every = [f"{number:06d}" for number in range(10**6)] if FULL else [code, *(f"{self.random.randrange(10**6):06d}" for _ in range(300))]
        phone, row = next((phone, row) for phone, row in by_phone.items() if row["nonce"] == f"\\x{nonce.hex()}")
        row = {column: row[column] for column in TRIED}
        chunks = [every[at:at + CHUNK] for at in range(0, len(every), CHUNK)]
        with concurrent.futures.ProcessPoolExecutor(2) as pool:
            found = [hit for hits in pool.map(some, chunks, [row] * len(chunks), [self.dump] * len(chunks)) for hit in hits]
        equal([hit for hit in found if hit[2] != "planted.hash.value"], [], f"codes that look like that of {phone}")
        equal({hit[0] for hit in found}, {code}, "codes of which a hash was planted")
        self.cases.say(f"{len(every)} codes, each in {sum(1 for _ in guess.digests('123456', guess.salts(row)))} ways, against {len(stored.heads)} values")

    def case_what_is_planted_is_found(self):
        dumped = guess.tables(self.dump)
        nonce, code = self.challenges()[0]
        row = next(row for row in dumped["enrolld.challenge"] if row["nonce"] == f"\\x{nonce.hex()}")
        others = [f"{self.random.randrange(10**6):06d}" for _ in range(50)]
        found = guess.search([*others, code], row, guess.Stored(dumped))
        equal({(hit[0], hit[2]) for hit in found}, {(code, "planted.hash.value")}, "codes that are found, and where")
        equal(len({hit[1].split("(")[0].split(" ")[0] for hit in found}), 3, f"ways of hashing that are found ({found})")
        equal(len(found) >= self.planted, True, f"all {self.planted} that were planted ({found})")
        made = [({"nonce": f"\\x{nonce.hex()}", "realm": "default"}, f"{int.from_bytes(hashlib.sha256(nonce).digest()[:8], 'big') % 10**6:06d}")
                for nonce, _ in self.challenges()[:3]]
        true(guess.derivable(made), "codes that are made of their nonces without a key")
        place, phone = self.world.folder / "planted", next(phone for phone, sent in self.codes.items() if sent == code).encode()
        for number, written in enumerate((code.encode(), base64.b64encode(code.encode() + b"c"), base64.b64encode(b"ab" + code.encode()),
                                          code.encode().hex().encode(), json.dumps({"code": code}).encode())):
            place.write_bytes(b"x\n" + phone + b"\t" + written + b"\ty\n")
            equal(len(self.beside_owners(place)), 1, f"a code that was written in way {number}")

    def case_the_worker_stops_cleanly(self):
        equal(self.worker.stop(), 0, "exit status")


def main():
    arguments = options()
    cases = Cases()
    try:
        settings = {"log": {"level": "debug"}, "topics": {"signup": {"dialects": ["native", "posbytz"]}, "otp": {"dialects": DIALECTS}}}
        with World("dump", settings=settings) as world:
            cases.say(f"{arguments.people} people, seed {arguments.seed}; {world.binary}")
            trial = Trial(world, arguments, cases)
            steps = (trial.case_people_come_and_go, trial.case_nothing_is_in_dump_log_pages_and_topics, trial.case_the_named_exceptions_do_hold_them,
                     trial.case_no_code_is_found_by_trying_all, trial.case_what_is_planted_is_found, trial.case_the_worker_stops_cleanly)
            for number, step in enumerate(steps):
                if not cases.run(step) and number == 0:
                    break
            trial.talk.close()
            world.keep = arguments.keep or cases.failed > 0
            if world.keep:
                cases.say(f"logs and dump are in {world.folder}")
    except services.Missing as error:
        print(error)
        cases.failed += 1
    return cases.end()


if __name__ == "__main__":
    sys.exit(main())
