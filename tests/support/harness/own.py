# SPDX-License-Identifier: Apache-2.0
"""Services of one run alone, which it may kill: a broker, and a pair of PostgreSQL clusters of which the second follows the first."""
import contextlib
import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import tempfile
import time

import psycopg2

from .mailbox import free_port
from .services import ROOT, Missing, Services

USER = "enrolld"


class Folder:
    """A folder that the user who runs PostgreSQL can reach."""

    def __init__(self, purpose):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix=f"enrolld-{purpose}-"))
        self.path.chmod(0o711)

    def remove(self):
        shutil.rmtree(self.path, ignore_errors=True)


class Broker:
    """Apache Kafka by scripts/services, with a second listener for clients that have something between."""

    def __init__(self, folder, services, link, properties=()):
        """link: "HOST:PORT", what those clients are told; properties: further lines for the broker."""
        self.folder, self.port, self.link_port, controller = folder, free_port(), free_port(), free_port()
        self.environment = {**os.environ, "ENROLLD_SCRATCH": str(folder), "ENROLLD_KAFKA_PORT": str(self.port),
                            "ENROLLD_KAFKA_CONTROLLER_PORT": str(controller), "ENROLLD_KAFKA_HEAP": "384m",
                            "ENROLLD_KAFKA_PROPERTIES": str(folder / "more.properties")}
        folder.mkdir()
        own = f"PLAINTEXT://127.0.0.1:{self.port}"
        (folder / "more.properties").write_text("\n".join((
            "listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,LINK:PLAINTEXT",
            f"listeners={own},LINK://127.0.0.1:{self.link_port},CONTROLLER://127.0.0.1:{controller}",
            f"advertised.listeners={own},LINK://{link}", *properties, "")), encoding="utf-8")
        jars = pathlib.Path(services.values["ENROLLD_SCRATCH"]) / "jars"
        if jars.is_dir():
            (folder / "jars").symlink_to(jars)
        self.bootstrap = f"127.0.0.1:{self.port}"

    def do(self, command, *words):
        done = subprocess.run([ROOT / "scripts/services", command, *(words or ("kafka",))], env=self.environment,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"scripts/services {command}: {done.stderr[-2000:]}")

    def begin(self):
        """Starts in the background; wait() waits."""
        self.starting = subprocess.Popen([ROOT / "scripts/services", "start", "kafka"], env=self.environment,
                                         stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)

    def wait(self):
        _, text = self.starting.communicate(timeout=120)
        if self.starting.returncode != 0:
            raise Missing(f"Kafka does not start: {text[-2000:]}")

    def close(self):
        with contextlib.suppress(RuntimeError):
            self.do("down", "--data")


def _programs():
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: float(path.parts[-3]))
    on_path = shutil.which("postgres")
    if not found and not on_path:
        raise Missing("PostgreSQL's server programs are missing: run scripts/setup")
    return found[-1].parent if found else pathlib.Path(on_path).parent


