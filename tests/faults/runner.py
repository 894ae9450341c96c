"""`python -m tests.faults.runner FOLDER`: a process that has the product loaded and forks a worker for each order on its input.

One line of JSON in, one out. The clock of all workers is shared: sleeping moves it, and nobody waits.
"""

from __future__ import annotations

import json
import mmap
import os
import signal
import struct
import sys
import traceback
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import django
from django.db import connections

from hygiene.services.clock import Clock
from tests.faults.boundaries import Boundaries, Stop


class SharedTime:
    """Real time and an offset that all forked workers see."""

    def __init__(self) -> None:
        self._cell = mmap.mmap(-1, 8)

    def move(self, seconds: float) -> None:
        """Let time pass, or with a negative number go back."""
        self._cell[:8] = struct.pack("d", self.offset + seconds)

    @property
    def offset(self) -> float:
        """Seconds ahead of real time."""
        return float(struct.unpack("d", self._cell[:8])[0])

    def now(self) -> datetime:
        """Aware UTC."""
        return datetime.now(UTC) + timedelta(seconds=self.offset)

    def clock(self) -> Clock:
        """As services take it."""
        return Clock(now=self.now, sleep=self.move, random=lambda: 0.5)


class Runner:
    """Obeys orders."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.time = folder, SharedTime()
        self.stderr = (folder / "workers.txt").open("ab")
        self.frozen: set[int] = set()

    def obey(self, order: dict[str, Any]) -> dict[str, Any]:
        """Move the clock, wake a frozen worker, or fork one (or many `together`) for a job of `tests.faults.work`."""
        if "move" in order:
            self.time.move(order["move"])
            return {"offset": self.time.offset}
        if "wake" in order:
            os.kill(order["wake"], signal.SIGCONT)
            return self._wait(order["wake"])
        if "together" in order:
            pids = [self._fork(one) for one in order["together"]]
            return {"all": [self._wait(pid) for pid in pids], "offset": self.time.offset}
        return self._wait(self._fork(order)) | {"offset": self.time.offset}

    def _fork(self, order: dict[str, Any]) -> int:
        pid = os.fork()
        if pid == 0:
            self._work(order)
        return pid

    def _work(self, order: dict[str, Any]) -> None:
        """In the child, which never returns."""
        from tests.faults import work

        os.dup2(self.stderr.fileno(), 1)
        os.dup2(self.stderr.fileno(), 2)
        record = self.folder / f"{os.getpid()}.crossed"
        record.unlink(missing_ok=True)
        status, said = 0, {}
        try:
            stop = Stop(**order["stop"]) if order.get("stop") else None
            job = work.Job(self.time, Boundaries(record, stop).watch)
            said = {"result": getattr(work, order["job"])(job, **order.get("with", {}))}
        except Exception as error:  # told to the test, whatever it is
            traceback.print_exc()
            status, said = 1, {"error": f"{type(error).__name__}: {error}"}
        (self.folder / f"{os.getpid()}.said").write_text(json.dumps(said, default=str))
        connections.close_all()
        os._exit(status)

    def end(self) -> None:
        """Whoever is still frozen, because a test failed before it woke them, goes too."""
        for pid in self.frozen:
            os.kill(pid, signal.SIGKILL)

    def _wait(self, pid: int) -> dict[str, Any]:
        _, status = os.waitpid(pid, os.WUNTRACED)
        crossed = self.folder / f"{pid}.crossed"
        found: dict[str, Any] = {"pid": pid, "crossed": crossed.read_text().split("\n")[:-1] if crossed.exists() else []}
        self.frozen.discard(pid)
        if os.WIFSTOPPED(status):
            self.frozen.add(pid)
            return found | {"frozen": True}
        if os.WIFSIGNALED(status):
            return found | {"killed": os.WTERMSIG(status)}
        said = self.folder / f"{pid}.said"
        found |= json.loads(said.read_text())
        said.unlink()
        return found


def main() -> None:
    """Until the input ends."""
    django.setup()
    from accounts.aws import session
    from tests.faults import work  # noqa: F401  # loaded once, before any fork

    for service in ("sts", "iam"):  # parsed once too
        boto3.Session(botocore_session=session._core(), region_name="us-east-1").client(service)
    runner = Runner(Path(sys.argv[1]))
    for line in sys.stdin:
        sys.stdout.write(json.dumps(runner.obey(json.loads(line))) + "\n")
        sys.stdout.flush()
    runner.end()


if __name__ == "__main__":
    main()
