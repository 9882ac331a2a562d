# SPDX-License-Identifier: Apache-2.0
"""Memory over a long backlog: the peak against the formula, and whether it grows."""
import math
import statistics
import time

from . import machine
from .figure import Unmeasured
from .observe import status
from .speed import MEMORY_KIB

BASE_KIB = 65536  # all that is not hash memory
CHEAP_KIB = 8192
EVERY_S = 0.1
BLOCKS = 24  # means of neighbouring samples, which are not independent of each other; their means nearly are
LEAK = 64  # bytes a request: what must show; half of it is how much the error may be at most


def peak_default(run, worker, threads):
    """After the backlogs at default cost."""
    formula = (threads * MEMORY_KIB + BASE_KIB) / 1024
    peak = status(worker, "VmHWM") / 1024
    run.figure("peak_default", "peak memory at default cost", "MiB", digits=0).add(peak)
    run.figure("peak_default_ratio", f"same ÷ ({threads} × 64 + 64) MiB", "x", ("<=", 1)).add(peak / formula)


def line(points):
    """Slope of the line of least squares through (x, y), and its standard error."""
    xs, ys = zip(*points)
    x, y = statistics.fmean(xs), statistics.fmean(ys)
    spread = sum((one - x) ** 2 for one in xs)
    slope = sum((a - x) * (b - y) for a, b in points) / spread
    rest = sum((b - y - slope * (a - x)) ** 2 for a, b in points)
    return slope, math.sqrt(rest / (len(points) - 2) / spread)


def blocks(samples):
    """Means of equal runs of samples."""
    size = len(samples) // BLOCKS
    if size == 0:
        raise Unmeasured(f"{len(samples)} samples are too few for a slope")
    parts = [samples[number * size:(number + 1) * size] for number in range(BLOCKS)]
    return [tuple(statistics.fmean(column) for column in zip(*part)) for part in parts]


def requests_done(worker):
    return worker.metrics().sum("requests_total", lane="signup")


def watch(worker, seconds):
    """[(seconds, requests done, KiB), ...]; the count of requests is asked for each second and drawn straight in between."""
    samples, begin, asked = [], time.monotonic(), []
    while (now := time.monotonic() - begin) < seconds:
        if not worker.running():
            raise Unmeasured(f"the worker ended with {worker.process.returncode}: {worker.text()[-300:]}")
        if not asked or now - asked[-1][0] >= 1:
            asked.append((now, requests_done(worker)))
        samples.append((now, status(worker, "VmRSS")))
        time.sleep(EVERY_S)
    asked.append((now, requests_done(worker)))
    def done(at):
        after = next(number for number, (when, _) in enumerate(asked) if when >= at) or 1
        (a, x), (b, y) = asked[after - 1], asked[after]
        return x + (y - x) * (at - a) / (b - a)
    return [(at, done(at), size) for at, size in samples if at <= asked[-1][0]]


def long_backlog(run, tools, world, worker, threads):
    """A backlog of cheap hashes that outlasts the measurement."""
    seconds, warm, backlog = run.pick((300, 60, 500_000), (60, 20, 120_000), (6, 1, 12_000))
    formula = (threads * CHEAP_KIB + BASE_KIB) / 1024
    run.say(f"memory: {seconds} s of a backlog of {backlog}, cheap hash (8 MiB, one pass)")
    tools.fill(world.topics["signup"], backlog, "memory", limit=300)
    worker.start()
    samples = watch(worker, seconds)
    done = samples[-1][1]
    if done >= backlog - 1000:
        raise Unmeasured("the backlog ended before the measurement did")
    peak = status(worker, "VmHWM") / 1024
    steady = blocks([(requests, 1024 * size) for at, requests, size in samples if at >= warm])
    slope, error = line(steady)
    minutes = (samples[-1][0] - warm) / 60
    run.detail("memory", {"seconds": seconds, "requests": done, "peak_mib": peak, "bytes_per_request": slope, "error": error, "load": machine.load(),
                          "blocks": [(round(requests), round(size / 1048576, 2)) for requests, size in steady],
                          "rss_mib": [round(size / 1024, 1) for _, _, size in samples[:: max(1, len(samples) // 60)]]})
    run.figure("peak", "peak memory over a long backlog", "MiB", digits=0).add(peak)
    figure = run.figure("peak_ratio", f"same ÷ ({threads} × 8 + 64) MiB", "x", ("<=", 1))
    figure.add(peak / formula)
    figure.note = f"{seconds} s of a backlog of {backlog:,}, hashes of 8 MiB and one pass, {done:,.0f} requests done"
    figure = run.figure("growth", "its growth", "bytes a request", ("<=", round(2 * error, 1)), 1)
    figure.add(slope)
    per_minute = slope * (steady[-1][0] - steady[0][0]) / minutes / 1024
    figure.note = (f"slope of the line of least squares through the resident size after the first {warm} s, ± {error:.1f} (its standard error), "
                   f"{per_minute:+.0f} KiB a minute; 0 is asked, and met if it is within two errors. A leak of {LEAK} bytes a request would show as {LEAK}")
    if not run.smoke and 2 * error > LEAK / 2:
        figure.samples, figure.missing = [], f"the error, {error:.1f}, is too large to see a leak of {LEAK} bytes a request"
