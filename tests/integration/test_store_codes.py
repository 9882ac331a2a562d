#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Codes and links of a store whose requests name no customer: from a real Kafka through PostgreSQL to mailbox and phone, and back.

usage: test_store_codes.py [--keep] [CASE...]   CASE is part of a case's name
"""
import json
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))

from harness import program  # noqa: E402
from harness.cases import equal, eventually, true  # noqa: E402
from harness.talk import Talk  # noqa: E402

TEXT = re.compile(r"your code is (\d{6})\.")
CODE = re.compile(r"(?<!\d)(\d{6})(?!\d)")
STORE = "/ecommerce/v1/auth"
WRONG = {"statusCode": 401, "message": "OTP invalid or expired", "error": "Unauthorized"}
INVALID = {"statusCode": 401, "message": "Invalid token", "error": "Unauthorized"}
SUCCESS = {"statusCode": 200, "message": "Success"}


class Context:
    def __init__(self, world):
        self.world = world
        self.worker = world.worker("worker-1")
        self.talk = Talk(world)
        self.rows = world.sql
        self.count = 0

    def visitor(self):
        """The bearer token of a visitor, and an Indian number of nobody else."""
        self.count += 1
        return f"visitor-{self.count}", {"code": "+91", "number": f"99627{94000 + self.count}"}

    def store(self, token, path, body, topic="otp", **how):
        return self.talk.post(body, topic=topic, path=STORE + path, headers=(("authorization", f"Bearer {token}"),), **how)

    def sign_up(self, token, **body):
        return self.store(token, "/signup", {"password": "violet tractor", **body}, topic="signup").body(201)["data"]

    def verify(self, token, code, source="mobile"):
        return self.store(token, "/otp/verify", {"otp": int(code), "source": source})

    def follow(self, user, token, caller="anybody"):
        return self.store(caller, f"/email/verify?userId={user}&token={token}", None, method="GET")

    def text(self, mobile, count=1):
        """The code in the last of so many texts to the number."""
        row = self.world.sinks.texts.wait(mobile["code"] + mobile["number"], count=count)[count - 1]
        return TEXT.search(json.dumps(row["fields"])).group(1)

    def mail(self, address, count=1):
        message = self.world.sinks.mailbox.content(self.world.sinks.mailbox.wait(address, count=count)[count - 1])
        return message.get_body(("plain",)).get_content()

    def account(self, value):
        """State, and whether the address is verified."""
        return self.rows("select a.state, k.verified_at is not null from enrolld.account a join enrolld.claim k using (account_id) where k.value = %s", value)[0]

    def age(self, value, interval="2 minutes"):
        self.rows("update enrolld.challenge set sent_at = sent_at - %s::interval where claim_value = %s", interval, value)


def e164(mobile):
    return mobile["code"] + mobile["number"]


def other(code):
    return f"{(int(code) + 1) % 1000000:06d}"


def case_whoever_signed_up_enters_with_the_code(c):
    token, mobile = c.visitor()
    c.sign_up(token, mobile=mobile)
    code = c.text(mobile)
    equal(c.verify(token, other(code)).body(401), WRONG, "a wrong code")
    equal(c.verify("somebody else", code).body(401), WRONG, "the right code of another visitor")
    equal(c.verify(token, code, "email").body(401), WRONG, "the right code for another address")
    entered = c.verify(token, code)
    data = entered.body(200)["data"]
    equal((sorted(data), data["tokenType"]), (["accessToken", "expiresIn", "tokenType"], "Bearer"), "answer")
    equal(c.account(e164(mobile)), ("active", True), "account and address")
    equal(c.verify(token, code).body(401), WRONG, "the second time")
    equal(c.rows("select attempts, consumed_at is not null from enrolld.challenge where claim_value = %s", e164(mobile)), [(2, True)], "tries, used")
    c.store(token, "/signin", {"mobile": mobile, "password": "violet tractor"}).reply(200)
    equal(c.rows("select count(*) from enrolld.challenge where caller::text like %s", f"%{token.encode().hex()}%"), [(0,)], "tokens in clear")


def case_one_challenge_for_link_and_code(c):
    """The mail's token is the answer's; link or code, whichever comes first, uses both."""
    address = c.talk.address()
    token, _ = c.visitor()
    up = c.sign_up(token, email=address)
    mail = c.mail(address)
    link = f"https://shop.example/verify?userId={up['_id']}&token={up['email']['token']}"
    true(link in mail, f"the mail has the link {link}:\n{mail}")
    code = CODE.search(mail).group(1)
    stranger = c.sign_up("another visitor", email=c.talk.address())
    equal(c.follow(stranger["_id"], up["email"]["token"]).body(401), INVALID, "the token of another account")
    equal(c.follow(up["_id"], stranger["email"]["token"]).body(401), INVALID, "another account's token")
    equal(c.follow(up["_id"], "0" * 64).body(401), INVALID, "nobody's token")
    equal(c.account(address), ("pending", False), "before")
    equal(c.follow(up["_id"], up["email"]["token"]).body(200), SUCCESS, "the link")
    equal(c.account(address), ("active", True), "after")
    equal(c.follow(up["_id"], up["email"]["token"]).body(401), INVALID, "the link once more")
    equal(c.verify(token, code, "email").body(401), WRONG, "the code of a link that was followed")
    account = c.rows("select account_id::text from enrolld.claim where value = %s", address)[0][0]
    events = eventually(lambda: len(c.talk.events(account)) == 2 and c.talk.events(account), "two events")
    equal(events[1].header("ce_type"), "enrolld.account.verified.v1", "event")

    address = c.talk.address()
    token, _ = c.visitor()
    up = c.sign_up(token, email=address)
    c.verify(token, CODE.search(c.mail(address)).group(1), "email").reply(200)
    equal(c.account(address), ("active", True), "by code")
    equal(c.follow(up["_id"], up["email"]["token"]).body(401), INVALID, "the link of a code that was used")


def case_the_newest_of_a_visitor_counts(c):
    """Of several who sign up with one token the last is meant; and another address that has the code of an earlier one is not."""
    token, first = c.visitor()
    _, second = c.visitor()
    c.sign_up(token, mobile=first)
    old = c.text(first)
    c.sign_up(token, mobile=second)
    new = c.text(second)
    if old != new:
        equal(c.verify(token, old).body(401), WRONG, "the code of the one before")
    c.verify(token, new).reply(200)
    equal([c.account(e164(m))[0] for m in (first, second)], ["pending", "active"], "accounts")


def case_an_old_link_verifies_nothing(c):
    """Neither where another account has the address now, nor where none has it."""
    for becomes in ("another", "nobody"):
        address = c.talk.address()
        up = c.sign_up("a visitor", email=address)
        c.mail(address)
        if becomes == "another":
            c.rows("update enrolld.claim set account_id = (select account_id from enrolld.account where account_id <> claim.account_id limit 1) where value = %s", address)
        else:
            c.rows("delete from enrolld.claim where value = %s", address)
        equal(c.follow(up["_id"], up["email"]["token"]).body(401), INVALID, becomes)


def case_sign_in_sends_the_code_once_more(c):
    """To who knows the password of an account that is pending, in another visit; nobody else learns that it is."""
    token, mobile = c.visitor()
    c.sign_up(token, mobile=mobile)
    c.text(mobile)
    later, _ = c.visitor()
    body = {"mobile": mobile, "password": "violet tractor"}
    equal(c.store(later, "/signin", body).body(403), {"statusCode": 403, "message": "Account not verified", "error": "Forbidden"}, "at once")
    c.age(e164(mobile))
    c.store(later, "/signin", {**body, "password": "violet tractors"}).reply(401)
    c.store(later, "/signin", body).reply(403)
    code = c.text(mobile, 2)
    c.verify(later, code).reply(200)
    equal(c.account(e164(mobile)), ("active", True), "account and address")
    c.store(later, "/signin", body).reply(200)
    equal(len(c.world.sinks.texts.wait(e164(mobile))), 2, "texts")


def case_a_forgotten_password(c):
    token, mobile = c.visitor()
    c.sign_up(token, mobile=mobile)
    c.verify(token, c.text(mobile)).reply(200)
    later, nobody = c.visitor()
    asked = c.store(later, "/password/forgot", {"mobile": mobile}).reply(200)
    stranger = c.store(later, "/password/forgot", {"mobile": nobody}).reply(200)
    equal((json.loads(asked.value), asked.value), (SUCCESS, stranger.value), "the answer, whoever is named")
    code = c.text(mobile, 2)
    c.store(later, "/password/forgot", {"mobile": mobile}).reply(429)
    third, _ = c.visitor()
    c.store(third, "/otp", {"mobile": mobile}).reply(429)
    c.age(e164(mobile))
    c.store(third, "/otp", {"mobile": mobile}).reply(200)
    newer = c.text(mobile, 3)
    true(newer != code, "another visitor's code is a new one")
    equal(c.verify(later, newer).body(401), WRONG, "the newest of the visitor is for a number of nobody")
    c.verify(third, newer).reply(200)
    equal(c.rows("select count(*) from enrolld.message m join enrolld.challenge k using (challenge_id) where k.claim_value = %s", e164(nobody)), [(0,)], "messages to a stranger")


def case_is_there_an_account(c):
    token, mobile = c.visitor()
    address = c.talk.address()
    c.sign_up(token, mobile=mobile, email=address)
    for body, status in (({"mobile": mobile}, 200), ({"email": address}, 200), ({"email": address.upper()}, 200),
                         ({"email": address, "mobile": mobile}, 200), ({"email": c.talk.address()}, 404),
                         ({"email": address, "mobile": c.visitor()[1]}, 404), ({}, 400), ({"email": "nope"}, 400)):
        answer = c.store(token, "/account/validate", body).body(status)
        if status == 200:
            equal(answer, SUCCESS, f"answer to {body}")


def case_what_is_asked_of_the_code(c):
    for body, errors in (({"otp": "123456", "source": "mobile"}, {"otp": ["otp must be a number conforming to the specified constraints"]}),
                         ({}, {"otp": ["otp must be a number conforming to the specified constraints"],
                               "source": ["source must be a valid enum value", "source must be a string"]}),
                         ({"otp": 1, "source": "phone"}, {"source": ["source must be a valid enum value"]})):
        equal(c.store("x", "/otp/verify", body).body(400), {"statusCode": 400, "errors": errors, "message": "Bad Request"}, "errors")
    equal(c.store("x", "/otp/verify", {"otp": -5, "source": "mobile"}).body(401), WRONG, "a negative one")
    c.talk.post({"otp": 1, "source": "mobile"}, topic="otp", path=f"{STORE}/otp/verify").reply(401)


def started(world):
    context = Context(world)
    context.worker.start()
    return context


def main():
    settings = {"topics": {"signup": {"dialects": ["posbytz"]}, "otp": {"dialects": ["posbytz"]}},
                "dialects": {"posbytz": {"values": {"verify_url": "https://shop.example/verify"}}}}
    return program.run(globals(), "store-codes", started, settings=settings)


if __name__ == "__main__":
    sys.exit(main())
