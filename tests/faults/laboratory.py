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
from aiosmtpd.controller import Controller

from demo.fake_aws import AwsAccount, AwsKey, AwsUser, Organization, Running, start
from demo.seed import rows_of
from hygiene.supervisor import free_port
from tests.demo_process import ROOT
from tests.faults import long_form
from tests.iam_evaluator import reached

MUTATING = (
    *("UpdateAccessKey", "DeleteAccessKey", "DeleteLoginProfile", "UpdateSigningCertificate", "DeleteSigningCertificate"),
    *("DeactivateMFADevice", "DeleteVirtualMFADevice"),
)


def organization(serial: int, users: int, accounts: int) -> Organization:
    """An account with `users` users with an active key and as many with an inactive one, and small accounts of three users."""
    born = datetime.now(UTC).replace(microsecond=0) - timedelta(days=500)
    found = AwsAccount(f"7{serial}0000000000", "faults", external_id="of-the-tests")
    for place in range(2 * users):
        path = ("/", "/a*b/", "/${aws:username}/", "/who?/")[place % 4]
        keys = [AwsKey(born, status="Active" if place < users else "Inactive")]
        found.users.append(AwsUser(f"user-{place:04d}", created_at=born, path=path, keys=keys))
    for place in range(users // 4):
        moment = born + timedelta(seconds=place)  # a certificate's id is made of it
        found.users.append(AwsUser(f"signs-in-{place:03d}", created_at=born, password=True, password_changed_at=born))
        found.users.append(AwsUser(f"signs-{place:03d}", created_at=born, certificates=[(True, moment)]))
        found.users.append(AwsUser(f"signed-{place:03d}", created_at=born, certificates=[(False, moment + timedelta(days=1))]))
    return Organization([found, *(_small(serial, place, born) for place in range(accounts))], made_at=datetime.now(UTC))


def _small(serial: int, place: int, born: datetime) -> AwsAccount:
    """Three users with a key each, and a root that has everything."""
    found = AwsAccount(f"7{serial}9{place:09d}", f"small-{place}", external_id="of-the-tests")
    found.users = [AwsUser(f"small-{number}", created_at=born, keys=[AwsKey(born)]) for number in range(3)]
    root = found.root
    root.keys, root.certificates, root.password, root.mfa = [AwsKey(born)], [(True, born)], True, "virtual"
    return found


class MailServer:
    """Takes mails over SMTP, or says what a test wants said to a recipient."""

    def __init__(self) -> None:
        self.taken: dict[str, list[Any]] = {}
        self.answers: dict[str, str] = {}

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802  # the name that aiosmtpd calls
        """The mail, after its last line."""
        (recipient,) = envelope.rcpt_tos
        answer = self.answers.pop(recipient, "250 OK")
        if not answer.startswith("5"):
            self.taken.setdefault(recipient, []).append(envelope.content)
        if not answer:
            server.transport.close()
        return answer or "421 gone"

    @contextlib.contextmanager
    def serving(self) -> Iterator[int]:
        """On a free port of loopback."""
        controller = Controller(self, hostname="127.0.0.1", port=free_port())
        controller.start()
        try:
            yield controller.port
        finally:
            controller.stop()


def stops(crossed: list[str], *, every: int, first: int = 0) -> list[dict[str, Any]]:
    """Both sides of each boundary, or each `every`-th of them from `first` on."""
    both = [{"at": at, "side": side} for at in range(1, len(crossed) + 1) for side in ("before", "after")]
    return both[first % every :: every]


@dataclass
class Laboratory:
    """The fake AWS and the runner of workers. Keys are used up: every case takes fresh ones."""

    aws: Running
    process: subprocess.Popen[str]
    database: str
    number: str  # of the account with many users
    offset: float = 0.0  # of the workers' shared clock, in seconds
    holders: dict[str, list[str]] = field(default_factory=dict)  # users whose credential was used up, by kind
    mails: dict[str, list[Any]] = field(default_factory=dict)  # by recipient: what the mail server took
    mail_answers: dict[str, str] = field(default_factory=dict)  # by recipient: what it says instead of yes; "" says nothing and hangs up
    unpolled: list[AwsAccount] = field(default_factory=list)
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
        self.offset = found.get("offset", self.offset)
        return found

    def run(self, job: str, *, stop: dict[str, Any] | None = None, **said: Any) -> dict[str, Any]:
        """A worker does a job, until its end or its stop."""
        found = self.order(job=job, stop=stop, **{"with": said})
        assert stop is None or "killed" in found or "frozen" in found, f"{stop} was never reached: {found}"
        if stop is not None:
            long_form.count(job, "killed" if "killed" in found else "frozen")
        return found

    def together(self, orders: list[tuple[str, dict[str, Any]]]) -> list[Any]:
        """Many workers at the same time; what each of them returns."""
        found = self.order(together=[{"job": job, "with": said} for job, said in orders])["all"]
        assert all("result" in one for one in found), found
        return [one["result"] for one in found]

    def move(self, seconds: float) -> None:
        """Time passes."""
        self.order(move=seconds)

    def account_for(self) -> AwsAccount:
        """An account that was never polled and that no case has used."""
        return self.unpolled.pop(0)

    def asked(self, action: str, account: str) -> int:
        """How often AWS was asked for something in an account."""
        return len(self.aws.world.calls(action, account=account))

    def result(self, job: str, **said: Any) -> Any:
        """What a job that must not fail returns."""
        found = self.run(job, **said)
        assert "result" in found, found
        if isinstance(found["result"], dict) and "seconds" in found["result"]:
            long_form.settled(job, found["result"]["seconds"])
        return found["result"]

    def key_for(self, action: str) -> str:
        """A key on which the action makes sense and that no case has used."""
        return self.free["active" if action == "disable" else "inactive"].pop(0)

    def calls(self, key: str) -> list[dict[str, Any]]:
        """Calls that changed this key, by the log of AWS."""
        return [entry for entry in self.changes() if entry["parameters"].get("AccessKeyId") == key]

    def changes(self) -> list[dict[str, Any]]:
        """All calls that changed anything, by the log of AWS."""
        return [entry for entry in list(self.aws.world.log) if entry["action"] in MUTATING]

    def reaches(self, call: dict[str, Any]) -> list[str]:
        """Names of the users of the account on whom the session of a call may act."""
        account = self.aws.world.organization.account(self.number)
        names = {account.arn(user): user.name for user in account.users}
        return [names[arn] for arn in reached(call["policy"], list(names))]

    def committed_calls(self, account: str, target: str) -> int | None:
        """Audit events of a call on this target, as another connection sees them: what is committed. None: the database is stopped."""
        query = "select count(*) from accounts_auditevent where outcome = 'calling' and account_number = {0} and target like {0}"
        values = [account, f"%{target}%"]
        if self.database.startswith("sqlite"):
            with contextlib.closing(sqlite3.connect(self.database.removeprefix("sqlite:///"), timeout=10)) as reader:
                return int(reader.execute(query.format("?"), values).fetchone()[0])
        try:
            with psycopg.connect(self.database, connect_timeout=5) as connection:
                row = connection.execute(query.format("%s"), values).fetchone()  # type: ignore[arg-type,unused-ignore]  # a constant
                return int(row[0]) if row else 0
        except psycopg.OperationalError:
            return None


def _witness(laboratory: Laboratory) -> None:
    """Each changing call is logged with the audit events of it that were committed when AWS saw it."""
    world = laboratory.aws.world
    record: Callable[..., dict[str, Any]] = world.record

    def witnessed(**entry: Any) -> dict[str, Any]:
        if entry["action"] in MUTATING:
            given = entry["parameters"]
            target = given.get("AccessKeyId") or given.get("SerialNumber") or given.get("CertificateId") or given.get("UserName", "")
            entry["committed"] = laboratory.committed_calls(entry["account"], target)
        return record(**entry)

    setattr(world, "record", witnessed)  # noqa: B010  # mypy knows it as a method


@contextlib.contextmanager
def laboratory(folder: Path, database: str, *, serial: int, users: int, accounts: int = 0, **environment: str) -> Iterator[Laboratory]:
    """Open one on an empty database; nothing of it is left afterwards. `serial`, a digit: the fake's users are shared by a process."""
    mails = MailServer()
    with start(organization(serial, users, accounts)) as aws, mails.serving() as mail_port:
        aws.world.report_seconds = 0
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.runner", str(folder)],
            cwd=ROOT,
            env={**_environment(aws, database, mail_port), **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            found = Laboratory(
                aws, process, database, aws.world.organization.accounts[0].number, mails=mails.taken, mail_answers=mails.answers
            )
            found.unpolled = aws.world.organization.accounts[1:]
            aws.world.clock = lambda: datetime.now(UTC) + timedelta(seconds=found.offset)
            found.result("prepare", accounts=[_registered(row) for row in rows_of(aws.world.organization)])
            found.free = {status: found.result("keys", status=status) for status in ("active", "inactive")}
            _witness(found)
            yield found
        finally:
            process.communicate(timeout=20)


def _registered(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "owner_email"}


def _environment(aws: Running, database: str, mail_port: int) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTEST_"))}
    return {
        **inherited,
        "DJANGO_SETTINGS_MODULE": "hygiene.settings",
        "SECRET_KEY": "of-the-laboratory-" + "x" * 50,
        "REMEDIATION_ENABLED": "true",
        "LOG_LEVEL": "WARNING",
        "EMAIL_URL": f"smtp://127.0.0.1:{mail_port}",
        "DATABASE_URL": database,
        "AWS_ENDPOINT_URL": aws.url,
        "ALLOW_CUSTOM_AWS_ENDPOINT": "1",
        "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "not-a-secret-of-anybody",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CALLS_PER_SECOND": "0",
    }
