# SPDX-License-Identifier: Apache-2.0
"""What may become of a record, by the manual (records.md, reasons.md) and the native dialect. It shares no code with the worker.

Where two faults meet in one record either may be named; a body that the rules judge may be accepted or refused; a spoilt envelope may be refused for
anything. All else is exact.
"""
import fnmatch
import json
import re
import urllib.parse

HEADERS_MAX, HEADER_BYTES_MAX, VALUE_MAX = 256, 64 << 10, 64 << 10
DEPTH_MAX, VALUES_MAX = 16, 1000
EXPIRED_BEFORE = 1_000_000_000_000  # milliseconds; the forge's times are decades or hours away
BODY_FAULTS = {"malformed_json", "too_deep", "duplicate_key", "number_out_of_range", "invalid_utf8", "nul_character", "not_an_object", "too_large"}
JUDGED = {"accepted", "invalid", "identity_taken"}
OTHERS = {"invalid", "nul_character", "password_wrong", "code_unknown", "token_invalid", "expired"}  # bodies of sign-ups at other routes
# A request that was written for another route and came to one of codes is one of codes after all.
ASKED = {"accepted", "code_too_soon", "rate_limited"}
TRIED = {f"code_{what}" for what in ("wrong", "expired", "exhausted", "locked", "superseded", "used")} | {"rate_limited"}
ROUTES = {b"/v1/accounts": b"POST", b"/v1/password": b"POST", b"/v1/codes": b"POST", b"/v1/codes/check": b"POST", b"/v1/verify": b"GET",
          b"/v1/sessions/refresh": b"POST"}
SESSIONS = b"/v1/sessions"  # POST and DELETE
FIELDS = {"email", "phone", "username", "password", "password_hash", "given_name", "family_name", "display_name", "birth_date", "locale", "attributes"}
EVENTS = {b"enrolld.signup.v1", b"enrolld.password.v1", b"enrolld.code.request.v1", b"enrolld.code.check.v1", b"enrolld.verify.v1",
          b"enrolld.signin.v1", b"enrolld.refresh.v1", b"enrolld.signout.v1"}


def decodes(path):
    """Is the query UTF-8 when its escapes are undone?"""
    try:
        urllib.parse.unquote_to_bytes(path.partition(b"?")[2].replace(b"+", b" ")).decode()
    except UnicodeDecodeError:
        return False
    return True


class Expected:
    """outcomes: "accepted", "expired", reasons of a refusal, or "dead:" and a reason. reply: (topic, correlation) of one that must come; may_reply:
    of one that may."""

    def __init__(self, outcomes, request_id=None, reply=None, may_reply=None, loose=False):
        self.outcomes, self.request_id, self.reply, self.may_reply, self.loose = outcomes, request_id, reply, may_reply, loose


def printable(value, most):
    return 0 < len(value) <= most and all(0x20 <= byte <= 0x7e for byte in value)


class _Duplicate(ValueError):
    pass


def _pairs(pairs):
    if len({name for name, _ in pairs}) != len(pairs):
        raise _Duplicate
    return dict(pairs)


def _constant(name):
    raise ValueError(name)


def _walk(value, depth, seen):
    seen["values"] += 1
    texts = []
    if isinstance(value, (dict, list)):
        seen["depth"] = max(seen["depth"], depth + 1)
        texts = list(value) if isinstance(value, dict) else []
        for child in value.values() if isinstance(value, dict) else value:
            _walk(child, depth + 1, seen)
    elif isinstance(value, str):
        texts = [value]
    elif isinstance(value, int) and not isinstance(value, bool) and not -2**63 <= value < 2**63:
        seen["faults"].add("number_out_of_range")
    elif isinstance(value, float) and value in (float("inf"), float("-inf")):
        seen["faults"].add("number_out_of_range")
    if isinstance(value, dict) and any("\0" in name for name in value):
        seen["faults"].add("nul_character")
    for text in texts:
        if re.search("[\ud800-\udfff]", text):
            seen["faults"].add("invalid_utf8")


def read_json(value):
    """(the value, faults): faults that a strict reader must find, None of a value that is no JSON at all."""
    try:
        parsed = json.loads(value.decode("utf-8"), object_pairs_hook=_pairs, parse_constant=_constant)
    except _Duplicate:
        return None, BODY_FAULTS - {"not_an_object"}
    except RecursionError:
        return None, {"too_deep", "too_large"}
    except ValueError as error:
        return None, BODY_FAULTS - {"not_an_object"} if "digits" not in str(error) else {"number_out_of_range"}
    seen = {"values": 0, "depth": 0, "faults": set()}
    try:
        _walk(parsed, 0, seen)
    except RecursionError:
        seen["depth"] = 10**6
    if seen["depth"] > DEPTH_MAX:
        seen["faults"].add("too_deep")
    if seen["values"] > VALUES_MAX:
        seen["faults"].add("too_large")
    if not isinstance(parsed, dict):
        seen["faults"].add("not_an_object")
    return parsed, seen["faults"]


