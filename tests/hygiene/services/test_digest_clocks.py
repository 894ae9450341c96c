"""R8: clocks that jump by an hour or by 26, and nights with 23 or 25 hours: nobody gets a second digest, and nobody misses one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.core import mail

from hygiene.domain.policy import Policy
from hygiene.models import DigestDelivery, Poll
from hygiene.services import digests
from hygiene.services.clock import Clock

pytestmark = pytest.mark.django_db
Send = Callable[[list[datetime]], list[str]]


@pytest.fixture
def send(viewer: User, poll: Callable[[], Poll], policy: Policy) -> Send:
    """Beats at these moments, in this order; weeks of the digests that went out to somebody in London, Sundays at 01:30.

    One night of the year has no such hour, and another has it twice.
    """
    poll()
    subscription = digests.subscription_of(viewer, now=datetime(2026, 1, 1, tzinfo=UTC))
    subscription.weekday, subscription.hour, subscription.minute, subscription.time_zone = 6, 1, 30, "Europe/London"
    subscription.save()

    def beats(moments: list[datetime]) -> list[str]:
        current = moments[0]
        clock = Clock(now=lambda: current, sleep=lambda seconds: None, random=lambda: 0.5)
        for current in moments:
            for pk in digests.claim_due(now=current):
                digests.send(pk, policy=policy, clock=clock)
        assert len(mail.outbox) == DigestDelivery.objects.filter(state="sent").count()
        return list(DigestDelivery.objects.order_by("pk").values_list("week", flat=True))

    return beats


@pytest.mark.parametrize(("night", "week"), [("2026-03-29T01:00", "2026-W13"), ("2026-10-25T01:00", "2026-W43")])
def test_a_night_of_23_or_25_hours_has_one_digest(send: Send, night: str, week: str) -> None:
    begin = datetime.fromisoformat(night).replace(tzinfo=UTC)
    sent = send([begin + timedelta(minutes=20 * step) for step in range(-12, 18)])
    assert sent.count(week) == 1
    assert len(sent) == len(set(sent))


@pytest.mark.parametrize("hours", [-26.0, -1.0, 1.0, 26.0])
def test_a_clock_that_jumps_to_and_fro_sends_no_second_digest(send: Send, hours: float) -> None:
    slot = datetime(2026, 11, 22, 1, 30, tzinfo=UTC)
    jump = timedelta(hours=hours)
    moments = [slot + timedelta(hours=hour) for hour in range(-30, 30, 2)]
    sent = send([moment + (jump if place % 3 == 1 else timedelta()) for place, moment in enumerate(moments)])
    assert "2026-W47" in sent
    assert len(sent) == len(set(sent))
