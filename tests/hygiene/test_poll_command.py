"""`manage.py poll`: what it says of accounts that were read in part, and what a Ctrl-C leaves."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.gateway import AccessDenied
from accounts.models import Account
from hygiene.models import Poll, PollTrigger, Principal
from hygiene.services import leases, schedule
from tests.factories import estate
from tests.fakes import FakeAwsAccount

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[2]


def test_a_missing_permission_is_named_though_the_poll_went_well(monkeypatch: pytest.MonkeyPatch) -> None:
    account, world = estate(2)
    world.fail("GetAccountSummary", AccessDenied("no", operation="GetAccountSummary"))
    monkeypatch.setattr("hygiene.management.commands.poll.open_gateway", lambda account, purpose: world.gateway(account))
    out = StringIO()
    call_command("poll", account.account_id, stdout=out)
    assert f"Without iam:GetAccountSummary: {account.account_id}." in out.getvalue()
    assert "1 of 1 accounts polled." in out.getvalue()


def test_an_account_of_which_rows_were_set_aside_is_recorded_in_part_and_says_which(monkeypatch: pytest.MonkeyPatch) -> None:
    account, world = estate(2)
    world.now += timedelta(hours=5)
    world.user("eve")
    good = world.report_bytes()
    world.report_override = good + b"\nzoe,not-an-arn,true\n\xff\xfe,short"
    monkeypatch.setattr("hygiene.management.commands.poll.open_gateway", lambda account, purpose: world.gateway(account))
    out, err = StringIO(), StringIO()
    with pytest.raises(CommandError, match=r"^1 of 1 accounts were recorded in part; what was set aside is told above\.$") as ended:
        call_command("poll", account.account_id, stdout=out, stderr=err)
    assert ended.value.returncode == 1
    assert "204811779021 data-lake: recorded in part. 2 rows of the report were set aside. Line 6 was set aside: " in err.getvalue()
    assert "Line 7 was set aside: " in err.getvalue()
    assert "1 of 1 accounts polled, 1 of them in part." in out.getvalue()
    assert "could not be polled" not in err.getvalue()
    assert Principal.objects.present().filter(account=account, name="eve").exists()


def test_accounts_that_failed_are_told_apart_from_those_recorded_in_part(monkeypatch: pytest.MonkeyPatch) -> None:
    _, world = estate(2)
    world.now += timedelta(hours=5)
    world.report_override = world.report_bytes() + b"\nzoe,not-an-arn,true"
    lost = FakeAwsAccount("771433802256", now=world.now)
    lost.fail("AssumeRole", AccessDenied("The role cannot be assumed.", operation="AssumeRole", code="AccessDenied"), times=9)
    worlds = {world.account_id: world, lost.account_id: lost}
    monkeypatch.setattr("hygiene.management.commands.poll.open_gateway", lambda account, purpose: worlds[account.account_id].gateway())
    out, err = StringIO(), StringIO()
    with pytest.raises(CommandError) as ended:
        call_command("poll", stdout=out, stderr=err)
    assert str(ended.value) == (
        "1 of 2 accounts could not be polled. What was known of them is kept. "
        "1 of 2 accounts were recorded in part; what was set aside is told above."
    )
    assert "771433802256 sandbox-07: access lost. The role cannot be assumed." in err.getvalue()
    assert "1 of 2 accounts polled, 1 of them in part." in out.getvalue()


def test_a_ctrl_c_closes_what_was_begun_and_leaves_what_others_have(monkeypatch: pytest.MonkeyPatch) -> None:
    account, world = estate(2)
    held = Account.objects.exclude(pk=account.pk).get()
    (other,) = schedule.queue_polls([held], trigger=PollTrigger.SCHEDULE, now=timezone.now())
    assert leases.claim(other.pk, now=timezone.now())
    before = Poll.objects.filter(finished_at__isnull=False).count()

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("hygiene.management.commands.poll.open_gateway", interrupted)
        with pytest.raises(CommandError, match=r"^Stopped: 0 of 2 accounts were polled\.") as ended:
            call_command("poll", stderr=StringIO())
    assert ended.value.returncode == 1
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    stopped = Poll.objects.get(account=account, outcome="abandoned")
    assert "was stopped" in stopped.error
    assert list(Poll.objects.unfinished()) == [other]
    assert Poll.objects.filter(finished_at__isnull=False).count() == before + 1
    monkeypatch.setattr("hygiene.management.commands.poll.open_gateway", lambda account, purpose: world.gateway(account))
    call_command("poll", account.account_id, stdout=StringIO())


def test_a_poll_that_somebody_asked_for_stays_queued_when_the_command_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    estate(2)
    _, asked = schedule.request_polls(Account.objects.all(), user=None, trigger=PollTrigger.MANUAL, now=timezone.now())

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("hygiene.management.commands.poll.open_gateway", interrupted)
    with pytest.raises(CommandError, match="Stopped"):
        call_command("poll", stderr=StringIO())
    assert Poll.objects.unfinished().count() == len(asked) - 1


PROGRAM = """
import os, sys, time
import django
django.setup()
from django.core.management import call_command, execute_from_command_line
from django.utils import timezone
from hygiene.management.commands import poll
from tests.factories import register
from tests.fakes import FakeAwsAccount
cores, jobs = int(sys.argv[1]), sys.argv[2]
call_command("migrate", verbosity=0)
now = timezone.now()
for place in range(9):
    register(f"{place + 1}00000000000", f"account-{place}", now=now)

