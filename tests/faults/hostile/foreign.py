# SPDX-License-Identifier: Apache-2.0
"""Requests to all other frontends of the tree, as nobody's client sends them: forms, paths, queries and headers too."""
import json
import urllib.parse

import routes

from . import bodies

MEDIA = (b"application/json", b"application/x-www-form-urlencoded", b"multipart/form-data; boundary=b", b"multipart/form-data", b"text/plain", b"",
         b"application/json; charset=utf-16", b"application/vnd.api+json", b"multipart/form-data; boundary=" + b"x" * 300, b"application/jso\0n")
HEADERS = (
    (b"authorization", (b"Bearer token", b"Bearer ", b"Basic YTpi", b"bearer\ttoken", b"Bearer " + b"x" * 9000, b"Bearer a.b.c", b"Bearer \xff", b"\0", None)),
    (b"accept", (b"application/json", b"text/html", b"*/*;q=0", b"application/*", b";;;,,,", b"a/b;q=\xff", b"," * 5000, b"")),
    (b"accept-language", (b"ar", b"xx", b"en;q=2,ar;q=-1", b"*", b"en-" + b"x" * 5000, b"\xff\xfe", b",,;q", b"ar\r\nx: y", b"e\0n")),
    (b"x-storefront-key", (b"pk_storefront_test_valid", b"", b"'; --", b"\0", b"k" * 5000, b"\xff")),
    (b"cookie", (b"session=1", b"\r\n\r\n", b"=" * 3000)),
    (b"host", (b"shop.example", b"[::1", b"a b", b"")),
    (b"x-forwarded-for", (b"203.0.113.9", b"999.9.9.9", b"," * 2000)),
)
ESCAPES = ("%00", "%", "%zz", "%ff", "%c0%af", "%ed%a0%80", "%0d%0a", "+", "%25%32%35", "\0", "%u0041")


def _form(rng, body):
    """As a form, whole or not."""
    pairs = list(routes.form_of(body)) or [("a", "b")]
    name, value = rng.choice(pairs)
    kind = rng.randrange(9)
    if kind == 0:
        pairs += [(name, rng.choice(bodies.STRANGE))] * rng.choice((1, 2, 500))
    elif kind == 1:
        pairs.append((rng.choice((f"{name}[]", f"{name}[0]", f"{name}[", f"{name}]", f"[{name}]", f"{name}[a][b]", f"{name}[-1]", f"{name}[99999999999]", "[]", "")), "x"))
    elif kind == 2:
        pairs.append((name + "[a]" * rng.choice((1, 10, 40, 3000)), "x"))
    elif kind == 3:
        pairs += [(f"m{n}", "") for n in range(rng.choice((100, 999, 1001, 4000)))]
    elif kind == 4:
        pairs = [(key, rng.choice(bodies.STRANGE) if key == name else text) for key, text in pairs]
    text = urllib.parse.urlencode(pairs, errors="surrogatepass")
    if kind == 5:
        at = rng.randrange(len(text) + 1)
        text = text[:at] + rng.choice(ESCAPES) + text[at:]
    elif kind == 6:
        text = rng.choice(("&" * 5000, "=" * 3000, "&=&=&=", text.replace("=", ""), text.replace("&", ";"), f"{text}&{urllib.parse.quote(name)}"))
    return bodies.spoil_bytes(rng, text.encode()) if kind == 7 else text.encode("utf-8", "surrogatepass")


def _multipart(rng, body):
    pairs = list(routes.form_of(body)) or [("a", "b")]
    parts = [b'--b\r\ncontent-disposition: form-data; name="%s"%s\r\n%s\r\n%s\r\n' % (
        name.encode(), rng.choice((b"", b"", b'; filename="x.png"')), rng.choice((b"", b"content-type: text/plain; charset=utf-16\r\n", b"x" * 3000 + b"\r\n")),
        rng.choice((value, value, rng.choice(bodies.STRANGE))).encode("utf-8", "surrogatepass")) for name, value in pairs]
    text = b"".join(parts) + rng.choice((b"--b--\r\n", b"--b--", b"--b", b"", b"--b--\r\nmore"))
    return rng.choice((text, text, bodies.spoil_bytes(rng, text), text.replace(b"\r\n", b"\n"), b"--b" * 5000, text.replace(b"--b", b"--c")))


def _json(rng, body):
    spoil = rng.choice((bodies.spoil_text, bodies.spoil_field, bodies.spoil_field, bodies.spoil_members, bodies.spoil_size))
    text = spoil(rng, body or {"a": "b"})
    return bodies.spoil_bytes(rng, text) if rng.random() < 0.1 else text


def _path(rng, route):
    path = route.path
    while "{" in path:
        head, _, rest = path.partition("{")
        path = head + urllib.parse.quote(rng.choice(bodies.STRANGE), safe="", errors="surrogatepass") + rest.partition("}")[2]
    kind = rng.randrange(8)
    if kind == 0:
        path = rng.choice((path.rstrip("/") + "//", path.rstrip("/"), path + "/..", path.upper(), path + "/x", path.replace("/", "//"), path + "%00"))
    if kind < 4:
        names = list(route.schema.get("properties", {})) + ["token", "email", "lang", "limit"]
        path += "?" + "&".join(f"{rng.choice(names)}={rng.choice(ESCAPES + ('a', '', 'x' * 3000, 'a=b'))}" for _ in range(rng.choice((1, 2, 30))))
    return path.encode("utf-8", "surrogatepass")


def write(rng, route, request_id):
    """(headers, value) of a request to a route."""
    body = routes.body_of(route.schema, rng)
    form = rng.choice((_json, _json, _json, _form, _form, _multipart))
    media = MEDIA[{_json: 0, _form: 1, _multipart: 2}[form]] if rng.random() < 0.85 else rng.choice(MEDIA)
    method = route.method.encode() if rng.random() < 0.93 else rng.choice((b"PUT", b"GET", b"DELETE", b"OPTIONS", b"HEAD"))
    headers = [(b":method", method), (b":path", _path(rng, route)), (b"content-type", media), (b"idempotency-key", request_id)]
    for name, values in rng.sample(HEADERS, rng.choice((0, 1, 2, 5))):
        headers.append((name, rng.choice(values)))
    whole = json.dumps(body).encode()
    return headers, whole if rng.random() < 0.15 else form(rng, body)
