"""Counts the boundaries that a process crosses, each commit and each call over the wire, and ends or freezes it at one of them.

Everything is patched from outside, in a process of the tests' own: the product has no branch for it.
"""

from __future__ import annotations

import os
import re
import signal
import smtplib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from botocore.httpsession import URLLib3Session
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper

T = TypeVar("T")
WRITES = re.compile(r"\s*(INSERT|UPDATE|DELETE)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Stop:
    """Where a process ends: at the boundary numbered `at` (from 1), before or after crossing it. `is_frozen`: it can be woken."""

    at: int
    side: str = "before"
    is_frozen: bool = False

    def take(self) -> None:
        """Now."""
        os.kill(os.getpid(), signal.SIGSTOP if self.is_frozen else signal.SIGKILL)


class Boundaries:
    """What was crossed, written at once to `record`, one name a line, so that it survives the process."""

    def __init__(self, record: Path, stop: Stop | None) -> None:
        self.stop, self.count = stop, 0
        self._file = os.open(record, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def cross(self, name: str, act: Callable[[], T]) -> T:
        """One boundary."""
        self.count += 1
        here = self.stop if self.stop is not None and self.stop.at == self.count else None
        if here is not None and here.side == "before":
            here.take()
        try:
            return act()
        finally:
            os.write(self._file, f"{name}\n".encode())
            if here is not None and here.side == "after":
                here.take()

    def watch(self) -> None:
        """From now on: commits of transactions, single writing statements, calls to AWS, mails."""
        self._patch(BaseDatabaseWrapper, "_commit", lambda *_: "commit")
        self._patch(URLLib3Session, "send", lambda _, request: f"wire {action_of(request)}")
        self._patch(smtplib.SMTP, "connect", lambda *_: "smtp connect")
        self._patch(smtplib.SMTP, "data", lambda *_: "smtp data")
        connection.execute_wrappers.append(self._statement)

    def _patch(self, owner: Any, name: str, name_of: Callable[..., str]) -> None:
        original = getattr(owner, name)

        def counted(*args: Any, **kwargs: Any) -> Any:
            return self.cross(name_of(*args), lambda: original(*args, **kwargs))

        setattr(owner, name, counted)

    def _statement(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        """A writing statement outside of a transaction commits by itself."""
        if context["connection"].in_atomic_block or not WRITES.match(sql):
            return execute(sql, params, many, context)
        return self.cross(f"write {sql.split()[1 if sql.startswith('UPDATE') else 2]}", lambda: execute(sql, params, many, context))


def action_of(request: Any) -> str:
    """The AWS action of a prepared request of the query protocol."""
    body = request.body or b""
    found = re.search(r"Action=(\w+)", body.decode() if isinstance(body, bytes) else str(body))
    return found[1] if found else str(request.headers.get("X-Amz-Target", "?"))
