# SPDX-License-Identifier: Apache-2.0
"""The invariants, each a function from evidence to findings.

What a record must become, by its class:
  good        accepted, or refused as identity_taken if another account has one of its claims
  invalid     refused with its reason; malformed is the same before any field was read
  tombstone   a dead letter with its reason, no result
  conflict    a reply and a dead letter (request_conflict), no result: its id belongs to an earlier record with other content
"""
import bisect
import collections
import dataclasses
import itertools


@dataclasses.dataclass(frozen=True)
class Finding:
    """One thing that must not be."""

    code: str       # stable word
    invariant: str
    text: str
    subject: object = None  # request id or coordinates, for the history


BURIED = ("tombstone",)


def nothing_lost(e):
    """I1: every acknowledged record ends once, in a result or a dead letter, as its class says."""
    for request_id, records in e.groups().items():
        first = [request for request in records if request.kind != "conflict"]
        if first:
            yield from _ends(e, request_id, first)
        for request in records:
            if request.kind == "conflict":
                yield from _conflict(e, request)


def _ends(e, request_id, records):
    results = e.results_of.get(request_id, [])
    letters = [letter for request in records for letter in e.dead_at.get(request.at, [])]
    where = f"{request_id} ({len(records)} records)"
    if records[0].kind in BURIED:
        for request in records:
            yield from _buried(e, request)
        if results:
            yield Finding("result_of_dead", "I1", f"{where}: a result though it is a {records[0].kind}", request_id)
        return
    if letters:
        yield Finding("buried", "I1", f"{where}: dead-lettered as {letters[0].header('enrolld-reason')}, nothing was wrong with it", request_id)
    elif not results:
        yield Finding("lost", "I1", f"{where}: no result and no dead letter", request_id)
        return
    for result in results[:1]:
        body = result.json()
        outcome, reason = body.get("outcome"), body.get("reason")
        wanted = records[0].reason
        if records[0].kind == "good":
            if outcome != "accepted" and (outcome, reason) != ("refused", "identity_taken"):
                yield Finding("wrong_outcome", "I1", f"{where}: {outcome} {reason} instead of accepted", request_id)
        elif (outcome, reason) != ("refused", wanted):
            yield Finding("wrong_outcome", "I1", f"{where}: {outcome} {reason} instead of refused {wanted}", request_id)


def _buried(e, request):
    letters = e.dead_at.get(request.at, [])
    if not letters:
        yield Finding("lost", "I1", f"{request}: no dead letter", request.at)
    elif request.reason and letters[0].header("enrolld-reason") != request.reason:
        yield Finding("wrong_outcome", "I1", f"{request}: dead-lettered as {letters[0].header('enrolld-reason')}, not {request.reason}", request.at)


def _conflict(e, request):
    letters = e.dead_at.get(request.at, [])
    if not letters:
        yield Finding("lost", "I1", f"{request}: no dead letter of the conflict", request.at)
    elif letters[0].header("enrolld-reason") != "request_conflict":
        yield Finding("wrong_outcome", "I1", f"{request}: dead-lettered as {letters[0].header('enrolld-reason')}", request.at)


def once_each(e):
    """I3: one result per request id, one dead letter per record, one reply per attempt, nothing that nobody asked for."""
    known = set(e.groups())
    for request_id, results in e.results_of.items():
        if len(results) > 1:
            same = len({result.bytes for result in results}) == 1
            yield Finding("result_doubled", "I3", f"{request_id}: {len(results)} results, {'same' if same else 'different'} bytes", request_id)
        if request_id not in known:
            yield Finding("result_invented", "I3", f"{request_id}: a result of a request that nobody sent", request_id)
    for at, letters in e.dead_at.items():
        if len(letters) > 1:
            yield Finding("dead_doubled", "I3", f"{at}: {len(letters)} dead letters", at)
        if at not in e.request_at:
            yield Finding("dead_invented", "I3", f"{at}: a dead letter of a record that nobody sent", at)
    yield from _replies(e)


