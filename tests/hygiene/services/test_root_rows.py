"""Root keys that the live summary told of before the report did, and a poll that this program itself spoils."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection

from hygiene.models import AccessKey, AccountStatus, Poll
from hygiene.services.changes import Changes
from tests.fakes import FakeAwsAccount

pytestmark = pytest.mark.django_db
RunPoll = Callable[[], Poll]


def test_two_root_keys_of_an_account_read_for_the_first_time_are_two_rows(poll: RunPoll, world: FakeAwsAccount) -> None:
    world.now += timedelta(seconds=0.5)  # the report's time is a whole second: it is older than the summary
    world.key("root", created_at=world.now - timedelta(days=900), last_used_at=world.now - timedelta(days=2), service="iam")
    world.key("root", created_at=world.now - timedelta(days=1900), status="Inactive")
    assert poll().outcome == "complete"
    connection.check_constraints()
    assert sorted(AccessKey.objects.values_list("status", "gone_at")) == [("active", None), ("inactive", None)]


def test_a_poll_that_this_program_spoils_leaves_no_claim_of_a_report(
    poll: RunPoll, world: FakeAwsAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a bug")

    world.user("ci")
    with monkeypatch.context() as patched:
        patched.setattr(Changes, "write_freshness", broken)
        assert poll().outcome == "failed"
    status = AccountStatus.objects.get()
    assert (status.report_generated_at, status.report_is_complete, status.error.split(" failed")[0]) == (None, False, "Key Hygiene itself")
    assert poll().outcome == "complete"
