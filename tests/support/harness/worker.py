# SPDX-License-Identifier: Apache-2.0
"""A worker process: started, stopped, killed and paused from outside, watched by its log and its admin endpoint."""
import json
import os
import re
import signal
import subprocess
import time
import urllib.error
import urllib.request

SAMPLE = re.compile(r"^(\w+)(?:\{(.*)\})? (\S+)$")
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


class Metrics(dict):
    """{(name, ((label, value), ...)): number}."""

    @classmethod
    def parse(cls, text):
        metrics = cls()
        for line in text.splitlines():
            found = None if line.startswith("#") else SAMPLE.match(line)
            if found:
                metrics[found[1], tuple(sorted(LABEL.findall(found[2] or "")))] = float(found[3])
        return metrics

    def sum(self, name, **labels):
        """Over all samples of the name that carry these labels."""
        wanted = set(labels.items())
        return sum(value for (own, has), value in self.items() if own == f"enrolld_{name}" and wanted <= set(has))


class Worker:
    """One instance; it keeps its name and log over restarts."""

    def __init__(self, binary, name, settings, folder):
        self.binary, self.name = binary, name
        self.config = folder / f"{name}.yaml"
        self.log = folder / f"{name}.log"
        self.process = None
        self.begin = 0
        self.port = None
        self.starts = 0
        self.write(settings)

    def write(self, settings):
        """The settings file; JSON is YAML."""
        self.config.write_text(json.dumps(settings, indent=1), encoding="utf-8")

    def start(self, ready=20, failpoints=None):
        """Starts it and waits until it is ready; ready=None does not wait. failpoints: what ENROLLD_FAILPOINTS asks for."""
        self.begin = self.log.stat().st_size if self.log.exists() else 0
        self.port = None
        self.starts += 1
        environment = {**os.environ, **({"ENROLLD_FAILPOINTS": failpoints} if failpoints else {})}
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([self.binary, "run", "--config", str(self.config)], stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log, start_new_session=True, env=environment)
        if ready is not None:
            self.wait_ready(ready)
        return self

    def running(self):
        return self.process is not None and self.process.poll() is None

    def signal(self, number):
        if self.running():
            self.process.send_signal(number)

    def kill(self):
        """SIGKILL, as a crash."""
        self.signal(signal.SIGKILL)
        self.process.wait()

    def pause(self):
        self.signal(signal.SIGSTOP)

    def resume(self):
        self.signal(signal.SIGCONT)

    def reload(self):
        self.signal(signal.SIGHUP)

    def stop(self, timeout=40):
        """SIGTERM; the exit status. Killed if it does not end in time, and -9 is returned."""
        if self.process is None:
            return None
        self.resume()
        self.signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            return self.process.returncode

    def text(self, since_start=True):
        with open(self.log, "rb") as file:
            file.seek(self.begin if since_start else 0)
            return file.read().decode("utf-8", "replace")

    def events(self, name=None, since_start=True):
        """Log lines as objects; lines that are none (libraries, sanitizers) are left out."""
        found = []
        for line in self.text(since_start).splitlines():
            if line.startswith("{"):
                try:
                    row = json.loads(line)
                except ValueError:
                    continue
                if name is None or row.get("event") == name:
                    found.append(row)
        return found

    def partitions(self, topic):
        """Numbers of the topic's partitions that it has, by its log."""
        held = set()
        for row in self.events():
            if row.get("topic") == topic and row.get("event") in ("partition_assigned", "partition_revoked"):
                (held.add if row["event"] == "partition_assigned" else held.discard)(row["partition"])
        return held

    def wait_event(self, name, timeout=10, count=1, wanted=lambda row: True):
        until = time.monotonic() + timeout
        while True:
            found = [row for row in self.events(name) if wanted(row)]
            if len(found) >= count or time.monotonic() > until:
                return found
            time.sleep(0.05)

    def get(self, path, timeout=5):
        """(status, text) of the admin endpoint; (0, why) if it does not answer."""
        if self.port is None:
            started = self.events("worker_started")
            if not started:
                return 0, "not started yet"
            self.port = started[-1]["admin_port"]
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=timeout) as answer:
                return answer.status, answer.read().decode("utf-8", "replace")
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode("utf-8", "replace")
        except OSError as error:
            return 0, str(error)

    def metrics(self):
        status, text = self.get("/metrics")
        return Metrics.parse(text) if status == 200 else Metrics()

    def wait_ready(self, timeout=20):
        until = time.monotonic() + timeout
        while True:
            status, text = self.get("/readyz")
            if status == 200:
                return
            if not self.running():
                raise RuntimeError(f"{self.name} ended with {self.process.returncode} while it started:\n{self.text()[-2000:]}")
            if time.monotonic() > until:
                raise RuntimeError(f"{self.name} is not ready after {timeout} s ({text.strip()}):\n{self.text()[-2000:]}")
            time.sleep(0.05)
