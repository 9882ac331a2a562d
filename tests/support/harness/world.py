# SPDX-License-Identifier: Apache-2.0
"""Everything of one run: a database, topics, keys, sinks and workers of its own, so that runs side by side do not meet."""
import copy
import os
import pathlib
import secrets
import shutil
import subprocess
import tempfile

import psycopg2
import psycopg2.extensions

from . import services
from .gateway import Gateway
from .kafka import Cluster
from .mailbox import ServiceSinks, Sinks
from .worker import Worker

# Below OWASP's floor, hence the override: these tests are about what happens to requests, not about the cost of a hash.
CHEAP_HASH = {"memory": "8MiB", "passes": 1, "allow_weak": True}


def merged(base, more):
    """Settings with others put over them."""
    result = copy.deepcopy(base)
    for name, value in more.items():
        result[name] = merged(result[name], value) if isinstance(value, dict) and isinstance(result.get(name), dict) else value
    return result


class World:
    """Use as a context: what it made is gone at its end, but for its folder if keep is set; with leave all of it stays, workers too."""

    def __init__(self, purpose, partitions=4, settings=None, reply_partitions=2, more_topics=(), own_sinks=True, own=None, binary=None):
        """own: other Services than those of this machine; binary: another program than the one that was built."""
        self.services = own or services.Services()
        self.services.check()
        self.binary = binary or services.binary()
        self.suffix = secrets.token_hex(4)
        self.purpose = purpose
        self.partitions = partitions
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=f"enrolld-{purpose}-{self.suffix}-"))
        self.keep = False
        self.cluster = Cluster(self.services.bootstrap)
        self.topics = {name: f"{purpose}.{self.suffix}.{name}"
                       for name in ("signup", "otp", "results", "accounts", "dead", "replies", *more_topics)}
        self.more_topics = more_topics
        self.group = f"{purpose}-{self.suffix}"
        self.workers = {}
        self.sinks = None
        self.database = f"{purpose}_{self.suffix}".replace("-", "_")
        self.dsn = psycopg2.extensions.make_dsn(self.services.dsn, dbname=self.database)
        self.connection = None
        self.reply_partitions = reply_partitions
        self.more = settings or {}
        self.own_sinks = own_sinks
        self.leave = False

    # --- beginning and end ---------------------------------------------------------------------------------------------

    def __enter__(self):
        try:
            self._begin()
        except BaseException:
            self.keep = True
            self.__exit__(None, None, None)
            raise
        return self

    def _begin(self):
        shutil.copytree(services.ROOT / "schemas", self.folder / "schemas")  # of this run, whatever becomes of the tree meanwhile
        self._sql_outside(f'create database "{self.database}"')
        self.sinks = Sinks(self.folder) if self.own_sinks else ServiceSinks(self.services.values)
        requests = {self.topics["signup"]: self.partitions, self.topics["otp"]: 2, **{self.topics[name]: 1 for name in self.more_topics}}
        self.cluster.create(requests,
                            **{"message.timestamp.type": "LogAppendTime", "max.message.bytes": "4000000"})
        self.cluster.create({self.topics["replies"]: self.reply_partitions})
        self.gateway = Gateway(self.services.bootstrap, self.topics["replies"])
        self.config = self.folder / "enrolld.yaml"
        Worker(self.binary, "enrolld", self.settings("tools"), self.folder)
        for command in (("migrate",), ("topics", "create"), ("keys", "new")):
            self.command(*command)

    def __exit__(self, *_):
        if self.leave:
            return
        for worker in self.workers.values():
            if worker.running():
                worker.resume()
                worker.kill()
        if self.sinks:
            self.sinks.close()
        if self.connection:
            self.connection.close()
        self.cluster.delete(self.topics.values())
        try:
            self._sql_outside(f'drop database if exists "{self.database}" with (force)')
        except psycopg2.Error:
            pass
        if not self.keep:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _sql_outside(self, statement):
        connection = psycopg2.connect(self.services.dsn)
        connection.autocommit = True
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement)
        finally:
            connection.close()

    # --- the worker ------------------------------------------------------------------------------------------------------

    def settings(self, instance, **more):
        """Settings of one instance; more is put over them."""
        base = {
            "kafka": {"bootstrap_servers": self.services.bootstrap, "session_timeout": "6s", "transaction_timeout": "10s"},
            "database": {"dsn": self.dsn},
            "topics": {
                "signup": {"name": self.topics["signup"], "lane": "signup", "reply_topics": [self.topics["replies"]]},
                "otp": {"name": self.topics["otp"], "lane": "otp", "reply_topics": [self.topics["replies"]]},
            },
            "worker": {"instance": instance, "group": self.group, "result_topic": self.topics["results"],
                       "event_topic": self.topics["accounts"], "dead_topic": self.topics["dead"]},
            "hash": {**CHEAP_HASH, "threads": 2},
            "keys": {"file": str(self.folder / "keys")},
            "data": {"directory": str(self.folder / "schemas")},
            "log": {"level": "info"},
            "admin": {"port": 0},
            "courier": {"smtp_url": f"smtp://127.0.0.1:{self.sinks.smtp_port}", "smtp_tls": "none",
                        "text_url": f"http://127.0.0.1:{self.sinks.text_port}/texts", "text_from": "+15005550006",
                        "mail_from": "accounts@shop.example", "link_url": "https://shop.example/verify?token={{token}}",
                        "brand": "Shop & Sons", "poll": "200ms", "retry_min": "1s"},
        }
        more_settings = self.more(self) if callable(self.more) else self.more
        return merged(merged(base, more_settings), more)

    def worker(self, name, **more):
        worker = Worker(self.binary, name, self.settings(name, **more), self.folder)
        self.workers[name] = worker
        return worker

    def command(self, *words, check=True, config=None):
        """Runs a command of the program with this run's settings, or those of a worker; (exit status, stdout, stderr)."""
        done = subprocess.run([self.binary, *words, "--config", str(config or self.config)], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=120, check=False, env={**os.environ})
        if check and done.returncode != 0:
            raise RuntimeError(f"enrolld {' '.join(words)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done.returncode, done.stdout, done.stderr

    # --- the database ----------------------------------------------------------------------------------------------------

    def sql(self, statement, *values):
        """Rows of a query in the run's database, as tuples; statements without rows give []."""
        if self.connection is not None and not self.connection.closed:
            try:
                return self._sql(statement, values)
            except psycopg2.Error:
                if not self.connection.closed:
                    raise
        self.connection = self.connect()  # the last one went with its server
        self.connection.autocommit = True
        return self._sql(statement, values)

    def connect(self):
        """A session of one's own in the run's database."""
        return psycopg2.connect(self.dsn)

    def _sql(self, statement, values):
        with self.connection.cursor() as cursor:
            cursor.execute(statement, values or None)
            return cursor.fetchall() if cursor.description else []

    # --- waiting ---------------------------------------------------------------------------------------------------------

    def lag(self, lane="signup"):
        """Records of the lane's topic that its group has not passed."""
        topic = self.topics[lane]
        ends = self.cluster.ends(topic)
        committed = self.cluster.committed(f"{self.group}-{lane}", topic)
        return sum(max(0, end - max(0, committed.get(partition, -1))) for partition, end in ends.items())