def _replies(e):
    asked = set()
    for request in e.acknowledged:
        if request.correlation is None:
            continue
        asked.add(request.correlation)
        replies = e.replies_of.get(request.correlation, [])
        if not replies:
            yield Finding("reply_lost", "I3", f"{request}: no reply", request.at)
        elif len(replies) > 1:
            yield Finding("reply_doubled", "I3", f"{request}: {len(replies)} replies", request.at)
    for correlation in e.replies_of:
        if correlation not in asked:
            yield Finding("reply_invented", "I3", f"{correlation}: a reply to an attempt that nobody made", correlation)


def same_answer(e):
    """I3: attempts of one request get one answer, and it says what the result says."""
    for request_id, records in e.groups().items():
        answers = set()
        for request in records:
            if request.kind == "conflict":
                continue
            for reply in e.replies_of.get(request.correlation, [])[:1]:
                answers.add((reply.header(":status") or reply.header("ce_httpstatus") or reply.header("http_status"), reply.value))
        if len(answers) > 1:
            yield Finding("answers_differ", "I3", f"{request_id}: its attempts got {len(answers)} different answers", request_id)
        results = e.results_of.get(request_id, [])
        for status, value in answers:
            if not results or status is None:
                continue
            body = results[0].json()
            accepted = body.get("outcome") == "accepted"
            if accepted != status.startswith("2"):
                yield Finding("answer_contradicts", "I3", f"{request_id}: status {status} of {body.get('outcome')}", request_id)
            elif accepted and body.get("account_id", "?").encode() not in (value or b""):
                yield Finding("answer_contradicts", "I3", f"{request_id}: the reply names another account than the result", request_id)


def readers_agree(e):
    """I3: who read during the faults and who reads afterwards see the same records, byte for byte."""
    for name in e.full:
        live = {record.at: record.bytes for record in e.live[name]}
        full = {record.at: record.bytes for record in e.full[name]}
        if len(live) != len(e.live[name]):
            yield Finding("read_twice", "I3", f"{name}: the reader during the faults got {len(e.live[name]) - len(live)} records twice")
        for at in sorted(live.keys() | full.keys()):
            if at not in full:
                yield Finding("readers_differ", "I3", f"{at}: seen during the faults, gone afterwards", at)
            elif at not in live:
                yield Finding("readers_differ", "I3", f"{at}: never seen by the reader during the faults", at)
            elif live[at] != full[at]:
                yield Finding("readers_differ", "I3", f"{at}: other bytes than during the faults", at)


def results_are_rows(e):
    """I3: a result's bytes are those of its inbox row, and every row has its result."""
    for row in e.tables["inbox"]:
        results = e.results_of.get(row["request_id"], [])
        if row["state"] == "dead":
            if not e.dead_at.get((row["topic"], row["partition"], row["offset"])):
                yield Finding("lost", "I1", f"{row['request_id']}: a dead row without a dead letter", row["request_id"])
        elif not results:
            yield Finding("lost", "I1", f"{row['request_id']}: a row without a result", row["request_id"])
        elif results[0].value != row["result"].encode():
            yield Finding("result_not_row", "I3", f"{row['request_id']}: the result's bytes are not those of the row", row["request_id"])
    for request_id, results in e.results_of.items():
        if request_id not in e.rows_of:
            yield Finding("result_not_row", "I3", f"{request_id}: a result without a row", request_id)
        for result in results:
            if result.header("ce_subject") != request_id or result.key != (request_id or "").encode():
                yield Finding("result_not_row", "I3", f"{request_id}: key or subject of the result name another request", request_id)
    ids = collections.Counter(record.header("ce_id") for name in ("results", "accounts") for record in e.full[name] if not _is_notice(record))
    for event_id, count in ids.items():
        if count > 1:
            yield Finding("event_id_reused", "I3", f"{event_id}: the id of {count} events")


