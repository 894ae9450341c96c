"""The supervisor in a process of its own: whatever ends it, nothing that it started is left. And the demo's refusals."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from hygiene import embedded_broker
from hygiene.supervisor import free_port
from tests.demo_process import ROOT, until

pytestmark = pytest.mark.slow
PROGRAM = textwrap.dedent(
    """
    import os, sys
    from pathlib import Path
    from hygiene import supervisor as module
    from hygiene.supervisor import Supervisor

    module.GRACE = 1.0

    folder = Path(sys.argv[1])
    # a child that ignores SIGTERM, and a grandchild that outlives its parent
    child = "import os,signal,sys,time,pathlib\\n" \\
            "signal.signal(signal.SIGTERM, signal.SIG_IGN)\\n" \\
            "pid = os.fork()\\n" \\
            "pathlib.Path(sys.argv[1], str(os.getpid())).touch()\\n" \\
            "time.sleep(300)"
    supervisor = Supervisor(lambda words: None)
    for name in ("one", "two"):
        supervisor.start(name, [sys.executable, "-c", child, str(folder)], os.environ)
    try:
        supervisor.run()
    finally:
        supervisor.stop()
    """
)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    process = subprocess.Popen([sys.executable, "-c", PROGRAM, str(tmp_path)], cwd=ROOT, start_new_session=True)
    until(lambda: len(list(tmp_path.iterdir())) == 4, seconds=20, what="the start of four processes")
    yield process, tmp_path
    if process.poll() is None:
        process.kill()


def alive(folder: Path) -> list[int]:
    return [int(file.name) for file in folder.iterdir() if Path("/proc", file.name).exists() and _state(file.name) != "Z"]


def _state(pid: str) -> str:
    try:
        return Path("/proc", pid, "stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return "Z"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_nothing_is_left_whatever_ends_it(running: tuple[subprocess.Popen[bytes], Path], number: int) -> None:
    process, folder = running
    assert len(alive(folder)) == 4
    process.send_signal(number)
    process.wait(30)
    until(lambda: alive(folder) == [], seconds=30, what="the end of every process")


def test_a_program_that_dies_is_started_again(running: tuple[subprocess.Popen[bytes], Path]) -> None:
    process, folder = running
    before = set(alive(folder))
    os.killpg(os.getpgid(next(iter(before))), signal.SIGKILL)
    until(lambda: len(set(alive(folder)) - before) == 2, seconds=20, what="the second start")
    assert len(alive(folder)) == 4
    process.terminate()
    assert process.wait(30) == 0


@pytest.mark.parametrize(("command", "setting"), [(["-m", "demo"], "DEMO_PORT"), (["manage.py", "run", "--port"], "--port")])
def test_a_taken_port_is_one_sentence(command: list[str], setting: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        words = [*command, port] if command[-1] == "--port" else command
        done = subprocess.run(
            [sys.executable, *words],
            cwd=ROOT,
            env={**os.environ, "DEMO_PORT": port},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode in (1, 2)
    said = done.stdout + done.stderr
    assert f"Port {port} is taken by another program. Choose another one, for example {setting}={int(port) + 1}." in said
    assert "Traceback" not in said


def test_a_bad_port_is_one_sentence() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "demo"],
        cwd=ROOT,
        env={**os.environ, "DEMO_PORT": "eighty"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout.strip()) == (2, "DEMO_PORT must be a port number, not 'eighty'.")


def test_the_embedded_broker_is_private(tmp_path: Path) -> None:
    executable = embedded_broker.find()
    assert executable is not None
    process = subprocess.Popen(embedded_broker.argv(executable, tmp_path))
    try:
        path = embedded_broker.socket_of(tmp_path)
        until(path.exists, seconds=10, what="the socket")
        until(lambda: oct(path.stat().st_mode)[-3:] == "700", seconds=5, what="its mode")
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))
            client.sendall(b"CONFIG GET port\r\n")
            assert b"$1\r\n0\r\n" in client.recv(200)
    finally:
        process.terminate()
        process.wait(10)


def test_a_free_port_is_free() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", free_port()))
        assert probe.getsockname()[1] > 1024
