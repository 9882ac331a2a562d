# SPDX-License-Identifier: Apache-2.0
"""A figure: samples of one quantity, their median, and whether it is where it should be."""
import statistics
import sys
import time


class Unmeasured(Exception):
    """A figure cannot be had; the text says why and what to do."""


class Figure:
    """goal: (">=" or "<=", bound). Samples may be few: the median is what is judged, all of them are shown."""

    def __init__(self, key, name, unit="", goal=None, digits=2):
        self.key, self.name, self.unit, self.goal, self.digits = key, name, unit, goal, digits
        self.samples = []
        self.missing = self.note = None

    def add(self, value):
        self.samples.append(value)
        return value

    @property
    def value(self):
        return statistics.median(self.samples) if self.samples else None

    @property
    def met(self):
        """None where there is no goal or no value."""
        if self.goal is None or self.value is None:
            return None
        sign, bound = self.goal
        return self.value >= bound if sign == ">=" else self.value <= bound

    def show(self, value):
        return f"{value:,.{self.digits}f}"

    def goal_text(self):
        return f"{self.goal[0]} {self.goal[1]:g}" if self.goal else ""

    def row(self):
        return {"name": self.name, "unit": self.unit, "digits": self.digits, "median": self.value, "samples": self.samples,
                "goal": list(self.goal) if self.goal else None, "met": self.met, "note": self.note, "missing": self.missing}

    @classmethod
    def of_row(cls, key, row):
        figure = cls(key, row["name"], row["unit"], tuple(row["goal"]) if row["goal"] else None, row["digits"])
        figure.samples, figure.note, figure.missing = row["samples"], row["note"], row["missing"]
        return figure


FORMS = {"full": 5, "quick": 2, "smoke": 1}  # and their rounds


class Run:
    """All figures of one run, in the order in which they are to be read."""

    def __init__(self, form, rounds):
        """form: one of FORMS."""
        self.form, self.rounds = form, rounds
        self.figures = {}
        self.details = {}
        self.begin = time.monotonic()

    def figure(self, key, name, unit="", goal=None, digits=2):
        """The figure of that key; made at the first call."""
        if key not in self.figures:
            self.figures[key] = Figure(key, name, unit, goal, digits)
        return self.figures[key]

    def detail(self, key, value):
        """Kept for the JSON form: what a person looks at when a figure surprises."""
        self.details.setdefault(key, []).append(value)

    def say(self, text):
        print(f"[{time.monotonic() - self.begin:5.0f} s] {text}", file=sys.stderr, flush=True)

    def pick(self, full, quick, smoke):
        """What this form of the run measures."""
        return {"full": full, "quick": quick, "smoke": smoke}[self.form]

    @property
    def smoke(self):
        return self.form == "smoke"

    def unmeasured(self):
        return [figure for figure in self.figures.values() if figure.value is None and figure.missing]

    def unmet(self):
        return [figure for figure in self.figures.values() if figure.met is False]
