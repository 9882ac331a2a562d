#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""New passwords by code and by the old one, and hashes that are renewed: from a real Kafka through the hash pool and PostgreSQL to the mailbox.

usage: test_passwords.py [--keep] [CASE...]   CASE is part of a case's name
"""
import base64
import hashlib
import json
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))

from harness import program  # noqa: E402
from harness.cases import equal, eventually, true  # noqa: E402
from harness.talk import Talk  # noqa: E402

OLD = "violet tractor sings staple"
NEW = "amber fox under the bridge"
STORE = "/ecommerce/v1/auth"
TEXT = re.compile(r"your code is (\d{6})\.")
MAIL = re.compile(r"(?<!\d)\d{6}(?!\d)")


class Context:
    def __init__(self, world):
        self.world = world
        self.worker = world.worker("worker-1")
        self.talk = Talk(world)
        self.rows = world.sql
        self.numbers = 0

    def number(self):
        """A telephone number of nobody else."""
        self.numbers += 1
        return f"+4420718{38000 + self.numbers}"

    def mail(self, address, count=1):
        return self.world.sinks.mailbox.content(self.world.sinks.mailbox.wait(address, count=count)[count - 1])

    def codes(self, phone, count=1):
        found = self.world.sinks.texts.wait(phone, count=count)
        return [TEXT.search(json.dumps(row["fields"])).group(1) for row in found]

    def customer(self, verified=True, **more):
        """An account, its address verified by the code of its mail; (address, account id)."""
        address = self.talk.address()
        up = self.talk.post({"email": address, "password": OLD, **more})
        up.reply(201)
        if verified:
            code = MAIL.search(self.mail(address).get_body(("plain",)).get_content()).group(0)
            self.talk.post({"purpose": "verify_email", "email": address, "code": code}, topic="otp", path="/v1/codes/check").reply(200)
        return address, up.account()

    def set(self, password=NEW, **how):
        return self.talk.post({"password": password, **how}, path="/v1/password")

    def ask(self, **address):
        return self.talk.post({"purpose": "reset", **address}, topic="otp", path="/v1/codes")

    def enter(self, address, password):
        """Signs in, in the words of a PosBytz store."""
        return self.talk.post({"email": address, "password": password}, topic="otp", path=f"{STORE}/signin", headers=(("authorization", "Bearer visitor"),))

    def session(self, address, password):
        """The refresh token of a session that begins."""
        return self.talk.post({"email": address, "password": password}, topic="otp", path="/v1/sessions").body(200)["refresh_token"]

    def refresh(self, token):
        return self.talk.post({"refresh_token": token}, topic="otp", path="/v1/sessions/refresh")

    def hash(self, account):
        return self.rows("select password_hash, password_serial from enrolld.account where account_id = %s::uuid", account)[0]

    def hashes(self):
        return self.worker.metrics().sum("hash_seconds_count")


def other(code):
    return f"{(int(code) + 1) % 1000000:06d}"


def case_by_the_old_one(c):
    address, account = c.customer()
    before = c.hash(account)
    wrong = c.set(email=address, old_password=NEW)
    equal(wrong.body(401)["reason"], "password_wrong", "a wrong one")
    equal(c.hash(account), before, "hash after a wrong one")
    stranger = c.set(email=c.talk.address(), old_password=OLD)
    equal({**stranger.body(401), "request_id": 0}, {**wrong.body(401), "request_id": 0}, "an unknown identity is answered alike")
    sessions = [c.session(address, OLD), c.session(address, OLD)]
    done = c.set(email=address, old_password=OLD)
    equal(done.body(200)["account_id"], account, "the account")
    equal([c.refresh(token).body(401)["reason"] for token in sessions], ["token_revoked"] * 2, "sessions of the old one")
    c.refresh(c.session(address, NEW)).reply(200)
    after = c.hash(account)
    equal((after[1], after[0].startswith("$argon2id$"), after[0] != before[0]), (before[1] + 1, True, True), "hash and serial")
    equal(c.set(email=address, old_password=OLD, password="yet another long password").body(401)["reason"], "password_wrong", "the old one, now")
    equal((c.enter(address, OLD).reply(401), c.enter(address, NEW).reply(200))[1].header("content-type"), "application/json", "sign-in")
    events = eventually(lambda: len(c.talk.events(account)) == 3 and c.talk.events(account), "three events")
    equal((events[2].header("ce_type"), sorted(events[2].json())), ("enrolld.account.password_changed.v1", ["account_id", "at", "realm", "request_id"]), "event")
    told = c.mail(address, 2)
    equal(told["subject"], "Your password was changed", "subject of the mail")
    true(not MAIL.search(told.get_body(("plain",)).get_content()), "the mail has no code")


def case_by_code(c):
    address, account = c.customer(locale="es")
    c.ask(email=address).reply(202)
    code = MAIL.search(c.mail(address, 2).get_body(("plain",)).get_content()).group(0)
    before, hashes = c.hash(account), c.hashes()
    equal(c.set(email=address, code=other(code)).body(422)["tries_left"], 4, "tries left")
    equal(c.hashes(), hashes, "hashes for a wrong code")
    weak = c.set("password", email=address, code=code).body(422)
    equal([v["field"] for v in weak["violations"]][0], "/password", "the rules of a sign-up hold")
    checked = c.talk.post({"purpose": "verify_email", "email": address, "code": code}, topic="otp", path="/v1/codes/check")
    true(checked.body()["reason"] in ("code_unknown", "code_used", "code_wrong"), "it is no code of another purpose")
    done = c.set(email=address, code=code)
    equal(done.body(200)["account_id"], account, "the account")
    equal((c.hash(account)[1], c.hash(account)[0] != before[0]), (before[1] + 1, True), "serial and hash")
    equal(c.set(email=address, code=code, password=OLD).body(409)["reason"], "code_used", "the second time")
    c.enter(address, OLD).reply(401)
    c.enter(address, NEW).reply(200)
    equal(c.mail(address, 3)["subject"], "Tu contraseña ha cambiado", "subject of the mail, in the owner's language")
    equal(c.rows("select attempts, consumed_at is not null from enrolld.challenge where purpose = 'reset' and claim_value = %s", address), [(2, True)], "tries, used")


def case_a_code_proves_the_address_too(c):
    """Of an account that is pending; whoever set its password before is out."""
    phone = c.number()
    up = c.talk.post({"phone": phone, "password": OLD})
    up.reply(201)
    c.codes(phone)
    challenge = c.ask(phone=phone).body(202)["challenge_id"]
    done = c.set(challenge_id=challenge, code=c.codes(phone, 2)[1])
    equal(done.body(200)["account_id"], up.account(), "the account")
    equal(c.rows("select a.state, k.verified_at is not null from enrolld.account a join enrolld.claim k using (account_id) where k.value = %s", phone), [("active", True)], "account")
    equal(c.set(phone=phone, old_password=OLD, password="yet another long password").body(401)["reason"], "password_wrong", "the old one")
    events = eventually(lambda: len(c.talk.events(up.account())) == 3 and c.talk.events(up.account()), "three events")
    equal([e.header("ce_type").split(".")[2] for e in events], ["registered", "verified", "password_changed"], "events")


def case_who_is_out_has_no_second_way_in(c):
    """Somebody signs up with another's address and with one of his own. Once the other has come in, the own one is no more of the account."""
    held = "select kind from enrolld.claim where account_id = %s::uuid order by kind"
    for way in ("sign_in", "reset"):
        phone, address = c.number(), c.talk.address()
        account = c.talk.post({"email": address, "phone": phone, "username": f"ousted.{way}", "password": OLD}).account()
        code = c.codes(phone)[0]
        c.talk.post({"purpose": way, "email": address}, topic="otp", path="/v1/codes").reply(202)
        proof = {"email": address, "code": MAIL.search(c.mail(address, 2).get_body(("plain",)).get_content()).group(0)}
        if way == "reset":
            c.set(**proof).reply(200)
        else:
            c.talk.post({"purpose": way, **proof}, topic="otp", path="/v1/codes/check").reply(200)
        equal(c.rows(held, account), [("email",), ("username",)], f"{way}: what the account holds")
        late = c.talk.post({"purpose": "verify_phone", "phone": phone, "code": code}, topic="otp", path="/v1/codes/check")
        equal(late.body(409)["reason"], "code_superseded", f"{way}: the code of the sign-up")
        again = c.talk.post({"purpose": "sign_in", "phone": phone}, topic="otp", path="/v1/codes").body(202)
        equal(c.rows("select count(*) from enrolld.message where challenge_id = %s::uuid", again["challenge_id"]), [(0,)], f"{way}: texts to the other number")
        c.set("yet another long password", username=f"ousted.{way}", old_password=OLD).reply(401)
        equal(c.hash(account)[1], 1, f"{way}: serial")

    def store(visitor, path, body):
        return c.talk.post(body, topic="otp", path=f"{STORE}/{path}", headers=(("authorization", f"Bearer {visitor}"),))

    address, mobile = c.talk.address(), {"code": "+91", "number": "9962793001"}
    up = c.talk.post({"email": address, "mobile": mobile, "password": OLD}, path=f"{STORE}/signup", headers=(("authorization", "Bearer first"),))
    up.reply(201)
    link = up.body(201)["data"]
    code = MAIL.search(c.mail(address).get_body(("plain",)).get_content()).group(0)
    c.codes("+919962793001")
    c.rows("update enrolld.challenge set sent_at = sent_at - interval '2 minutes' where claim_value = '+919962793001'")
    store("second", "otp", {"mobile": mobile}).reply(200)
    store("second", "otp/verify", {"otp": int(c.codes("+919962793001", 2)[1]), "source": "mobile"}).reply(200)
    equal(c.rows("select count(*) from enrolld.claim where value = %s", address), [(0,)], "the other address")
    store("first", "otp/verify", {"otp": int(code), "source": "email"}).reply(401)
    c.talk.post(None, topic="otp", path=f"{STORE}/email/verify?userId={link['_id']}&token={link['email']['token']}", method="GET", headers=(("authorization", "Bearer first"),)).reply(401)


