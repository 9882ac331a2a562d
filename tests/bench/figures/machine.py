# SPDX-License-Identifier: Apache-2.0
"""What a run stands on: figures mean little without it."""
import datetime
import os
import pathlib
import platform
import re
import subprocess

from harness import services


def _first(path, pattern):
    try:
        found = re.search(pattern, pathlib.Path(path).read_text(encoding="utf-8"), re.M)
    except OSError:
        return None
    return found[1].strip() if found else None


def _pkg(name):
    done = subprocess.run(["pkg-config", "--modversion", name], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    return done.stdout.strip() or None


def _compiler(build):
    path = _first(pathlib.Path(build) / "CMakeCache.txt", r"^CMAKE_C_COMPILER:\w+=(.*)$")
    if not path:
        return None
    done = subprocess.run([path, "--version"], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    return done.stdout.splitlines()[0] if done.stdout else None


def load():
    """The machine's load over the last minute: what others did at the same time."""
    return os.getloadavg()[0]


def describe(build):
    """Ordered names and values."""
    found = services.Services().versions()
    memory = _first("/proc/meminfo", r"^MemTotal: *(\d+) kB")
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": services.commit(),
        "processor": _first("/proc/cpuinfo", r"^model name\s*: (.*)$") or platform.processor(),
        "cores": len(os.sched_getaffinity(0)),
        "virtual machine": "yes" if _first("/proc/cpuinfo", r"^flags\s*:.*\b(hypervisor)\b") else "no",
        "memory": f"{int(memory) / 1048576:.1f} GiB" if memory else None,
        "huge pages": _first("/sys/kernel/mm/transparent_hugepage/enabled", r"\[(\w+)\]"),
        "kernel": platform.release(),
        "system": _first("/etc/os-release", r'^PRETTY_NAME="?([^"\n]*)'),
        "compiler": _compiler(build),
        "Apache Kafka": found["kafka"],
        "PostgreSQL": found["postgresql"],
        "librdkafka": _pkg("rdkafka"),
        "libsodium": _pkg("libsodium"),
    }
