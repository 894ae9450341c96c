"""Throttling makes polls slower and nothing else: with real calls over HTTP, and without waiting for real."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.aws import AwsGateway
from accounts.gateway import Purpose, Throttled
from accounts.models import Account
from accounts.pace import Bucket
from accounts.services import session_spec
from demo.fake_aws import AwsAccount, AwsKey, AwsUser, Fault, Organization, Running, start
from hygiene.domain.policy import resolve
from hygiene.models import AccessKey, AccountStatus, Finding, Poll, PollOutcome, PollTrigger
from hygiene.services import polling, schedule
from hygiene.services.clock import Clock
from tests.factories import poll, register
from tests.fakes import FakeAwsAccount

pytestmark = pytest.mark.django_db
NUMBER, USERS = "111122223333", 6
MADE = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Iterator[Running]:
    settings.ALLOW_CUSTOM_AWS_ENDPOINT = True
    users = [AwsUser(f"user-{place}", keys=[AwsKey(MADE - timedelta(days=90))]) for place in range(USERS)]
    running = start(Organization([AwsAccount(NUMBER, "payments", external_id="ours", users=users)], MADE, management="999900001111"))
    monkeypatch.setenv("AWS_ENDPOINT_URL", running.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-a-secret-of-anybody")
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda self, context: 0.0)
    with running:
        running.world.report_seconds = 0
        yield running


@pytest.fixture
def account() -> Account:
    return register(NUMBER, "payments", now=MADE, external_id="ours")


def polled(account: Account, slept: list[float]) -> Poll:
    """One poll with its waits noted instead of waited for."""
    spec = session_spec(account, purpose=Purpose.POLL)
    calm = Bucket(1000.0, sleep=slept.append, clock=iter(range(10**9)).__next__)
    gateway = AwsGateway(spec, calm, sleep=slept.append)
    queued = schedule.queue_polls([account], trigger=PollTrigger.COMMAND, now=timezone.now())[0]
    clock = Clock(now=timezone.now, sleep=slept.append, random=lambda: 0.5)
    done = polling.run_poll(queued.pk, open_gateway=lambda _: gateway, policy=resolve(), clock=clock)
    assert done is not None
    return done


@pytest.mark.parametrize("percent", [30, 90])
def test_a_storm_of_throttling_makes_a_poll_slower_and_nothing_else(percent: int, aws: Running, account: Account) -> None:
    aws.world.fail(Fault(NUMBER, "*", code="Throttling", status=400, percent=percent, times=-1))
    slept: list[float] = []
    done = polled(account, slept)
    status = AccountStatus.objects.get()
    assert (done.outcome, done.error, status.failures) == (PollOutcome.COMPLETE, "", 0)
    assert AccessKey.objects.filter(access_key_id__isnull=False).count() == USERS
    assert not Finding.objects.open().filter(rule="account.unreachable").exists()
    assert done.calls > (USERS + 5) * (5 if percent == 90 else 1)


def test_throttling_without_end_keeps_what_is_known_and_is_no_loss_of_access(aws: Running, account: Account) -> None:
    assert polled(account, []).outcome == PollOutcome.COMPLETE
    known = list(AccessKey.objects.order_by("pk").values())
    aws.world.fail(Fault(NUMBER, "*", code="Throttling", status=400, times=-1))
    slept: list[float] = []
    done = polled(account, slept)
    status = AccountStatus.objects.get()
    assert (done.outcome, status.last_outcome) == (PollOutcome.FAILED, PollOutcome.FAILED)
    assert "fewer calls" in done.error
    assert 200 < sum(slept) <= 240
    assert list(AccessKey.objects.order_by("pk").values()) == known
    assert status.next_poll_at > timezone.now()


def test_users_that_a_storm_left_out_are_listed_by_the_next_poll(now: datetime) -> None:
    world = FakeAwsAccount(NUMBER, now=now)
    for place in range(4):
        world.user(f"user-{place}")
        world.key(f"user-{place}")
    account = register(NUMBER, "payments", now=now)
    world.fail("ListAccessKeys", Throttled("slow down", operation="ListAccessKeys", code="Throttling"))
    done = poll(account, world)
    assert (done.outcome, done.users_listed) == (PollOutcome.COMPLETE, 0)
    assert any("4 changed users are still to be listed" in note for note in done.warnings)
    assert AccountStatus.objects.get().next_poll_at - world.now == timedelta(seconds=30)
    assert poll(account, world).users_listed == 4