class Hangs:
    calls = 0
    def account_summary(self):
        time.sleep(600)

def opened(account, purpose):
    world = FakeAwsAccount(account.account_id, now=timezone.now())
    return world.gateway(account) if account.name == "account-0" else Hangs()

poll.open_gateway = opened
os.cpu_count = lambda: cores
execute_from_command_line(["manage.py", "poll", "--jobs", jobs])
"""


def rows(database: Path, where: str) -> int:
    with closing(sqlite3.connect(database)) as connection:
        return int(connection.execute(f"select count(*) from hygiene_poll where {where}").fetchone()[0])  # noqa: S608  # words of this file


@pytest.mark.slow
@pytest.mark.parametrize(
    ("cores", "jobs", "is_for_all"), [(2, 4, True), (2, 4, False), (1, 4, True), (1, 1, True)], ids=["forked", "parent", "threads", "one"]
)
def test_a_ctrl_c_ends_all_processes_with_one_sentence(tmp_path: Path, cores: int, jobs: int, is_for_all: bool) -> None:
    database = tmp_path / "poll.sqlite3"
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings", "DATABASE_URL": f"sqlite:///{database}"}
    words = [sys.executable, "-c", PROGRAM, str(cores), str(jobs)]
    process = subprocess.Popen(
        words, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    hanging = "lease_token is not null and finished_at is null"
    deadline = time.monotonic() + 90
    while not _is_busy(database, hanging, jobs):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.1)
    if is_for_all:
        os.killpg(process.pid, signal.SIGINT)
    else:
        process.send_signal(signal.SIGINT)
    started = time.monotonic()
    _, said = process.communicate(timeout=30)
    assert time.monotonic() - started < 15
    assert said == "CommandError: Stopped: 1 of 9 accounts were polled. What was known of the others is kept. Run it again to poll them.\n"
    assert process.returncode == 1
    assert (rows(database, "finished_at is null"), rows(database, "outcome = 'abandoned'")) == (0, 8)
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)


def _is_busy(database: Path, hanging: str, jobs: int) -> bool:
    """Whether the first account is polled, and as many others as may be at a time hang."""
    try:
        return rows(database, "outcome = 'complete'") == 1 and rows(database, hanging) >= jobs
    except sqlite3.OperationalError:
        return False
