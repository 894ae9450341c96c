"""A laboratory for kills: the fake AWS in this process, whose log is the oracle, and workers that are forked, frozen and killed."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg

from demo.fake_aws import AwsAccount, AwsKey, AwsUser, Organization, Running, start
from demo.seed import rows_of
from tests.demo_process import ROOT
from tests.iam_evaluator import reached

NUMBER = "111122223333"
MUTATING = ("UpdateAccessKey", "DeleteAccessKey", "DeleteLoginProfile", "UpdateSigningCertificate", "DeleteSigningCertificate")
NEVER_STOPPED: dict[str, Any] | None = None


def organization(users: int) -> Organization:
    """One account: `users` users with an active key, and twice as many with an inactive one. Some have a path of wildcards."""
    born = datetime.now(UTC).replace(microsecond=0) - timedelta(days=500)
    found = AwsAccount(NUMBER, "faults", external_id="of-the-tests")
    for place in range(3 * users):
        path = ("/", "/a*b/", "/${aws:username}/", "/who?/")[place % 4]
        keys = [AwsKey(born, status="Active" if place < users else "Inactive")]
        found.users.append(AwsUser(f"user-{place:04d}", created_at=born, path=path, keys=keys))
    return Organization([found], made_at=datetime.now(UTC))


@dataclass
class Laboratory:
    """The fake AWS and the runner of workers. Keys are used up: every case takes fresh ones."""

    aws: Running
    process: subprocess.Popen[str]
    database: str
    cases: int = 0
    free: dict[str, list[str]] = field(default_factory=dict)

    def order(self, **order: Any) -> dict[str, Any]:
        """One order to the runner, and its answer."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, "the runner ended"
        found: dict[str, Any] = json.loads(line)
        return found

    def run(self, job: str, *, stop: dict[str, Any] | None = None, **said: Any) -> dict[str, Any]:
        """A worker does a job, until its end or its stop."""
        return self.order(job=job, stop=stop, **{"with": said})

    def result(self, job: str, **said: Any) -> Any:
        """What a job that must not fail returns."""
        found = self.run(job, **said)
        assert "result" in found, found
        return found["result"]

    def key_for(self, action: str) -> str:
        """A key on which the action makes sense and that no case has used."""
        return self.free["active" if action == "disable" else "inactive"].pop(0)

    def calls(self, key: str) -> list[dict[str, Any]]:
        """Calls that changed this key, by the log of AWS."""
        log = list(self.aws.world.log)
        return [entry for entry in log if entry["action"] in MUTATING and entry["parameters"].get("AccessKeyId") == key]

    def reaches(self, call: dict[str, Any]) -> list[str]:
        """Names of the users of the account on whom the session of a call may act."""
        (account,) = self.aws.world.organization.accounts
        names = {account.arn(user): user.name for user in account.users}
        return [names[arn] for arn in reached(call["policy"], list(names))]

    def committed_calls(self, key: str) -> int:
        """Audit events that tell of a call on this key, as another connection sees them: what is committed."""
        query = "select count(*) from accounts_auditevent where outcome = 'calling' and target like {}"
        if self.database.startswith("sqlite"):
            with contextlib.closing(sqlite3.connect(self.database.removeprefix("sqlite:///"), timeout=10)) as reader:
                return int(reader.execute(query.format("?"), [f"%{key}%"]).fetchone()[0])
        with psycopg.connect(self.database) as connection:
            row = connection.execute(query.format("%s"), [f"%{key}%"]).fetchone()  # type: ignore[arg-type,unused-ignore]  # a constant
            return int(row[0]) if row else 0


def _witness(laboratory: Laboratory) -> None:
    """Each changing call is logged with the audit events of it that were committed when AWS saw it."""
    world = laboratory.aws.world
    record: Callable[..., dict[str, Any]] = world.record

    def witnessed(**entry: Any) -> dict[str, Any]:
        if entry["action"] in MUTATING:
            entry["committed"] = laboratory.committed_calls(entry["parameters"].get("AccessKeyId", ""))
        return record(**entry)

    setattr(world, "record", witnessed)  # noqa: B010  # mypy knows it as a method


@contextlib.contextmanager
def laboratory(folder: Path, database: str, *, users: int, **environment: str) -> Iterator[Laboratory]:
    """Open one on an empty database; nothing of it is left afterwards."""
    with start(organization(users)) as aws:
        aws.world.report_seconds = 0
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.runner", str(folder)],
            cwd=ROOT,
            env={**_environment(aws, database), **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            found = Laboratory(aws, process, database)
            found.result("prepare", accounts=[_registered(row) for row in rows_of(aws.world.organization)])
            found.free = {status: found.result("keys", status=status) for status in ("active", "inactive")}
            _witness(found)
            yield found
        finally:
            process.communicate(timeout=20)


def _registered(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "owner_email"}


def _environment(aws: Running, database: str) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTEST_"))}
    return {
        **inherited,
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "DATABASE_URL": database,
        "AWS_ENDPOINT_URL": aws.url,
        "ALLOW_CUSTOM_AWS_ENDPOINT": "1",
        "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "not-a-secret-of-anybody",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CALLS_PER_SECOND": "0",
    }
