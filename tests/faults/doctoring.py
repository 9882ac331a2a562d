# SPDX-License-Identifier: Apache-2.0
"""Evidence made worse on purpose, one lie at a time, each with the finding that must name it."""
import base64
import collections
import json
import pathlib
import shutil


def lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def save(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


class Folder:
    """A copy of evidence that may be changed."""

    def __init__(self, source, target):
        shutil.copytree(source, target)
        self.path = pathlib.Path(target)

    def change(self, name, do, *more):
        """do(rows) changes the rows of a file, or gives new ones."""
        for each in (name, *more):
            rows = lines(self.path / each)
            save(self.path / each, do(rows) or rows)

    def rows(self, name):
        return lines(self.path / name)

    def outputs(self, name, do):
        """In both readers' eyes, whatever order each of them read the partitions in."""
        def in_order(rows):
            rows.sort(key=lambda row: (row["partition"], row["offset"]))
            return do(rows) or rows
        self.change(f"full/{name}.jsonl", in_order, f"live/{name}.jsonl")

    def accepted(self, which=0):
        """Place of the which-th accepted result in the dump."""
        found = [at for at, row in enumerate(self.rows("full/results.jsonl")) if value(row).get("outcome") == "accepted"]
        return found[which]


def value(row):
    return json.loads(base64.b64decode(row["value"]))


def put(row, body):
    row["value"] = base64.b64encode(json.dumps(body).encode()).decode()


def again(rows, at):
    """A copy of a record behind all others of its partition."""
    copy = dict(rows[at])
    copy["offset"] = 1 + max(row["offset"] for row in rows if row["partition"] == copy["partition"])
    rows.append(copy)


def middle(rows):
    return len(rows) // 2


# --- lies: (what, codes of which one must be found, how) ---------------------------------------------------------------------

def result_lost(f):
    f.outputs("results", lambda rows: rows.pop(middle(rows)) and None)


def result_doubled(f):
    f.outputs("results", lambda rows: again(rows, middle(rows)))


def result_changed(f):
    def do(rows):
        row = rows[f.accepted()]
        put(row, {**value(row), "at": "2001-01-01T00:00:00.000Z"})
    f.outputs("results", do)


def result_of_nobody(f):
    def do(rows):
        again(rows, 0)
        put(rows[-1], {**value(rows[-1]), "request_id": "nobody"})
    f.outputs("results", do)


def result_only_live(f):
    f.change("full/results.jsonl", lambda rows: rows.pop(middle(rows)) and None)


def result_differs_live(f):
    f.change("live/results.jsonl", lambda rows: put(rows[0], {**value(rows[0]), "more": 1}))


def result_names_other_account(f):
    def do(rows):
        one, two = rows[f.accepted(0)], rows[f.accepted(1)]
        put(one, {**value(one), "account_id": value(two)["account_id"]})
    f.outputs("results", do)


def everything_of_a_request_lost(f):
    gone = value(f.rows("full/results.jsonl")[f.accepted(1)])
    f.outputs("results", lambda rows: [row for row in rows if value(row)["request_id"] != gone["request_id"]])
    f.outputs("accounts", lambda rows: [row for row in rows if value(row).get("account_id") != gone["account_id"]])
    f.change("tables/inbox.jsonl", lambda rows: [row for row in rows if row["request_id"] != gone["request_id"]])
    f.change("tables/account.jsonl", lambda rows: [row for row in rows if row["account_id"] != gone["account_id"]])
    f.change("tables/claim.jsonl", lambda rows: [row for row in rows if row["account_id"] != gone["account_id"]])


def refused_for_nothing(f):
    gone = value(f.rows("full/results.jsonl")[f.accepted(2)])

    def do(rows):
        for row in rows:
            if value(row)["request_id"] == gone["request_id"]:
                put(row, {"request_id": gone["request_id"], "outcome": "refused", "reason": "invalid"})
    f.outputs("results", do)


def taken_by_nobody(f):
    """Refused as taken though nobody has its identity."""
    asked = collections.Counter(tuple(claim) for row in f.rows("requests.jsonl") for claim in row["claims"])
    rivals = {claim for claim, count in asked.items() if count > 1}
    alone = {row["request_id"] for row in f.rows("requests.jsonl") if row["class"] == "good" and row["request_id"]
             and not any(tuple(claim) in rivals for claim in row["claims"])}

    def do(rows):
        row = next(row for row in rows if value(row)["request_id"] in alone)
        put(row, {"request_id": value(row)["request_id"], "outcome": "refused", "reason": "identity_taken"})
    f.outputs("results", do)


def reply_lost(f):
    f.outputs("replies", lambda rows: rows.pop(middle(rows)) and None)


def reply_doubled(f):
    f.outputs("replies", lambda rows: again(rows, middle(rows)))


def reply_of_other(f):
    def do(rows):
        rows[0]["value"], rows[-1]["value"] = rows[-1]["value"], base64.b64encode(b'{"account_id":"other"}').decode()
    f.outputs("replies", do)


def letter_lost(f):
    f.outputs("dead", lambda rows: rows.pop() and None)


def letter_doubled(f):
    f.outputs("dead", lambda rows: again(rows, 0))


def letter_of_good_one(f):
    good = next(row for row in f.rows("requests.jsonl") if row["class"] == "good")

    def do(rows):
        again(rows, 0)
        names = {"__connect.errors.partition": str(good["partition"]), "__connect.errors.offset": str(good["offset"]),
                 "enrolld-reason": "kills-worker"}
        rows[-1]["headers"] = [[name, base64.b64encode(names[name].encode()).decode() if name in names else text]
                               for name, text in rows[-1]["headers"]]
    f.outputs("dead", do)


def of_type(rows, start):
    """Places of the events whose type begins so."""
    return [at for at, row in enumerate(rows) if base64.b64decode(dict(row["headers"])["ce_type"]).startswith(start)]


def event_lost(f):
    f.outputs("accounts", lambda rows: rows.pop(of_type(rows, b"enrolld.account.")[-1]) and None)


def event_doubled(f):
    f.outputs("accounts", lambda rows: again(rows, of_type(rows, b"enrolld.account.")[0]))


def notice_lost(f):
    def do(rows):
        gone = dict(rows[of_type(rows, b"enrolld.message.")[0]]["headers"])["ce_id"]
        return [row for row in rows if dict(row["headers"])["ce_id"] != gone]
    f.outputs("accounts", do)


def notice_changed(f):
    def do(rows):
        place = of_type(rows, b"enrolld.message.")[0]
        again(rows, place)
        put(rows[-1], {**value(rows[-1]), "more": 1})
    f.outputs("accounts", do)


def notice_of_nobody(f):
    f.change("tables/notice.jsonl", lambda rows: rows[1:])


def message_without_notice(f):
    gone = f.rows("tables/notice.jsonl")[0]["notice_id"]
    f.change("tables/notice.jsonl", lambda rows: [row for row in rows if row["notice_id"] != gone])
    f.outputs("accounts", lambda rows: [row for row in rows if base64.b64decode(dict(row["headers"])["ce_id"]) != gone.encode()])


def account_doubled(f):
    def do(rows):
        rows.append({**rows[0], "account_id": "00000000-0000-0000-0000-000000000001"})
    f.change("tables/account.jsonl", do)


def account_gone(f):
    f.change("tables/account.jsonl", lambda rows: rows.pop(0) and None)


def claim_moved(f):
    def do(rows):
        rows[0]["account_id"], rows[-1]["account_id"] = rows[-1]["account_id"], rows[0]["account_id"]
    f.change("tables/claim.jsonl", do)


def claim_doubled(f):
    f.change("tables/claim.jsonl", lambda rows: rows.append(dict(rows[0])))


def rival_accepted(f):
    """Two accounts of one identity, everything else in order."""
    results = f.rows("full/results.jsonl")
    at = next(at for at, row in enumerate(results) if value(row).get("reason") == "identity_taken")

    def do(rows):
        body = {name: text for name, text in value(rows[at]).items() if name != "reason"}
        put(rows[at], {**body, "outcome": "accepted", "account_id": "00000000-0000-0000-0000-000000000002"})
    f.outputs("results", do)


def certain(f, channel):
    """Ids of the messages whose outcome was never in doubt."""
    return {row["message_id"] for row in f.rows("tables/message.jsonl")
            if row["channel"] == channel and row["state"] == "accepted" and not row["unknowns"]}


def certain_mail(f, rows):
    ids = certain(f, "email")
    return next(at for at, row in enumerate(rows) if row["message_id"].strip("<>").split("@")[0] in ids)


def certain_text(f, rows):
    ids = certain(f, "sms")
    return next(at for at, row in enumerate(rows) if row["headers"]["idempotency-key"] in ids)


def mail_doubled(f):
    f.change("mails.jsonl", lambda rows: rows.append({**rows[certain_mail(f, rows)], "number": 999999}))


def mail_again_with_another_code(f):
    """A repeat that may be, after an unknown outcome, but with another code."""
    mail = f.rows("mails.jsonl")[0]

    def do(rows):
        for row in rows:
            if row["message_id"] in mail["message_id"]:
                row["unknowns"] = 1
    f.change("tables/message.jsonl", do)
    f.change("mails.jsonl", lambda rows: rows.append({**mail, "sha256": "0", "code": "000000"}))


def mail_lost(f):
    f.change("mails.jsonl", lambda rows: rows.pop(certain_mail(f, rows)) and None)


def mail_of_nobody(f):
    f.change("mails.jsonl", lambda rows: rows.append({**rows[0], "message_id": "<nobody@x.example>"}))


def message_waits(f):
    def do(rows):
        rows[0].update(state="queued", due_at=1.0)
    f.change("tables/message.jsonl", do)


def text_doubled(f):
    f.change("texts.jsonl", lambda rows: rows.append(dict(rows[certain_text(f, rows)])))


def text_lost(f):
    f.change("texts.jsonl", lambda rows: rows.pop(certain_text(f, rows)) and None)


def text_of_nobody(f):
    f.change("texts.jsonl", lambda rows: rows.append({**rows[0], "headers": {"idempotency-key": "nobody"}}))


def many_unknown(f):
    def do(rows):
        for row in rows:
            row.update(state="unknown", unknowns=1)
    f.change("tables/message.jsonl", do)


def offset_behind(f):
    def do(places):
        places[0]["committed"] -= 1
        places[0]["passed"] -= 1
    offsets = json.loads((f.path / "offsets.json").read_text())
    do(offsets)
    (f.path / "offsets.json").write_text(json.dumps(offsets))


def mark_differs(f):
    offsets = json.loads((f.path / "offsets.json").read_text())
    offsets[0]["passed"] -= 1
    (f.path / "offsets.json").write_text(json.dumps(offsets))


def offset_early(f):
    def do(rows):
        for row in rows:
            row["committed"] += 1
        return rows
    f.change("samples.jsonl", do)


def offset_back(f):
    f.change("samples.jsonl", lambda rows: rows.append({**rows[-1], "committed": 0}))


def order_of_results(f):
    """Two results of one partition in each other's place."""
    rows_of = {row["request_id"]: row for row in f.rows("tables/inbox.jsonl")}

    def do(rows):
        for one in rows:
            for two in rows:
                a, b = rows_of.get(value(one)["request_id"]), rows_of.get(value(two)["request_id"])
                if one["partition"] == two["partition"] and a and b and a["partition"] == b["partition"] and a["offset"] < b["offset"]:
                    for name in ("key", "headers", "value"):
                        one[name], two[name] = two[name], one[name]
                    return
    f.outputs("results", do)


LIES = (
    (result_lost, "lost"), (result_doubled, "result_doubled"), (result_changed, "result_not_row"), (result_of_nobody, "result_invented"),
    (result_only_live, "readers_differ"), (result_differs_live, "readers_differ"), (result_names_other_account, "account_shared"),
    (everything_of_a_request_lost, "lost"), (refused_for_nothing, "wrong_outcome"),
    (taken_by_nobody, "refused_for_nothing"),
    (reply_lost, "reply_lost"), (reply_doubled, "reply_doubled"), (reply_of_other, "answer_contradicts"),
    (letter_lost, "lost"), (letter_doubled, "dead_doubled"), (letter_of_good_one, "buried"),
    (event_lost, "event_missing"), (event_doubled, "event_doubled"),
    (notice_lost, "notice_lost"), (notice_changed, "notice_differs"), (notice_of_nobody, "notice_invented"), (message_without_notice, "notice_missing"),
    (account_doubled, "account_unasked"), (account_gone, "account_missing"), (claim_moved, "wrong_claims"),
    (claim_doubled, "identity_doubled"), (rival_accepted, "identity_doubled"),
    (mail_doubled, "mail_doubled"), (mail_again_with_another_code, "mail_differs"), (mail_lost, "mail_lost"), (mail_of_nobody, "mail_invented"), (message_waits, "message_unsettled"),
    (text_doubled, "text_doubled"), (text_lost, "text_lost"), (text_of_nobody, "text_invented"), (many_unknown, "too_many_unknown"),
    (offset_behind, "lag"), (mark_differs, "marks_differ"), (offset_early, "passed_unfinished"), (offset_back, "offset_went_back"),
    (order_of_results, "out_of_order"),
)
