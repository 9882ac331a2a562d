#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What customers of dialect phone-customers leave in the database: no reply shows whose a device is, or that there is no second row.

usage: test_phone_customers.py [--keep] [CASE...]   CASE is part of a case's name
"""
import json
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))

from harness import program  # noqa: E402
from harness.cases import equal  # noqa: E402
from harness.talk import Talk  # noqa: E402

CODE = re.compile(r"(?<!\d)(\d{5})(?!\d)")
WALLET = {"balance": "0.00", "balance_currency": "EGP", "is_use_wallet_in_payment": False}


class Context:
    def __init__(self, world):
        self.world, self.rows = world, world.sql
        self.worker = world.worker("worker-1")
        self.talk = Talk(world)
        self.numbers = 0

    def number(self):
        """An Egyptian mobile of nobody else."""
        self.numbers += 1
        return f"+2012345{67000 + self.numbers}"

    def code(self, phone):
        """A new one, by text."""
        before = len(self.world.sinks.texts.to(phone))
        self.talk.post({"phone_number": phone, "otp_type": "customer_auth"}, topic="otp", path="/api/sms/send-auth-otp/").reply(200)
        row = self.world.sinks.texts.wait(phone, count=before + 1)[before]
        return CODE.search(json.dumps(row["fields"]["text"])).group(1)

    def enter(self, phone, code, registration, device="dev-1", language="en", **more):
        body = {"phone_number": phone, "otp": code, "language": language,
                "device": {"registration_id": registration, "device_id": device, "type": "ios", **more}}
        body["device"] = {name: value for name, value in body["device"].items() if value is not None}
        return self.talk.post(body, topic="otp", path="/api/customers/authenticate/")

    def customers(self, phone):
        """(account, state, language, number, verified) of each who has the phone."""
        return self.rows("select a.account_id::text, a.state, a.locale, a.number, k.verified_at is not null from enrolld.account a "
                         "join enrolld.claim k using (account_id) where k.kind = 'phone' and k.value = %s", phone)

    def devices(self, registration):
        """(owner, name, kind, active) of each row."""
        return self.rows("select account_id::text, name, kind, active from enrolld.device where registration = %s", registration)

    def openings(self, phone):
        """What each who has the phone was given when it was opened."""
        return [row[0] for row in self.rows("select a.opening from enrolld.account a join enrolld.claim k using (account_id) where k.kind = 'phone' and k.value = %s",
                                            phone)]

    def reload(self, old, new):
        """Other words in the dialect's file, in force."""
        file = self.world.folder / "schemas/dialects/phone-customers/dialect.yaml"
        count, words = len(self.worker.events("dialects_reloaded")), file.read_text(encoding="utf-8")
        equal(words.count(old), 1, f"places of {old}")
        file.write_text(words.replace(old, new), encoding="utf-8")
        self.worker.reload()
        equal(len(self.worker.wait_event("dialects_reloaded", 10, count + 1)), count + 1, "reloads")

    def counts(self):
        return self.rows("select (select count(*) from enrolld.account), (select count(*) from enrolld.claim), (select count(*) from enrolld.device), "
                         "(select coalesce(max(value), 0) from enrolld.counter)")[0]


def case_a_new_customer(c):
    """One account, one identity, one device; the code is used."""
    accounts, claims, devices, number = c.counts()
    phone = c.number()
    code = c.code(phone)
    entered = c.enter(phone, code, "reg-new")
    equal(entered.body(201)["customer"]["wallet"], WALLET, "wallet of the answer")
    account = entered.account()
    equal(c.openings(phone), [{"wallet": WALLET}], "wallet that is kept")
    told = c.talk.tail.wait(lambda m: m.header("ce_type") == "enrolld.account.registered.v1" and m.header("ce_subject") == account, 10)
    equal([m.json()["opening"] for m in told], [{"wallet": WALLET}], "wallet that is told")
    equal(c.customers(phone), [(account, "active", "en", number + 1, True)], "customers of the number")
    equal(c.devices("reg-new"), [(account, "dev-1", "ios", True)], "devices")
    equal(c.counts(), (accounts + 1, claims + 1, devices + 1, number + 1), "accounts, identities, devices, numbers given")
    equal(c.rows("select attempts, consumed_at is not null from enrolld.challenge where claim_value = %s", phone), [(1, True)], "tries and use of the code")
    equal(c.enter(phone, code, "reg-other").body(400)["errors"][0]["code"], "OTP-004", "the same code again")
    equal(c.devices("reg-other"), [], "devices of who was refused")


