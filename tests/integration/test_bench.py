#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""scripts/bench in its shortest form: every figure comes out, and every form of the page shows it. No figure is judged.

usage: test_bench.py [CASE...]   CASE is part of a case's name
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

TESTS = pathlib.Path(__file__).resolve().parents[1]
ROOT = TESTS.parent
sys.path[:0] = [str(TESTS / "support"), str(TESTS / "bench")]

from figures import page  # noqa: E402
from harness.cases import Cases, equal, true  # noqa: E402

KEYS = [key for _, keys in page.GROUPS for key in keys]
BUILD = pathlib.Path(os.environ["ENROLLD_RELEASE_BINARY"]).parents[1] if "ENROLLD_RELEASE_BINARY" in os.environ else None


def bench(*arguments):
    return subprocess.run([ROOT / "scripts/bench", *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300,
                          check=False)


class Context:
    """The run that the cases look at."""

    def __init__(self, folder):
        self.file = folder / "run.json"
        self.folder = folder
        self.found = {}

    def edited(self, name, change):
        """A copy of the run with a change, as a file."""
        copy = json.loads(self.file.read_text(encoding="utf-8"))
        change(copy)
        path = self.folder / name
        path.write_text(json.dumps(copy), encoding="utf-8")
        return path


def case_every_figure_comes_out(c):
    done = bench("--smoke", "--json", *(["--build", BUILD] if BUILD else []))
    equal(done.returncode, 0, f"exit status; it said:\n{done.stderr[-3000:]}")
    c.file.write_text(done.stdout, encoding="utf-8")
    c.found = json.loads(done.stdout)
    equal((c.found["form"], c.found["rounds"]), ("smoke", 1), "form and rounds")
    equal(sorted(c.found["figures"]), sorted(KEYS), "figures")
    for key, row in c.found["figures"].items():
        true(isinstance(row["median"], (int, float)) and row["samples"], f"{key} has a value")
        true(row["goal"] is None or row["met"] in (True, False), f"{key} is judged")
    for name in ("date", "commit", "processor", "cores", "Apache Kafka", "PostgreSQL", "librdkafka", "libsodium"):
        true(c.found["machine"][name], f"the machine's {name}")


def case_parts_make_one_page(c):
    """As a long run is made, a section at a time."""
    def keep(wanted):
        return lambda run: run.update(figures={key: row for key, row in run["figures"].items() if wanted(key)})
    parts = [c.edited("front.json", keep(lambda key: key.startswith("front"))), c.edited("rest.json", keep(lambda key: not key.startswith("front")))]
    markdown = c.folder / "page.md"
    done = bench("--from", ",".join(map(str, parts)), "--markdown", markdown)
    equal(done.returncode, 0, f"exit status; it said:\n{done.stderr[-1000:]}")
    text = markdown.read_text(encoding="utf-8")
    for key, row in c.found["figures"].items():
        true(f"\n| {row['name']} | " in text, f"{key} is a row of the page")
        true(f"\n  {row['name']} " in done.stdout, f"{key} is a row of the table")
    true("not measured" not in text and c.found["machine"]["commit"] in text, "the page says what it stands on")


def case_what_is_not_met_or_missing_is_said(c):
    def spoil(run):
        run["figures"]["start"].update(samples=[9.5])
        run["figures"]["sign_ups_ratio"].update(samples=[], missing="the worker ended with 1")
    markdown = c.folder / "spoilt.md"
    done = bench("--from", c.edited("spoilt.json", spoil), "--markdown", markdown)
    equal(done.returncode, 1, "exit status")
    text = markdown.read_text(encoding="utf-8")
    true("| start to first result | 9.50 s |  | <= 1 | not met |" in text, f"a goal that is not met:\n{text}")
    true("| not measured |" in text and "the worker ended with 1" in text, "a figure that is missing, and why")


def case_parts_that_do_not_belong_together_are_refused(c):
    other = c.edited("other.json", lambda run: run["machine"].update(commit="0123456789ab"))
    done = bench("--from", f"{c.file},{other}")
    equal((done.returncode, done.stdout), (1, ""), "exit status, and what it printed")
    true("commit is not the same" in done.stderr, done.stderr)


def main():
    names = sys.argv[1:]
    cases = Cases()
    with tempfile.TemporaryDirectory() as folder:
        context = Context(pathlib.Path(folder))
        for name, case in list(globals().items()):
            if name.startswith("case_") and (not names or any(word.replace(" ", "_") in name for word in names)):
                cases.run(case, context)
    return cases.end()


if __name__ == "__main__":
    sys.exit(main())
