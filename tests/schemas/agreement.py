#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Holds each dialect's JSON Schema against the worker, with an independent validator.

Valid requests are mutated with a fixed seed. What the schema refuses, the worker must refuse; what the schema lets pass, the worker must take, or refuse
only by rules that the schema lists as x-enrolld-rule. Answers must be as their schema says.

usage: agreement.py PROGRAM DIALECTS [--instances N] [--seed N] [NAME...]
"""
import argparse
import base64
import copy
import json
import pathlib
import random
import re
import subprocess
import sys
import tempfile

import jsonschema
import yaml

# Scalars that mutation puts anywhere, and what it does to texts.
VALUES = [None, True, False, 0, 1, -1, 7, 2.5, 1.0, "", " ", "x", "0", "true", "en", "small", [], [1], ["a"], {}, {"a": 1}, "é" * 3, "𝒳" * 9]
LENGTHS = [1, 3, 7, 8, 10, 11, 50, 128, 129, 150, 151, 200, 201, 254, 255, 256, 257, 513]


PHONE = ("+91", "9962794005")  # a number whose beginning is a member of its own
TEXTS = ["Jane", "johndoe", "Male", "other", "20", "0123456789", "main"]


def rules_of(schema):
    return {rule["rule"]: rule.get("value") for rule in schema.get("x-enrolld-rule", [])}


def valid_texts(schema, rules):
    if "email" in rules:
        return ["jane@example.com", "a.b+c@mail.example.org"]
    if "phone" in rules:
        how = rules["phone"] or {}
        return ["5550001111", "0123"] if how.get("digits") else [PHONE[1]] if "prefix" in how else ["+201234567890", "+966512345678"] if how else ["+4930123456"]
    if "date" in rules:
        return ["1990-01-15", "2000-02-29"]
    if "locale" in rules:
        return ["en", "de-AT"]
    if schema.get("writeOnly"):
        return ["Blue heron over the lake 7", "SecureP@ssw0rd1234567"]
    own = rules.get("pattern")
    pattern = re.compile(own["value"] if isinstance(own, dict) else own or schema.get("pattern") or "")
    return [text for text in TEXTS if pattern.search(text)][:3]


def valid_values(schema):
    """Instances of the schema's properties, from the words of its rules."""
    rules = rules_of(schema)
    types = {"text": ["string"], "list": ["array"]}.get(rules.get("type"), [rules["type"]] if "type" in rules else schema.get("type", ["string"]))
    if schema.get("type") == ["null"]:
        return [None]
    if "in_table" in rules:
        return [schema["default"]]
    if "enum" in schema or "choice" in rules:
        return list(schema.get("enum") or rules["choice"])
    if "string" in types:
        return valid_texts(schema, rules)
    return {"object": [{}], "array": [[], ["ab", "cd"]], "boolean": [True, False]}.get(next(t for t in types if t != "null"), [20, 482131])


def wanted(name, inner, body, schema, rng, every):
    rules = rules_of(inner)
    if "not" in inner or "foreign_hash" in rules or "request_id" in rules:
        return False
    if any(other.replace("_", "").lower() == name.replace("_", "").lower() for other in body):  # its other spelling is there
        return False
    return every or name in schema.get("required", []) or "required" in rules or "filled" in rules or rng.random() < 0.5


def valid(schema, rng, every):
    body, members = {}, list(schema.get("properties", {}).items())
    rng.shuffle(members)
    split = any("prefix" in (rules_of(inner).get("phone") or {}) for _, inner in members)
    for name, inner in members:
        if not wanted(name, inner, body, schema, rng, every):
            continue
        if "properties" in inner:
            body[name] = valid(inner, rng, every)
        else:
            body[name] = PHONE[0] if split and "phone" not in rules_of(inner) else rng.choice(valid_values(inner))
    secrets = [name for name, inner in members if inner.get("writeOnly") and name in body and "string" in inner.get("type", ["string"])]
    for name in secrets[1:]:  # passwords that are to be equal
        body[name] = body[secrets[0]]
    return body


def places(node, path=()):
    yield path
    if isinstance(node, dict):
        for key in node:
            yield from places(node[key], path + (key,))
    elif isinstance(node, list):
        for index in range(len(node)):
            yield from places(node[index], path + (index,))


