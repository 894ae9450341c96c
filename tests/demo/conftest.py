"""The demo's organisation behind the fake AWS, reached by the product's own adapter over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial

import pytest
from django.test import override_settings
from django.utils import timezone

from accounts.gateway import Purpose
from accounts.models import Account
from accounts.services import open_gateway
from demo.cast import organization
from demo.fake_aws import Organization, Running, start
from demo.seed import rows_of
from hygiene.domain.policy import resolve
from hygiene.models import Poll, PollTrigger
from hygiene.services import polling, schedule
from hygiene.services.clock import Clock


@pytest.fixture
def cast() -> Organization:
    return organization(datetime.now(UTC))


@pytest.fixture
def aws(cast: Organization) -> Iterator[Running]:
    with serving(cast) as running:
        yield running


@pytest.fixture
def registered(db: None, cast: Organization) -> list[Account]:
    return register(cast)


@contextmanager
def serving(cast: Organization) -> Iterator[Running]:
    """The fake AWS, and a worker's environment that leads there."""
    with (
        override_settings(ALLOW_CUSTOM_AWS_ENDPOINT=True, AWS_CALLS_PER_SECOND=0),
        pytest.MonkeyPatch.context() as monkeypatch,
        start(cast) as running,
    ):
        running.world.report_seconds = 0
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-a-secret-of-anybody")
        monkeypatch.setenv("AWS_ENDPOINT_URL", running.url)
        yield running


def register(cast: Organization) -> list[Account]:
    """The cast's accounts in the registry, as the demo registers them."""
    now = timezone.now()
    fields = ("account_id", "name", "partition", "environment", "read_role_arn", "act_role_arn", "external_id", "owner_email", "tags")
    rows = [
        Account(
            **{name: row[name] for name in fields},
            allows_remediation=account.allows_changes,
            is_polled=account.is_polled,
            created_at=now,
            updated_at=now,
        )
        for row, account in zip(rows_of(cast), cast.accounts, strict=True)
    ]
    return Account.objects.bulk_create(rows)


def poll_all(accounts: list[Account]) -> list[Poll]:
    """Polls each account once through the real gateway, without any pause between calls."""
    clock = Clock(now=timezone.now, sleep=lambda seconds: None, random=lambda: 0.0)
    polls = schedule.queue_polls([account for account in accounts if account.is_polled], trigger=PollTrigger.COMMAND, now=timezone.now())
    opened = partial(open_gateway, purpose=Purpose.POLL)
    done = [polling.run_poll(poll.pk, open_gateway=opened, policy=resolve(), clock=clock) for poll in polls]
    return [poll for poll in done if poll is not None]
