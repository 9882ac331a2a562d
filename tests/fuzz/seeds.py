#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Writes what fuzz targets begin with, from the dialects of the tree: valid requests of each route, the files themselves, and their words.

usage: seeds.py FOLDER     makes FOLDER/dialect/*, FOLDER/dialect_file/*, FOLDER/words (a dictionary for libFuzzer)
"""
import json
import pathlib
import random
import re
import sys
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import routes  # noqa: E402

HEADERS = (b"content-type = application/json", b"content-type = application/x-www-form-urlencoded", b"authorization = Bearer token",
           b"accept-language = ar", b"accept = application/json", b"idempotency-key = k-1", b"x-forwarded-for = 192.0.2.1")
FATES = b"0123rJ"  # as fuzz_dialect.c reads them: accepted, taken, refused elsewhere


def records(route, text, rng):
    """Inputs of fuzz_dialect for one route of a dialect with that file; a line break would end the choices."""
    keys = [f"{header} = k".encode() for header in re.findall(r"key: \{header: ([\w-]+)", text)]  # the key that frontends.c makes known
    dialect, number = route.dialect.encode(), bytes([route.number if route.number != 10 else 0])
    for fate in FATES:
        body = routes.body_of(route.schema, rng)
        for form, written in enumerate((json.dumps(body), urllib.parse.urlencode(list(routes.form_of(body))))):
            headers = b"".join(b"header " + line + b"\n" for line in (HEADERS[form], *keys, *rng.sample(HEADERS[2:], 3)))
            yield b"%s\n%s%c\n%svalue\n%s" % (dialect, number, fate, headers, written.encode())
    changes = rng.randbytes(8).replace(b"\n", b"x")
    yield b"%s\n%s%c%s\nheader %s\nvalue\n%s" % (dialect, number, FATES[0], changes, HEADERS[0], json.dumps(body).encode())


def main():
    to, rng = pathlib.Path(sys.argv[1]), random.Random(4)
    words, texts = set(), {}
    for name in ("dialect", "dialect_file"):
        (to / name).mkdir(parents=True, exist_ok=True)
    for file in sorted(routes.FOLDER.glob("*/dialect.yaml")):
        texts[file.parent.name] = text = file.read_text(encoding="utf-8")
        words |= set(re.findall(r"[A-Za-z_$][\w.$-]{2,30}", text, re.ASCII))
        (to / "dialect_file" / file.parent.name).write_text(re.sub(r"^dialect: .*", "dialect: any", text, flags=re.MULTILINE), encoding="utf-8")
    for route in routes.routes():
        for number, data in enumerate(records(route, texts[route.dialect], rng)):
            (to / "dialect" / f"{route.dialect}-{route.name}-{number}").write_bytes(data)
    (to / "words").write_text("".join(f'"{word}"\n' for word in sorted(words)), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
