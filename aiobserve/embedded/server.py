"""What the embedded servers have in common: a lease that several processes share, secrets, ports, and waiting.

The first process that needs a server starts it, the last one out stops it, and one that was left running by
a process that died is adopted.
"""

import fcntl
import os
import secrets
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol, TextIO

POLL_S = 0.05


class ServerFailed(RuntimeError):
    """An embedded server did not start or did not stop; the message ends with its log."""


class EmbeddedServer(Protocol):
    """A server that lives in a folder below the data directory."""

    name: str
    home: Path

    @property
    def url(self) -> str:
        """Return the address with its password, for clients."""
        ...

    def answers(self) -> bool:
        """Return whether the server accepts our login now."""
        ...

    def start(self) -> None:
        """Start the server and wait until it answers."""
        ...

    def stop(self) -> None:
        """Stop the server cleanly and wait until it is gone."""
        ...


@contextmanager
def running(server: EmbeddedServer) -> Iterator[str]:
    """Hold a lease on a running server; yields its URL. The last holder to leave stops it.

    Raises:
        ServerFailed: it does not start, or its folder cannot be used; the message says which and why.
    """
    with _lease(server.home) as lease:
        fcntl.flock(lease, fcntl.LOCK_SH)
        ensure_started(server)
        try:
            yield server.url
        finally:
            fcntl.flock(lease, fcntl.LOCK_UN)
            if _taken_alone(lease.fileno()) and server.answers():
                server.stop()


def _lease(home: Path) -> TextIO:
    try:
        home.mkdir(parents=True, exist_ok=True)
        return (home / "lease.lock").open("a")
    except OSError as error:
        raise ServerFailed(
            f"{home.parent} cannot be used: {error.strerror}; set AIOBSERVE_DATA_DIR to a folder that you may write to"
        ) from error


def ensure_started(server: EmbeddedServer) -> None:
    """Start the server unless it answers; of several processes that want to, one does and the others wait."""
    with (server.home / "start.lock").open("a") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        if not server.answers():
            server.start()


def _taken_alone(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def remembered_secret(path: Path) -> str:
    """Return the secret kept in a file that only we may read, making it the first time."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(32))
    return path.read_text().strip()


def free_port(remembered: Path) -> int:
    """Return the port remembered in a file if nobody listens on it, else a free one, which is then remembered."""
    if remembered.exists():
        port = int(remembered.read_text())
        if _is_free(port):
            return port
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    remembered.parent.mkdir(parents=True, exist_ok=True)
    remembered.write_text(str(port))
    return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def wait_until(ready: Callable[[], bool], *, limit_s: float, what: str) -> None:
    """Poll until `ready` says so.

    Raises:
        ServerFailed: it did not within `limit_s`.
    """
    give_up_at = time.monotonic() + limit_s
    while not ready():
        if time.monotonic() > give_up_at:
            raise ServerFailed(f"{what} within {limit_s:.0f} s")
        time.sleep(POLL_S)


def reap(pid: int | None) -> None:
    """Let go of a dead child of ours; as a zombie it would still look like a running server."""
    if pid is not None:
        with suppress(ChildProcessError):  # Not our child: its own parent reaps it.
            os.waitpid(pid, os.WNOHANG)


def terminate(pid: int, *, marker: str, stop_signal: signal.Signals, limit_s: float, what: str) -> None:
    """Signal a process that is ours (its command line holds `marker`) and wait until it is gone."""
    if not _is_ours(pid, marker):
        return
    os.kill(pid, stop_signal)
    wait_until(lambda: not _is_ours(pid, marker), limit_s=limit_s, what=f"{what} (pid {pid}) did not stop")


def _is_ours(pid: int, marker: str) -> bool:
    """Return whether a live process (not a zombie) with this pid was started for our folder."""
    reap(pid)
    try:
        return marker in Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return False


def log_tail(path: Path, *, length: int = 1500) -> str:
    """Return the end of a log file."""
    return path.read_text(errors="replace")[-length:] if path.exists() else "(no log)"
