# SPDX-License-Identifier: Apache-2.0
"""Memory over a long backlog: the peak against the formula, and whether it grows."""
import statistics
import time

from . import machine
from .figure import Unmeasured
from .observe import status
from .speed import MEMORY_KIB

BASE_KIB = 65536  # all that is not hash memory
CHEAP_KIB = 8192
GROWTH_KIB = 1024  # per minute: less is the measurement's own noise (a page here and there)


def peak_default(run, worker, threads):
    """After the backlogs at default cost."""
    formula = (threads * MEMORY_KIB + BASE_KIB) / 1024
    peak = status(worker, "VmHWM") / 1024
    run.figure("peak_default", "peak memory at default cost", "MiB", digits=0).add(peak)
    run.figure("peak_default_ratio", f"same ÷ ({threads} × 64 + 64) MiB", "x", ("<=", 1)).add(peak / formula)


def growth(samples):
    """KiB per minute between the medians of the third and the last quarter: a moment's dip is no trend."""
    quarter = len(samples) // 4
    third, last = samples[2 * quarter:3 * quarter], samples[3 * quarter:]
    apart = statistics.median(at for at, _ in last) - statistics.median(at for at, _ in third)
    return 60 * (statistics.median(size for _, size in last) - statistics.median(size for _, size in third)) / apart


def long_backlog(run, tools, world, worker, threads):
    """A backlog of cheap hashes that outlasts the measurement."""
    seconds, backlog = (45, 100_000) if run.quick else (300, 500_000)
    formula = (threads * CHEAP_KIB + BASE_KIB) / 1024
    run.say(f"memory: {seconds} s of a backlog of {backlog}, cheap hash (8 MiB, one pass)")
    tools.fill(world.topics["signup"], backlog, "memory", limit=300)
    worker.start()
    samples, begin, before = [], time.monotonic(), worker.metrics()
    while time.monotonic() - begin < seconds:
        time.sleep(0.5)
        if not worker.running():
            raise Unmeasured(f"the worker ended with {worker.process.returncode}: {worker.text()[-300:]}")
        samples.append((time.monotonic() - begin, status(worker, "VmRSS")))
    done = worker.metrics().sum("requests_total") - before.sum("requests_total")
    if done >= backlog - 1000:
        raise Unmeasured("the backlog ended before the measurement did")
    peak, slope = status(worker, "VmHWM") / 1024, growth(samples)
    run.detail("memory", {"seconds": seconds, "requests": done, "peak_mib": peak, "kib_per_minute": slope, "load": machine.load(),
                          "rss_mib": [round(size / 1024, 1) for _, size in samples[:: max(1, len(samples) // 60)]]})
    note = f"{seconds} s of a backlog of {backlog:,}, hashes of 8 MiB and one pass, {done:,.0f} requests done"
    run.figure("peak", "peak memory over a long backlog", "MiB", digits=0).add(peak)
    figure = run.figure("peak_ratio", f"same ÷ ({threads} × 8 + 64) MiB", "x", ("<=", 1))
    figure.add(peak / formula)
    figure.note = note
    figure = run.figure("growth", "growth in its second half", "KiB/min", ("<=", GROWTH_KIB), 0)
    figure.add(slope)
    figure.note = "what is asked is 0; a MiB a minute is told apart from noise"
