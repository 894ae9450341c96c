"""Starts the product's processes on one machine and ends them all: on Ctrl-C, SIGTERM, a closed terminal, and its own death.

Each process gets a session of its own with a parent-death signal (prctl(2)). Since that reaches only direct children, a guard
process holds the other end of a pipe: when the supervisor is gone, whatever the reason, the guard ends every process group.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import IO, Any

PR_SET_PDEATHSIG = 1
GRACE = 8.0
RESTARTS_A_MINUTE = 5
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_libc = ctypes.CDLL(None, use_errno=True)


class CannotRun(Exception):
    """Something that is needed is missing or taken; the message is one sentence for the person at the terminal."""


@dataclass
class Program:
    """One process to keep running. `log` None: it writes to the terminal."""

    name: str
    argv: Sequence[str]
    environment: Mapping[str, str]
    log: Path | None = None
    process: subprocess.Popen[bytes] | None = None
    started: list[float] = field(default_factory=list)


def end_with_parent() -> None:
    """In a child: it gets SIGTERM when its parent is gone, whatever the reason."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _in_own_session() -> None:
    """In the child, before exec: a group of its own that ends with its parent."""
    os.setsid()
    end_with_parent()


def _end_groups(groups: Sequence[int]) -> None:
    """SIGTERM, some seconds, SIGKILL: for every process of every group."""
    for word in (signal.SIGTERM, signal.SIGKILL):
        for group in groups:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(group, word)
        deadline = time.monotonic() + (GRACE if word == signal.SIGTERM else 2)
        while time.monotonic() < deadline and any(_is_alive(group) for group in groups):
            time.sleep(0.05)


def _is_alive(group: int) -> bool:
    """Whether the group has a process that is not a zombie waiting for us."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-group, os.WNOHANG)[0]:
            pass
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


class Supervisor:
    """Keeps programs running until it is told to stop. A program that dies is started again, but not for ever."""

    def __init__(self, say: Callable[[str], None] = print) -> None:
        self.say = say
        self.programs: list[Program] = []
        self.stopping = False
        self.groups: list[int] = []
        for number in SIGNALS:
            signal.signal(number, self._on_signal)
        self.guard = self._start_guard()

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.stopping = True

    def _start_guard(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "hygiene.supervisor"], stdin=subprocess.PIPE, start_new_session=True
        )  # our own module

    def start(self, name: str, argv: Sequence[str], environment: Mapping[str, str], *, log: Path | None = None) -> Program:
        """Start a program and keep it running."""
        program = Program(name, argv, dict(environment), log)
        self.programs.append(program)
        self._launch(program)
        return program

    def _launch(self, program: Program) -> None:
        output: IO[bytes] | None = program.log.open("ab") if program.log else None
        try:
            program.process = subprocess.Popen(  # noqa: S603  # programs are named by our own code
                program.argv,
                env=program.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT if output else None,
                preexec_fn=_in_own_session,  # the supervisor has one thread
            )
        except FileNotFoundError as error:
            raise CannotRun(f"{program.argv[0]} was not found, so {program.name} cannot start.") from error
        finally:
            if output:
                output.close()
        program.started.append(time.monotonic())
        self.groups.append(program.process.pid)
        if self.guard.stdin:
            self.guard.stdin.write(f"{program.process.pid}\n".encode())
            self.guard.stdin.flush()

    def run_once(self, name: str, argv: Sequence[str], environment: Mapping[str, str], *, log: Path | None = None) -> None:
        """Run a program to its end. CannotRun with the end of its output when it fails."""
        program = Program(name, argv, dict(environment), log)
        self._launch(program)
        process = program.process
        while process is not None and process.poll() is None and not self.stopping:
            time.sleep(0.05)
        if process is not None and process.returncode not in (0, None):
            words = log.read_text(errors="replace").strip().splitlines()[-1:] if log and log.exists() else []
            raise CannotRun(f"{name} failed: {' '.join(words) or f'exit code {process.returncode}'}")

    def wait_until(self, ready: Callable[[], bool], what: str, *, seconds: float) -> None:
        """Watch the programs until `ready`. CannotRun when it takes too long."""
        deadline = time.monotonic() + seconds
        while not self.stopping and not ready():
            self.watch()
            if time.monotonic() > deadline:
                raise CannotRun(f"{what} was not ready after {seconds:.0f} seconds.")
            time.sleep(0.1)

    def watch(self) -> None:
        """Start again what has died. CannotRun for a program that does not stay up."""
        for program in self.programs:
            process = program.process
            if self.stopping or process is None or process.poll() is None:
                continue
            recent = [moment for moment in program.started if time.monotonic() - moment < 60]
            where = f" Its output is in {program.log}." if program.log else ""
            if len(recent) >= RESTARTS_A_MINUTE:
                raise CannotRun(f"{program.name} ended {len(recent)} times within a minute.{where}")
            self.say(f"{program.name} ended (code {process.returncode}); it is started again.")
            program.started = recent
            self._launch(program)

    def run(self, every: Callable[[], None] | None = None) -> None:
        """Watch until a signal says stop. `every` is called once a second."""
        while not self.stopping:
            self.watch()
            if every is not None:
                every()
            time.sleep(1)

    def stop(self) -> None:
        """End every program, then the guard."""
        self.stopping = True
        _end_groups(self.groups)
        if self.guard.stdin:
            self.guard.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.guard.wait(GRACE + 4)


def free_port() -> int:
    """A TCP port of loopback that is free at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def require_port(port: int, setting: str) -> None:
    """CannotRun when somebody listens on the port already."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise CannotRun(f"Port {port} is taken by another program. Choose another one, for example {setting}={port + 1}.") from error


def answers(port: int) -> bool:
    """Whether something listens on the port of loopback."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def guard(lines: Any) -> None:
    """Read process groups until the supervisor is gone, then end them all."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    groups = [int(line) for line in lines]
    alive = [group for group in groups if _is_alive(group)]
    if alive:
        _end_groups(alive)


if __name__ == "__main__":
    guard(sys.stdin)