def mutate(body, rng):
    body = copy.deepcopy(body)
    for _ in range(rng.choice([0, 1, 1, 1, 2, 3])):
        path = rng.choice([p for p in places(body) if p] or [()])
        if not path:
            return body
        parent = body
        for step in path[:-1]:
            parent = parent[step]
        what = rng.random()
        value = parent[path[-1]]
        if what < 0.25:
            del parent[path[-1]]
        elif what < 0.6:
            parent[path[-1]] = copy.deepcopy(rng.choice(VALUES))
        elif what < 0.8:
            parent[path[-1]] = rng.choice("aZé ") * rng.choice(LENGTHS)
        elif isinstance(value, str):
            parent[path[-1]] = rng.choice([value + "\n", " " + value + " ", value.upper(), value[:-1], value * 2, value + "é"])
        elif isinstance(parent, dict):
            parent["extra"] = rng.choice([1, "x", {}])
    return body


def unsaid(schema):
    """Codes of all rules that the schema lists without saying them."""
    codes = set()
    if isinstance(schema, dict):
        codes |= {rule["code"] for rule in schema.get("x-enrolld-rule", [])}
        for key, inner in schema.items():
            if key != "x-enrolld-rule":
                codes |= unsaid(inner)
    elif isinstance(schema, list):
        for inner in schema:
            codes |= unsaid(inner)
    return codes


def own_codes(schema):
    return {rule["code"] for rule in schema.get("x-enrolld-rule", [])} if isinstance(schema, dict) else set()


def codes_at(schema, pointer):
    """Codes that the schema lists where the pointer leads, or for the whole; where it leads nowhere ("at" of a rule), all."""
    node = schema
    for token in pointer.split("/")[1:]:
        token = token.replace("~1", "/").replace("~0", "~")
        inner = node.get("properties", {}).get(token)
        if inner is None and token.isdigit():
            inner = node.get("items")
        if inner is None:
            return unsaid(schema)
        node = inner
    return own_codes(node) | own_codes(schema)


class Dialect:
    def __init__(self, program, folder, name):
        self.program, self.folder, self.name = program, str(folder / name), name
        self.schema = json.loads(subprocess.run([program, "schema", self.folder], check=True, capture_output=True).stdout)
        jsonschema.Draft202012Validator.check_schema(self.schema)
        self.defs = self.schema["$defs"]
        self.routes = self.read_routes()
        self.config = tempfile.NamedTemporaryFile("w", suffix=".yaml")
        self.admit()

    def read_routes(self):
        text = subprocess.run([self.program, "schema", "--yaml", self.folder], check=True, capture_output=True, text=True).stdout
        routes, current = {}, None
        for line in text.split("\n"):
            if line.startswith(f"      name: {self.name}."):
                current = line.split(".", 1)[1]
            elif current and line.startswith("      summary: '"):
                words = line.split("'")[1].split(",")[0].split(" ")
                if len(words) == 2:
                    routes[current] = tuple(words)
                current = None
        return routes

    def validator(self, name):
        return jsonschema.Draft202012Validator({"$defs": self.defs, **self.defs[name]})

    def ask(self, requests):
        lines = "".join(json.dumps(request, ensure_ascii=False) + "\n" for request in requests)
        done = subprocess.run([self.program, "dialect", "try", "--json", "--config", self.config.name, self.folder], input=lines.encode(),
                              check=True, capture_output=True)
        return [json.loads(line) for line in done.stdout.decode().splitlines()]

    def admit(self):
        """The headers and queries, by route, that pass what is asked before the body, which is no matter of the schema: a key that the dialect's table
        has, or, where a setting names the table's file, one in a file of our own; a bearer token."""
        dialect = yaml.safe_load((pathlib.Path(self.folder) / "dialect.yaml").read_text(encoding="utf-8"))
        values, self.passes = {}, {}
        for route in dialect["routes"]:
            headers, query = {"content-type": "application/json"}, ""
            for access in route.get("access", dialect.get("access", [])):
                key = access.get("key")
                if "bearer" in access:
                    headers[access["bearer"]["header"]] = "Bearer token"
                if key:
                    value = self.key_of(dialect["tables"][key["table"]], key["column"], values)
                    if key.get("scheme") == "Basic":
                        value = "Basic " + base64.b64encode(value.encode()).decode()
                    if "query" in key:
                        query = f"{key['query']}={value}"
                    else:
                        headers[key["header"]] = value
            self.passes[route["name"]] = {"headers": headers, "query": query}
        # No broker and no database is asked: the settings only have to be there.
        self.config.write(json.dumps({"kafka": {"bootstrap_servers": "127.0.0.1:1"}, "database": {"dsn": "postgresql://127.0.0.1:1/none"},
                                      "worker": {"instance": "try"}, "dialects": {self.name: {"values": values}}}))
        self.config.flush()

    def key_of(self, table, column, values):
        rows = table.get("rows", [])
        if table.get("file"):
            rows = yaml.safe_load((pathlib.Path(self.folder) / table["file"]).read_text(encoding="utf-8"))
        known = [row[column] for row in rows if row.get("active", True)]
        if not known:
            self.rows = tempfile.NamedTemporaryFile("w", suffix=".yaml")
            json.dump([{name: "agreed" if name == column else 1 for name in table["columns"]}], self.rows)
            self.rows.flush()
            values[table["setting"]] = self.rows.name
            return "agreed"
        return known[0]


