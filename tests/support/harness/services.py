# SPDX-License-Identifier: Apache-2.0
"""Where the services and the program are, and what they are: from the environment, else from scripts/services."""
import os
import pathlib
import subprocess
import sys

import confluent_kafka
import confluent_kafka.admin
import psycopg2

ROOT = pathlib.Path(os.environ.get("ENROLLD_SOURCE") or pathlib.Path(__file__).resolve().parents[3])


class Missing(Exception):
    """Something that the tests need is not there; the text says what to do."""


def _ask_scripts():
    done = subprocess.run([ROOT / "scripts/services", "env"], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    return dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)


class Services:
    """Addresses of the services of this machine."""

    def __init__(self):
        self.values = {**_ask_scripts(), **{name: value for name, value in os.environ.items() if name.startswith("ENROLLD_")}}
        self.bootstrap = self.values["ENROLLD_BOOTSTRAP_SERVERS"]
        self.dsn = self.values["ENROLLD_DSN"]

    def check(self):
        """Raises Missing with a remedy unless both answer."""
        try:
            psycopg2.connect(self.dsn, connect_timeout=5).close()
        except psycopg2.Error as error:
            raise Missing(f"PostgreSQL does not answer ({str(error).strip()}); start it with scripts/services up") from error
        try:
            admin = confluent_kafka.admin.AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0})
            admin.list_topics(timeout=10)
        except confluent_kafka.KafkaException as error:
            raise Missing(f"Kafka does not answer at {self.bootstrap}; start it with scripts/services up") from error

    def versions(self):
        """What this run stands on, for reports."""
        connection = psycopg2.connect(self.dsn)
        with connection, connection.cursor() as cursor:
            cursor.execute("show server_version")
            postgres = cursor.fetchone()[0]
        connection.close()
        kafka = "?"
        for line in (ROOT / "tests/services/pom.xml").read_text(encoding="utf-8").splitlines():
            if "<kafka.version>" in line:
                kafka = line.split(">")[1].split("<")[0]
        return {"kafka": kafka, "postgresql": postgres, "librdkafka of the tests": confluent_kafka.libversion()[0],
                "python": sys.version.split()[0]}


def binary():
    """The program under test: ENROLLD_BINARY, else the newest one that was built in the tree."""
    named = os.environ.get("ENROLLD_BINARY")
    if named:
        if not os.access(named, os.X_OK):
            raise Missing(f"ENROLLD_BINARY={named} is not there; build it first (cmake --build ... --target enrolld)")
        return named
    built = [path for path in ROOT.glob("build/*/src/enrolld") if os.access(path, os.X_OK)]
    if not built:
        raise Missing("no worker was built: cmake --preset dev && cmake --build build/dev --target enrolld, or set ENROLLD_BINARY")
    return str(max(built, key=lambda path: path.stat().st_mtime))


def commit():
    """The commit of the tree, with a + if it was changed."""
    git = ["git", "-C", str(ROOT)]
    head = subprocess.run([*git, "rev-parse", "--short=12", "HEAD"], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if head.returncode != 0:
        return "unknown"
    changed = subprocess.run([*git, "diff", "--quiet", "HEAD", "--", "src", "include", "schemas"], stdin=subprocess.DEVNULL,
                             capture_output=True, check=False)
    return head.stdout.strip() + ("+" if changed.returncode else "")
