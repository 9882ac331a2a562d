# SPDX-License-Identifier: Apache-2.0
"""Finds a build of the worker with a sanitizer in it."""
import os

from harness import services

MARKS = {"address": (b"__asan_init", "ENROLLD_ASAN_BINARY", "asan"), "thread": (b"__tsan_init", "ENROLLD_TSAN_BINARY", "tsan")}


def has(path, mark):
    try:
        with open(path, "rb") as file:
            return mark in file.read()
    except OSError:
        return False


def sanitized(kind):
    """Path of the newest such build: named by its own variable, by ENROLLD_BINARY, or in the tree."""
    mark, variable, preset = MARKS[kind]
    named = os.environ.get(variable)
    if named:
        if not has(named, mark):
            raise services.Missing(f"{variable}={named} is no build with that sanitizer")
        return named
    built = [os.environ.get("ENROLLD_BINARY") or "", *(str(path) for path in services.ROOT.glob("build/*/src/enrolld"))]
    built = [path for path in built if has(path, mark)]
    if not built:
        raise services.Missing(f"no worker with the {kind} sanitizer was built: cmake --preset {preset} && cmake --build build/{preset} "
                               f"--target enrolld, or set {variable}")
    return max(built, key=os.path.getmtime)
