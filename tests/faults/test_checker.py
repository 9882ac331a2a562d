#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The checker must find every lie: evidence of a made-up run is true, and each doctored copy of it is called by its name."""
import pathlib
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]

from doctoring import LIES, Folder  # noqa: E402
from example import Example  # noqa: E402
from harness.cases import Cases, Failed, equal  # noqa: E402
from trial import check  # noqa: E402


def main():
    cases = Cases()
    with tempfile.TemporaryDirectory(prefix="enrolld-checker-") as scratch:
        truth = pathlib.Path(scratch) / "truth"
        truth.mkdir()
        Example().fill().write(truth)

        def case_the_truth_is_believed():
            codes, report = check(truth)
            equal(codes, [], f"findings in a run without fault\n{report}")

        def case_the_report_shows_the_history_of_what_failed():
            copy = Folder(truth, pathlib.Path(scratch) / "shown")
            rows = copy.rows("full/results.jsonl")
            copy.outputs("results", lambda all_rows: all_rows.pop(0) and None)
            _, report = check(copy.path)
            for wanted in ("FOUND lost", "asked", "row", "seed 1", "commit none"):
                if wanted not in report:
                    raise Failed(f"{wanted!r} is not in the report of {len(rows)} results:\n{report}")

        cases.run(case_the_truth_is_believed)
        cases.run(case_the_report_shows_the_history_of_what_failed)
        for lie, wanted in LIES:
            def case(lie=lie, wanted=wanted):
                copy = Folder(truth, pathlib.Path(scratch) / lie.__name__)
                lie(copy)
                codes, report = check(copy.path)
                if wanted not in codes:
                    raise Failed(f"found {sorted(set(codes))}, not {wanted}\n{report}")
            case.__name__ = f"case_finds_{lie.__name__}"
            cases.run(case)
    return cases.end()


if __name__ == "__main__":
    sys.exit(main())
