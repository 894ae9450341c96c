"""When whose digest is due: subscriptions with the defaults of roles, and the slot of each week or day in the reader's time zone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q

from accounts import audit
from hygiene.models import DigestDefault, DigestDelivery, DigestSubscription
from hygiene.people import roles_of

CHOICES = ("is_on", "frequency", "weekday", "hour", "minute", "time_zone", "send_when_unchanged", "is_plain", "scope")
READ = "hygiene.view_inventory"  # without it nobody gets a digest


def subscription_of(user: User, *, now: datetime) -> DigestSubscription:
    """The person's subscription; made on first need as their role's default says, else at the installation's slot."""
    found = DigestSubscription.objects.filter(user=user).first()
    if found is not None:
        return found
    default = DigestDefault.objects.filter(role__in=roles_of(user)).order_by("pk").first()
    values = choices_of(default) if default else installation_slot()
    return DigestSubscription.objects.get_or_create(user=user, defaults={**values, "created_at": now})[0]


def installation_slot() -> dict[str, Any]:
    """Choices by DIGEST_SCHEDULE."""
    slot = settings.DIGEST_SCHEDULE
    return {"weekday": slot.weekday, "hour": slot.at.hour, "minute": slot.at.minute, "time_zone": str(slot.zone)}


def choices_of(row: DigestDefault | DigestSubscription) -> dict[str, Any]:
    """What is chosen, by name."""
    return {name: getattr(row, name) for name in CHOICES}


def subscribe_everybody(*, now: datetime) -> None:
    """A subscription for each active person with an address and a role, once: whoever switches it off keeps the row."""
    people = User.objects.filter(Q(groups__isnull=False) | Q(is_superuser=True), is_active=True, digest_subscription__isnull=True)
    for user in people.exclude(email="").distinct():
        subscription_of(user, now=now)


@transaction.atomic
def set_default(role: str, values: Mapping[str, Any], *, actor: User, now: datetime) -> int:
    """What people of a role get until they choose for themselves. Returns how many got it at once. Audited."""
    row, _ = DigestDefault.objects.update_or_create(role=role, defaults=dict(values))
    audit.record(action="digest.default", outcome="succeeded", now=now, actor=actor, target=f"role {role}", after=choices_of(row))
    count = 0
    for subscription in DigestSubscription.objects.filter(is_own=False, user__is_active=True).select_related("user"):
        if roles_of(subscription.user)[:1] == [role]:
            DigestSubscription.objects.filter(pk=subscription.pk, is_own=False).update(**choices_of(row), created_at=now)
            count += 1
    return count


def slot_of(subscription: DigestSubscription, now: datetime) -> datetime:
    """The slot of the ISO week, or of the day, that `now` is in, in the subscriber's own time zone."""
    local = now.astimezone(ZoneInfo(subscription.time_zone))
    day = local.date()
    if subscription.frequency == "weekly":
        day += timedelta(days=subscription.weekday - local.weekday())
    return datetime(day.year, day.month, day.day, subscription.hour, subscription.minute, tzinfo=local.tzinfo)


def next_slot(subscription: DigestSubscription, now: datetime) -> datetime:
    """The first slot after `now`."""
    slot = slot_of(subscription, now)
    step = timedelta(days=1 if subscription.frequency == "daily" else 7)
    return slot if slot > now else slot_of(subscription, now + step)


def week_of(moment: datetime) -> str:
    """ISO week, "2026-W47"."""
    year, week, _ = moment.isocalendar()
    return f"{year}-W{week:02d}"


def period_of(subscription: DigestSubscription, now: datetime) -> str:
    """What a digest is sent once for: the ISO week, or the day, of its slot."""
    slot = slot_of(subscription, now)
    return slot.date().isoformat() if subscription.frequency == "daily" else week_of(slot)


def due(*, now: datetime) -> list[DigestSubscription]:
    """Subscriptions whose slot of this week or day has come, and which have no delivery for it yet. A missed slot is caught up."""
    found = []
    active = DigestSubscription.objects.filter(is_on=True, user__is_active=True).exclude(user__email="").select_related("user")
    for subscription in active:
        slot = slot_of(subscription, now)
        if subscription.created_at <= slot <= now:
            found.append(subscription)
    periods = {row.pk: period_of(row, now) for row in found}
    taken = set(DigestDelivery.objects.filter(week__in=set(periods.values())).values_list("address", "week"))
    return [row for row in found if (row.user.email, periods[row.pk]) not in taken]
