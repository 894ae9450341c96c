"""The overview: figures with their change, what to do next, keys by age, accounts that need attention, the trend.

Counts cover reporting accounts only, by the conditions of `services.posture`; an account that does not report is unknown, not green.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db.models import Count, F, FilteredRelation, Q, QuerySet, Sum

from accounts.models import Account
from hygiene.domain.facts import KeyStatus, MfaState
from hygiene.domain.policy import DELETE_WAIT_DAYS, Policy
from hygiene.domain.states import AccountState
from hygiene.models import AccessKey, AccountStatus, DailyPosture, Principal
from hygiene.services.posture import UNUSED, key_counts, not_born_later, state_of, unused, user_counts

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser, User

WEEK = timedelta(days=7)
TREND = timedelta(weeks=26)
AGES = (
    ("0\u201330 d", 0, 30),
    ("31\u201390", 31, 90),
    ("91\u2013180", 91, 180),
    ("181\u2013365", 181, 365),
    ("1\u20132 y", 366, 730),
    ("2\u20135 y", 731, 1826),
    ("5 y +", 1827, None),
)
COMPARED = ("root_keys", "never_used", "unused_90", "over_age", "no_mfa")
TOTALS = ("root_keys", "never_used", "unused_45", "unused_90", "over_age", "no_mfa", "active_keys", "console_users", "users")


@dataclass(frozen=True, slots=True)
class Bar:
    """Active user keys of one age: used in the last 90 days, unused, never used. `query` selects them in the key list."""

    label: str
    used: int
    unused: int
    never: int
    query: str

    @property
    def total(self) -> int:
        """All of them."""
        return self.used + self.unused + self.never


@dataclass(frozen=True, slots=True)
class Site:
    """One account with its counts; `counts` are those of its last report, not to be shown as current unless `state` is OK."""

    account: Account
    status: AccountStatus | None
    state: AccountState
    counts: Mapping[str, int]

    @property
    def is_reporting(self) -> bool:
        """Whether its counts are current."""
        return self.state is AccountState.OK

    @property
    def weight(self) -> tuple[int, ...]:
        """Worst first: root keys, then not reporting, then counts."""
        root = self.counts["root_keys"] > 0 or bool(self.status and self.status.root_key_present)
        silent = self.state in (AccountState.ACCESS_LOST, AccountState.STALE, AccountState.NEVER_POLLED)
        return (
            int(root),
            int(silent),
            self.counts["never_used"] + self.counts["unused_90"],
            self.counts["no_mfa"],
            self.counts["over_age"],
        )


@dataclass(frozen=True, slots=True)
class Point:
    """Totals of one day, over the accounts that have a row for it."""

    day: date
    unused_90: int
    no_mfa: int


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything that the page shows."""

    sites: tuple[Site, ...]
    totals: Mapping[str, int]
    root_accounts: int
    ready: int
    changes: Mapping[str, int]
    bars: tuple[Bar, ...]
    points: tuple[Point, ...]

    @property
    def reporting(self) -> int:
        """Accounts whose data is current and complete."""
        return sum(1 for site in self.sites if site.is_reporting)

    @property
    def expected(self) -> int:
        """Accounts that should report: not paused, not suspended."""
        return self.reporting + len(self.silent)

    @property
    def silent(self) -> tuple[Site, ...]:
        """Accounts that should report and do not."""
        quiet = (AccountState.OK, AccountState.PAUSED, AccountState.SUSPENDED)
        return tuple(site for site in self.sites if site.state not in quiet)

    @property
    def rooted(self) -> tuple[Site, ...]:
        """Reporting accounts with a root key."""
        return tuple(site for site in self.sites if site.is_reporting and site.counts["root_keys"])


def overview(user: User | AnonymousUser, *, policy: Policy, now: datetime) -> Overview:
    """The overview of what `user` may see. Four queries at any size."""
    counts = _counts_by_account(user, policy=policy, now=now)
    sites = tuple(_site(account, counts, policy=policy, now=now) for account in _accounts(user, now))
    current = [site for site in sites if site.is_reporting]
    totals = {name: sum(site.counts[name] for site in current) for name in TOTALS}
    return Overview(
        sites=tuple(sorted(sites, key=lambda site: site.weight, reverse=True)),
        totals=totals,
        root_accounts=sum(1 for site in current if site.counts["root_keys"]),
        ready=sum(site.counts["ready"] for site in current),
        changes=_changes(current),
        bars=tuple(_bar(place, current) for place in range(len(AGES))),
        points=_points(user, now),
    )


