"""R9: a period without any poll raises an alarm, once; what is late for a good reason raises none."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User

from accounts.models import Account
from hygiene.models import Alert, Poll, PollTrigger
from hygiene.services import alerts, leases, missed, schedule
from tests.fakes import FakeAwsAccount

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def polled(poll: Callable[[], Poll], account: Account, world: FakeAwsAccount) -> None:
    """Polled once; the next poll is due in some hours."""
    poll()
    Account.objects.update(updated_at=world.now - timedelta(days=9))
    account.refresh_from_db()
    world.now = account.status.next_poll_at


def test_a_poll_that_is_due_is_not_late_yet(world: FakeAwsAccount) -> None:
    assert missed.watch(now=world.now + timedelta(minutes=119)) is None


def test_no_beat_for_a_period_raises_one_alarm(world: FakeAwsAccount, operator: User) -> None:
    due = world.now
    found = missed.watch(now=due + timedelta(hours=2))
    assert found is not None
    assert found.sentence.startswith(f"1 account not polled when due, the first at {due:%d %b %Y, %H:%M} UTC. Nothing was scheduled")
    assert missed.watch(now=due + timedelta(hours=3)) is None
    alerts.acknowledge(found, actor=operator, now=due + timedelta(hours=3))
    assert missed.watch(now=due + timedelta(hours=4)) is None, "the same lateness, which somebody knows of"


def test_the_next_missed_period_is_another_alarm(world: FakeAwsAccount, operator: User, poll: Callable[[], Poll], account: Account) -> None:
    first = missed.watch(now=world.now + timedelta(hours=2))
    assert first is not None
    alerts.acknowledge(first, actor=operator, now=world.now)
    world.now += timedelta(hours=9)
    poll()
    account.refresh_from_db()
    assert missed.watch(now=account.status.next_poll_at + timedelta(hours=3)) is not None
    assert Alert.objects.count() == 2


def test_a_poll_that_runs_is_not_late(world: FakeAwsAccount, account: Account) -> None:
    now = world.now + timedelta(hours=3)
    (queued,) = schedule.queue_polls([account], trigger=PollTrigger.SCHEDULE, now=now)
    assert leases.claim(queued.pk, now=now) is not None
    assert missed.watch(now=now) is None
    assert missed.watch(now=now + timedelta(minutes=12)) is not None, "its worker is gone"


@pytest.mark.parametrize("change", [{"is_polled": False}, {"organization_state": "SUSPENDED"}, {"updated": True}])
def test_a_paused_account_is_not_late_nor_is_one_that_was_just_taken_up_again(world: FakeAwsAccount, change: dict[str, object]) -> None:
    now = world.now + timedelta(days=3)
    Account.objects.update(**({"updated_at": now} if "updated" in change else change))
    assert missed.watch(now=now) is None