def event_id(value):
    """The id of a structured event, which stands in for a correlation that is not there."""
    event, faults = read_json(value or b"")
    own = event.get("id") if isinstance(event, dict) and not faults else None
    return own.encode("utf-8") if isinstance(own, str) else None


class Contract:
    """replies: {allowed topic that exists: partitions}. refusals: all reasons that a record's own fault may have. enveloped: topics of shapes that
    are read from the value."""

    def __init__(self, replies, refusals, enveloped, realms=("main", "shop-*")):
        self.replies, self.enveloped, self.realms = replies, enveloped, realms
        self.anything = refusals | {"accepted", "expired", "dead:unaddressed", "dead:tombstone"}

    def expected(self, record):
        headers = [(name.split(b"\0")[0], value) for name, value in record.headers]
        size = len(record.key or b"") + sum(len(name) + len(value or b"") for name, value in headers)
        oversized = len(headers) > HEADERS_MAX or size > HEADER_BYTES_MAX
        read = {name.lower(): value for name, value in headers} if not oversized else {}
        http = bool(read.get(b":path")) and b":method" in read
        if record.topic in self.enveloped and record.valid:
            return Expected({"accepted"}, None, record.reply, loose=True)
        announced = (read.get(b"content-type") or b"").lower().startswith(b"application/cloudevents")
        told = record.topic == "events" and not http and (announced or not (read.get(b":path") or read.get(b"ce_type")))
        if record.topic in self.enveloped or told:
            names = (b"zilla:correlation-id", b"kafka_correlationid", b"ce_correlationid", b"ce_id")
            return Expected(self.anything, None, None, {record.own_id, b"env-%d" % record.number, event_id(record.value),
                                                        *(read.get(name) for name in names)}, loose=True)
        return self._judge(record, read, oversized, http)

    def _judge(self, record, read, oversized, http):
        has = lambda name: bool(read.get(name))  # noqa: E731
        event = not http and not has(b":path") and record.topic == "events" and has(b"ce_type")
        if not has(b":path") and not event:
            bare = record.value is None and b":method" not in read and not has(b"ce_type") and not oversized
            return Expected({"dead:tombstone" if bare else "dead:unaddressed"}, reply=None)
        reply = self._reply(read)
        faults = set()
        if event and (read.get(b"ce_specversion") != b"1.0" or not has(b"ce_id") or not has(b"ce_source")):
            faults.add("invalid_event")
        if record.topic == "tenants" and not self._realm(read.get(b"x-enroll-realm") or b""):
            faults.add("realm_refused")
        request_id, bad_id = self._id(read, event)
        if bad_id:
            faults.add("invalid_request_id")
        if len(record.value or b"") > VALUE_MAX:
            faults.add("too_large")
        if self._expired(record):
            return Expected({"expired"}, request_id, reply)
        if not faults:
            faults = self._asked(record, read, event, request_id)
        if record.topic == "clock" and record.timestamp == -1:
            faults = faults | {"expired"}  # it takes the youngest time before it, which may be an old one
        return Expected(faults, request_id, reply)

    @staticmethod
    def _expired(record):
        return record.topic == "clock" and 0 < record.timestamp < EXPIRED_BEFORE

    def _realm(self, realm):
        return printable(realm, 64) and b" " not in realm and any(fnmatch.fnmatchcase(realm.decode(), allowed) for allowed in self.realms)

    @staticmethod
    def _id(read, event):
        """(request id if it is written in the record, whether what is written is none)."""
        key = read.get(b"idempotency-key")
        if key:
            return (key, False) if printable(key, 256) else (None, True)
        source, own = read.get(b"ce_source"), read.get(b"ce_id")
        if event and source and own:
            joined = source + b" " + own
            return (joined, False) if printable(joined, 256) and b" " not in source else (None, False)
        outbox = read.get(b"id")
        if outbox:
            return (outbox, False) if printable(outbox, 256) else (None, True)
        return None, False

    def _reply(self, read):
        """(topic, correlation) of a reply that must come, else None."""
        partition = -1
        if read.get(b"zilla:reply-to"):
            topic, correlation = read[b"zilla:reply-to"], read.get(b"zilla:correlation-id")
        elif read.get(b"kafka_replytopic"):
            topic, correlation = read[b"kafka_replytopic"], read.get(b"kafka_correlationid")
            place = read.get(b"kafka_replypartition")
            if place is not None:
                partition = int.from_bytes(place, "big", signed=True) if len(place) == 4 else -2
                partition = -2 if partition < 0 else partition
        elif read.get(b"ce_replyto"):
            topic, correlation = read[b"ce_replyto"], read.get(b"ce_correlationid") or read.get(b"ce_id")
        else:
            return None
        known = self.replies.get(topic.decode("latin-1"))
        good = known is not None and -1 <= partition < known and correlation is not None and 1 <= len(correlation) <= 1024
        return (topic, correlation) if good else None

    @staticmethod
    def _asked(record, read, event, request_id):
        if event:
            if read[b"ce_type"] not in EVENTS:
                return {"unknown_route"}
            named = read[b"ce_type"]
            signs_up, bare = named == b"enrolld.signup.v1", named == b"enrolld.verify.v1"
            asks, tries = named == b"enrolld.code.request.v1", named == b"enrolld.code.check.v1"
        else:
            path, method = read[b":path"].split(b"?", 1)[0], (read.get(b":method") or b"").upper()
            methods = {b"POST", b"DELETE"} if path == SESSIONS else {ROUTES[path]} if path in ROUTES else set()
            if method not in methods:
                return {"method_not_allowed" if methods else "unknown_route"}
            signs_up, bare = path == b"/v1/accounts", path == b"/v1/verify"
            asks, tries = path == b"/v1/codes", path == b"/v1/codes/check"
        others = OTHERS | {"invalid_utf8"} if bare and not decodes(read.get(b":path") or b"") else OTHERS
        media = (read.get(b"content-type") or b"").split(b";", 1)[0].strip(b" \t").lower()
        fits = media in (b"", b"application/json") or (media.startswith(b"application/") and media.endswith(b"+json") and len(media) >= 17)
        if not fits and (record.value or not bare):  # nobody asks of what kind nothing is
            return {"unsupported_media_type"}
        if not record.value:
            return set(others) if bare else {"empty"}
        body, faults = read_json(record.value)
        if faults:
            return faults
        if signs_up and body == record.body:
            # A bit that fell over may have made this name of that of another spoilt one; account.py sees whether it is taken.
            return {"accepted"} if record.valid else {"accepted", "identity_taken"}
        judged = set(JUDGED if signs_up else others)
        if asks and may_ask(body):
            judged |= ASKED
        if tries and isinstance(body.get("code"), str):
            judged |= TRIED
        if signs_up and any(holds_nul(value) for name, value in body.items() if name in FIELDS):
            judged = {"invalid", "nul_character"}
        own = body.get("request_id")
        known = request_id is not None or (event and read.get(b"ce_source") and read.get(b"ce_id"))
        if not known and own is not None:
            good = isinstance(own, str) and printable(own.encode("utf-8", "surrogatepass"), 256)
            if not good:
                return {"invalid_request_id"}
        return judged


