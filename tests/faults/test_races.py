#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The sign-up test with a worker under ThreadSanitizer: it passes, and nothing is reported.

With ENROLLD_TEST_FULL=1 also the other tests from end to end, the kill test, and the integration tests in C, if their build is there.

usage: test_races.py [--keep]

The build: ENROLLD_TSAN_BINARY, else ENROLLD_BINARY if that is such a build, else the newest one in the tree. Needs cc.
What is not to be reported is in tests/tsan.supp.
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]

from harness import services  # noqa: E402
from harness.cases import Cases, Failed, equal, true  # noqa: E402
from hostile.builds import sanitized  # noqa: E402

RACE = """
#include <pthread.h>
static int shared;
static void *add(void *ctx) { for (int i = 0; i < 100000; i++) shared++; return ctx; }
int main(void)
{
	pthread_t one, two;
	pthread_create(&one, 0, add, 0);
	pthread_create(&two, 0, add, 0);
	pthread_join(one, 0);
	pthread_join(two, 0);
	return 0;
}
"""


class Races:
    """Runs programs so that reports of the sanitizer become files."""

    def __init__(self, folder, binary, cases):
        self.folder, self.binary, self.cases = folder, binary, cases
        # Newer kernels randomise more address bits than this sanitizer expects.
        still = subprocess.run(["setarch", "-R", "true"], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode == 0
        self.still = ["setarch", "-R"] if still else []

    def environment(self, name):
        reports = self.folder / name
        reports.mkdir()
        options = f"halt_on_error=0:exitcode=66:second_deadlock_stack=1:log_path={reports}/report:suppressions={HERE.parent / 'tsan.supp'}"
        return reports, {**os.environ, "ENROLLD_BINARY": str(self.wrapper()), "TSAN_OPTIONS": options}

    def wrapper(self):
        path = self.folder / "enrolld"
        path.write_text(f'#!/bin/sh\nexec {" ".join(self.still)} "{self.binary}" "$@"\n', encoding="utf-8")
        path.chmod(0o755)
        return path

    def passes(self, name, path, *arguments):
        reports, environment = self.environment(name)
        with open(self.folder / f"{name}.log", "w+b") as log:
            done = subprocess.run([path, *arguments], stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, env=environment, check=False)
            log.seek(0)
            lines = log.read().decode("utf-8", "replace").splitlines()
        found = [path.read_text(errors="replace") for path in sorted(reports.iterdir())]
        if found:
            raise Failed(f"{sum(text.count('WARNING: ThreadSanitizer') for text in found)} reports:\n{found[0][:6000]}")
        if done.returncode != 0:
            raise Failed("\n".join(line for line in lines if " ok   " not in line)[-4000:])
        self.cases.say(f"{name}: {lines[-1]}, no report")

    def case_a_race_is_reported(self):
        """Else silence would say nothing."""
        source, program = self.folder / "race.c", self.folder / "race"
        source.write_text(RACE, encoding="utf-8")
        subprocess.run(["cc", "-fsanitize=thread", "-O1", "-g", "-pthread", "-o", program, source], stdin=subprocess.DEVNULL, check=True)
        reports, environment = self.environment("race-reports")
        done = subprocess.run([*self.still, program], stdin=subprocess.DEVNULL, env=environment, check=False)
        equal(done.returncode, 66, "exit status of a racy program")
        true(any("data race" in path.read_text() for path in reports.iterdir()), "a report about it")

    def case_sign_ups_without_a_race(self):
        self.passes("signup", HERE.parent / "integration" / "test_signup.py")

    def case_codes_without_a_race(self):
        self.passes("codes", HERE.parent / "integration" / "test_codes.py")

    def case_limits_without_a_race(self):
        self.passes("limits", HERE.parent / "integration" / "test_limits.py")

    def case_reloads_without_a_race(self):
        self.passes("reload", HERE.parent / "integration" / "test_reload.py")

    def case_shapes_without_a_race(self):
        self.passes("shapes", HERE.parent / "integration" / "test_shapes.py")

    def case_programs_without_a_race(self):
        """The integration tests in C: not from end to end, but each module alone with the real services."""
        programs = sorted(path for path in (pathlib.Path(self.binary).parent.parent / "tests").glob("integration_*") if os.access(path, os.X_OK))
        true(programs, f"no integration_* beside {self.binary}: build all of the tsan preset")
        for program in programs:
            self.passes(program.name, *self.still, program)

    def case_kills_and_pauses_without_a_race(self):
        self.passes("kill", HERE / "test_kill.py", "--requests", "4000", "--kills", "12", "--pauses", "3", "--seed", "4")


def main():
    cases = Cases()
    keep = "--keep" in sys.argv[1:]
    try:
        folder = pathlib.Path(tempfile.mkdtemp(prefix="enrolld-races-"))
        races = Races(folder, sanitized("thread"), cases)
        cases.run(races.case_a_race_is_reported)
        cases.run(races.case_sign_ups_without_a_race)
        if os.environ.get("ENROLLD_TEST_FULL"):
            for case in (races.case_codes_without_a_race, races.case_limits_without_a_race, races.case_reloads_without_a_race,
                         races.case_shapes_without_a_race, races.case_programs_without_a_race, races.case_kills_and_pauses_without_a_race):
                cases.run(case)
        if keep or cases.failed:
            cases.say(f"logs and reports are in {folder}")
        else:
            shutil.rmtree(folder)
    except services.Missing as error:
        print(error)
        cases.failed += 1
    return cases.end()


if __name__ == "__main__":
    sys.exit(main())