def case_nobody_gets_in_by_a_claim(c):
    """An address that an active account only says it has lets nobody set its password; nor does one of nobody."""
    phone, address = c.number(), None
    address, account = c.customer(phone=phone)
    c.codes(phone)
    before = c.hash(account)
    c.ask(phone=phone).reply(202)
    equal(c.set(phone=phone, code=c.codes(phone, 2)[1]).body(404)["reason"], "identity_unknown", "an address that was never proved")
    equal(c.hash(account), before, "hash")
    pending, _ = c.customer(verified=False)
    equal(c.set(email=pending, old_password=OLD).body(403)["reason"], "account_pending", "the password of an account that is pending")
    nobody = c.talk.address()
    challenge = c.ask(email=nobody).body(202)["challenge_id"]
    true(c.set(challenge_id=challenge, code="123456").body()["reason"] in ("code_wrong", "identity_unknown"), "a code that nobody was sent")
    for body in ({"email": nobody}, {"username": "somebody", "code": "123456"}, {"challenge_id": challenge, "old_password": OLD}, {"email": nobody, "code": "1", "old_password": OLD}):
        equal(c.set(**body).body(422)["reason"], "invalid", f"{sorted(body)}")


def case_failures_count_as_those_of_a_sign_in(c):
    address, _ = c.customer()
    counted = "select value, failures from enrolld.address where kind = 'password:email' and failures > 0"
    others = {row[0] for row in c.rows(counted)}
    c.set(email=address, old_password=NEW).reply(401)
    c.enter(address, NEW).reply(401)
    ((subject, failures),) = [row for row in c.rows(counted) if row[0] not in others]
    equal(failures, 2, "failures")
    c.rows("update enrolld.address set failures = 10 where value = %s", subject)
    c.set(email=address, old_password=NEW).reply(401)
    hashes = c.hashes()
    locked = c.set(email=address, old_password=OLD)
    equal((locked.body(429)["reason"], c.hashes() - hashes), ("password_locked", 0), "while it waits")
    c.ask(email=address).reply(202)
    code = MAIL.search(c.mail(address, 2).get_body(("plain",)).get_content()).group(0)
    c.set(email=address, code=code).reply(200)
    equal(c.rows("select failures, locked_until from enrolld.address where value = %s", subject), [(0, None)], "failures, once a code has shown who asks")
    c.enter(address, NEW).reply(200)


