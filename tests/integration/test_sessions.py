#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Sessions through a real Kafka and PostgreSQL: begun, gone on with, used twice, raced for, redelivered, ended.

usage: test_sessions.py [--keep] [CASE...]   CASE is part of a case's name
"""
import base64
import ctypes
import ctypes.util
import json
import pathlib
import re
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))

from harness import program  # noqa: E402
from harness.cases import equal, eventually, true  # noqa: E402
from harness.talk import Talk  # noqa: E402

PASSWORD = "violet tractor sings staple"


def unpacked(part):
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def parts(token):
    """Header and claims of a signed token."""
    header, payload, _ = token.split(".")
    return json.loads(unpacked(header)), json.loads(unpacked(payload))


def verifies(public, signature, message):
    """Ed25519, as anybody with the public key asks it."""
    sodium = ctypes.CDLL(ctypes.util.find_library("sodium"))
    return len(signature) == 64 and sodium.crypto_sign_verify_detached(signature, message, ctypes.c_ulonglong(len(message)), public) == 0


class Context:
    def __init__(self, world):
        self.world = world
        self.worker, self.second = world.worker("worker-1"), world.worker("worker-2")
        self.talk = Talk(world)
        self.rows = world.sql
        self.numbers = 0

    def person(self):
        """An account whose address is verified, by its identity and password."""
        address = self.talk.address()
        up = self.talk.post(self.talk.person(email=address, password=PASSWORD))
        up.reply(201)
        mail = self.world.sinks.mailbox.content(self.world.sinks.mailbox.wait(address)[0])
        token = re.search(r"token=([\w-]+)", mail.get_body(("plain",)).get_content()).group(1)
        self.talk.post(None, topic="otp", path=f"/v1/verify?token={token}", method="GET").reply(200)
        return address, up.account()

    def enter(self, address, device=None, password=PASSWORD, **how):
        body = {"email": address, "password": password}
        if device:
            body["device"] = {"registration_id": device}
        return self.talk.post(body, topic="otp", path="/v1/sessions", **how)

    def refresh(self, token, **how):
        return self.talk.post({"refresh_token": token}, topic="otp", path="/v1/sessions/refresh", **how)

    def leave(self, token, scope=None):
        body = {"refresh_token": token, **({"scope": scope} if scope else {})}
        return self.talk.post(body, topic="otp", path="/v1/sessions", method="DELETE")

    def sessions(self, account):
        """(serial, why it ended) of each, oldest first."""
        return self.rows("select serial, revoked_reason from enrolld.session where account_id = %s order by created_at", account)

    def customer(self, device, number=None):
        """Signed in with a code: the answer, the account's id and its number."""
        self.numbers += not number
        phone = number or f"+2012345678{self.numbers:02d}"
        count = len(self.world.sinks.texts.to(phone)) if number else 0
        self.talk.post({"phone_number": phone, "otp_type": "customer_auth"}, topic="otp", path="/api/sms/send-auth-otp/").reply(200)
        code = re.search(r"\b(\d{5})\b", json.dumps(self.world.sinks.texts.wait(phone, count=count + 1)[-1]["fields"])).group(1)
        entered = self.talk.post({"phone_number": phone, "otp": code, "language": "en",
                                  "device": {"registration_id": device, "device_id": f"id of {device}"}},
                                 topic="otp", path="/api/customers/authenticate/")
        return json.loads(entered.reply().value), entered.account(), phone

    def devices(self, account):
        return self.rows("select registration, active from enrolld.device where account_id = %s order by registration", account)

    def settle(self):
        self.world.gateway.flush()
        eventually(lambda: self.world.lag("otp") == 0, "everything has passed", 60, 0.2)


