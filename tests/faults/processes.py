"""Tools for faults on the demo's real processes: its commands, kills, leases that run out, and what AWS and the audit log saw."""

from __future__ import annotations

import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any

from tests.demo_process import PASSWORD, ROOT, DemoProcess, until

ACCOUNT = "111122223333"  # of the cast: readable, and changes are allowed in it
OPERATOR = "n.adeyemi"


@dataclass
class Estate:
    """A demo under test."""

    demo: DemoProcess

    def environment(self) -> dict[str, str]:
        """That of its workers. Read from web or beat, since workers overwrite theirs with a title, and with the worker's identity added."""
        worker = {"AWS_ACCESS_KEY_ID": "AKIADEMOWORKER000000", "AWS_SECRET_ACCESS_KEY": "of-the-fake-aws"}
        for pid in self.demo.children():
            entries = Path(f"/proc/{pid}/environ").read_bytes().decode(errors="replace").split("\0")
            found = dict(entry.split("=", 1) for entry in entries if "=" in entry)
            if {"SECRET_KEY", "AWS_ENDPOINT_URL", "CELERY_BROKER_URL"} <= found.keys():
                return {**found, **worker}
        raise AssertionError("nothing of the demo runs")

    def start(self, *words: str) -> subprocess.Popen[str]:
        """A management command on the demo's database, in a process group of its own."""
        return subprocess.Popen(
            [sys.executable, "manage.py", *words],
            cwd=ROOT,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def command(self, *words: str) -> tuple[int, str]:
        """Exit status and output of a management command."""
        process = self.start(*words)
        output, _ = process.communicate(timeout=60)
        return process.returncode, output

    def fault(self, action: str, kind: str, **fields: Any) -> None:
        """The next call of `action` in ACCOUNT meets a fault."""
        self.demo.aws("/_faults", {"account": ACCOUNT, "action": action, "kind": kind, **fields})

    def calls(self, action: str, **parameters: str) -> list[dict[str, Any]]:
        """What the fake AWS was asked, in ACCOUNT."""
        wanted = [entry for entry in self.demo.aws("/_log") if entry["account"] == ACCOUNT and entry["action"] == action]
        return [entry for entry in wanted if parameters.items() <= entry["parameters"].items()]

    def active_key(self) -> str:
        """An active user key whose id is known, the one that was unused longest: disabling it asks for no second person."""
        query = (
            "select k.access_key_id from hygiene_accesskey k join accounts_account a on a.id = k.account_id where a.account_id = ?"
            " and k.status = 'active' and k.access_key_id is not null and k.gone_at is null"
            " order by k.last_used_state <> 'never', k.last_used_at, k.id"
        )
        return str(self.demo.rows(query, ACCOUNT)[0][0])

    def remediation(self, key_id: str) -> dict[str, Any]:
        """The newest change of a key."""
        names = ("id", "state", "correlation_id", "aws_request_id", "result_code")
        rows = self.demo.rows(f"select {', '.join(names)} from hygiene_remediation where access_key_id = ? order by id desc", key_id)  # noqa: S608
        return dict(zip(names, rows[0], strict=True)) if rows else {}

    def write(self, statement: str, *values: Any) -> None:
        """Change the demo's database behind its back: a moment that has come, for example."""
        with sqlite3.connect(self.demo.state / "demo.sqlite3", timeout=10) as connection:
            connection.execute(statement, values)
        connection.close()

    def lease_runs_out(self, table: str, row: int) -> None:
        """As if the dead worker's lease had ended; the short way through a test."""
        self.write(f"update {table} set lease_expires_at = datetime('now', '-1 second') where id = ?", row)  # noqa: S608

    def kill_group(self, group: int) -> None:
        """SIGKILL for a whole process group, as a machine that goes down."""
        os.killpg(group, signal.SIGKILL)
        until(lambda: not any(_in_group(pid, group) for pid in self.demo.children()), seconds=10, what="the end of the killed processes")


@dataclass(frozen=True, slots=True)
class Answer:
    """A page."""

    status: int
    text: str

    @property
    def url_of_form(self) -> str:
        """Where the page's confirmation goes."""
        found = re.search(r'action="(/plans/[^"]+/confirm/)"', self.text)
        assert found, "the page has no form to confirm"
        return found[1]


class Visitor:
    """Somebody who is signed in, without a browser."""

    def __init__(self, base: str, *, user: str) -> None:
        self.base, self.jar = base, CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.jar))
        self._open("/auth/login/")
        assert self.post("/auth/login/", login=user, password=PASSWORD).status == 200

    def _open(self, path: str, data: bytes | None = None) -> Answer:
        request = urllib.request.Request(f"{self.base}{path}", data=data, headers={"Referer": self.base})  # noqa: S310  # loopback
        try:
            with self.opener.open(request, timeout=30) as answer:
                return Answer(answer.status, answer.read().decode())
        except urllib.error.HTTPError as error:
            return Answer(error.code, error.read().decode())

    def page(self, path: str) -> Answer:
        """As it is now."""
        return self._open(path)

    def post(self, path: str, **fields: str) -> Answer:
        """A form, and the page to which its answer leads."""
        token = self._token()
        return self._open(path, urllib.parse.urlencode({**fields, "csrfmiddlewaretoken": token}).encode())

    def _token(self) -> str:
        found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', self._open(self.form_page).text)
        assert found
        return found[1]

    @property
    def form_page(self) -> str:
        """A page with a form of the person's own session."""
        return "/settings/" if any(cookie.name == "sessionid" for cookie in self.jar) else "/auth/login/"


def _in_group(pid: int, group: int) -> bool:
    try:
        return os.getpgid(pid) == group
    except ProcessLookupError:
        return False


def seconds_until(done: Any, *, seconds: float, what: str) -> float:
    """How long a condition took to come true."""
    started = time.monotonic()
    until(done, seconds=seconds, what=what)
    return time.monotonic() - started
