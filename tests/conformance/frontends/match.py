# SPDX-License-Identifier: Apache-2.0
"""An answer held against what a case expects of it."""
import base64
import json
import re


def same(found, wanted):
    """Equal in type, too: 1 is neither true nor 1.0."""
    if isinstance(wanted, dict):
        return isinstance(found, dict) and found.keys() == wanted.keys() and all(same(found[name], wanted[name]) for name in wanted)
    if isinstance(wanted, list):
        return isinstance(found, list) and len(found) == len(wanted) and all(same(a, b) for a, b in zip(found, wanted))
    return type(found) is type(wanted) and found == wanted


def within(found, wanted):
    """Objects may have more members, at any depth."""
    if isinstance(wanted, dict):
        return isinstance(found, dict) and all(name in found and within(found[name], wanted[name]) for name in wanted)
    return same(found, wanted)


def at(body, path):
    """What a dotted path leads to; KeyError if it leads nowhere."""
    for name in path.split("."):
        if isinstance(body, list):
            body = body[int(name)]
        elif isinstance(body, dict):
            body = body[name]
        else:
            raise KeyError(path)
    return body


def has(body, path):
    try:
        at(body, path)
    except (KeyError, IndexError, ValueError):
        return False
    return True


def claims_of(token):
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def token_faults(body, name, wanted):
    claims = claims_of(body[name])
    rest = {key: value for key, value in claims.items() if key not in ("exp", "iat", "jti")}
    own = {key: value for key, value in wanted.items() if key != "life"}
    if not same(rest, own) or not re.fullmatch("[0-9a-f]{32}", claims["jti"]) or claims["exp"] - claims["iat"] != wanted["life"]:
        yield f"claims of {name}: {claims}"


def body_faults(body, expect):
    if "answer" in expect and not same(body, expect["answer"]):
        yield f"body {json.dumps(body, ensure_ascii=False)} instead of {json.dumps(expect['answer'], ensure_ascii=False)}"
    if "contains" in expect and not within(body, expect["contains"]):
        yield f"body {json.dumps(body, ensure_ascii=False)} without {json.dumps(expect['contains'], ensure_ascii=False)}"
    if "order" in expect and list(body) != expect["order"]:
        yield f"members {list(body)} instead of {expect['order']}"
    for path, pattern in expect.get("like", {}).items():
        if not has(body, path) or not re.search(pattern, str(at(body, path))):
            yield f"{path} of {json.dumps(body, ensure_ascii=False)} is not like {pattern}"
    for path in expect.get("absent", []):
        if has(body, path):
            yield f"{path} is there"
    for name, wanted in expect.get("claims", {}).items():
        yield from token_faults(body, name, wanted)


def echoes(sent, found):
    """Passwords of the request that its answer repeats; those that are also another member's value are not told apart."""
    try:
        members = json.loads(sent or b"{}")
        texts = [value for value in members.values() if isinstance(value, str)] if isinstance(members, dict) else []
    except ValueError:
        return
    for name in members if texts else ():
        value = members[name]
        if "password" in name.lower() and isinstance(value, str) and len(value) >= 6 and value.encode() in (found or b""):
            if not any(other == value for key, other in members.items() if "password" not in key.lower()):
                yield f"the answer repeats {name}"


def faults(status, headers, body, expect):
    """What is wrong with an answer; status an integer, headers None if they are not known, body bytes or None."""
    wanted = expect["status"] if isinstance(expect["status"], list) else [expect["status"]]
    text = (body or b"").decode("utf-8", "replace")
    if status not in wanted:
        yield f"status {status} instead of {expect['status']}: {text[:300]}"
        return
    for name, pattern in (expect.get("reply_headers", {}) if headers is not None else {}).items():
        if not re.search(pattern, headers.get(name, "")):
            yield f"header {name}: {headers.get(name)!r} is not like {pattern}"
    try:
        yield from body_faults(json.loads(body) if body else None, expect)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        yield f"{error!r}: {text[:300]}"