def case_at_once(c):
    """One code and two passwords for one account at the same moment, named in three ways: each is true of what was there before it."""
    phone = c.number()
    address, account = c.customer(phone=phone, username=f"user.{c.numbers}")
    c.rows("update enrolld.claim set verified_at = now() where account_id = %s::uuid", account)
    c.codes(phone)
    c.ask(phone=phone).reply(202)
    code = c.codes(phone, 2)[1]
    before = c.hash(account)[1]
    asked = [c.set("first amber fox in the rain", email=address, old_password=OLD), c.set("second amber fox in the sun", username=f"user.{c.numbers}", old_password=OLD),
             c.set("third amber fox in the snow", phone=phone, code=code), c.set("fourth amber fox in the fog", phone=phone, code=code)]
    c.world.gateway.flush()
    done = [x for x in asked if x.result().json()["outcome"] == "accepted"]
    equal(len([x for x in done if x in asked[2:]]), 1, "the code is good for one")
    true(len([x for x in done if x in asked[:2]]) <= 1, "of two that know the old one the first makes it a wrong one for the other")
    equal(c.hash(account)[1] - before, len(done), "new passwords")
    reasons = sorted(x.result().json()["reason"] for x in asked if x not in done)
    true(set(reasons) <= {"password_wrong", "code_used"}, f"reasons {reasons}")


