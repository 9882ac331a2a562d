# SPDX-License-Identifier: Apache-2.0
"""Requests of every fate with a marker in each secret: one marker per kind of request, so that a hit says where it came from."""
import json
import random
import string

LETTERS = string.ascii_letters + string.digits


class Load:
    """Each request's secret is MARK-number-MARK-number with the mark of its kind, and characters that every encoding treats differently."""

    def __init__(self, seed, world):
        self.random = random.Random(f"canary {seed}")
        self.world, self.gateway, self.topics = world, world.gateway, world.topics
        self.number = 0
        self.kinds = [name.removeprefix("send_") for name in dir(self) if name.startswith("send_")]
        self.marks = {kind: self.new_mark() for kind in self.kinds}
        self.addresses, self.phones = {}, {}  # number: where its code goes
        self.sent = []  # (kind, Sent)

    def new_mark(self):
        """Ten characters that stand nowhere else by chance."""
        return "".join(random.SystemRandom().choice(LETTERS) for _ in range(10))

    def publish(self, count):
        for at in range(count):
            self.one(self.kinds[at % len(self.kinds)])

    def one(self, kind):
        self.number += 1
        self.sent.append((kind, getattr(self, f"send_{kind}")(self.secret(kind))))

    def secret(self, kind):
        mark = self.marks[kind]
        return f"{mark}-{self.number}/\"+ ü&{mark}-{self.number}"

    def person(self, secret, **more):
        return {"username": f"c{self.number}_{self.world.suffix}", "password": secret, **more}

    def post(self, body, topic="signup", **how):
        return self.gateway.post(self.topics[topic], body, **how)

    # --- accepted ------------------------------------------------------------------------------------------------------------

    def send_mail(self, secret):
        address = f"c{self.number}@{self.world.suffix}.example"
        self.addresses[self.number] = address
        return self.post(self.person(secret, email=address, given_name="Ada"))

    def send_mail_again(self, secret):
        return self.send_mail(secret)

    def send_text(self, secret):
        self.phones[self.number] = f"+1555{random.SystemRandom().randrange(10**7):07d}"  # the sink has the texts of earlier runs
        return self.post(self.person(secret, phone=self.phones[self.number]))

    def send_name(self, secret):
        return self.post(self.person(secret))

    def send_escaped(self, secret):
        body = json.dumps(self.person("PLACE"))
        return self.post(body.replace("PLACE", "".join(f"\\u{ord(c):04X}" for c in secret)).encode())

    def send_header(self, secret):
        safe = secret.replace("ü", "u")
        return self.post(self.person(secret), headers=[("authorization", f"Bearer {safe}"), ("cookie", f"session={safe}"), ("x-api-key", safe)])

    def send_query(self, secret):
        return self.post(self.person(secret), path="/v1/accounts?password=" + secret.replace("ü", "u"))

    def send_event(self, secret):
        return self.gateway.event(self.topics["events"], self.person(secret))

    # --- refused by the rules ------------------------------------------------------------------------------------------------

    def send_short(self, secret):
        return self.post(self.person(secret[:10]))

    def send_long(self, secret):
        return self.post(self.person(secret * 10))

    def send_near(self, secret):
        """Too close to the identity."""
        body = self.person(secret)
        body["password"] = f"{secret[:10]} {body['username']} {body['username']}"
        return self.post(body)

    def send_invalid(self, secret):
        return self.post(self.person(secret, email="no address", birth_date="never"))

    def send_wrong_type(self, secret):
        return self.post(self.person(self.random.choice(([secret], {"value": secret}, [[secret, 1]]))))

    def send_unknown_member(self, secret):
        return self.post(self.person("violet tractor sings staple", passwd=secret, user={"password": secret}, **{secret: True}))

    def send_password_and_hash(self, secret):
        return self.post(self.person(secret, password_hash="$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy"))

    def send_taken(self, secret):
        return self.post({**self.person(secret), "username": f"taken_{self.world.suffix}"})

    def send_repeat(self, secret):
        name = f"repeat-{self.number}"
        self.post(self.person(secret), request_id=name)
        return self.post(self.person(secret), request_id=name)

    def send_conflict(self, secret):
        name = f"conflict-{self.number}"
        self.post(self.person(secret), request_id=name)
        return self.post(self.person(secret, given_name="Other"), request_id=name)

    # --- refused as bytes ------------------------------------------------------------------------------------------------------

    def body(self, secret):
        return json.dumps(self.person(secret), ensure_ascii=False).encode()

    def send_cut(self, secret):
        body = self.body(secret)
        return self.post(body[:len(body) - self.random.randrange(1, 12)])

    def send_garbled(self, secret):
        return self.post(self.body(secret) + self.random.choice((b"}", b"x", b',"a":1}', b"\0")))

    def send_garbled_before(self, secret):
        return self.post(b'{"a": tru, ' + self.body(secret)[1:])

    def send_not_utf8(self, secret):
        return self.post(self.body(secret)[:-1] + b', "x": "\xff\xfe"}')

    def send_twice(self, secret):
        return self.post(self.body(secret)[:-1] + b', "password": ' + json.dumps(secret[::-1] + secret).encode() + b"}")

    def send_deep(self, secret):
        return self.post(self.body(secret)[:-1] + b', "x": ' + b"[" * 100 + b"]" * 100 + b"}")

    def send_list(self, secret):
        return self.post(json.dumps([secret, {"password": secret}]).encode())

    def send_large(self, secret):
        return self.post(self.person(secret, attributes={"a": "x" * 70000, "password": secret}))

    def send_larger(self, secret):
        return self.post((secret * (300_000 // len(secret))).encode())

    def send_large_header(self, secret):
        return self.post(self.person(secret), headers=[("x-large", secret.replace("ü", "u") * 2000)])

    def send_media(self, secret):
        return self.post(self.body(secret), headers=[("content-type", "application/x-www-form-urlencoded")])

    def send_bad_id(self, secret):
        return self.post(self.body(secret), request_id="x" * 300, key=None)

    # --- asked for what is not there, or with what is nobody's -------------------------------------------------------------

    def send_route(self, secret):
        return self.post(self.body(secret), path="/v1/nothing")

    def send_method(self, secret):
        return self.post(self.body(secret), method="DELETE")

    def send_elsewhere(self, secret):
        path = self.random.choice(("/v1/sessions", "/v1/codes/check", "/v1/password", "/v1/sessions/refresh"))
        return self.post({"username": f"nobody{self.number}", "password": secret, "code": secret, "token": secret, "refresh_token": secret}, topic="otp", path=path)

    def send_token(self, secret):
        return self.post({"refresh_token": secret * (64 // len(secret) + 1)}, topic="otp", path="/v1/sessions/refresh")

    def send_password(self, secret):
        return self.post({"username": f"nobody{self.number}", "password": secret}, topic="otp", path="/v1/sessions")

    def send_bad_event(self, secret):
        return self.gateway.publish(self.topics["events"], [("ce_type", "enrolld.signup.v1"), ("ce_specversion", "9.9")], self.body(secret))

    # --- dead letters --------------------------------------------------------------------------------------------------------

    def send_unaddressed(self, secret):
        return self.gateway.publish(self.topics["signup"], [("x-token", secret), ("traceparent", secret)], self.body(secret), key=secret)
