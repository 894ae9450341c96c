"""The whole demo in real processes, for tests that look at it from outside: browser, faults, smoke."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hygiene.supervisor import answers, free_port

ROOT = Path(__file__).resolve().parent.parent
POLLED_ENOUGH = 23  # of 24: one account of the cast never has a report
PASSWORD = "hygiene-demo"
Json = Any


def until(ready: Callable[[], bool], *, seconds: float, what: str) -> None:
    """Wait for a condition; fail with its name."""
    deadline = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < deadline, f"{what} did not happen within {seconds:.0f} s"
        time.sleep(0.2)


@dataclass
class DemoProcess:
    """A running demo."""

    process: subprocess.Popen[str]
    port: int
    output: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def state(self) -> Path:
        return ROOT / "var" / f"demo-{self.port}"

    def said(self) -> str:
        return self.output.read_text()

    def aws(self, path: str, body: Json = None) -> Json:
        """A control path of its fake AWS."""
        found = re.search(r"(http://127\.0\.0\.1:\d+)/_log", self.said())
        assert found
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(f"{found[1]}{path}", data=data, timeout=10) as answer:  # noqa: S310  # loopback
            return json.load(answer)

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """What its database holds now."""
        with sqlite3.connect(f"file:{self.state}/demo.sqlite3?mode=ro", uri=True, timeout=10) as connection:
            return connection.execute(query, values).fetchall()

    def children(self) -> dict[int, str]:
        """Processes of every group that it started, by number, with their command lines."""
        found = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    words = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                    environment = (entry / "environ").read_bytes()
                except OSError:
                    continue
                if f"SITE_ROOT={self.url}\0".encode() in environment:
                    found[int(entry.name)] = words
        return found

    def worker_group(self, queues: str) -> int:
        """Process group of the worker that serves `queues`."""
        return min(os.getpgid(pid) for pid, words in self.children().items() if f"-Q {queues}" in words)

    def wait_until_polled(self) -> None:
        query = "select count(*) from hygiene_accountstatus where last_polled_at is not null"
        until(lambda: int(self.rows(query)[0][0]) >= POLLED_ENOUGH, seconds=90, what="polling of all accounts")

    def end(self, number: int = signal.SIGINT) -> None:
        self.process.send_signal(number)
        self.process.wait(30)
        shutil.rmtree(self.state, ignore_errors=True)


def start_demo(folder: Path) -> DemoProcess:
    """`python -m demo` on a free port, until its sign-in page can be opened."""
    port, output = free_port(), folder / "demo.txt"
    with output.open("w") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "demo"],
            cwd=ROOT,
            env={**os.environ, "DEMO_PORT": str(port)},
            stdout=file,
            stderr=subprocess.STDOUT,
            text=True,
        )
    demo = DemoProcess(process, port, output)
    until(lambda: "Ctrl-C ends" in demo.said() or process.poll() is not None, seconds=60, what="the demo's start")
    assert process.poll() is None, demo.said()
    assert answers(port)
    return demo
