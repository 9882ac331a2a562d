#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The frontends' cases through "enrolld dialect try": all that need neither database nor worker.

usage: try_frontends.py PROGRAM [DIALECT...]
"""
import json
import pathlib
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from frontends import case as cases  # noqa: E402
from frontends import match  # noqa: E402

ROOT = HERE.parent.parent


def line_of(step):
    path, _, query = step.path.partition("?")
    line = {"method": step.method, "path": path, "headers": step.headers}
    if query:
        line["query"] = query
    if step.body is not None:
        line["body"] = step.body.decode()
    return json.dumps(line, ensure_ascii=False)


def ask(program, settings, dialect, steps):
    lines = "".join(line_of(step) + "\n" for step in steps)
    done = subprocess.run([program, "dialect", "try", "--json", "--config", settings, ROOT / "schemas/dialects" / dialect], input=lines.encode(),
                          check=True, capture_output=True)
    return [json.loads(line) for line in done.stdout.decode().splitlines()]


def main():
    program, names = sys.argv[1], sys.argv[2:]
    passed = failed = left = 0
    with tempfile.TemporaryDirectory() as folder:
        keys, settings = pathlib.Path(folder) / "keys.yaml", pathlib.Path(folder) / "enrolld.yaml"
        keys.write_text(json.dumps([{"key": "pk_storefront_test_valid", "name": "web", "hourly": 100}]), encoding="utf-8")
        settings.write_text(json.dumps({"kafka": {"bootstrap_servers": "127.0.0.1:1"}, "database": {"dsn": "postgresql://127.0.0.1:1/none"},
                                        "worker": {"instance": "try"}, "dialects": {"bagisto": {"values": {"keys_file": str(keys)}}}}), encoding="utf-8")
        found = cases.read_all(names)
        for dialect in dict.fromkeys(case.dialect for case in found):
            mine = [case for case in found if case.dialect == dialect and not case.worker]
            left += sum(case.dialect == dialect and case.worker for case in found)
            for case, answer in zip(mine, ask(program, settings, dialect, [case.steps[-1] for case in mine]), strict=True):
                wrong = list(match.faults(answer["status"], None, answer["body"].encode() if answer.get("body") else None, case.steps[-1].expect))
                failed, passed = failed + bool(wrong), passed + (not wrong)
                for fault in wrong:
                    print(f"FAIL {case.name}: {fault}")
    print(f"({left} need a worker: test_frontends.py)")
    print(f"{passed} passed, {failed} failed")
    return 0 if passed and not failed else 1


if __name__ == "__main__":
    sys.exit(main())
