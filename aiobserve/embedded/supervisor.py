"""Keeps servers and processes running: starts them in order, restarts what dies, stops them in reverse.

Knows nothing of Django or of what the processes do. Its state is published as JSON for `doctor` and tests.
"""

import ctypes
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from aiobserve.embedded.server import EmbeddedServer, ensure_started

POLL_S = 0.25
# How often a server is asked for an answer, and how long it may fail to give one before it is restarted.
ASK_EVERY_S = 2.0
SILENCE_S = 10.0
FIRST_BACKOFF_S = 0.2
LONGEST_BACKOFF_S = 5.0
HEALTHY_S = 60.0
STOP_POLL_S = 0.05
GROUP_S = 2.0
LOG_LIMIT_BYTES = 10_000_000
PR_SET_PDEATHSIG = 1


class Service(Protocol):
    """Something that is started, watched and stopped."""

    name: str

    def start(self) -> None:
        """Start it; returns once it is on its way."""
        ...

    def alive(self, now_s: float) -> bool:
        """Return whether it is still what it should be."""
        ...

    def stop(self) -> None:
        """Stop it and wait."""
        ...

    def pid(self) -> int | None:
        """Return its process id, if it has one."""
        ...


class ServerService:
    """An embedded server: alive when its process is there and it has answered within the last ten seconds."""

    def __init__(self, server: EmbeddedServer, pid: Callable[[], int | None]) -> None:
        self.name = server.name
        self.server = server
        self.pid = pid
        self._answered_s = time.monotonic()
        self._asked_s = 0.0

    def start(self) -> None:
        """Start or adopt the server."""
        ensure_started(self.server)
        self._answered_s = time.monotonic()

    def alive(self, now_s: float) -> bool:
        """Return False as soon as the process is gone, or after ten seconds without an answer."""
        pid = self.pid()
        if pid is None or not is_running(pid):
            return False
        if now_s - self._asked_s >= ASK_EVERY_S:
            self._asked_s = now_s
            if self.server.answers():
                self._answered_s = now_s
        return now_s - self._answered_s < SILENCE_S

    def stop(self) -> None:
        """Leave the server to whoever holds a lease on it; the last one out stops it."""


