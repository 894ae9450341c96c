"""One account in the registry, its fake in AWS, and a poll of it in one call."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from accounts.models import Account
from hygiene.domain.policy import Policy, resolve
from hygiene.models import Poll, PollTrigger
from hygiene.services import polling, schedule
from hygiene.services.clock import Clock
from tests.fakes import FakeAwsAccount


@pytest.fixture
def policy() -> Policy:
    return resolve()


@pytest.fixture
def account(db: None, now: datetime) -> Account:
    number = "111122223333"
    return Account.objects.create(
        account_id=number,
        name="data-lake",
        read_role_arn=f"arn:aws:iam::{number}:role/hygiene-read",
        act_role_arn=f"arn:aws:iam::{number}:role/hygiene-act",
        allows_remediation=True,
        created_at=now,
        updated_at=now,
    )


@pytest.fixture
def world(account: Account, now: datetime) -> FakeAwsAccount:
    return FakeAwsAccount(account.account_id, now=now)


@pytest.fixture
def clock(world: FakeAwsAccount) -> Clock:
    """The fake world's clock: sleeping moves it."""

    def sleep(seconds: float) -> None:
        world.now += timedelta(seconds=seconds)

    return Clock(now=lambda: world.now, sleep=sleep, random=lambda: 0.5)


@pytest.fixture
def poll(account: Account, world: FakeAwsAccount, clock: Clock, policy: Policy) -> Callable[[], Poll]:
    """Polls the account once, whatever is due."""

    def run() -> Poll:
        queued = schedule.queue_polls([account], trigger=PollTrigger.COMMAND, now=world.now)[0]
        finished = polling.run_poll(queued.pk, open_gateway=world.gateway, policy=policy, clock=clock)
        assert finished is not None
        return finished

    return run