def _is_notice(record):
    return (record.header("ce_type") or "").startswith(("enrolld.message.", "enrolld.sending."))


def notices_told(e):
    """A message's end has a notice; each notice is published at least once, always the same bytes under the same id."""
    rows = {row["notice_id"]: row for row in e.tables["notice"]}
    told = collections.defaultdict(list)
    for record in filter(_is_notice, e.full["accounts"]):
        told[record.header("ce_id")].append(record)
    for notice_id, row in rows.items():
        if notice_id not in told:
            yield Finding("notice_lost", "notices", f"{notice_id}: {row['kind']} was never published")
    for notice_id, records in told.items():
        row = rows.get(notice_id)
        if row is None:
            yield Finding("notice_invented", "notices", f"{notice_id}: a notice without a row", records[0].at)
        elif any(record.bytes != records[0].bytes for record in records):
            yield Finding("notice_differs", "notices", f"{notice_id}: published with different bytes", records[0].at)
        elif (records[0].value, records[0].key) != (row["payload"].encode(), row["key"].encode()):
            yield Finding("notice_differs", "notices", f"{notice_id}: published with other bytes than its row's", records[0].at)
    kinds = {(row["subject"], row["kind"]) for row in rows.values()}
    for row in e.tables["message"]:
        if row["due_at"] is None and (row["message_id"], f"message.{row['state']}") not in kinds:
            yield Finding("notice_missing", "notices", f"{row['message_id']}: {row['state']} without a notice")


def one_account_per_identity(e):
    """I2: accepted requests, accounts, claims and account events are the same set, and no identity is in it twice."""
    accepted = {}
    for request_id, results in e.results_of.items():
        body = results[0].json()
        if body.get("outcome") == "accepted":
            accepted[request_id] = body.get("account_id")
    accounts = {row["account_id"]: row for row in e.tables["account"]}
    yield from _accounts(e, accepted, accounts)
    yield from _claims(e, accepted, accounts)
    yield from _events(e, accepted, accounts)


def _accounts(e, accepted, accounts):
    owners = collections.defaultdict(list)
    for request_id, account_id in accepted.items():
        owners[account_id].append(request_id)
        if account_id not in accounts:
            yield Finding("account_missing", "I2", f"{request_id}: accepted, but there is no account {account_id}", request_id)
    for account_id, ids in owners.items():
        if len(ids) > 1:
            yield Finding("account_shared", "I2", f"{account_id}: of {len(ids)} requests: {', '.join(map(str, ids[:3]))}", ids[0])
    for account_id in accounts.keys() - owners.keys():
        yield Finding("account_unasked", "I2", f"{account_id}: an account that no accepted result names")


def _claims(e, accepted, accounts):
    held = collections.defaultdict(set)
    seen = collections.Counter()
    for row in e.tables["claim"]:
        held[row["account_id"]].add((row["kind"], row["value"]))
        seen[row["realm"], row["kind"], row["value"]] += 1
        if row["account_id"] not in accounts:
            yield Finding("claim_orphaned", "I2", f"{row['kind']} of {row['account_id']}: a claim without an account")
    for (realm, kind, value), count in seen.items():
        if count > 1:
            yield Finding("identity_doubled", "I2", f"{realm} {kind} {value}: {count} claims")
    wanted = {request_id: set(records[0].claims) for request_id, records in e.groups().items() if records[0].kind == "good"}
    asked = collections.defaultdict(list)
    for request_id, claims in wanted.items():
        for claim in claims:
            asked[claim].append(request_id)
    for request_id, claims in wanted.items():
        if request_id in accepted:
            if held.get(accepted[request_id], set()) != claims:
                yield Finding("wrong_claims", "I2", f"{request_id}: asked for {sorted(claims)}, its account holds "
                              f"{sorted(held.get(accepted[request_id], set()))}", request_id)
        elif request_id in e.results_of and not any(other in accepted for claim in claims for other in asked[claim]):
            yield Finding("refused_for_nothing", "I2", f"{request_id}: refused as taken, but nobody has {sorted(claims)}", request_id)
    for claim, ids in asked.items():
        winners = [request_id for request_id in ids if request_id in accepted]
        if len(winners) > 1:
            yield Finding("identity_doubled", "I2", f"{claim}: {len(winners)} accounts, of {', '.join(map(str, winners[:3]))}", winners[0])


