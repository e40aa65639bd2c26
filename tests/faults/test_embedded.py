"""The embedded servers: start, share, crash and come back, as whoever runs the tests."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from aiobserve.embedded.broker import EmbeddedBroker
from aiobserve.embedded.data_directory import data_directory
from aiobserve.embedded.postgres import EmbeddedPostgres
from aiobserve.embedded.postgres_home import RunAs
from aiobserve.embedded.server import ensure_started, running
from aiobserve.embedded.supervisor import ProcessService, Supervisor, is_running
from tests.conftest import free_port, until


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "data"
    shutil.rmtree(EmbeddedPostgres(tmp_path / "data").cluster, ignore_errors=True)


def test_rows_outlive_a_restart(data_dir: Path) -> None:
    with running(EmbeddedPostgres(data_dir)) as url, psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")

    with running(EmbeddedPostgres(data_dir)) as url, psycopg.connect(url) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)
        assert connection.execute("SHOW data_checksums").fetchone() == ("on",)
        assert connection.execute("SHOW listen_addresses").fetchone() == ("127.0.0.1",)


def test_a_wrong_password_is_refused(data_dir: Path) -> None:
    with running(EmbeddedPostgres(data_dir)) as url, pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(url.replace("aiobserve:", "aiobserve:wrong", 1))


def test_committed_rows_outlive_a_kill_and_uncommitted_ones_do_not(data_dir: Path) -> None:
    server = EmbeddedPostgres(data_dir)
    with running(server) as url:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n")
        writer = psycopg.connect(url)
        writer.execute("INSERT INTO kept SELECT generate_series(1, 500)")
        pid = server.pid()
        assert pid is not None

        os.kill(pid, signal.SIGKILL)
        ensure_started(server)

        with psycopg.connect(server.url) as connection:
            assert connection.execute("SELECT count(*) FROM kept").fetchone() == (1000,)


def test_the_last_holder_stops_the_server_and_not_the_first(data_dir: Path) -> None:
    server = EmbeddedPostgres(data_dir)
    first, second = running(server), running(server)
    first.__enter__()
    second.__enter__()

    first.__exit__(None, None, None)
    still_there = server.answers()
    second.__exit__(None, None, None)

    assert still_there
    assert not server.answers()


def test_a_server_left_by_a_killed_process_is_adopted_and_stopped(data_dir: Path) -> None:
    script = (
        "import os, signal, pathlib\n"
        "from aiobserve.embedded.postgres import EmbeddedPostgres\n"
        "from aiobserve.embedded.server import running\n"
        f"lease = running(EmbeddedPostgres(pathlib.Path({str(data_dir)!r})))\n"
        "lease.__enter__()\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", script], check=False)
    server = EmbeddedPostgres(data_dir)
    left = server.pid()

    with running(server):
        adopted = server.pid()

    assert left == adopted is not None
    assert not server.answers()


def test_acknowledged_messages_outlive_a_kill_of_the_broker(data_dir: Path) -> None:
    server = EmbeddedBroker(data_dir)
    with running(server) as url:
        client = redis.Redis.from_url(url)
        for number in range(200):
            client.rpush("queue", number)
        pid = server.pid()
        assert pid is not None

        os.kill(pid, signal.SIGKILL)
        until(lambda: not is_running(pid), what="the broker is gone")
        ensure_started(server)

        again = redis.Redis.from_url(server.url)
        assert again.llen("queue") == 200
        client.close()
        again.close()


def test_a_password_is_nobody_elses_to_read(data_dir: Path) -> None:
    with running(EmbeddedBroker(data_dir)):
        pass

    assert (data_dir / "broker" / "password").stat().st_mode & 0o077 == 0
    assert (data_dir / "broker" / "valkey.conf").stat().st_mode & 0o077 == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has a private home that the server's user cannot enter")
def test_below_a_private_folder_the_cluster_lies_elsewhere_and_no_permission_is_changed(tmp_path: Path) -> None:
    private = tmp_path / "private"
    private.mkdir(mode=0o700)

    server = EmbeddedPostgres(private / "data")

    assert not RunAs.current().reaches(private / "data")
    assert not str(server.cluster).startswith(str(private))
    assert private.stat().st_mode & 0o777 == 0o700


def test_the_data_directory_is_the_users_choice(tmp_path: Path) -> None:
    assert data_directory({"AIOBSERVE_DATA_DIR": str(tmp_path)}) == tmp_path


def sleeper(name: str, log_path: Path) -> ProcessService:
    return ProcessService(
        name, [sys.executable, "-c", "import time; time.sleep(600)"], environ=dict(os.environ), log_path=log_path
    )


def test_the_supervisor_restarts_what_was_killed_and_waits_longer_each_time(tmp_path: Path) -> None:
    said: list[str] = []
    service = sleeper("worker", tmp_path / "worker.log")
    supervisor = Supervisor([service], tmp_path / "state.json", said.append)
    service.start()
    supervisor.adopt(service, now_s=0.0)
    first = service.pid()
    assert first is not None

    os.kill(first, signal.SIGKILL)
    until(lambda: not service.alive(0.0), what="the process is gone")
    supervisor.watch_once(1.0)
    supervisor.watch_once(1.1)
    too_early = service.pid()
    supervisor.watch_once(1.3)
    restarted = service.pid()
    service.stop()

    assert too_early == first
    assert restarted not in (None, first)
    assert said == ["worker went down; restarting it", "worker is back"]


def listener(port: int, log_path: Path) -> ProcessService:
    """Return a server as granian is one: a leader whose child listens, and takes no notice when the leader dies."""
    child = f"import socket, time\nwith socket.create_server(('127.0.0.1', {port}), reuse_port=True): time.sleep(600)\n"
    leader = f"import subprocess, sys; sys.exit(subprocess.run([sys.executable, '-c', {child!r}]).returncode)"
    return ProcessService("web", [sys.executable, "-c", leader], environ=dict(os.environ), log_path=log_path)


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_nobody_listens_after_stop_also_when_the_leader_was_killed(tmp_path: Path) -> None:
    port = free_port()
    service = listener(port, tmp_path / "web.log")
    service.start()
    until(lambda: listens(port), what="the child listens")
    leader = service.pid()
    assert leader is not None

    os.kill(leader, signal.SIGKILL)
    until(lambda: not service.alive(0.0), what="the leader is gone")
    orphaned = listens(port)
    service.stop()

    assert orphaned
    assert not listens(port)


def test_a_restart_leaves_one_listener_and_a_stop_none(tmp_path: Path) -> None:
    port = free_port()
    service = listener(port, tmp_path / "web.log")
    supervisor = Supervisor([service], tmp_path / "state.json", lambda line: None)
    service.start()
    supervisor.adopt(service, now_s=0.0)
    until(lambda: listens(port), what="the child listens")
    leader = service.pid()
    assert leader is not None

    os.kill(leader, signal.SIGKILL)
    until(lambda: not service.alive(0.0), what="the leader is gone")
    supervisor.watch_once(1.0)
    supervisor.watch_once(2.0)
    until(lambda: listens(port), what="the new child listens")
    service.stop()

    assert not listens(port)


def test_a_process_that_ends_when_asked_is_not_waited_for(tmp_path: Path) -> None:
    service = sleeper("worker", tmp_path / "worker.log")
    service.start()
    started_s = time.monotonic()

    service.stop()

    assert time.monotonic() - started_s < service.stop_s / 2
    assert not service.alive(0.0)


def test_children_do_not_outlive_a_supervisor_that_is_killed(tmp_path: Path) -> None:
    script = (
        "import os, sys, pathlib, time\n"
        "from aiobserve.embedded.supervisor import ProcessService\n"
        "one = ProcessService('child', [sys.executable, '-c', 'import time; time.sleep(600)'], environ=dict(os.environ),"
        f" log_path=pathlib.Path({str(tmp_path / 'child.log')!r}))\n"
        "one.start()\n"
        "print(one.pid(), flush=True)\n"
        "time.sleep(600)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())

    parent.kill()
    parent.wait()
    parent.stdout.close()

    until(lambda: not is_running(child), what="the child is gone", limit_s=10)
