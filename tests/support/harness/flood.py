# SPDX-License-Identifier: Apache-2.0
"""What all runs under load share: settings, the load in bursts, the wait until all has passed, what the logs complain of."""
import time

from .cases import Failed

NOTE = "cheap password hash on purpose: 8 MiB, 1 pass (hash.allow_weak)"
SMTP_CONNECTIONS, TEXT_CONNECTIONS = 4, 8
HANDS = SMTP_CONNECTIONS + TEXT_CONNECTIONS  # messages that one worker may be handing over when it dies
BURST = 40


def settings():
    return {
        "kafka": {"session_timeout": "4s", "transaction_timeout": "8s"},
        "hash": {"threads": 1},
        "courier": {"smtp_connections": SMTP_CONNECTIONS, "text_connections": TEXT_CONNECTIONS, "lease": "5s",
                    "smtp_command_timeout": "2s", "smtp_answer_timeout": "2s", "text_timeout": "4s"},
    }


def publish(load, count, rate, say, faults):
    """A load in bursts so that there is work in hand when things go wrong, and paced (rate > 0) so that it lasts as long as they do.

    faults() is how many there were."""
    start = time.monotonic()
    for number in range(count):
        load.one()
        if rate and number % BURST == 0:
            time.sleep(max(0.0, start + number / rate - time.monotonic()))
        if number % 500 == 499:
            say(f"{number + 1} of {count} records sent, {faults()} faults so far")


def drain(world, workers, say, timeout):
    """Until everything has passed; fails if it does not, or if a worker ends by itself."""
    until = time.monotonic() + timeout
    shown = None
    while True:
        lag = world.lag()
        if lag == 0:
            return
        if lag != shown:
            say(f"{lag} records to go")
            shown = lag
        dead = [worker for worker in workers if not worker.running()]
        if dead:
            raise Failed(f"{', '.join(worker.name for worker in dead)} ended by itself:\n{dead[0].text()[-1500:]}")
        if time.monotonic() > until:
            waits = "; ".join(f"{worker.name} says {worker.get('/readyz')[1].strip()}" for worker in workers)
            raise Failed(f"{lag} records have not passed {timeout} s after the last fault: {waits}")
        time.sleep(0.5)


def trouble(workers):
    """Lines of the logs that no fault explains: panics, sanitizer reports, failures."""
    found = []
    for worker in workers:
        for line in worker.text(since_start=False).splitlines():
            if line.startswith("failpoint "):
                continue
            if not line.startswith("{") or '"event":"worker_failed"' in line or '"level":"error"' in line:
                found.append(f"{worker.name}: {line[:300]}")
    return found
