# SPDX-License-Identifier: Apache-2.0
"""Somebody has a dump and tries every code: hashes of each in many ways, compared with all that is stored; and codes made out of what is stored."""
import base64
import binascii
import hashlib
import hmac
import itertools
import json
import re
import uuid

DIGEST = range(8, 65)  # bytes of a value that could be a digest, whole or cut
HASHES = {"md5": hashlib.md5, "sha1": hashlib.sha1, "sha256": hashlib.sha256, "sha512": hashlib.sha512, "sha3": hashlib.sha3_256,
          "blake2b": hashlib.blake2b, "blake2b-256": lambda data: hashlib.blake2b(data, digest_size=32),
          "blake2b-128": lambda data: hashlib.blake2b(data, digest_size=16), "blake2s": hashlib.blake2s}
UNESCAPED = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\"}


def tables(path):
    """{table: [{column: text}]} of what pg_dump writes."""
    found, rows = {}, None
    for line in path.read_text(encoding="utf-8").split("\n"):
        begin = re.match(r"COPY (\S+) \((.*)\) FROM stdin;", line)
        if begin:
            rows, columns = found.setdefault(begin[1], []), [name.strip('" ') for name in begin[2].split(",")]
        elif line == "\\.":
            rows = None
        elif rows is not None:
            rows.append({name: re.sub(r"\\(.)", lambda c: UNESCAPED.get(c[1], c[1]), cell) for name, cell in zip(columns, line.split("\t")) if cell != "\\N"})
    return found


def leaves(value):
    if isinstance(value, dict):
        for one in value.values():
            yield from leaves(one)
    elif isinstance(value, list):
        for one in value:
            yield from leaves(one)
    elif value is not None:
        yield str(value)


def readings(cell):
    """All that a cell may stand for, as bytes."""
    texts = [cell]
    if cell[:1] in "{[":
        try:
            texts += leaves(json.loads(cell))
        except ValueError:
            texts += cell.strip("{}").split(",")
    found = set()
    for text in texts:
        found.add(text.encode())
        bare = text.removeprefix("\\x")
        if re.fullmatch(r"([0-9a-fA-F]{2})+", bare):
            found.add(bytes.fromhex(bare))
        if re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", text):
            found.add(uuid.UUID(text).bytes)
        if re.fullmatch(r"[A-Za-z0-9+/_-]{10,}={0,2}", text):
            try:
                found.add(base64.urlsafe_b64decode(text.replace("+", "-").replace("/", "_") + "=" * (-len(text) % 4)))
            except (binascii.Error, ValueError):
                pass
    return found


class Stored:
    """What a dump holds, by its first bytes."""

    def __init__(self, found, leave_out=()):
        self.heads = {}
        for table, rows in found.items():
            for row in rows if table not in leave_out else ():
                for column, cell in row.items():
                    for value in readings(cell):
                        if len(value) in DIGEST:
                            self.heads.setdefault(value[:8], (f"{table}.{column}", value))

    def find(self, digest):
        """Where a digest, or its first 8 bytes or more, is stored."""
        where = self.heads.get(digest[:8])
        return where[0] if where and digest.startswith(where[1][:len(digest)]) else None


def salts(row):
    """What a code might be mixed with: nothing, and everything in its row."""
    found = [("", b"")]
    for column, cell in row.items():
        found += [(f"{column}/{number}", value) for number, value in enumerate(sorted(readings(cell)))]
    return found


def digests(code, mixed):
    """(how, digest) of one code."""
    text = code.encode()
    for name, make in HASHES.items():
        for column, salt in mixed:
            if not salt:
                yield name, make(text).digest()
                continue
            yield f"{name}({column} code)", make(salt + text).digest()
            yield f"{name}(code {column})", make(text + salt).digest()
            yield f"{name}({column}:code)", make(salt + b":" + text).digest()
    for column, salt in mixed:
        if salt:
            for name in ("md5", "sha1", "sha256", "sha512"):
                yield f"hmac-{name} keyed by {column}", hmac.digest(salt, text, name)
            yield f"blake2b keyed by {column}", hashlib.blake2b(text, key=salt[:64], digest_size=32).digest()


def search(codes, row, stored):
    """Codes that can be recognised: [(code, how, where)]."""
    mixed = salts(row)
    found = []
    for code in codes:
        for how, digest in digests(code, mixed):
            where = stored.find(digest)
            if where:
                found.append((code, how, where))
    return found


def numbers(digest):
    """Ways to make a number of a digest."""
    for size in {4, 8, len(digest)}:
        yield f"first {size}", int.from_bytes(digest[:size], "big")
        yield f"first {size}, little end first", int.from_bytes(digest[:size], "little")
        yield f"last {size}", int.from_bytes(digest[-size:], "big")
    if len(digest) >= 20:
        place = digest[-1] & 15  # RFC 4226, section 5.3
        yield "HOTP", int.from_bytes(digest[place:place + 4], "big") & 0x7fffffff


def made_of(row, length):
    """{how: code} of all codes that can be made of what is in a row, without a key from elsewhere."""
    values = [(column, value) for column, value in salts(row) if value]
    found = {}
    for (a, left), (b, right) in itertools.chain(itertools.product(values, values), ((value, ("", b"")) for value in values)):
        ways = {f"{name}({a} {b})": make(left + right).digest() for name, make in HASHES.items()}
        ways[f"{a} {b}"] = left + right
        ways |= {f"hmac-{name}({a}, {b})": hmac.digest(left, right, name) for name in ("sha1", "sha256")}
        for how, digest in ways.items():
            for cut, number in numbers(digest):
                found[f"{how}, {cut}"] = f"{number % 10**length:0{length}d}"
    return found


def derivable(rows, length=6):
    """Ways that give the right code of two rows at least; rows: [(row, code)]. One alone is chance, there are so many ways."""
    hits = {}
    for row, code in rows:
        for how, made in made_of(row, length).items():
            if made == code:
                hits[how] = hits.get(how, 0) + 1
    return sorted(how for how, count in hits.items() if count > 1)