class ProcessService:
    """A child process that ends with us, even when we are killed, and with it all that it has started.

    It leads a process group. A dead leader is left unreaped until its group is gone: so long its number cannot be
    given to anybody else, and the signal to the group reaches nobody but its children.
    """

    def __init__(
        self, name: str, argv: Sequence[str], *, environ: Mapping[str, str], log_path: Path, stop_s: float = 15
    ) -> None:
        self.name = name
        self.argv = list(argv)
        self.environ = dict(environ)
        self.log_path = log_path
        self.stop_s = stop_s
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the process with its output going to its log."""
        self.log_path.parent.mkdir(parents=True, exist_ok=True)
        if self.log_path.exists() and self.log_path.stat().st_size > LOG_LIMIT_BYTES:
            self.log_path.replace(self.log_path.with_suffix(".log.1"))
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                self.argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self.environ,
                start_new_session=True,
                preexec_fn=_end_with_parent,  # noqa: PLW1509 - one system call, before any thread of ours starts
            )

    def alive(self, now_s: float) -> bool:
        """Return whether the process runs."""
        return not self._ended()

    def stop(self) -> None:
        """Ask the process to end, and end it after `stop_s`; what it has started goes with it, also if it is dead."""
        if self._process is None or self._process.returncode is not None:
            return
        if not self._ended():
            os.kill(self._process.pid, signal.SIGTERM)
        give_up_at = time.monotonic() + self.stop_s
        while not self._ended() and time.monotonic() < give_up_at:
            time.sleep(STOP_POLL_S)
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        _wait_for_group(self._process.pid)

    def _ended(self) -> bool:
        """Return whether the process has ended or was never started, without reaping it."""
        if self._process is None or self._process.returncode is not None:
            return True
        try:
            return os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
        except ChildProcessError:
            return True

    def pid(self) -> int | None:
        """Return the pid of the process, if it was started."""
        return None if self._process is None else self._process.pid


@dataclass
class _Watched:
    service: Service
    restarts: int = 0
    started_s: float = 0.0
    backoff_s: float = FIRST_BACKOFF_S
    retry_s: float = 0.0
    down: bool = False


@dataclass
class Supervisor:
    """Runs services until it is told to stop.

    Attributes:
        services: in the order in which they are started.
        state_path: where the state is published.
        report: called with a line for the person who watches.
    """

    services: Sequence[Service]
    state_path: Path
    report: Callable[[str], None] = print
    _watched: list[_Watched] = field(default_factory=list)
    _stopping: bool = False

    def run(self, *, on_ready: Callable[[], None] = lambda: None) -> None:
        """Start everything, watch it until SIGINT or SIGTERM, stop everything."""
        previous = {one: signal.signal(one, self._on_signal) for one in (signal.SIGINT, signal.SIGTERM)}
        try:
            for service in self.services:
                if self._stopping:
                    break
                service.start()
                self.adopt(service, now_s=time.monotonic())
            self._publish()
            on_ready()
            while not self._stopping:
                self.watch_once(time.monotonic())
                time.sleep(POLL_S)
        finally:
            self._stop_all()
            for one, handler in previous.items():
                signal.signal(one, handler)

    def adopt(self, service: Service, *, now_s: float) -> None:
        """Watch a service that has been started."""
        self._watched.append(_Watched(service, started_s=now_s))

    def watch_once(self, now_s: float) -> None:
        """Look at every service once and restart what is down, waiting longer each time it falls again."""
        for one in self._watched:
            if one.down:
                if now_s >= one.retry_s:
                    self._restart(one, now_s)
            elif not one.service.alive(now_s):
                if now_s - one.started_s > HEALTHY_S:
                    one.backoff_s = FIRST_BACKOFF_S
                one.down, one.retry_s = True, now_s + one.backoff_s
                one.backoff_s = min(one.backoff_s * 2, LONGEST_BACKOFF_S)
                self.report(f"{one.service.name} went down; restarting it")

    def _restart(self, one: _Watched, now_s: float) -> None:
        one.service.stop()
        one.service.start()
        one.restarts += 1
        one.down, one.started_s = False, now_s
        self.report(f"{one.service.name} is back")
        self._publish()

    def _on_signal(self, number: int, frame: object) -> None:
        if self._stopping:
            # A second Ctrl-C: no patience left.
            for one in self._watched:
                pid = one.service.pid()
                if isinstance(one.service, ProcessService) and pid is not None and one.service.alive(0):
                    os.killpg(pid, signal.SIGKILL)
        self._stopping = True

    def _stop_all(self) -> None:
        for one in reversed(self._watched):
            one.service.stop()
        self.state_path.unlink(missing_ok=True)

    def _publish(self) -> None:
        self.state_path.parent.mkdir(parents=True, exist_ok=True)
        state = {
            "pid": os.getpid(),
            "services": {
                one.service.name: {"pid": one.service.pid(), "restarts": one.restarts} for one in self._watched
            },
        }
        partial = self.state_path.with_suffix(".partial")
        partial.write_text(json.dumps(state))
        partial.replace(self.state_path)


def is_running(pid: int) -> bool:
    """Return whether a process is there and not a zombie; reaps it when it is a dead child of ours."""
    try:
        reaped, _ = os.waitpid(pid, os.WNOHANG)
        return reaped == 0
    except ChildProcessError:
        pass  # Not our child, or adopted from a process that died.
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rsplit(")", 1)[1].split()[0] != "Z"


def _wait_for_group(leader: int) -> None:
    """Wait until a killed group is gone; one whose orphans nobody reaps is given up after a moment: they are dead."""
    give_up_at = time.monotonic() + GROUP_S
    with suppress(ProcessLookupError, PermissionError):
        while time.monotonic() < give_up_at:
            os.killpg(leader, 0)
            time.sleep(STOP_POLL_S)


def _end_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
