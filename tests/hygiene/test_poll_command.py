"""`manage.py poll`: what it says of accounts that were read in part."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import call_command

from accounts.gateway import AccessDenied
from tests.factories import estate

pytestmark = pytest.mark.django_db


def test_a_missing_permission_is_named_though_the_poll_went_well(monkeypatch: pytest.MonkeyPatch) -> None:
    account, world = estate(2)
    world.fail("GetAccountSummary", AccessDenied("no", operation="GetAccountSummary"))
    monkeypatch.setattr("hygiene.management.commands.poll.open_gateway", lambda account, purpose: world.gateway(account))
    out = StringIO()
    call_command("poll", account.account_id, stdout=out)
    assert f"Without iam:GetAccountSummary: {account.account_id}." in out.getvalue()
    assert "1 of 1 accounts polled." in out.getvalue()
