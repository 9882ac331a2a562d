# SPDX-License-Identifier: Apache-2.0
"""What can be done to a JSON body: to its bytes, its texts, its fields, its shape, its size."""
import json

STRANGE = ("", " ", "\t", "x" * 300, "x" * 5000, "\u202eevil", "a\u200bb", "\ufeff", "\u0301" * 300, "😀" * 60, "ﷺ" * 30, "ß", "İstanbul", "\x7f",
           "\u0085", "line\nbreak", "cr\rhere", "tab\tbed", "a@b", "a@b.example\r\nRCPT TO:<x@y.example>", '"quoted"@b.example', "a@[127.0.0.1]",
           "@", "a@@b.example", "a@b..example", "a@-b.example", "a@xn--.example", "a@xn--a.example", "ä@ü.example", "a@b.example.", "+1", "+" + "9" * 30,
           "(555) 555", "２０２４-01-01", "0000-00-00", "9999-12-31", "2024-02-30", "../../etc/passwd", "'; drop table enrolld.account; --",
           "{{password}}", "%s%s%s%n", "${jndi:ldap://127.0.0.1/a}", "$argon2id$", "$argon2id$v=19$m=4294967295,t=4294967295,p=255$$",
           "$argon2id$v=19$m=19456,t=2,p=1$$", "$2b$10$" + "." * 53, "$2b$99$" + "a" * 53, "$pbkdf2-sha256$999999999$x$y",
           "pbkdf2_sha256$260000$salt$" + "A" * 43 + "=", "en-" + "x" * 80, "zz-ZZ-zz-ZZ", "password1234567", "aaaaaaaaaaaaaaaaaaaa", "\U0010ffff",
           "\ud7ff", "\ue000")
VALUES = (None, True, False, 0, -1, 2**31, 2**63 - 1, -2**63, 1.5, -0.0, 5e-324, 1.7976931348623157e308, [], {}, [[]], [None], {"": ""}, {"a": {"b": []}},
          ["x"] * 100, {"text": "x"}, "")
NUMBERS = (b"1e999", b"-1e999", b"1" * 400, b"9223372036854775808", b"-9223372036854775809", b"1e-999", b"0.1e+1", b"01", b"+1", b".5", b"1.", b"0x10",
           b"NaN", b"Infinity", b"-", b"1e", b"0" * 50, b"-0", b"1e308", b"123456789012345678901234567890.5")
