# SPDX-License-Identifier: Apache-2.0
"""The mailbox and the provider of texts: processes of a run's own, and their folders read."""
import email
import email.policy
import hashlib
import json
import pathlib
import re
import socket
import subprocess
import time

from .services import ROOT


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def lines_of(path):
    """The rows of a file of JSON lines; a last line that is being written is left out."""
    try:
        text = pathlib.Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        return []
    return [json.loads(line) for line in text[:text.rfind("\n") + 1].splitlines()]


class Mailbox:
    """The folder of tests/sinks/mail_sink.py."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)

    def mails(self):
        return lines_of(self.folder / "mails.jsonl")

    def attempts(self):
        return lines_of(self.folder / "attempts.jsonl")

    def to(self, address):
        return [row for row in self.mails() if address in row["to"]]

    def wait(self, address, timeout=15, count=1):
        """The mails to an address, as soon as there are count of them, or after the timeout."""
        until = time.monotonic() + timeout
        while True:
            found = self.to(address)
            if len(found) >= count or time.monotonic() > until:
                return found
            time.sleep(0.05)

    def content(self, row):
        return email.message_from_bytes((self.folder / row["file"]).read_bytes(), policy=email.policy.default)

    def rows(self):
        """For a dump: each mail with a digest of its bytes and the code in it."""
        for row in self.mails():
            data = (self.folder / row["file"]).read_bytes()
            codes = re.findall(rb"^ +(\d{6,8})\r?$", data, re.M)
            yield {**row, "sha256": hashlib.sha256(data).hexdigest(), "size": len(data), "code": codes[0].decode() if codes else None}


class Texts:
    """The folder of tests/sinks/text_sink.py."""

    def __init__(self, folder):
        self.path = pathlib.Path(folder) / "texts.jsonl"

    def rows(self):
        return [row for row in lines_of(self.path) if row["did"] in ("kept", "drop")]

    def to(self, number):
        return [row for row in self.rows() if number in json.dumps(row["fields"] or {}).replace("%2B", "+")]

    def wait(self, number, timeout=15, count=1):
        until = time.monotonic() + timeout
        while True:
            found = self.to(number)
            if len(found) >= count or time.monotonic() > until:
                return found
            time.sleep(0.05)


class ServiceSinks:
    """The sinks that scripts/services runs, for a run that leaves its mails there."""

    def __init__(self, values):
        self.smtp_port = int(values["ENROLLD_SMTP"].rpartition(":")[2])
        self.text_port = int(values["ENROLLD_TEXTS"].rpartition(":")[2])
        self.mailbox = Mailbox(values["ENROLLD_MAIL_DIR"])
        self.texts = Texts(values["ENROLLD_TEXT_DIR"])

    def close(self):
        """They stay."""


class Sinks:
    """Both sinks as processes of this run, so that nobody else's mails are seen and they may be stopped."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.smtp_port, self.text_port = free_port(), free_port()
        self.mailbox = Mailbox(self.folder / "mail")
        self.texts = Texts(self.folder / "texts")
        self.processes = {}
        self.start("mail")
        self.start("text")

    def _command(self, name):
        if name == "mail":
            return ["mail_sink.py", "--dir", str(self.mailbox.folder), "--port", str(self.smtp_port)], self.smtp_port
        return ["text_sink.py", "--dir", str(self.texts.path.parent), "--port", str(self.text_port)], self.text_port

    def start(self, name):
        (script, *arguments), port = self._command(name)
        with open(self.folder / f"{name}-sink.log", "ab") as log:
            self.processes[name] = subprocess.Popen(["/usr/bin/python3", str(ROOT / "tests/sinks" / script), *arguments],
                                                    stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        until = time.monotonic() + 15
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return
            except OSError:
                if time.monotonic() > until or self.processes[name].poll() is not None:
                    raise RuntimeError(f"the {name} sink does not start; see {self.folder}/{name}-sink.log") from None
                time.sleep(0.05)

    def stop(self, name):
        process = self.processes.pop(name, None)
        if process:
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def close(self):
        for name in list(self.processes):
            self.stop(name)