def case_begun_and_gone_on_with(c):
    address, account = c.person()
    entered = c.enter(address, "reg-1").body(200)
    equal(sorted(entered), ["access_token", "account_id", "refresh_token", "request_id"], "answer")
    equal(entered["account_id"], account, "account")
    tokens = [entered["refresh_token"]]
    for _ in range(3):
        tokens.append(c.refresh(tokens[-1]).body(200)["refresh_token"])
    equal(len(set(tokens)), 4, "each is another")
    equal(len({token[:24] for token in tokens}), 1, "all name one session")
    equal(c.sessions(account), [(3, None)], "uses, end")
    rows = c.rows("select d.registration, extract(epoch from s.expires_at - s.refreshed_at)::int from enrolld.session s "
                  "join enrolld.device d using (device_id) where s.account_id = %s", account)
    equal(rows[0][0], "reg-1", "its device")
    true(abs(rows[0][1] - 30 * 86400) < 2, f"good for {rows[0][1]} seconds after a use")
    c.rows("update enrolld.session set created_at = created_at - interval '85 days' where account_id = %s", account)
    c.refresh(tokens[-1]).reply(200)
    left, = c.rows("select extract(epoch from expires_at - now())::int from enrolld.session where account_id = %s", account)[0]
    true(5 * 86400 - 60 < left < 5 * 86400 + 60, f"the whole is good for ninety days, and {left} seconds are left")
    c.rows("update enrolld.session set expires_at = now() where account_id = %s", account)
    equal(c.refresh(tokens[-1]).body(401)["reason"], "token_expired", "one that has expired")


def case_a_used_one_ends_the_session(c):
    address, account = c.person()
    first = c.enter(address).body(200)["refresh_token"]
    second = c.refresh(first).body(200)["refresh_token"]
    stolen = c.refresh(first)
    equal(stolen.body(401)["reason"], "token_used", "the one before")
    equal(stolen.reply().header("www-authenticate"), 'Bearer error="invalid_token"', "header")
    equal(c.refresh(second).body(401)["reason"], "token_revoked", "the one after it, from whoever has it")
    equal(c.sessions(account), [(1, "reuse")], "uses, end")
    true(c.worker.metrics().sum("sessions_total", event="reused") + c.second.metrics().sum("sessions_total", event="reused") >= 1, "is counted")
    other = c.enter(address).body(200)["refresh_token"]
    c.refresh(other).reply(200)
    equal(c.refresh("x" * 64).body(401)["reason"], "token_invalid", "one of nobody's")
    guess = other[:24] + "A" * 40
    equal(c.refresh(guess).body(401)["reason"], "token_invalid", "the name of a session and a guess")
    equal(c.leave(guess, scope="all").body(401)["reason"], "token_invalid", "signed out with that")
    equal(c.sessions(account)[-1], (1, None), "which ends nothing")