def _events(e, accepted, accounts):
    told = collections.Counter()
    for record in e.full["accounts"]:
        if record.header("ce_type") == "enrolld.account.registered.v1":
            told[record.header("ce_subject")] += 1
            if record.json().get("account_id") != record.header("ce_subject"):
                yield Finding("event_wrong", "I3", f"{record.at}: subject and body name different accounts", record.at)
    for account_id in set(accepted.values()) | accounts.keys():
        if told[account_id] != 1:
            yield Finding("event_missing" if told[account_id] == 0 else "event_doubled", "I3",
                          f"{account_id}: {told[account_id]} registered events")
    for account_id in told.keys() - accounts.keys():
        yield Finding("event_invented", "I3", f"{account_id}: an event of an account that is not there")


def messages_once(e):
    """I4: a text arrives once; a mail too, and once more at most for each time that its outcome was counted as unknown."""
    arrived = collections.defaultdict(list)
    for mail in e.mails:
        arrived[(mail["message_id"] or "").strip("<>").split("@")[0]].append(mail)
    messages = {row["message_id"]: row for row in e.tables["message"]}
    unknown = 0
    for message_id, row in messages.items():
        in_doubt = row["state"] == "transmitting" and e.run.get("open_ends")
        unknown += row["unknowns"] + in_doubt
        if row["due_at"] is not None and row["state"] != "unknown" and not in_doubt:
            yield Finding("message_unsettled", "I4", f"{message_id}: still {row['state']}")
        if row["channel"] == "email":
            yield from _mail(row, arrived.get(message_id, []))
    for message_id in arrived.keys() - messages.keys():
        yield Finding("mail_invented", "I4", f"{message_id or 'no Message-ID'}: a mail without a message row")
    yield from _texts(e, messages)
    most = e.run.get("unknown_at_most")
    if most is not None and unknown > most:
        yield Finding("too_many_unknown", "I4", f"{unknown} hand-overs of unknown outcome, at most {most} can be from the faults")
    yield from _verifications(e, messages)


def _mail(row, copies):
    message_id = row["message_id"]
    if len(copies) > 1 + row["unknowns"]:
        yield Finding("mail_doubled", "I4", f"{message_id}: arrived {len(copies)} times, {row['unknowns']} of unknown outcome, {row['state']}")
    elif row["state"] == "accepted" and not copies:
        yield Finding("mail_lost", "I4", f"{message_id}: counted as accepted, never arrived")
    if len({mail["sha256"] for mail in copies}) > 1 and len({mail["code"] for mail in copies}) > 1:
        yield Finding("mail_differs", "I4", f"{message_id}: its copies carry different codes")
    if len({tuple(mail["to"]) for mail in copies}) > 1:
        yield Finding("mail_differs", "I4", f"{message_id}: its copies went to different people")


def _texts(e, messages):
    arrived = collections.Counter(text["headers"].get("idempotency-key") for text in e.texts)
    for message_id, row in messages.items():
        copies = arrived.pop(message_id, 0)
        if row["channel"] == "sms" and copies > 1:
            yield Finding("text_doubled", "I4", f"{message_id}: arrived {copies} times, {row['unknowns']} of unknown outcome, {row['state']}")
        elif row["channel"] == "sms" and row["state"] == "accepted" and not copies:
            yield Finding("text_lost", "I4", f"{message_id}: counted as accepted, never arrived")
    for message_id in arrived:
        yield Finding("text_invented", "I4", f"{message_id}: a text without a message row")


