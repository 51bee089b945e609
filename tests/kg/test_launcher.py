"""The embedded engine's life: started once, shared, ended when idle, whatever happens to whom."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import kg.supervisor
from kg.backends.engine_http import EngineHttp
from kg.engine_command import LauncherConfig, engine_command
from kg.engine_users import write_users
from kg.errors import (
    ForeignFileError,
    FormatVersionError,
    SettingError,
    StoreUnavailableError,
)
from kg.launcher import attach, stop_store, store_status
from kg.supervisor import Supervisor, is_running, process_identity

QUICK = LauncherConfig(idle_timeout_s=1, heap="256m")
HOLDER = """
    import sys, time
    from pathlib import Path
    from kg.engine_command import LauncherConfig
    from kg.launcher import attach
    hold = attach(Path(sys.argv[1]), LauncherConfig(
        idle_timeout_s=0.4, heap="256m"))
    print(hold.endpoint.child["pid"], flush=True)
    time.sleep(600)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder for a graph; whatever engine a test leaves there is stopped."""
    graph = tmp_path / "graph"
    yield graph
    stop_store(graph)


def eventually(condition: Callable[[], bool], *, within_s: float = 30) -> bool:
    end = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def holder(folder: Path) -> subprocess.Popen[str]:
    """Start a process that attaches, prints the engine's pid and stays."""
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(HOLDER), str(folder)],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def printed_pid(process: subprocess.Popen[str]) -> int:
    assert process.stdout is not None
    return int(process.stdout.readline())


def killed(process: subprocess.Popen[str]) -> None:
    with process:
        process.kill()


def test_one_engine_serves_all_and_tells_its_secrets_to_nobody(folder: Path) -> None:
    folder.mkdir()
    (folder / "store.json").write_text('{"format": 1, "engine": "arcadedb"}')
    dead = {"pid": 2**22 + 1, "started": 1, "boot": "x"}
    stale = {"format": 1, "host": "127.0.0.1", "bolt_port": 1, "http_port": 1, "passwords": {},
             "idle_timeout_s": 1, "child": dead, "supervisor": dead}  # fmt: skip
    (folder / "endpoint.json").write_text(json.dumps(stale))

    first = attach(folder, QUICK)
    second = attach(folder, QUICK)
    endpoint = first.endpoint
    assert second.endpoint == endpoint
    status = store_status(folder)
    assert (status.running, status.pid) == (True, endpoint.child["pid"])
    assert status.bolt_port == endpoint.bolt_port

    for name in ("endpoint.json", "engine/config/server-users.jsonl"):
        assert (folder / name).stat().st_mode & 0o777 == 0o600
    for process in (endpoint.child, endpoint.supervisor):
        line = Path(f"/proc/{process['pid']}/cmdline").read_bytes()
        environment = Path(f"/proc/{process['pid']}/environ").read_bytes()
        for password in endpoint.passwords.values():
            assert password.encode() not in line + environment
        assert os.getsid(process["pid"]) != os.getsid(0)  # no Ctrl+C of our terminal
    assert len(set(endpoint.passwords.values())) == 3
    assert not any(password in repr(endpoint) for password in endpoint.passwords.values())
    first.close()
    first.close()
    second.close()
    assert stop_store(folder)
    assert not is_running(endpoint.child)
    assert not (folder / "endpoint.json").exists()
    assert not stop_store(folder)


def test_it_outlives_its_starter_and_ends_when_the_last_client_is_gone(folder: Path) -> None:
    starter = holder(folder)
    pid = printed_pid(starter)
    engine = process_identity(pid)
    other = holder(folder)
    assert printed_pid(other) == pid
    os.killpg(starter.pid, signal.SIGINT)  # Ctrl+C in the starter's terminal
    starter.wait()
    killed(starter)
    time.sleep(0.8)  # twice as long as an engine may be idle
    assert is_running(engine)  # the other client holds it
    killed(other)  # kill -9: no chance to say goodbye
    assert eventually(lambda: not is_running(engine))
    assert eventually(lambda: not (folder / "child.json").exists())
    assert not store_status(folder).running


def test_a_killed_supervisor_takes_the_engine_along_and_the_next_client_starts_anew(
    folder: Path,
) -> None:
    first = attach(folder, QUICK)
    os.kill(first.endpoint.supervisor["pid"], signal.SIGKILL)
    assert eventually(lambda: not is_running(first.endpoint.supervisor))
    second = attach(folder, QUICK)
    assert second.endpoint.child != first.endpoint.child
    assert not is_running(first.endpoint.child)
    first.close()
    second.close()


