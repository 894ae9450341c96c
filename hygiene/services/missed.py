"""The alarm for polls that did not run when they were due: nobody scheduled them, or no worker took them."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Q
from django.db.models.functions import Greatest

from accounts.models import Account
from hygiene.domain.wording import plural
from hygiene.models import AccountStatus, Alert, Poll
from hygiene.services import alerts, schedule

SHORTEST = timedelta(minutes=30)


def late_after() -> timedelta:
    """How long after its time a poll counts as missed: half of the interval, 30 minutes at least."""
    return max(SHORTEST, schedule.interval() / 2)


def watch(*, now: datetime) -> Alert | None:
    """Raise one alert when accounts are late; the same lateness raises none again once somebody has acknowledged it."""
    limit = now - late_after()
    due = Greatest("next_poll_at", "account__updated_at")  # an account that was paused is due from the moment that it is not
    running = Poll.objects.unfinished().filter(lease_expires_at__gt=now).values("account")
    late = (
        AccountStatus.objects.annotate(due=due).filter(due__lte=limit, account__in=Account.objects.pollable()).exclude(account__in=running)
    )
    first = late.order_by("due").values_list("due", flat=True).first()
    if first is None or Alert.objects.filter(Q(acknowledged_at__isnull=True) | Q(raised_at__gte=first), kind=alerts.MISSED).exists():
        return None
    words = f"{plural(late.count(), 'account')} not polled when due, the first at {first:%d %b %Y, %H:%M} UTC"
    sentence = f"{words}. Nothing was scheduled, or no worker took it: look at beat and at the workers of the poll queue."
    return alerts.raise_alert(kind=alerts.MISSED, subject=f"polls due {first:%Y-%m-%d %H:%M}", sentence=sentence, now=now)