def _verifications(e, messages):
    if not e.run.get("verifications"):
        return
    wanted = collections.Counter()
    for row in e.tables["claim"]:
        wanted["email"] += row["kind"] == "email"
        wanted["sms"] += row["kind"] == "phone"
    for channel in ("email", "sms"):
        have = sum(row["channel"] == channel for row in messages.values())
        if have != wanted[channel]:
            yield Finding("messages_differ", "I4", f"{have} messages by {channel} for {wanted[channel]} addresses")


def offsets_pass_what_is_done(e):
    """I1: committed offsets stand at the end, their marks with them, and never stood beyond a record without a row."""
    for place in e.offsets:
        where = f"{place['topic']}/{place['partition']}"
        if place["committed"] != place["end"] and not (place["end"] == 0 and place["committed"] == -1):
            yield Finding("lag", "I8", f"{where}: committed {place['committed']}, the end is {place['end']}")
        if place["passed"] != place["committed"]:
            yield Finding("marks_differ", "I1", f"{where}: the group stands at {place['committed']}, its mark at {place['passed']}")
        if place.get("mark") is not None and place["mark"] > place["passed"]:
            yield Finding("marks_differ", "I1", f"{where}: the database's mark {place['mark']} is beyond {place['passed']}")
    yield from _samples(e, _stored(e))


def _stored(e):
    """{(topic, partition): (offsets, latest time of storing among the records up to each)}; no row counts as never."""
    found = collections.defaultdict(list)
    for request in e.acknowledged:
        rows = [e.row_at[request.at]] if request.at in e.row_at else e.rows_of.get(request.id, [])
        found[request.at[:2]].append((request.at[2], min((row["stored_at"] for row in rows), default=float("inf"))))
    for place, records in found.items():
        records.sort()
        found[place] = ([offset for offset, _ in records], list(itertools.accumulate((time for _, time in records), max)))
    return found


def _samples(e, stored):
    highest = {}
    for sample in e.samples:
        place = (sample["topic"], sample["partition"])
        if sample["committed"] < highest.get(place, 0):
            yield Finding("offset_went_back", "I1", f"{place}: committed {sample['committed']} after {highest[place]}")
        highest[place] = max(highest.get(place, 0), sample["committed"])
        offsets, latest = stored.get(place, ([], []))
        passed = bisect.bisect_left(offsets, sample["committed"])
        if passed and latest[passed - 1] > sample["at"]:
            offset = offsets[bisect.bisect_right(latest, sample["at"])]
            yield Finding("passed_unfinished", "I1", f"{place[0]}/{place[1]}@{offset}: passed at {sample['at']}, stored at "
                          f"{latest[passed - 1]}", (*place, offset))


def in_order(e):
    """Per request partition, results and replies leave in the order of the records."""
    last = {}
    for record in e.full["results"]:
        rows = e.rows_of.get(record.json().get("request_id"), [])
        for row in rows[:1]:
            yield from _step(last, ("results", record.at[:2], row["topic"], row["partition"]), row["offset"], record)
    for record in e.full["replies"]:
        correlation = record.header("zilla:correlation-id") or record.header("ce_correlationid")
        for request in e.by_correlation.get(correlation, [])[:1]:
            yield from _step(last, ("replies", record.at[:2], request.at[0], request.at[1]), request.at[2], record)


def _step(last, place, offset, record):
    before = last.get(place, -1)
    if offset < before:
        yield Finding("out_of_order", "order", f"{record.at}: of {place[2]}/{place[3]}@{offset}, after that of @{before}", record.at)
    last[place] = max(offset, before)


ALL = (nothing_lost, once_each, same_answer, readers_agree, results_are_rows, one_account_per_identity, messages_once, notices_told,
       offsets_pass_what_is_done, in_order)


def judge(e):
    """All findings, in the order of the invariants."""
    e.by_correlation = collections.defaultdict(list)
    for request in e.acknowledged:
        if request.correlation:
            e.by_correlation[request.correlation].append(request)
    return [finding for check in ALL for finding in check(e)]
