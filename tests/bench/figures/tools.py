# SPDX-License-Identifier: Apache-2.0
"""The programs of tests/bench: each prints one JSON object."""
import json
import pathlib
import subprocess

from .figure import Unmeasured


class Tools:
    def __init__(self, build, bootstrap):
        self.folder = pathlib.Path(build) / "tests" / "bench"
        self.bootstrap = bootstrap

    def run(self, name, limit=600, **arguments):
        words = [f"{key}={value}" for key, values in arguments.items() if values is not None
                 for value in (values if isinstance(values, list) else [values])]
        try:
            done = subprocess.run([self.folder / f"bench_{name}", *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=limit,
                                  check=False)
        except subprocess.TimeoutExpired:
            raise Unmeasured(f"bench_{name} did not end within {limit} s") from None
        if done.returncode != 0:
            raise Unmeasured(f"bench_{name} ended with {done.returncode}: {done.stderr.strip()[-300:]}")
        return json.loads(done.stdout)

    def hash(self, way, threads, seconds, memory_kib=65536, passes=2):
        return self.run(f"hash_{way}", threads=threads, seconds=seconds, memory_kib=memory_kib, passes=passes)

    def fill(self, topic, count, prefix, **more):
        return self.run("fill", bootstrap=self.bootstrap, topic=topic, count=count, prefix=prefix, **more)

    def lone(self, topic, results, prefix, count, gap_ms, **more):
        return self.run("lone", bootstrap=self.bootstrap, topic=topic, results=results, prefix=prefix, count=count, gap_ms=gap_ms, **more)

    def kafka_loop(self, topic, group, records, size, outs, **more):
        return self.run("kafka_loop", bootstrap=self.bootstrap, group=group, records=records, size=size, out=outs, **{"in": topic}, **more)

    def front(self, dialects, rounds, count):
        return self.run("front", dialects=dialects, rounds=rounds, count=count)

    def insert_loop(self, source, copy, batch, **more):
        return self.run("insert_loop", **{"from": source, "to": copy}, batch=batch, **more)

    def codes(self, source, keys, out):
        return self.run("codes", **{"from": source}, keys=keys, out=out)


class MailServer:
    """A mail server that costs next to nothing; use as a context. url is for courier.smtp_url."""

    def __init__(self, tools):
        self.program = tools.folder / "bench_mail_sink"

    def __enter__(self):
        self.process = subprocess.Popen([self.program, "port=0"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.settings = {"courier": {"smtp_url": f"smtp://127.0.0.1:{self.process.stdout.readline().strip()}"}}
        return self

    def __exit__(self, *_):
        """How many mails it took is in mails, afterwards."""
        said, _ = self.process.communicate()
        self.mails = json.loads(said)["mails"]
