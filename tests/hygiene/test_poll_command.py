"""`manage.py poll`: what it says of accounts that were read in part."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from accounts.gateway import AccessDenied
from hygiene.models import Principal
from tests.factories import estate
from tests.fakes import FakeAwsAccount

pytestmark = pytest.mark.django_db


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
