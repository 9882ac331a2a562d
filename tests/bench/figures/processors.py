# SPDX-License-Identifier: Apache-2.0
"""Who used the processor between two moments: the worker, the broker, the database, the mail server, everybody."""
import os
import pathlib

TICKS = os.sysconf("SC_CLK_TCK")


def _stat(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return None


def _used(pid):
    fields = _stat(pid)
    return (int(fields[11]) + int(fields[12])) / TICKS if fields else 0.0


def _family(pid):
    """A process and its children."""
    family = [pid]
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            fields = _stat(entry.name)
            if fields and int(fields[1]) == pid:
                family.append(int(entry.name))
    return family


def _service(name, values):
    try:
        return int(pathlib.Path(values["ENROLLD_SCRATCH"], "run", f"{name}.pid").read_text(encoding="utf-8").split()[0])
    except (OSError, KeyError, ValueError, IndexError):
        return None


def _machine():
    """Seconds that all processors were busy, for whomever."""
    fields = [int(field) for field in pathlib.Path("/proc/stat").read_text(encoding="utf-8").split("\n", 1)[0].split()[1:]]
    return (sum(fields[:8]) - fields[3] - fields[4]) / TICKS


class Usage:
    """Seconds of processor time since it was made, by who used them."""

    def __init__(self, world, worker, mail=None):
        self.pids = {"worker": worker.process.pid}
        for name in ("kafka", "postgres"):
            self.pids[name] = _service(name, world.services.values)
        self.pids["mail server"] = mail.process.pid if mail else None
        self.begin = self._read()

    def _read(self):
        used = {name: sum(_used(one) for one in (_family(pid) if name == "postgres" else [pid])) for name, pid in self.pids.items() if pid}
        used["machine"] = _machine()
        return used

    def seconds(self):
        """Used by each so far."""
        now = self._read()
        return {name: now[name] - used for name, used in self.begin.items()}

    def per(self, count):
        """Milliseconds of each for one of count requests, and what others used."""
        each = {name: 1000 * used / count for name, used in self.seconds().items()}
        each["others"] = max(0.0, 2 * each["machine"] - sum(each.values()))
        return {name: round(used, 2) for name, used in each.items()}
