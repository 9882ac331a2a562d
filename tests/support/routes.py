# SPDX-License-Identifier: Apache-2.0
"""The routes of all dialects below schemas/dialects, whatever is there, and requests to them that their JSON Schema lets pass."""
import json
import pathlib
import re

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "schemas" / "dialects"
TEXTS = {"email": "jane@example.com", "phone": "+201234567890", "date": "1990-01-15", "locale": "de-AT"}
PASSWORD = "q7VbK2x9Zp-Aa1!"  # as fuzz_dialect.c looks for it


class Route:
    """number: among the routes of its dialect. method and path are None where only an event leads there."""

    def __init__(self, dialect, number, name, method, path, schema):
        self.dialect, self.number, self.name, self.method, self.path, self.schema = dialect, number, name, method, path, schema


def routes():
    found = []
    for file in sorted(FOLDER.glob("*/dialect.yaml")):
        described = file.with_name("schema.json")
        schemas = json.loads(described.read_text(encoding="utf-8"))["$defs"] if described.exists() else {}
        blocks = re.split(r"^  - name: ", file.read_text(encoding="utf-8").partition("\nroutes:\n")[2], flags=re.MULTILINE)[1:]
        for number, block in enumerate(blocks):
            name = block.split("\n", 1)[0].strip()
            method, path = (re.search(rf"^    {key}: (\S+)", block, re.MULTILINE) for key in ("method", "path"))
            found.append(Route(file.parent.name, number, name, method and method[1], path and path[1], schemas.get(f"{name}.request", {})))
    return found


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
        return PASSWORD if schema.get("writeOnly") else rng.choice(("Jane", "johndoe", "shop-1"))
    return {"array": [], "object": {}, "boolean": True, "null": None}.get(types[0], 1)


def body_of(schema, rng):
    every = rng.random() < 0.7
    return {name: value_of(inner, rng) for name, inner in schema.get("properties", {}).items()
            if "not" not in inner and (every or name in schema.get("required", []))}


def form_of(tree, name=""):
    """A tree as the names and values of a form."""
    if isinstance(tree, dict):
        for key, inner in tree.items():
            yield from form_of(inner, f"{name}[{key}]" if name else key)
    elif isinstance(tree, list):
        for inner in tree:
            yield from form_of(inner, f"{name}[]")
    else:
        yield name, "true" if tree is True else "" if tree is None else str(tree)
