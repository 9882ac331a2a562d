# SPDX-License-Identifier: Apache-2.0
"""What a request costs before the database, beside a bare parser of its body."""
from harness import services

GOAL = ("<=", 6)


def costs(run, tools):
    rounds, count = run.pick((101, 2000), (51, 1000), (5, 200))
    run.say(f"front: medians of {rounds} rounds of {count} records, in one process")
    found = tools.front(services.ROOT / "schemas" / "dialects", rounds, count)
    run.detail("front", found)
    native, phone, other = (found[name] for name in ("native", "native_phone", "django_ecommerce"))
    run.figure("front", "intake, dialect and rules of a native sign-up", "µs").add(native["whole_us"])
    run.figure("front_jansson", "jansson, the same body alone", "µs").add(native["jansson_us"])
    run.figure("front_ratio", "intake, dialect and rules ÷ jansson", "x", GOAL).add(native["ratio"])
    run.figure("front_other", "same, dialect django-ecommerce", "x", GOAL).add(other["ratio"])
    run.figure("front_phone", "same, native with a phone number", "x").add(phone["ratio"])