class Server:
    """One PostgreSQL cluster."""

    def __init__(self, name, folder, prefix):
        self.name, self.folder, self.prefix = name, folder, prefix
        self.data, self.port = folder / name, free_port()
        self.process = None

    def run(self, program, *arguments):
        done = subprocess.run([*self.prefix, _programs() / program, *map(str, arguments)], cwd="/", stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{program}: {done.stderr[-2000:]}")

    def start(self, timeout=60):
        """Until it takes connections."""
        with open(self.folder / f"{self.name}.log", "ab") as log:
            self.process = subprocess.Popen([*self.prefix, _programs() / "postgres", "-D", self.data, "-p", str(self.port)], cwd="/",
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.wait(lambda _: True, timeout)

    def wait(self, wanted, timeout=60):
        """Until a session is let in and wanted(cursor) holds."""
        until = time.monotonic() + timeout
        while True:
            try:
                connection = self.connect()
                try:
                    with connection.cursor() as cursor:
                        if wanted(cursor):
                            return
                finally:
                    connection.close()
            except psycopg2.Error:
                pass
            if time.monotonic() > until or self.process.poll() is not None:
                raise RuntimeError(f"{self.name} does not answer; see {self.folder}/{self.name}.log")
            time.sleep(0.1)

    def connect(self):
        connection = psycopg2.connect(host="127.0.0.1", port=self.port, user=USER, dbname="postgres", connect_timeout=5)
        connection.autocommit = True
        return connection

    def sql(self, statement):
        connection = self.connect()
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement)
        finally:
            connection.close()

    def running(self):
        return self.process is not None and self.process.poll() is None

    def stop(self, mode):
        """fast or immediate, as pg_ctl calls them."""
        if self.running():
            self.process.send_signal(signal.SIGINT if mode == "fast" else signal.SIGQUIT)
            self.process.wait(60)


class Pair:
    """A primary and its synchronous standby. The primary's tables lie in a small place of their own where the system allows mounts."""

    SMALL = "512m"

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()
        user = pwd.getpwnam("postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name)
        as_user = []
        if os.geteuid() == 0:
            os.chown(folder, user.pw_uid, user.pw_gid)
            as_user = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", "--", "env", "HOME=/"]
        self.small = folder / "small"
        self.keeper = self._mount(user)
        inside = ["nsenter", "-t", str(self.keeper.pid), "-m"] if self.keeper else []
        self.first, self.second = Server("first", folder, inside + as_user), Server("second", folder, as_user)

    def _mount(self, user):
        """A process in whose view of the file system the small place is; None where that cannot be. It ends when we do."""
        self.small.mkdir()
        script = f'mount -t tmpfs -o size={self.SMALL},mode=700,uid={user.pw_uid},gid={user.pw_gid} tmpfs "$1" && echo ready && exec cat'
        keeper = subprocess.Popen(["unshare", "-m", "sh", "-c", script, "-", str(self.small)], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        if os.geteuid() == 0 and keeper.stdout.readline() == "ready\n":
            return keeper
        keeper.kill()
        keeper.wait()
        return None

    def begin(self):
        first, second = self.first, self.second
        first.run("initdb", "-D", first.data, "-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
        settings = (ROOT / "tests/services/postgresql.conf").read_text(encoding="utf-8")
        settings = settings.replace("@POSTGRES_PORT@", str(first.port)).replace("@POSTGRES_SOCKET@", "")
        # The manual's settings for a pair: a standby that is back is waited for briefly.
        settings += "shared_buffers = 64MB\nmax_wal_size = 512MB\nwal_retrieve_retry_interval = 500ms\n"
        with open(first.data / "postgresql.conf", "a", encoding="utf-8") as file:
            file.write(settings)
        (first.data / "pg_hba.conf").write_text("host all all 127.0.0.1/32 trust\nhost replication all 127.0.0.1/32 trust\n", encoding="utf-8")
        first.start()
        mapping = []
        if self.keeper:
            first.sql(f"create tablespace small location '{self.small}'")
            first.sql("alter system set default_tablespace = 'small'")
            first.sql("select pg_reload_conf()")
            mapping = [f"--tablespace-mapping={self.small}={self.folder}/large"]
        second.run("pg_basebackup", "-D", second.data, "-R", "-X", "stream", "-c", "fast", "--no-sync", *mapping,
                   "-d", f"host=127.0.0.1 port={first.port} user={USER} application_name=standby")
        second.start()
        first.sql("alter system set synchronous_standby_names = 'standby'")
        first.sql("select pg_reload_conf()")
        self._wait_synchronous()

    def _wait_synchronous(self):
        def synchronous(cursor):
            cursor.execute("select count(*) from pg_stat_replication where sync_state = 'sync'")
            return cursor.fetchone()[0] == 1
        self.first.wait(synchronous)

    def start_first(self):
        """After it was stopped: once its standby follows again, since every commit waits for that."""
        self.first.start()
        self._wait_synchronous()

    def promote(self):
        """The second takes over."""
        self.second.run("pg_ctl", "promote", "-D", self.second.data, "-w")

    def fill(self):
        """Takes what is left of the small place."""
        with contextlib.suppress(OSError), open(self._ballast(), "wb", buffering=0) as file:
            while file.write(b"\0" * (1 << 20)):
                pass
        with contextlib.suppress(OSError), open(self._ballast(), "ab", buffering=0) as file:
            while file.write(b"\0" * 512):
                pass

    def make_room(self):
        self._ballast().unlink()

    def _ballast(self):
        return pathlib.Path(f"/proc/{self.keeper.pid}/root") / self.small.relative_to("/") / "ballast"

    def dsn(self, host, port_first, port_second):
        return f"host={host},{host} port={port_first},{port_second} user={USER} target_session_attrs=read-write"

    def close(self):
        for server in (self.second, self.first):
            server.stop("immediate")
        if self.keeper:
            self.keeper.stdin.close()
            self.keeper.wait()


class OwnServices(Services):
    """As Services: what this run's own harness speaks to, with nothing between."""

    def __init__(self, pair, broker):
        super().__init__()
        self.bootstrap = broker.bootstrap
        self.dsn = pair.dsn("127.0.0.1", pair.first.port, pair.second.port) + " dbname=postgres connect_timeout=5"


class Names:
    """A view of the system in which names come from one name server, and a program that runs in it."""

    SUFFIX = "enrolld.test"

    def __init__(self, folder, between):
        self.folder = folder
        self.address = f"127.53.{os.getpid() >> 8 & 255}.{os.getpid() & 255}"
        between.resolver(self.address, self.SUFFIX)

    @staticmethod
    def possible():
        """Needs the right to mount in a view of one's own, and to listen on port 53."""
        return os.geteuid() == 0 and subprocess.run(["unshare", "-m", "true"], stdin=subprocess.DEVNULL, capture_output=True,
                                                    check=False).returncode == 0

    def program(self, binary):
        """A program that is the binary in that view."""
        (self.folder / "resolv.conf").write_text(f"nameserver {self.address}\n", encoding="utf-8")
        (self.folder / "nsswitch.conf").write_text("hosts: files dns\n", encoding="utf-8")
        path = self.folder / "enrolld"
        path.write_text("#!/bin/sh\nexec unshare -m sh -c '"
                        f'mount --bind {self.folder}/resolv.conf /etc/resolv.conf && mount --bind {self.folder}/nsswitch.conf '
                        f'/etc/nsswitch.conf && exec {binary} "$@"\' - "$@"\n', encoding="utf-8")
        path.chmod(0o755)
        return str(path)
