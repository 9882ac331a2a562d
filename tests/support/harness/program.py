# SPDX-License-Identifier: Apache-2.0
"""The main function of a test program whose cases share one world."""
import sys

from . import services
from .cases import Cases
from .world import World


def run(functions, name, context_of, prepare=None, **world_of):
    """Runs the functions case_* in their order, or those whose names hold a word of the command line; --keep keeps the logs. The exit status.

    functions: globals() of the program. context_of(world) is what each case is given; its talk is closed at the end. prepare(world) comes before it.
    world_of: further arguments of World."""
    words = [argument.replace(" ", "_") for argument in sys.argv[1:] if not argument.startswith("-")]
    cases = Cases()
    try:
        with World(name, **world_of) as world:
            if prepare:
                prepare(world)
            context = context_of(world)
            for key, case in list(functions.items()):
                if key.startswith("case_") and (not words or any(word in key for word in words)):
                    cases.run(case, context)
            context.talk.close()
            world.keep = "--keep" in sys.argv[1:] or cases.failed > 0
            if world.keep:
                cases.say(f"logs are in {world.folder}")
    except services.Missing as error:
        print(error)
        cases.failed += 1
    return cases.end()