def test_a_taken_port_is_left_to_its_owner(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    passwords = write_users(folder / "engine" / "config")
    real = kg.supervisor.free_ports
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        taken = stranger.getsockname()[1]
        tries = iter([[taken, real(1)[0]], [real(1)[0], taken]])
        monkeypatch.setattr(kg.supervisor, "free_ports", lambda n: next(tries, None) or real(n))
        supervisor = Supervisor(
            {
                "folder": str(folder),
                "command": engine_command(folder, QUICK),
                "passwords": passwords,
                "idle_timeout_s": 1,
                "start_timeout_s": 30,
            }
        )
        try:
            assert supervisor._start() is None
            published = json.loads((folder / "endpoint.json").read_text())
            assert taken not in (published["bolt_port"], published["http_port"])
            assert next(tries, None) is None  # both were tried
        finally:
            supervisor._end_child()
            (folder / "endpoint.json").unlink(missing_ok=True)


def test_a_supervisor_is_seen_from_the_moment_that_it_is_started(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def killed_when_started(process: subprocess.Popen[bytes], options: bytes) -> None:
        handles = Path(f"/proc/{process.pid}/fd").iterdir()
        assert str(folder / "supervisor.lock") in [str(handle.readlink()) for handle in handles]
        assert process.stdin is not None
        process.stdin.write(options)
        process.stdin.close()  # as the kernel closes the pipe of a killed client
        monkeypatch.undo()
        raise Killed

    monkeypatch.setattr(subprocess.Popen, "communicate", killed_when_started)
    with pytest.raises(Killed):
        attach(folder, QUICK)
    second = attach(folder, QUICK)  # joins the start of the first, and starts no other
    assert EngineHttp(second.endpoint).server("list databases") == []
    second.close()


@pytest.mark.parametrize("java", ["/bin/false", "/nowhere/java"])
def test_java_that_cannot_start_names_its_log(folder: Path, java: str) -> None:
    with pytest.raises(StoreUnavailableError) as caught:
        attach(folder, LauncherConfig(java=Path(java)))
    assert str(folder / "engine.log") in str(caught.value)
    assert not store_status(folder).running


def test_a_start_that_takes_too_long_is_ended(folder: Path, tmp_path: Path) -> None:
    slow = tmp_path / "java"
    slow.write_text("#!/bin/sh\nexec sleep 600\n")
    slow.chmod(0o700)
    with pytest.raises(StoreUnavailableError, match=r"not ready after 0\.2 s"):
        attach(folder, LauncherConfig(java=slow, start_timeout_s=0.2))
    assert eventually(lambda: not (folder / "child.json").exists())


def test_what_is_not_ours_is_left_untouched(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("mine")
    with pytest.raises(ForeignFileError):
        attach(file)
    assert file.read_text() == "mine"
    other = tmp_path / "other"
    other.mkdir()
    (other / "letter.txt").write_text("mine")
    with pytest.raises(ForeignFileError):
        attach(other)
    assert [path.name for path in other.iterdir()] == ["letter.txt"]
    newer = tmp_path / "newer"
    newer.mkdir()
    (newer / "store.json").write_text('{"format": 99}')
    with pytest.raises(FormatVersionError):
        attach(newer)


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(StoreUnavailableError, match="cannot be used"):
        attach(tmp_path / "file" / "graph")


def test_an_endpoint_is_believed_only_if_its_very_processes_run(tmp_path: Path) -> None:
    mine = process_identity(os.getpid())
    assert mine is not None
    good = {"format": 1, "host": "127.0.0.1", "bolt_port": 1, "http_port": 2, "passwords": {},
            "idle_timeout_s": 1, "child": mine, "supervisor": mine}  # fmt: skip
    foreign = {**mine, "started": mine["started"] - 1}  # the number was given to another process
    rebooted = {**mine, "boot": "an earlier boot"}
    wrong: list[object] = [
        {**good, "child": foreign}, {**good, "supervisor": rebooted}, {**good, "child": None},
        {**good, "format": 2}, {**good, "extra": 1}, {}, [], 7,
        {**good, "child": {"pid": "1"}},
    ]  # fmt: skip
    path = tmp_path / "endpoint.json"
    path.write_text(json.dumps(good))
    assert store_status(tmp_path).running
    for content in wrong:
        path.write_text(json.dumps(content))
        assert not store_status(tmp_path).running
    path.write_bytes(b"\xff{")
    assert not store_status(tmp_path).running
    assert not store_status(tmp_path / "nowhere").running


def test_a_zombie_does_not_run() -> None:
    process = subprocess.Popen(["/bin/true"])
    identity = process_identity(process.pid)
    assert eventually(lambda: not is_running(identity))
    process.wait()


@pytest.mark.parametrize(
    "wrong", [{"idle_timeout_s": 0}, {"start_timeout_s": -1}, {"heap": "lots"}, {"heap": ""}]
)
def test_settings_out_of_range_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(SettingError):
        LauncherConfig(**wrong)  # type: ignore[arg-type]