def holds_nul(value):
    if isinstance(value, dict):
        return any(holds_nul(inner) for inner in value.values())
    return "\0" in value if isinstance(value, str) else isinstance(value, list) and any(holds_nul(inner) for inner in value)


def may_ask(body):
    """What the native request for a code cannot do without."""
    return all(any(isinstance(body.get(name), str) and body[name].strip() for name in names) for names in (("purpose",), ("email", "phone")))


def may_be_accepted(body):
    """What the native sign-up demands of whatever it accepts, said again in a few lines."""
    def text(name):
        value = body.get(name)
        return value.strip() if isinstance(value, str) and value.strip() else None
    password, ready = body.get("password"), body.get("password_hash")
    if not any(text(name) for name in ("email", "phone", "username")):
        return "no identity"
    if (password is None) == (ready is None):
        return "both or none of password and hash"
    if password is not None and not (isinstance(password, str) and len(password) >= 15 and len(password.encode()) <= 256):
        return "a password that is too short, too long or no text"
    if ready is not None and not (isinstance(ready, str) and re.match(r"\$argon2|\$2[abxy]\$|\$?pbkdf2", ready)):
        return "a hash of no known kind"
    email = text("email")
    if email and not re.fullmatch(r"[^\s@\"<>(),;:\\\x00-\x1f\x7f]+@[^\s@\x00-\x1f\x7f]+", email):
        return "an address that is none"
    for name in ("given_name", "family_name", "display_name"):
        if text(name) and re.search(r"[\x00-\x1f\x7f]", text(name)):
            return f"a control character in {name}"
    return None
