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

ROOT = pathlib.Path(__file__).resolve().parents[2]
MARK = "q7VbK2x9Zp"  # as fuzz_dialect.c has it
TEXTS = {"email": "jane@example.com", "phone": "+201234567890", "date": "1990-01-15", "locale": "de-AT"}
HEADERS = (b"content-type = application/json", b"content-type = application/x-www-form-urlencoded", b"authorization = Bearer token",
           b"accept-language = ar", b"accept = application/json", b"idempotency-key = k-1", b"x-forwarded-for = 192.0.2.1")


def value_of(schema, rng):
    """A value that the schema lets pass, as far as it says."""
    rules = {rule["rule"]: rule.get("value") for rule in schema.get("x-enrolld-rule", [])}
    types = schema.get("type", ["string"])
    if "enum" in schema or "choice" in rules:
        return rng.choice(schema.get("enum") or rules["choice"])
    if "properties" in schema:
        return body_of(schema, rng)
    for rule, text in TEXTS.items():
        if rule in rules:
            return text
    if "string" in types:
        return f"{MARK}-Aa1!" if schema.get("writeOnly") else rng.choice(("Jane", "johndoe", "shop-1"))
    return {"array": [], "object": {}, "boolean": True, "null": None}.get(types[0], 1)


def body_of(schema, rng):
    every = rng.random() < 0.7
    return {name: value_of(inner, rng) for name, inner in schema.get("properties", {}).items()
            if "not" not in inner and (every or name in schema.get("required", []))}


def pairs(tree, name=""):
    """A tree as the names and values of a form."""
    if isinstance(tree, dict):
        for key, inner in tree.items():
            yield from pairs(inner, f"{name}[{key}]" if name else key)
    elif isinstance(tree, list):
        for inner in tree:
            yield from pairs(inner, f"{name}[]")
    else:
        yield name, "true" if tree is True else "" if tree is None else str(tree)


def records(folder, rng):
    """Inputs of fuzz_dialect for one dialect."""
    schemas = json.loads((folder / "schema.json").read_text(encoding="utf-8"))["$defs"]
    text = (folder / "dialect.yaml").read_text(encoding="utf-8")
    routes = re.findall(r"^  - name: (\w+)", text, re.MULTILINE)
    keys = [f"{header} = k".encode() for header in re.findall(r"key: \{header: ([\w-]+)", text)]  # the key that frontends.c makes known
    for number, route in enumerate(routes):
        choice = bytes([number if number < 10 else number + 22 * len(routes)])
        for fate in b"0123rJ":
            body = body_of(schemas.get(f"{route}.request", {}), rng)
            texts = (json.dumps(body).encode(), urllib.parse.urlencode(list(pairs(body))).encode())
            for form, text in enumerate(texts):
                more = [HEADERS[form], *keys, *rng.sample(HEADERS[2:], 3)]
                yield b"%s\n%s%c\n%s\nvalue\n%s" % (folder.name.encode(), choice, fate, b"\n".join(b"header " + line for line in more), text)
        yield b"%s\n%s%c%s\nheader content-type = application/json\nvalue\n%s" % (folder.name.encode(), choice, 48, rng.randbytes(8).replace(b"\n", b"x"),
                                                                                json.dumps(body).encode())


def main():
    to = pathlib.Path(sys.argv[1])
    words = set()
    for name in ("dialect", "dialect_file"):
        (to / name).mkdir(parents=True, exist_ok=True)
    for file in sorted((ROOT / "schemas/dialects").glob("*/dialect.yaml")):
        text = file.read_text(encoding="utf-8")
        words |= set(re.findall(r"[A-Za-z_$][\w.$-]{2,30}", text, re.ASCII))
        (to / "dialect_file" / file.parent.name).write_text(re.sub(r"^dialect: .*", "dialect: any", text, flags=re.MULTILINE), encoding="utf-8")
        if (file.parent / "schema.json").exists():
            for number, data in enumerate(records(file.parent, random.Random(4))):
                (to / "dialect" / f"{file.parent.name}-{number}").write_bytes(data)
    (to / "words").write_text("".join(f'"{word}"\n' for word in sorted(words)), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