def pbkdf2(password, rounds=120000):
    digest = hashlib.pbkdf2_hmac("sha256", password.encode(), b"saltsaltsalt", rounds)
    return f"pbkdf2_sha256${rounds}$saltsaltsalt${base64.b64encode(digest).decode()}"


def case_foreign_hashes_sign_in_and_are_renewed(c):
    """A hash that came with the sign-up fits at the first sign-in, which makes it one of today's; the password stays."""
    address = c.talk.address()
    up = c.talk.post({"email": address, "password_hash": pbkdf2(OLD)})
    up.reply(201)
    account = up.account()
    c.rows("update enrolld.account set state = 'active' where account_id = %s::uuid", account)
    before, renewed = c.hash(account), c.worker.metrics().sum("hashes_renewed_total")
    c.enter(address, NEW).reply(401)
    equal(c.hash(account), before, "after a wrong one")
    hashes = c.hashes()
    c.enter(address, OLD).reply(200)
    after = c.hash(account)
    equal((after[0].split("$")[1], after[1]), ("argon2id", before[1]), "scheme and serial")
    equal(c.hashes() - hashes, 2, "hashes of that sign-in")
    c.refresh(c.session(address, OLD)).reply(200)
    hashes = c.hashes()
    c.enter(address, OLD).reply(200)
    equal((c.hash(account), c.hashes() - hashes), (after, 1), "the next time")
    equal(c.worker.metrics().sum("hashes_renewed_total") - renewed, 1, "renewals counted")
    c.set(email=address, old_password=OLD, password=NEW).reply(200)
    equal(c.hash(account)[1], before[1] + 1, "serial of a new one")


def case_a_renewal_gives_way_to_a_new_password(c):
    """The hash that was compared is gone by the time the renewal is written."""
    address, account = c.customer()
    c.rows("update enrolld.account set password_hash = %s where account_id = %s::uuid", pbkdf2(OLD, 1500000), account)
    entered = c.enter(address, OLD)
    changed = c.set(email=address, old_password=OLD)
    outcomes = entered.result().json()["outcome"], changed.result().json()["outcome"]
    equal(outcomes[1], "accepted", "the new password")
    hash_of = c.hash(account)
    equal(hash_of[1], 1, "serial")
    c.enter(address, NEW).reply(200)
    equal(c.hash(account), hash_of, "the hash of the new one stays")


