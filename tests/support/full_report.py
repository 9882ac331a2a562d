# SPDX-License-Identifier: Apache-2.0
"""tests/full-report.md: what `scripts/test --full` saw last, one section a step or program, each with its commit and date.

A run replaces the sections of what it ran and leaves the others, so that long programs can be run one by one.
"""
import os
import platform
import re
import subprocess
import time

UNPRINTABLE = re.compile(r"[^\x09\x20-\x7e\u00a0-\uffff]")
PROGRESS = re.compile(r"^\[ *[\d.]+ s\] (?!ok |FAIL )")
MOST_LINES = 120
HEAD = """# Report of the full test run

Written by `scripts/test --full`; each section names the commit and the time of its own run. Progress lines are left out.
"""


def said(*command):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


def commit(root):
    changed = said("git", "-C", root, "status", "--porcelain", "--untracked-files=no", "--", ".", ":!tests/full-report.md")
    return (said("git", "-C", root, "rev-parse", "--short=12", "HEAD") or "unknown") + (" with changes" if changed else "")


def machine():
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} cores, {memory:.0f} GiB, Linux {platform.release()}"


class FullReport:
    """The file; sections keep their order by name."""

    def __init__(self, root):
        self.root, self.path = root, root / "tests/full-report.md"
        text = self.path.read_text(encoding="utf-8") if self.path.exists() else ""
        self.sections = {part.split("\n", 1)[0].strip(): part for part in re.split(r"^## ", text, flags=re.M)[1:]}

    def put(self, name, passed, failed, seconds, lines=()):
        kept = [UNPRINTABLE.sub("?", line.rstrip()) for line in lines if not PROGRESS.match(line)]
        if len(kept) > MOST_LINES:
            kept = [*kept[: MOST_LINES // 2], f"({len(kept) - MOST_LINES} lines left out)", *kept[-MOST_LINES // 2 :]]
        facts = (f"**{passed} passed, {failed} failed** in {seconds:.0f} s, commit {commit(self.root)}, "
                 f"{time.strftime('%Y-%m-%d %H:%M UTC', time.gmtime())}, {machine()}")
        body = "\n```\n" + "\n".join(kept) + "\n```\n" if kept else ""
        self.sections[name] = f"{name}\n\n{facts}\n{body}\n"
        text = HEAD + "\n" + "".join(f"## {self.sections[name]}" for name in sorted(self.sections))
        self.path.write_text(text.rstrip("\n") + "\n", encoding="utf-8")
