"""How many findings of one rule were open at the end of each of the last 26 weeks, from when they opened and were resolved.

What is exempt or unknown now is in no week: only how a finding stands now is stored. Weeks in which too little was read stay gaps, and
nothing is said of the time before the rule's first finding: nothing tells whether it was asked then.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from django.db.models import Count, F, Q, QuerySet, Value
from django.db.models.functions import TruncDate

from hygiene.models import DailyPosture, Finding, FindingOutcome
from hygiene.services.scope import EVERYTHING, accounts_of
from hygiene.services.trend import TREND, WEEK

if TYPE_CHECKING:
    from django.contrib.auth.models import User

WEEKS = TREND // WEEK
FOUND, READ = "found", "read"  # the two kinds of rows of the one query


@dataclass(frozen=True, slots=True)
class Week:
    """Findings that were open at the end of a week, which ends with the UTC day `day`."""

    day: date
    open: int


def weeks(rule: str, user: User, *, now: datetime) -> tuple[Week, ...]:
    """Oldest first, up to today; weeks in which no day was read well enough are left out. One query."""
    start = now - TREND - WEEK
    rows = list(_found(rule, user, start).union(_read(user, start), all=True))
    read = {first: count for kind, first, _, count in rows if kind == READ}
    days = [day for day, count in read.items() if 2 * count >= max(read.values())]  # as the trend of the overview
    ends = [(now - WEEK * place).astimezone(UTC).date() for place in range(WEEKS, -1, -1)]
    found = [(first, until, count) for kind, first, until, count in rows if kind == FOUND]
    begin = min((first for first, _, _ in found), default=date.max)
    told = [end for end in ends if end >= begin and any(end - WEEK < day <= end for day in days)]
    return tuple(Week(end, sum(count for first, until, count in found if first <= end and not (until and until <= end))) for end in told)


def _found(rule: str, user: User, start: datetime) -> QuerySet[Finding, Any]:
    """Failing findings by the days on which they opened and were resolved."""
    recent = Q(resolved_at__isnull=True) | Q(resolved_at__gt=start)
    rows = Finding.objects.visible_to(user).filter(recent, rule=rule, outcome=FindingOutcome.FAIL).order_by()
    days = {"first": TruncDate("opened_at", tzinfo=UTC), "until": TruncDate("resolved_at", tzinfo=UTC)}
    return rows.annotate(kind=Value(FOUND), **days).values_list("kind", "first", "until").annotate(count=Count("pk"))


def _read(user: User, start: datetime) -> QuerySet[DailyPosture, Any]:
    """Days with the number of accounts that were read on them."""
    rows = DailyPosture.objects.filter(account__in=accounts_of(EVERYTHING, user), day__gte=start.date()).order_by()
    return rows.annotate(kind=Value(READ), until=F("day")).values_list("kind", "day", "until").annotate(count=Count("pk"))
