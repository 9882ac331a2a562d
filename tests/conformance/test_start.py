#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""tests/conformance/start and stop: a worker that answers, a start that fails, and nothing left behind.

usage: test_start.py
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]

from frontends import case as cases  # noqa: E402
from frontends import match  # noqa: E402
from harness import services  # noqa: E402
from harness.cases import Cases, equal, true  # noqa: E402
from harness.gateway import Gateway  # noqa: E402
from harness.kafka import Cluster, Tail  # noqa: E402
from harness.mailbox import free_port  # noqa: E402
from harness.talk import correlation_of, status_of  # noqa: E402

SERVED = ("django-ecommerce", "bagisto", "password-generator", "phone-customers", "posbytz")


class Stand:
    """What is started, and where."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="enrolld-start-"))
        self.env = {**os.environ, "ENROLLD_CONFORMANCE_DIR": str(self.folder), "ENROLLD_CONFORMANCE_KAFKA": str(free_port()),
                    "ENROLLD_CONFORMANCE_SMTP": f"127.0.0.1:{free_port()}", "ENROLLD_CONFORMANCE_TEXTS": f"http://127.0.0.1:{free_port()}/",
                    "ENROLLD_BINARY": services.binary()}

    def run(self, name, **env):
        return subprocess.run([HERE / name], cwd="/", stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300, check=False,
                              env={**self.env, **env})

    def processes(self):
        """Those that name the folder."""
        found = []
        for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
            try:
                line = path.read_bytes()
            except OSError:
                continue
            if str(self.folder).encode() + b"/" in line:
                found.append(line.replace(b"\0", b" ").decode("utf-8", "replace")[:200])
        return found


def case_it_starts_and_answers(stand):
    done = stand.run("start")
    equal((done.returncode, done.stderr if done.returncode else ""), (0, ""), "start")
    bootstrap = re.search(r"^ready: --bootstrap (\S+)$", done.stdout, re.M)[1]
    equal(bootstrap, f"127.0.0.1:{stand.env['ENROLLD_CONFORMANCE_KAFKA']}", "address")
    gateway, tail = Gateway(bootstrap, "enroll.replies"), Tail(Cluster(bootstrap), ["enroll.replies"])
    asked = [case for case in cases.read_all() if case.dialect in SERVED and case.name.split(": ")[1] in ("documented", "nothing")]
    sent = {}
    for number, case in enumerate(asked):  # each in a realm of its own
        step = case.steps[-1]
        topic = "enroll.otp" if step.topic == "otp" else "enroll.signup"
        headers = [*step.headers.items(), ("x-enroll-realm", f"conf-{number:012x}"), ("x-forwarded-for", "192.0.2.7")]
        sent[gateway.post(topic, step.body, path=step.path, headers=headers).correlation] = step
    replies = tail.wait(lambda message: correlation_of(message) in sent, 30, len(sent))
    tail.close()
    equal(len(replies), len(sent), "replies")
    wrong = [fault for reply in replies for fault in match.faults(int(status_of(reply)), None, reply.value, sent[correlation_of(reply)].expect)]
    equal(wrong, [], "answers")


def case_a_start_that_fails_says_so(stand):
    done = stand.run("start", ENROLLD_BINARY="/bin/false")
    equal(done.returncode, 1, "exit status")
    true("stop ends what runs" in done.stderr, done.stderr)
    true(stand.processes(), "the services run still")


def case_stop_ends_everything(stand):
    done = stand.run("stop")
    equal(done.returncode, 0, "exit status")
    equal(stand.processes(), [], "processes")
    equal(sorted(path.name for path in (stand.folder / "worker").iterdir() if path.name in ("keys", "enrolld.yaml", "storefront-keys.yaml", "pid")), [], "files")
    equal(stand.run("stop").returncode, 0, "a second stop")


def main():
    run = Cases()
    try:
        stand = Stand()
        for case in (case_it_starts_and_answers, case_a_start_that_fails_says_so, case_stop_ends_everything):
            run.run(case, stand)
        stand.run("stop")
        shutil.rmtree(stand.folder, ignore_errors=True)
    except services.Missing as error:
        print(error)
        run.failed += 1
    return run.end()


if __name__ == "__main__":
    sys.exit(main())