def case_a_known_customer(c):
    """No second one; the language that is asked for is the one that is kept; the wallet is shown as it was."""
    phone = c.number()
    first = c.enter(phone, c.code(phone), "reg-known")
    first.reply(201)
    before, (row,) = c.counts(), c.customers(phone)
    again = c.enter(phone, c.code(phone), "reg-known", language="ar")
    equal(again.body(200)["customer"]["wallet"], first.body(201)["customer"]["wallet"], "wallet")
    equal(again.account(), first.account(), "account")
    equal(c.customers(phone), [(row[0], row[1], "ar", row[3], True)], "customers of the number")
    equal(c.counts(), before, "accounts, identities, devices, numbers given")
    equal(c.devices("reg-known"), [(row[0], "dev-1", "ios", True)], "devices")


def case_a_wallet_is_the_one_that_was_opened(c):
    """Whatever the dialect gives others by now."""
    phone, saudi = c.number(), "+966501234567"
    c.enter(phone, c.code(phone), "reg-wallet").reply(201)
    c.reload('balance: "0.00"', 'balance: "5.00"')
    equal(c.enter(phone, c.code(phone), "reg-wallet").body(200)["customer"]["wallet"], WALLET, "wallet of a second sign-in")
    equal(c.openings(phone), [{"wallet": WALLET}], "wallet that is kept")
    gift = {**WALLET, "balance": "5.00", "balance_currency": "SAR"}
    later = c.enter(saudi, c.code(saudi), "reg-saudi")
    equal(later.body(201)["customer"]["wallet"], gift, "wallet of who came later")
    equal(c.openings(saudi), [{"wallet": gift}], "what is kept of it")
    c.reload('balance: "5.00"', 'balance: "0.00"')
    equal(c.enter(saudi, c.code(saudi), "reg-saudi").body(200)["customer"]["wallet"], gift, "the same again")
    c.rows("update enrolld.account set opening = null where account_id = %s", later.account())
    equal(c.enter(saudi, c.code(saudi), "reg-saudi").body(200)["customer"]["wallet"], None, "of an account from before wallets")


def case_a_device_without_a_type(c):
    phone = c.number()
    entered = c.enter(phone, c.code(phone), "reg-9", device="dev-9", type=None)
    entered.reply(201)
    equal(c.devices("reg-9"), [(entered.account(), "dev-9", "android", True)], "devices")


def case_a_device_goes_to_whoever_signed_in_last(c):
    """And is renamed, and active again."""
    first, second = c.number(), c.number()
    one = c.enter(first, c.code(first), "reg-moved")
    one.reply(201)
    c.rows("update enrolld.device set active = false where registration = 'reg-moved'")
    other = c.enter(second, c.code(second), "reg-moved", device="dev-2", type="web")
    other.reply(201)
    equal(c.devices("reg-moved"), [(other.account(), "dev-2", "web", True)], "devices after the second")
    back = c.enter(first, c.code(first), "reg-moved")
    back.reply(200)
    equal(c.devices("reg-moved"), [(one.account(), "dev-1", "ios", True)], "devices after the first came back")


def case_who_is_refused_changes_nothing(c):
    phone, stranger = c.number(), c.number()
    c.enter(phone, c.code(phone), "reg-kept").reply(201)
    row, devices, before = c.customers(phone), c.devices("reg-kept"), c.counts()
    right = c.code(phone)
    wrong = f"{(int(right) + 1) % 100000:05d}"
    c.enter(phone, wrong, "reg-kept", device="dev-x", language="ar").reply(400)
    c.enter(stranger, right, "reg-kept", device="dev-x", language="ar").reply(400)
    c.enter(phone, right, "reg-kept", device="dev-x", language="fr").reply(400)
    equal((c.customers(phone), c.devices("reg-kept"), c.counts()), (row, devices, before), "customer, devices, counts")


def case_a_repeat_changes_nothing(c):
    """A gateway's second copy of a request, on another partition: one of everything."""
    phone = c.number()
    code = c.code(phone)
    body = {"phone_number": phone, "otp": code, "language": "en", "device": {"registration_id": "reg-twice", "device_id": "dev-1"}}
    both = [c.talk.post(body, topic="otp", path="/api/customers/authenticate/", request_id=f"twice-{phone}", partition=partition) for partition in (0, 1)]
    equal([x.reply(201).header(":status") for x in both], ["201", "201"], "answers")
    equal((len(c.customers(phone)), len(c.devices("reg-twice"))), (1, 1), "customers and devices")


def started(world):
    context = Context(world)
    context.worker.start()
    return context


def main():
    return program.run(globals(), "customers", started, settings={"topics": {"otp": {"dialects": ["phone-customers"]}}})


if __name__ == "__main__":
    sys.exit(main())
