#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Asks dialects what they answer to written requests, without Kafka and without a database.

usage: exchanges.py PROGRAM DIALECTS EXCHANGES [NAME...]     DIALECTS: folders, with : between

EXCHANGES has a file NAME.yaml for each dialect: a list of {name, request, answer}. A request has method, path, query, headers, and one of json (a value),
form (a map) and body (a text); "taken: true" says that others hold its identities, "limited: name" that this limit is used up. Of an answer are compared
its status, those headers that are named (null: there is none), and json or text (null: no body). What stands under "defaults" fills in for what a request
does not say. A text of the expected answer that is /.../ is a pattern of what must stand there.
"""
import json
import pathlib
import re
import subprocess
import sys
import urllib.parse

import yaml


class Plain(yaml.SafeLoader):
    """A day stays a text."""


Plain.yaml_implicit_resolvers = {first: [(tag, pattern) for tag, pattern in rows if not tag.endswith(":timestamp")]
                                 for first, rows in yaml.SafeLoader.yaml_implicit_resolvers.items()}


def fits(expected, found):
    if isinstance(expected, str) and len(expected) > 1 and expected[0] == expected[-1] == "/":
        return re.fullmatch(expected[1:-1], found if isinstance(found, str) else json.dumps(found)) is not None
    if isinstance(expected, dict):
        return isinstance(found, dict) and list(expected) == list(found) and all(fits(expected[key], found[key]) for key in expected)
    if isinstance(expected, list):
        return isinstance(found, list) and len(expected) == len(found) and all(map(fits, expected, found))
    return type(expected) is type(found) and expected == found


def line_of(request):
    line = {"method": "POST", "headers": {}, **request}
    headers = dict(line["headers"])
    if "json" in line:
        line["body"] = json.dumps(line.pop("json"), ensure_ascii=False)
        headers.setdefault("content-type", "application/json")
    elif "form" in line:
        line["body"] = urllib.parse.urlencode(line.pop("form"))
        headers.setdefault("content-type", "application/x-www-form-urlencoded")
    line["headers"] = {name: value for name, value in headers.items() if value is not None}
    return json.dumps(line, ensure_ascii=False) + "\n"


def faults(expected, answer):
    headers = dict(answer["headers"])
    if answer["status"] != expected["status"]:
        yield f"status {answer['status']} instead of {expected['status']}"
    for name, value in expected.get("headers", {}).items():
        if value is None and name in headers or value is not None and not fits(value, headers.get(name)):
            yield f"{name}: {headers.get(name)} instead of {value}"
    body = answer.get("body")
    if "text" in expected and body != expected["text"]:
        yield f"body {body!r} instead of {expected['text']!r}"
    if "json" in expected:
        found = json.loads(body) if body else None
        if not fits(expected["json"], found):
            yield f"body\n    {json.dumps(found, ensure_ascii=False)}\n  instead of\n    {json.dumps(expected['json'], ensure_ascii=False)}"


def main():
    program, folders, exchanges = sys.argv[1], [pathlib.Path(folder) for folder in sys.argv[2].split(":")], pathlib.Path(sys.argv[3])
    passed = failed = 0
    for path in sorted(exchanges.glob("*.yaml")):
        if sys.argv[4:] and path.stem not in sys.argv[4:]:
            continue
        rows = yaml.load(path.read_text(encoding="utf-8"), Plain)
        defaults = rows["defaults"]
        lines = "".join(line_of({**defaults, **row["request"], "headers": {**defaults.get("headers", {}), **row["request"].get("headers", {})}})
                        for row in rows["exchanges"])
        folder = next(folder / path.stem for folder in folders if (folder / path.stem).exists())
        done = subprocess.run([program, "dialect", "try", "--json", str(folder)], input=lines.encode(), check=True, capture_output=True)
        answers = [json.loads(line) for line in done.stdout.decode().splitlines()]
        for row, answer in zip(rows["exchanges"], answers, strict=True):
            wrong = list(faults(row["answer"], answer))
            passed, failed = passed + (not wrong), failed + bool(wrong)
            for fault in wrong:
                print(f"{path.stem}: {row['name']}: {fault}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
