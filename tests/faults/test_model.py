#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The rules of exactly-once, tried to the end on a small model (model/pipeline.py): what they must hold holds, and without each of them something breaks.

usage: test_model.py

Short form: the runs in which a rule is missing, and the small worlds of those in which none is; with ENROLLD_TEST_FULL=1 all of them, some minutes.
"""
import multiprocessing
import os
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "model"))

import pipeline  # noqa: E402

FULL = bool(os.environ.get("ENROLLD_TEST_FULL"))
LARGE = ("repeat-cross", "claim-cross", "claim", "mixed", "mixed4")  # worlds that take minutes to explore to the end


def wanted(name):
    row = pipeline.RUNS[name]
    return FULL or (row["world"] not in LARGE and not name.startswith(("A3", "B1 shadow, kill, reset twice", "B2", "B3", "D4", "D5", "D6")))


def verdict(name, found, complete, hopeless):
    """None if the run went as it must, else what is wrong."""
    kinds = sorted(found)
    missing = [kind for kind in pipeline.RUNS[name]["expect"] if not any(known.startswith(kind) for known in kinds)]
    if pipeline.RUNS[name]["expect"]:
        return f"does not find {', '.join(missing)}" if missing else None
    if kinds:
        trace = "".join(f"\n    {number:2} {step}" for number, step in enumerate(found[kinds[0]], 1))
        return f"{', '.join(kinds)}{trace}"
    return None if complete and not hopeless else f"not explored to the end, or {hopeless} states cannot come to rest"


def main():
    begin = time.monotonic()
    names = [name for name in pipeline.RUNS if wanted(name)]
    failed = 0
    with multiprocessing.Pool(max(1, os.cpu_count() or 1), maxtasksperchild=1) as pool:
        for name, (states, _, found, complete, hopeless), seconds in pool.imap(pipeline.run, names):
            wrong = verdict(name, found, complete, hopeless)
            failed += wrong is not None
            what = "nothing breaks" if not found else f"breaks {', '.join(sorted(kind.split()[0] for kind in found))}, as it must"
            print(f"[{time.monotonic() - begin:6.1f} s] {'ok  ' if wrong is None else 'FAIL'} {name}: "
                  f"{wrong or what}; {states} states ({seconds:.1f} s)", flush=True)
    print(f"{len(names) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