def case_two_at_once_have_one_winner(c):
    """In both processes: the two partitions of the topic are one's each."""
    address, account = c.person()
    eventually(lambda: all(w.metrics().sum("partitions", lane="otp", state="running") == 1 for w in (c.worker, c.second)), "a partition for each", 30, 0.2)
    for n in range(1, 9):
        token = c.enter(address).body(200)["refresh_token"]
        gate = threading.Barrier(2)
        raced = [None, None]

        def race(which):
            gate.wait()
            raced[which] = c.refresh(token, partition=which)
        threads = [threading.Thread(target=race, args=(which,)) for which in (0, 1)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        c.world.gateway.flush()
        outcomes = sorted(x.result().json().get("reason", "accepted") for x in raced)
        equal(outcomes, ["accepted", "token_used"], f"outcomes of race {n}")
        equal(c.sessions(account)[-1], (1, "reuse"), "the session was used once, and has ended")


def case_signed_out(c):
    address, account = c.person()
    one, two, three = (c.enter(address, device).body(200)["refresh_token"] for device in ("here", "there", None))
    equal(c.leave(one).reply(204).value in (None, b""), True, "no body")
    equal(c.refresh(one).body(401)["reason"], "token_revoked", "the session that was left")
    equal(c.devices(account), [("here", True), ("there", True)], "devices")
    c.leave(one).reply(204)
    more = c.enter(address, "there").body(200)["refresh_token"]
    c.leave(two, "device").reply(204)
    equal([why for _, why in c.sessions(account)], ["sign_out", "sign_out", None, "sign_out"], "both of that device")
    equal(c.devices(account), [("here", True), ("there", False)], "devices")
    three = c.refresh(three).body(200)["refresh_token"]
    c.leave(three, "all").reply(204)
    equal([why for _, why in c.sessions(account)], ["sign_out"] * 4, "ends")
    equal(c.devices(account), [("here", False), ("there", False)], "devices")
    for token in (more, three):
        equal(c.refresh(token).body(401)["reason"], "token_revoked", "ended")
    equal(c.leave("nothing of ours").body(401)["reason"], "token_invalid", "a token of nobody's")
    c.enter(address, "here").reply(200)
    equal(c.devices(account), [("here", True), ("there", False)], "devices")


def case_access_tokens_can_be_checked_by_anybody(c):
    address, account = c.person()
    token = c.enter(address).body(200)["access_token"]
    keys = {key["kid"]: key for key in json.loads(c.world.command("keys", "jwks")[1])["keys"]}
    header, claims = parts(token)
    equal((header["alg"], header["typ"]), ("EdDSA", "at+jwt"), "header")
    signed, _, signature = token.rpartition(".")
    public = unpacked(keys[header["kid"]]["x"])
    true(verifies(public, unpacked(signature), signed.encode()), "the published key fits the signature")
    true(not verifies(public, unpacked(signature), f"{signed}x".encode()), "and no other text's")
    equal((claims["iss"], claims["sub"], claims["realm"]), ("enrolld", account, "default"), "claims")
    equal(claims["exp"] - claims["iat"], 900, "its life")
    true(abs(claims["iat"] - time.time()) < 60, "made just now")


def case_customers_with_devices(c):
    """In the words of a frontend whose used tokens are on a blacklist."""
    blacklisted = {"type": "client_error", "errors": [{"code": "token_not_valid", "detail": "Token is blacklisted", "attr": None}]}
    entered, account, phone = c.customer("phone-a")
    again, _, _ = c.customer("phone-b", phone)
    number = c.rows("select number from enrolld.account where account_id = %s", account)[0][0]
    header, claims = parts(entered["refresh"])
    equal(header, {"alg": "HS256", "typ": "JWT"}, "header")
    equal(list(claims), ["token_type", "exp", "iat", "jti", "user_id"], "claims")
    equal((claims["user_id"], claims["exp"] - claims["iat"]), (number, 86400), "user and life")

    def refresh(token):
        return c.talk.post({"refresh": token}, topic="otp", path="/api/refresh-token/")
    new = refresh(entered["refresh"]).body(200)
    equal(sorted(new), ["access", "refresh"], "answer")
    equal(parts(new["access"])[1]["user_id"], number, "user of the new one")
    used = refresh(entered["refresh"])
    equal(used.body(401), blacklisted, "the one before")
    equal(used.reply().header("www-authenticate"), 'Bearer realm="api"', "header")
    new = refresh(new["refresh"]).body(200)
    equal(refresh(new["access"]).body(401)["errors"][0]["detail"], "Token is invalid", "an access token is none of these")
    head, body, tail = new["refresh"].split(".")
    equal(refresh(f"{head}.{body}.{tail[:-2]}AA").body(401)["errors"][0]["code"], "token_not_valid", "another signature")
    nothing = c.talk.post({}, topic="otp", path="/api/refresh-token/")
    equal(nothing.body(400)["errors"], [{"code": "required", "detail": "This field is required.", "attr": "refresh"}], "missing")

    def logout(body):
        return c.talk.post(body, topic="otp", path="/api/users/logout-device/")
    equal([(e["code"], e["attr"]) for e in logout({}).body(400)["errors"]], [("required", "refresh_token"), ("required", "registration_id")], "missing")
    equal(c.devices(account), [("phone-a", True), ("phone-b", True)], "devices")
    logout({"refresh_token": new["refresh"], "registration_id": "phone-a"}).reply(204)
    equal(c.devices(account), [("phone-a", False), ("phone-b", True)], "devices")
    equal(refresh(new["refresh"]).body(401), blacklisted, "after signing out")

    def logout_all(*headers):
        return c.talk.post(None, topic="otp", path="/api/users/logout-all-devices/", headers=headers)
    equal(logout_all().body(401)["errors"][0]["code"], "not_authenticated", "without a token")
    bad = logout_all(("authorization", "Bearer nothing"))
    equal(bad.body(401)["errors"], [{"code": "token_not_valid", "detail": "Given token not valid for any token type", "attr": None}], "bad token")
    equal(logout_all(("authorization", f"Bearer {again['refresh']}")).body(401)["errors"][0]["code"], "token_not_valid", "a refresh token is none for access")
    equal(c.devices(account), [("phone-a", False), ("phone-b", True)], "devices")
    gone = logout_all(("authorization", f"Bearer {again['access']}")).reply(204)
    true(not gone.value, "no body")
    equal(c.devices(account), [("phone-a", False), ("phone-b", False)], "devices")
    equal(refresh(again["refresh"]).body(401), blacklisted, "after signing out of all")
    equal(logout_all(("authorization", f"Bearer {again['access']}")).body(401)["errors"][0]["code"], "token_not_valid", "its session has ended")
    other, stranger, _ = c.customer("phone-b")
    equal((c.devices(stranger), len(c.devices(account))), ([("phone-b", True)], 1), "a device moves to the newest")
    true(other["access"], "tokens")


def case_a_pair_that_goes_on_working(c):
    """Of a frontend that hands out new tokens and takes old ones as well."""
    name = f"user{c.talk.address().split('@')[0]}"
    up = c.talk.post({"username": name, "email": f"{name}@{c.world.suffix}.example", "password": "SecurePass123!"}, path="/api/sign-up/")
    pair, account = up.body(201), up.account()

    def refresh(token):
        return c.talk.post({"refresh": token}, topic="otp", path="/api/token/refresh/")
    first, second = (refresh(pair["refresh"]).body(200) for _ in range(2))
    refresh(first["refresh"]).reply(200)
    jtis = {parts(x["refresh"])[1]["jti"] for x in (pair, first, second)}
    equal(len(jtis), 3, "each has its own id")
    equal(c.sessions(account), [(3, None)], "uses, end")
    bad = refresh(pair["access"])
    equal(bad.body(401), {"detail": "Token is invalid or expired", "code": "token_not_valid"}, "another token")
    equal(refresh(None).body(400), {"refresh": ["This field may not be null."]}, "null")

    def enter(password):
        return c.talk.post({"email": f"{name}@{c.world.suffix}.example", "password": password}, topic="otp", path="/api/sign-in/")
    equal(enter("SecurePass123?").body(400), {"error": "Invalid password"}, "another password")
    refresh(enter("SecurePass123!").body(200)["refresh"]).reply(200)
    equal(c.sessions(account), [(3, None), (1, None)], "uses, end")


def case_a_shop_with_a_pair(c):
    """Of a frontend whose tokens have the account's integer id."""
    address = f"Jane.Doe-{c.talk.address()}"
    up = c.talk.post({"email": address, "first_name": "Jane", "last_name": "Doe", "password": "SecureP@ssw0rd123", "password2": "SecureP@ssw0rd123",
                      "date_of_birth": None}, path="/api/v1/customers/")
    up.reply(201)

    def enter(mail, password):
        return c.talk.post({"email": mail, "password": password}, topic="otp", path="/auth/token/")
    pair = enter(address.replace("example", "EXAMPLE"), "SecureP@ssw0rd123").body(200)
    number = c.rows("select number from enrolld.account where account_id = %s", up.account())[0][0]
    equal({parts(pair[kind])[1]["user_id"] for kind in ("access", "refresh")}, {number}, "user")
    wrong = [enter(address, "SecureP@ssw0rd124"), enter(address.lower(), "SecureP@ssw0rd123"), enter("nobody@shop.example", "SecureP@ssw0rd123")]
    equal({x.reply(401).value for x in wrong}, {b'{"detail":"No active account found with the given credentials"}'}, "wrong and unknown are told alike")
    equal(enter(address, "").body(400), {"password": ["This field may not be blank."]}, "nothing but the rules is told")


def case_an_opaque_token_is_kept_as_a_digest(c):
    """Of a shop whose customers have personal tokens, with a number before them."""
    address = c.talk.address()
    up = c.talk.post({"firstName": "John", "lastName": "Doe", "email": address, "password": "Password123!", "confirmPassword": "Password123!"},
                     path="/api/shop/customers", headers=(("x-storefront-key", "pk_web"),))
    number, _, secret = up.body(201)["token"].partition("|")
    true(number.isdigit() and re.fullmatch("[0-9a-f]{24}[0-9A-Za-z]{24}", secret), f"number and secret: {number}, {len(secret)} characters")
    row, = c.rows("select octet_length(token_digest), extract(epoch from expires_at - created_at)::int, revoked_at from enrolld.session "
                  "where account_id = %s", up.account())
    equal(row, (32, 365 * 86400, None), "its session")


def case_redelivery_is_no_reuse(c):
    address, account = c.person()
    entered = c.enter(address, partition=1)
    token = entered.body(200)["refresh_token"]
    used = c.refresh(token, partition=1)
    new = used.body(200)["refresh_token"]
    reused = c.refresh(token, partition=1, request_id=used.sent.request_id)
    equal(reused.reply(200).value, used.reply().value, "the same request once more")
    c.settle()
    for worker in (c.worker, c.second):
        equal(worker.stop(), 0, "exit status")
    group, topic, back = f"{c.world.group}-otp", c.world.topics["otp"], entered.sent.offset
    offsets = c.world.cluster.committed(group, topic)
    before = c.sessions(account)
    c.rows('update enrolld.progress set mark = %s where "group" = %s and topic = %s and partition = 1', back, group, topic)
    for name in (group, f"{group}.passed"):
        c.world.cluster.commit(name, topic, {1: back})
    c.worker.start()
    eventually(lambda: c.world.cluster.committed(group, topic) == offsets, "the offsets are where they were", 30, 0.2)
    equal(c.worker.metrics().sum("inbox_hits_total", kind="redelivery"), offsets[1] - back - 1, "redeliveries counted")
    equal((c.sessions(account), before), (before, [(1, None)]), "uses, end")
    for x in (entered, used):
        replies = x.replies(10)
        equal((len(replies), replies[0].value), (2, replies[-1].value), "the same tokens")
    c.refresh(new).reply(200)
    c.second.start()


def case_rotated_keys(c):
    """A session goes on under new keys, and its tokens are signed with them."""
    address, account = c.person()
    entered = c.enter(address).body(200)
    before = json.loads(c.world.command("keys", "jwks")[1])["keys"]
    c.world.command("keys", "rotate")
    after = json.loads(c.world.command("keys", "jwks")[1])["keys"]
    equal(after[1:], before, "older keys stay published")
    for worker in (c.worker, c.second):
        c.settle()
        equal(worker.stop(), 0, "exit status")
        worker.start()
    gone_on = c.refresh(entered["refresh_token"]).body(200)
    equal(parts(gone_on["access_token"])[0]["kid"], after[0]["kid"], "key id of the new token")
    equal(c.refresh(entered["refresh_token"]).body(401)["reason"], "token_used", "an older one is known")
    equal(c.sessions(account), [(1, "reuse")], "uses, end")


def case_no_token_is_kept(c):
    """Neither the database, nor the results, nor the log has a token of a reply."""
    replies = c.talk.tail.find(lambda m: m.topic == c.world.topics["replies"] and m.value)
    found = {value for m in replies for value in re.findall(r'"(?:refresh|access|refresh_token|access_token|token)": ?"([^"]{40,})"', m.value.decode())}
    true(len(found) > 20, f"{len(found)} tokens were answered")
    secrets = {token.split(".")[-1] if token.count(".") == 2 else token[24:] for token in found}
    secrets |= {token[:24] for token in found if token.count(".") != 2}
    secrets |= {parts(token)[1]["jti"] for token in found if token.count(".") == 2}
    for (table,) in c.rows("select tablename from pg_tables where schemaname = 'enrolld'"):
        text = "\n".join(row[0] for row in c.rows(f'select t::text from enrolld."{table}" t'))
        equal([secret for secret in secrets if secret in text], [], f"tokens in {table}")
    outputs = c.talk.tail.find(lambda m: m.topic != c.world.topics["replies"])
    text = "\n".join((m.value or b"").decode() for m in outputs) + c.worker.text(since_start=False) + c.second.text(since_start=False)
    equal([secret for secret in secrets if secret in text], [], "tokens in results, events, dead letters and logs")


def case_ended_ones_are_swept(c):
    address, account = c.person()
    c.enter(address).reply(200)
    kept = c.enter(address).body(200)["refresh_token"]
    c.rows("update enrolld.session set expires_at = now() - interval '1 minute' where session_id = "
           "(select session_id from enrolld.session where account_id = %s order by created_at limit 1)", account)
    eventually(lambda: len(c.sessions(account)) == 1, "one session is left", 30, 0.5)
    c.refresh(kept).reply(200)


def started(world):
    context = Context(world)
    context.worker.start()
    context.second.start()
    return context


def main():
    dialects = {"dialects": ["native", "phone-customers", "password-generator", "django-ecommerce", "bagisto"]}

    def settings(world):
        keys = world.folder / "storefront-keys.yaml"
        keys.write_text("- {key: pk_web, name: web, hourly: 40}\n", encoding="utf-8")
        return {"topics": {"signup": dialects, "otp": dialects}, "worker": {"sweep_every": "2s"}, "dialects": {"bagisto": {"values": {"keys_file": str(keys)}}}}
    return program.run(globals(), "sessions", started, settings=settings)


if __name__ == "__main__":
    sys.exit(main())