def case_a_taken_address_shows_in_no_answer(c):
    address, account = c.customer()
    hashes = c.hashes()
    again = [c.talk.post({"email": address, "password": NEW}) for _ in range(3)]
    fresh = c.talk.post({"email": c.talk.address(), "password": NEW})
    bodies = [x.body(201) for x in (*again, fresh)]
    for body in bodies[:3]:
        equal((sorted(body), body["state"]), (sorted(bodies[3]), bodies[3]["state"]), "the shape of the answer")
        equal(c.rows("select count(*) from enrolld.account where account_id = %s::uuid", body["account_id"]), [(0,)], "accounts of that id")
    equal(c.hashes() - hashes, 4, "hashes")
    again[0].result("refused", "identity_taken")
    true("account_id" not in again[0].result().json(), "the result names nobody")
    equal(c.mail(address, 2)["subject"], "You already have an account", "subject of the mail to its owner")
    equal(c.rows("select count(*) from enrolld.message where template = 'account_exists_email'"), [(1,)], "such mails")
    c.enter(address, OLD).reply(200)
    equal(c.hash(account)[1], 0, "serial of the password")
    c.talk.post({"email": c.talk.address(), "username": "veiled.name", "password": OLD}).reply(201)
    named = [c.talk.post({"email": mail, "username": "veiled.name", "password": NEW}).body(409) for mail in (address, c.talk.address())]
    equal([v["field"] for v in named[0]["violations"]], ["/username"], "a user name is told of, since nobody is mailed")
    equal(*[{**body, "request_id": 0} for body in named], "whether the address beside it is taken or free")


def case_nothing_is_kept(c):
    """Neither the database nor the log has a password or a code."""
    for table in [row[0] for row in c.rows("select tablename from pg_tables where schemaname = 'enrolld'")]:
        for secret in (OLD, NEW, "amber fox"):
            equal(c.rows(f'select count(*) from enrolld."{table}" t where t::text like %s', f"%{secret}%"), [(0,)], f"rows of {table}")
    log = c.worker.text(since_start=False)
    true(OLD not in log and "amber fox" not in log, "the log has none")


def case_a_veiled_sign_up_tells_nothing_through_its_code(c):
    """Whoever signs up with an address that somebody has is answered at the code as anybody, to the last try; the owner notices nothing."""
    owner, _ = c.customer()
    pending = c.talk.address()
    c.talk.post({"email": pending, "password": OLD}).reply(201)
    code = MAIL.search(c.mail(pending).get_body(("plain",)).get_content()).group(0)

    def answers(address, **more):
        up = c.talk.post({"email": address, "password": NEW})
        shown = up.body(201)
        true(shown["challenge_expires_at"], "expiry of the code")
        guess = {"code": other(code) if address == pending else "000000", **({"challenge_id": shown["challenge_id"]} if more.get("by_id") else {}),
                 **({"purpose": "verify_email", "email": address} if more.get("by_address") else {})}
        found = []
        for _ in range(7):
            found.append(c.talk.post(guess, topic="otp", path="/v1/codes/check"))
            found[-1].reply()
        return [x.reply().header(":status") for x in found], [{**x.body(), "request_id": 0} for x in found], sorted(shown), up.result().json()["reason"] if address in (owner, pending) else None
    for how in ({"by_id": True}, {"by_address": True}, {"by_id": True, "by_address": True}):
        fresh = answers(c.talk.address(), **how)
        equal(fresh[1][0]["reason"], "code_wrong", "a wrong try of a code that was sent")
        equal([body.get("tries_left") for body in fresh[1][:5]], [4, 3, 2, 1, 0], "tries left")
        veiled = answers(owner, **how)
        equal(veiled[:3], fresh[:3], f"answers {how}")
        equal(veiled[3], "identity_taken", "what the result says")
    by_id = answers(pending, by_id=True)
    equal(by_id[:3], fresh[:3], "answers of who is pending")
    equal(c.talk.post({"purpose": "verify_email", "email": pending, "code": code}, topic="otp", path="/v1/codes/check").body(200)["verified"]["value"], pending,
          "the owner's code is as good as before")
    equal(c.rows("select count(*) from enrolld.address where value in (%s, %s) and failures > 0", owner, pending), [(0,)], "failures of the owners")
    equal(c.rows("select count(*) from enrolld.message m join enrolld.challenge h using (challenge_id) where h.decoy"), [(0,)], "messages of decoys")
    equal(c.rows("select count(*) from enrolld.challenge where decoy and token_digest is not null"), [(0,)], "links of decoys")


def started(world):
    context = Context(world)
    context.worker.start()
    return context


def main():
    settings = {"dialects": {"native": {"values": {"taken": "silent"}}}, "topics": {"signup": {"dialects": ["native", "posbytz"]}, "otp": {"dialects": ["native", "posbytz"]}}}
    return program.run(globals(), "passwords", started, settings=settings)


if __name__ == "__main__":
    sys.exit(main())
