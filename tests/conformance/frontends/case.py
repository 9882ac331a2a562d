# SPDX-License-Identifier: Apache-2.0
"""Case files: what README.md beside them describes, as requests and expectations."""
import copy
import dataclasses
import json
import pathlib

import yaml

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "cases"
OF_A_STEP = {"method", "path", "topic", "headers", "body", "with", "without", "raw", "times", "unique", "status", "answer", "contains", "order", "like",
             "absent", "claims", "reply_headers"}
OF_A_CASE = OF_A_STEP | {"name", "before", "each", "each_both", "each_header", "worker"}


class Plain(yaml.SafeLoader):
    """A day stays a text."""


Plain.yaml_implicit_resolvers = {first: [(tag, pattern) for tag, pattern in rows if not tag.endswith(":timestamp")]
                                 for first, rows in yaml.SafeLoader.yaml_implicit_resolvers.items()}


Plain.add_constructor("!x", lambda loader, node: "x" * int(node.value))


class Wrong(Exception):
    """A case file that cannot be read."""


@dataclasses.dataclass
class Step:
    """One request, and what its answer must be."""
    topic: str
    method: str
    path: str
    headers: dict
    body: bytes | None
    expect: dict


@dataclasses.dataclass
class Case:
    name: str
    dialect: str
    worker: bool  # only a worker can answer it: it has a database, or lacks an operation
    steps: list  # the last one is the case's own


class Reader:
    """One file."""

    def __init__(self, path):
        self.file = yaml.load(path.read_text(encoding="utf-8"), Plain)
        self.path = path
        self.numbers = iter(range(1, 100000))

    def cases(self):
        for spec in self.file["cases"]:
            unknown = set(spec) - OF_A_CASE
            if unknown or "name" not in spec or "status" not in spec:
                raise Wrong(f"{self.path}: {spec.get('name')}: {sorted(unknown) or 'name and status are needed'}")
            for suffix, more in variants(spec):
                own = {**spec, **more}
                steps = [step for part in spec.get("before", []) for step in self.steps({"status": 201, **part})]
                yield Case(f"{self.file['dialect']}: {spec['name']}{suffix}", self.file["dialect"], bool(spec.get("before") or spec.get("worker")),
                           steps + list(self.steps({name: value for name, value in own.items() if name in OF_A_STEP})))

    def steps(self, spec):
        if set(spec) - OF_A_STEP:
            raise Wrong(f"{self.path}: {sorted(set(spec) - OF_A_STEP)}")
        for _ in range(spec.get("times", 1)):
            headers = {"content-type": "application/json", **self.file.get("headers", {}), **spec.get("headers", {})}
            method = spec.get("method", "POST")
            yield Step(spec.get("topic", self.file.get("topic", "signup")), method, spec.get("path", self.file["path"]),
                       {name: value for name, value in headers.items() if value is not None}, self.body(spec, method), spec)

    def body(self, spec, method):
        if "raw" in spec:
            return spec["raw"].encode() or None
        if method in ("GET", "DELETE"):
            return None
        body = copy.deepcopy(spec.get("body", self.file["body"]))
        body.update(spec.get("with", {}))
        for name in spec.get("without", []):
            del body[name]
        unique = spec.get("unique", [])
        for name in [unique] if isinstance(unique, str) else unique:  # a value of nobody else
            body[name] = f"n{next(self.numbers)}@example.com"
        return json.dumps(body, ensure_ascii=False).encode()


def variants(spec):
    """The case itself, or one for each value that it lists."""
    listed = [(f" ({name} {value!r})", {"with": {**spec.get("with", {}), name: value}}) for name, values in spec.get("each", {}).items() for value in values]
    listed += [(f" ({value!r})", {"with": {"password": value, "password2": value}}) for value in spec.get("each_both", [])]
    listed += [(f" ({name}: {value!r})", {"headers": {name: value}}) for name, values in spec.get("each_header", {}).items() for value in values]
    return listed or [("", {})]


def read_all(names=()):
    files = sorted(FOLDER.glob("*.yaml"))
    return [case for path in files if not names or path.stem in names for case in Reader(path).cases()]
