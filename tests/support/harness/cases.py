# SPDX-License-Identifier: Apache-2.0
"""Named cases that share one world: each passes or fails by itself, the last line is "N passed, N failed"."""
import time
import traceback


class Failed(AssertionError):
    """A case found something else than it must be."""


def equal(found, wanted, what="value"):
    if found != wanted:
        raise Failed(f"{what}: {found!r} instead of {wanted!r}")


def true(value, what):
    if not value:
        raise Failed(what)


def eventually(ask, what, timeout=15, pause=0.05):
    """ask() until it gives something true, which is returned."""
    until = time.monotonic() + timeout
    while True:
        value = ask()
        if value:
            return value
        if time.monotonic() > until:
            raise Failed(f"not within {timeout} s: {what}")
        time.sleep(pause)


class Cases:
    """Runs functions in the order given."""

    def __init__(self):
        self.passed = self.failed = 0
        self.begin = time.monotonic()

    def say(self, text):
        print(f"[{time.monotonic() - self.begin:6.1f} s] {text}", flush=True)

    def run(self, case, *arguments):
        name = case.__name__.removeprefix("case_").replace("_", " ")
        start = time.monotonic()
        try:
            case(*arguments)
        except Exception as error:  # a case that breaks is a failed one
            self.failed += 1
            self.say(f"FAIL {name}: {error}")
            if not isinstance(error, Failed):
                traceback.print_exc()
            return False
        self.passed += 1
        self.say(f"ok   {name} ({time.monotonic() - start:.1f} s)")
        return True

    def end(self):
        """Prints the verdict; the exit status."""
        print(f"{self.passed} passed, {self.failed} failed", flush=True)
        return 0 if self.passed and not self.failed else 1
