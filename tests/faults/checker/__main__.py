# SPDX-License-Identifier: Apache-2.0
"""python3 tests/faults/checker FOLDER [--json FILE]: judges the evidence of a run. Exit status 0 if every invariant holds, 1 if not."""
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from evidence import Evidence  # noqa: E402
from judge import judge  # noqa: E402
from report import lines  # noqa: E402


def main(arguments):
    if not arguments or arguments[0].startswith("-") or len(arguments) not in (1, 3) or (len(arguments) == 3 and arguments[1] != "--json"):
        print(__doc__, file=sys.stderr)
        return 64
    evidence = Evidence(arguments[0])
    findings = judge(evidence)
    for line in lines(evidence, findings):
        print(line)
    if len(arguments) == 3:
        pathlib.Path(arguments[2]).write_text(json.dumps([{"code": f.code, "invariant": f.invariant, "text": f.text} for f in findings]),
                                              encoding="utf-8")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
