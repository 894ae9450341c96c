"""Trends: sums of each day's posture over the accounts in scope. Gaps stay gaps, and half a picture is none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Count, QuerySet, Sum

from accounts.models import Account
from hygiene.models import DailyPosture

COMPARED = ("root_keys", "never_used", "unused_90", "over_age", "no_mfa")
WEEK = timedelta(days=7)
TREND = timedelta(weeks=26)


@dataclass(frozen=True, slots=True)
class Point:
    """Totals of one UTC day over the accounts that were measured on it."""

    day: date
    accounts: int
    totals: Mapping[str, int]

    @property
    def unused_90(self) -> int:
        """Keys unused for 90 days or more."""
        return self.totals["unused_90"]

    @property
    def no_mfa(self) -> int:
        """Console users without MFA."""
        return self.totals["no_mfa"]


def points(accounts: QuerySet[Account], *, now: datetime) -> tuple[Point, ...]:
    """The last 26 weeks. A day on which less than half of the accounts of the fullest day were measured is left out. One query."""
    rows = DailyPosture.objects.filter(account__in=accounts, day__gte=(now - TREND).date()).values("day")
    sums: Iterable[Any] = rows.annotate(accounts=Count("pk"), **{f"sum_{name}": Sum(name) for name in COMPARED}).order_by("day")
    found = [Point(row["day"], row["accounts"], {name: row[f"sum_{name}"] for name in COMPARED}) for row in sums]
    fullest = max((point.accounts for point in found), default=0)
    return tuple(point for point in found if 2 * point.accounts >= fullest)


def until_now(found: tuple[Point, ...], totals: Mapping[str, int], *, accounts: int, now: datetime) -> tuple[Point, ...]:
    """The same, with today as it is counted now instead of what the polls of today have measured so far."""
    if not accounts:
        return found
    today = Point(now.date(), accounts, {name: totals[name] for name in COMPARED})
    return (*(point for point in found if point.day < today.day), replace(today))