def judge(dialect, route, instances, answers, stop):
    request_schema = dialect.defs[f"{route}.request"]
    validator, codes = dialect.validator(f"{route}.request"), unsaid(request_schema)
    accepted = refused = more = wrong = 0
    for body, answer in zip(instances, answers):
        fits = validator.is_valid(body)
        taken = answer["reason"] in ("ok",)
        extra = [v for v in answer["violations"] if v["code"] not in codes_at(request_schema, v["field"])]
        if fits and taken:
            accepted += 1
        elif not fits and not taken:
            refused += 1
        elif fits and not extra and (answer["reason"] == "invalid" or answer["reason"] in codes):
            more += 1
        else:
            wrong += 1
            if wrong <= stop:
                fault = next((f"{e.json_path}: {e.message[:120]}" for e in validator.iter_errors(body)), "fits")
                print(f"{dialect.name}.{route}: schema: {fault}; worker: {answer['reason']} {extra}\n  {json.dumps(body, ensure_ascii=False)[:400]}")
    return accepted, refused, more, wrong


def judge_answers(dialect, route, answers, stop):
    wrong = 0
    for answer in answers:
        key = "accepted" if answer["reason"] == "ok" else answer["reason"]
        names = [n for n in (f"{route}.{key}", key, "unreadable", "refused") if n in dialect.defs]
        names += [n for n in dialect.defs if any(n.startswith(f"{base}.") and n[len(base) + 1:].isdigit() for base in names[:1])]
        if "body" not in answer or answer["body"] is None:
            continue
        if "json" not in dict(answer["headers"])["content-type"]:
            continue
        body = json.loads(answer["body"])
        if not any(dialect.validator(n).is_valid(body) for n in names):
            wrong += 1
            if wrong <= stop:
                print(f"{dialect.name}.{route}: an answer is not as {names[0]} says: {answer['body'][:300]}")
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("dialects", type=pathlib.Path)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--instances", type=int, default=2000, help="of each dialect")
    parser.add_argument("--seed", type=int, default=20261124)
    parser.add_argument("--show", type=int, default=5, help="disagreements to print of each route")
    args = parser.parse_args()
    names = args.names or sorted(p.parent.name for p in args.dialects.glob("*/dialect.yaml"))
    failed = False
    for name in names:
        dialect, rng = Dialect(args.program, args.dialects, name), random.Random(args.seed)
        routes = [r for r in dialect.routes if f"{r}.request" in dialect.defs]
        for route in routes:
            method, path = dialect.routes[route]
            path = re.sub(r"\{[^}]*\}", "main", path)
            schema = dialect.defs[f"{route}.request"]
            count = -(-args.instances // len(routes))
            instances = [mutate(valid(schema, rng, rng.random() < 0.7), rng) for _ in range(count)]
            answers = dialect.ask([{"method": method, "path": path, **dialect.passes[route], "body": json.dumps(b, ensure_ascii=False)} for b in instances])
            accepted, refused, more, wrong = judge(dialect, route, instances, answers, args.show)
            odd = judge_answers(dialect, route, answers, args.show)
            print(f"{name}.{route}: {count} instances: {accepted} accepted and {refused} refused by both, {more} refused by x-enrolld-rule, "
                  f"{wrong} disagreements; {odd} odd answers")
            failed = failed or wrong > 0 or odd > 0
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