ESCAPES = (b"\\u0000", b"\\ud800", b"\\udfff\\ud800", b"\\ud83d\\ude00", b"\\ud83d\\u0041", b"\\u12", b"\\x41", b"\\", b"\\u0022", b"\\/", b"\\ud83d\\ude0",
           b"\x00", b"\x01", b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82", b"\xf8\x88\x80\x80\x80", b"\r\n", b'"')
FIELDS = ("email", "phone", "username", "password", "password_hash", "given_name", "family_name", "display_name", "birth_date", "locale", "attributes",
          "request_id")


def flip(rng, value, most):
    value = bytearray(value)
    for _ in range(rng.randint(1, most) if value else 0):
        value[rng.randrange(len(value))] ^= 1 << rng.randrange(8)
    return bytes(value)


def spoil_bytes(rng, value):
    """Flips, cuts, repeats, inserts: no knowledge of JSON."""
    if not value:
        return rng.randbytes(rng.randrange(100))
    start, end = sorted((rng.randrange(len(value) + 1), rng.randrange(len(value) + 1)))
    kind = rng.randrange(8)
    if kind < 3:
        return flip(rng, value, 8)
    if kind == 3:
        return value[:start]
    if kind == 4:
        return value[:start] + value[end:]
    if kind == 5:
        return value[:end] + value[start:end] * rng.randint(1, 5) + value[end:]
    if kind == 6:
        return value[:start] + rng.randbytes(rng.randint(1, 20)) + value[start:]
    return value[end:] + value[start:end] + value[:start]


def spoil_text(rng, body):
    """Escapes, numbers and bytes that JSON does not allow, in a text or where a value stands."""
    text = json.dumps(body).encode()
    if rng.random() < 0.6:
        quotes = [at for at, byte in enumerate(text) if byte == ord('"')]
        at = rng.choice(quotes)
        return text[:at + 1] + rng.choice(ESCAPES) + text[at + 1:]
    if rng.random() < 0.7:
        name = rng.choice((b"attributes", b"given_name", b"extra"))
        number = rng.choice(NUMBERS)
        if name == b"attributes":
            number = b'{"n":' + number + b"}"
        return text[:-1] + b',"' + name + b'":' + number + b"}"
    return rng.choice((b"\xef\xbb\xbf" + text, text + text, text + b"x", text + b"\0", text.decode().encode("utf-16"), text.decode().encode("utf-32"),
                       text.replace(b'"', b"'"), text.replace(b":", b"="), b"/* c */" + text, text[:-1] + b",}", b"[" + text + b"]",
                       text.decode().encode("utf-7"), b" " * 2000 + text + b"\n" * 2000, text.replace(b"{", b"[").replace(b"}", b"]")))


def spoil_field(rng, body):
    """Values that fields do not expect."""
    body = dict(body)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        name = rng.choice(FIELDS if rng.random() < 0.5 or not body else list(body))
        kind = rng.random()
        if kind < 0.5:
            body[name] = rng.choice(STRANGE)
        elif kind < 0.7:
            body[name] = rng.choice(VALUES)
        elif kind < 0.8:
            body.pop(name, None)
        elif isinstance(body.get(name), str):
            text = body[name]
            at = rng.randrange(len(text) + 1)
            body[name] = text[:at] + rng.choice(STRANGE) + text[at:]
        else:
            body[name] = {rng.choice(STRANGE): rng.choice(VALUES) for _ in range(rng.choice((1, 5, 64, 65)))}
    return json.dumps(body, ensure_ascii=rng.random() < 0.5).encode("utf-8", "surrogatepass")


def spoil_members(rng, body):
    """The same member twice, unknown ones, deep ones, many."""
    text = json.dumps(body).encode()
    kind = rng.randrange(6)
    if kind == 0:
        name = rng.choice(list(body))
        return text[:-1] + b"," + json.dumps(name).encode() + b":" + json.dumps(rng.choice(STRANGE)).encode() + b"}"
    if kind == 1:
        name = rng.choice(list(body))
        escaped = "".join(f"\\u{ord(letter):04x}" for letter in name)
        return text[:-1] + f',"{escaped}":"x"}}'.encode()
    if kind == 2:
        depth = rng.choice((10, 14, 15, 16, 17, 64, 65, 1000, 20000))
        opening, closing = rng.choice(((b"[", b"]"), (b'{"a":', b"}")))
        filler = b"1" if opening != b"[" else b""
        depth = min(depth, 60000 // len(opening + closing))
        return text[:-1] + b',"attributes":' + opening * depth + filler + closing * rng.choice((depth, depth, depth - 1, 0)) + b"}"
    if kind == 3:
        return json.dumps({**body, **{f"m{n}": rng.choice(VALUES) for n in range(rng.choice((10, 900, 1100, 3000)))}}).encode()
    if kind == 4:
        return json.dumps({**body, "attributes": {f"m{n}": n for n in range(rng.choice((63, 64, 65, 500)))}}).encode()
    return json.dumps({**body, rng.choice(("__proto__", "", "\u0000", "Email", "email ", "admin", "role", "realm", "account_id", "state")): "x"}).encode()


def spoil_size(rng, body):
    """Around and beyond the limits."""
    size = rng.choice((255, 256, 257, 4096, 60000, 65535, 65536, 65537, 70000, 70000, 200000, 900000 if rng.random() < 0.2 else 66000))
    kind = rng.randrange(4)
    if kind == 0:
        return json.dumps({**body, rng.choice(("password", "given_name", "extra")): "x" * size}).encode()
    text = json.dumps(body).encode()
    if kind == 1:
        return text[:1] + b" " * max(0, size - len(text)) + text[1:]
    if kind == 2:
        return json.dumps({**body, "attributes": {"a": "y" * size}}).encode()
    return rng.choice((b"[", b"{", b'"', b"0", b"\xff", b" ", b"\\")) * size