def _counts_by_account(user: User | AnonymousUser, *, policy: Policy, now: datetime) -> dict[int, dict[str, int]]:
    """Counts for each account that has keys or users: two queries."""
    waited = now - timedelta(days=DELETE_WAIT_DAYS)
    since = Q(disabled_here_at__lte=waited) | Q(disabled_here_at__isnull=True, first_inactive_at__lte=waited)
    ready = Count("pk", filter=Q(status=KeyStatus.INACTIVE, principal__is_root=False) & since)
    keys = AccessKey.objects.visible_to(user).present().values("account_id")
    users = Principal.objects.visible_to(user).present().values("account_id")
    found: dict[int, dict[str, int]] = {}
    root_mfa_off = Count("pk", filter=Q(is_root=True, mfa_state=MfaState.OFF))
    rows: list[Any] = [
        *keys.annotate(ready=ready, **_age_counts(now), **key_counts(policy=policy, now=now)).order_by(),
        *users.annotate(root_mfa_off=root_mfa_off, **user_counts()).order_by(),
    ]
    for row in rows:
        found.setdefault(row["account_id"], {}).update({name: value for name, value in row.items() if name != "account_id"})
    return found


def _age_counts(now: datetime) -> dict[str, Count]:
    """Active user keys for each age and kind of use. Keys whose age is not known are in no bar."""
    active = Q(status=KeyStatus.ACTIVE, principal__is_root=False) & not_born_later(now)
    never, idle = Q(last_used_state__in=UNUSED), unused(now=now, days=90) & Q(last_used_at__isnull=False)
    counts = {}
    for place, (_, least, most) in enumerate(AGES):
        aged = active & Q(created_at__lte=now - timedelta(days=least)) if least else active
        aged = aged & Q(created_at__gt=now - timedelta(days=most + 1)) if most is not None else aged
        counts[f"age{place}_all"] = Count("pk", filter=aged)
        counts[f"age{place}_never"] = Count("pk", filter=aged & never)
        counts[f"age{place}_idle"] = Count("pk", filter=aged & idle)
    return counts


def _site(account: Account, counts: Mapping[int, Mapping[str, int]], *, policy: Policy, now: datetime) -> Site:
    status = getattr(account, "status", None)
    found = counts.get(account.pk, {})
    names = (*TOTALS, "ready", *(f"age{place}_{kind}" for place in range(len(AGES)) for kind in ("all", "never", "idle")))
    return Site(account, status, state_of(status, account, policy=policy, now=now), {name: found.get(name, 0) for name in names})


def _bar(place: int, sites: Iterable[Site]) -> Bar:
    label, least, most = AGES[place]
    total, never, idle = (sum(site.counts[f"age{place}_{kind}"] for site in sites) for kind in ("all", "never", "idle"))
    bounds = [f"age:>={least}"] if least else []
    bounds += [f"age:<={most}"] if most is not None else []
    return Bar(label, total - never - idle, idle, never, " ".join(["status:active", "-is:root", "-is:stale-data", *bounds]))


def _accounts(user: User | AnonymousUser, now: datetime) -> QuerySet[Account]:
    """Accounts with their status and their posture of a week ago: one query."""
    then = FilteredRelation("posture", condition=Q(posture__day=(now - WEEK).date()))
    accounts = Account.objects.visible_to(user).filter(removed_at__isnull=True).select_related("status")
    return accounts.annotate(earlier=then, **{f"then_{name}": F(f"earlier__{name}") for name in COMPARED}).order_by("name")


def _changes(current: Iterable[Site]) -> dict[str, int]:
    """Change of each figure in a week, over the accounts that reported then and now. Empty when there are none: no false trend."""
    both = [site for site in current if getattr(site.account, f"then_{COMPARED[0]}") is not None]
    return {name: sum(site.counts[name] - getattr(site.account, f"then_{name}") for site in both) for name in COMPARED} if both else {}


def _points(user: User | AnonymousUser, now: datetime) -> tuple[Point, ...]:
    """Sums of each day of the last 26 weeks: one query."""
    rows = DailyPosture.objects.filter(account__in=Account.objects.visible_to(user), day__gte=(now - TREND).date())
    days = rows.values("day").annotate(unused=Sum("unused_90"), gaps=Sum("no_mfa")).order_by("day")
    return tuple(Point(row["day"], row["unused"], row["gaps"]) for row in days)
