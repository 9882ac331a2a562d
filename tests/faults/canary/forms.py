# SPDX-License-Identifier: Apache-2.0
"""The usual ways in which a secret may be written down, as byte strings to look for."""
import base64
import html
import json
import urllib.parse

LEAST = 8  # bytes of a pattern: shorter ones stand anywhere


def _base64(secret, lead, url):
    """What base64 of any text with the secret at a distance of lead, modulo 3, holds whatever stands around it."""
    encoded = (base64.urlsafe_b64encode if url else base64.b64encode)(bytes(lead) + secret)
    return encoded[-(-lead * 8 // 6):(lead + len(secret)) * 8 // 6]


def forms(secret):
    """{name: bytes} of all forms; those that are the same bytes as another one are there once."""
    found = {"plain": secret}
    for lead in range(3):
        found[f"base64, {lead} in front"] = _base64(secret, lead, False)
        found[f"base64url, {lead} in front"] = _base64(secret, lead, True)
    found["hex"] = secret.hex().encode()
    found["HEX"] = secret.hex().upper().encode()
    found["hex with \\x"] = b"".join(b"\\x%02x" % byte for byte in secret)
    found["%xx for all"] = b"".join(b"%%%02x" % byte for byte in secret)
    found["%XX for all"] = b"".join(b"%%%02X" % byte for byte in secret)
    found["decimal bytes"] = b",".join(b"%d" % byte for byte in secret)
    try:
        text = secret.decode("utf-8")
    except UnicodeDecodeError:
        text = None
    if text is not None:
        found["URL-encoded"] = urllib.parse.quote(text, safe="").encode()
        found["form-encoded"] = urllib.parse.quote_plus(text).encode()
        found["JSON"] = json.dumps(text)[1:-1].encode()
        found["JSON, ASCII untouched"] = json.dumps(text, ensure_ascii=False)[1:-1].encode()
        found["JSON, / escaped"] = json.dumps(text)[1:-1].replace("/", "\\/").encode()
        found["JSON, all escaped"] = "".join(f"\\u{unit:04x}" for unit in _units(text)).encode()
        found["JSON, all ESCAPED"] = "".join(f"\\u{unit:04X}" for unit in _units(text)).encode()
        found["HTML"] = html.escape(text).encode()
        found["UTF-16LE"] = text.encode("utf-16-le")
        found["UTF-16BE"] = text.encode("utf-16-be")
        found["UTF-32LE"] = text.encode("utf-32-le")
    seen, kept = set(), {}
    for name, pattern in found.items():
        if len(pattern) >= LEAST and pattern not in seen:
            seen.add(pattern)
            kept[name] = pattern
    return kept


def _units(text):
    encoded = text.encode("utf-16-be")
    return [int.from_bytes(encoded[at:at + 2], "big") for at in range(0, len(encoded), 2)]


def pieces(secret, size=16):
    """Parts that tell as much: what is left where somebody else's bytes have been written over the rest."""
    if len(secret) < 2 * size:
        return [secret]
    return [secret[:size], secret[-size:]] + ([secret[size:2 * size]] if len(secret) >= 3 * size else [])
