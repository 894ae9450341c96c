"""The overview: figures with their change, what to do next, keys by age, accounts that need attention, the trend.

Counts cover reporting accounts only, by the conditions of `services.posture`; an account that does not report is unknown, not green.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db.models import Count, Exists, F, FilteredRelation, Max, OuterRef, Q, QuerySet

from accounts.models import Account
from hygiene.domain.facts import KeyStatus, UseState
from hygiene.domain.policy import Policy
from hygiene.domain.states import AccountState
from hygiene.models import AccessKey, AccountStatus, Finding, Principal
from hygiene.services.permissions import waiting_days, waiting_rule
from hygiene.services.posture import (
    RULES_OF,
    UNUSED,
    exempt_in,
    key_counts,
    not_born_later,
    ready_to_delete,
    state_of,
    unused,
    user_counts,
)
from hygiene.services.scope import EVERYTHING, Scope, owned_by
from hygiene.services.trend import COMPARED, WEEK

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser, User

STALE_FOR_LONG = timedelta(hours=24)
MANY_STALE = 0.1  # of the accounts
AGES = (
    ("0\u201330 d", 0, 30),
    ("31\u201390", 31, 90),
    ("91\u2013180", 91, 180),
    ("181\u2013365", 181, 365),
    ("1\u20132 y", 366, 730),
    ("2\u20135 y", 731, 1826),
    ("5 y +", 1827, None),
)
COUNTED = (*RULES_OF, *(f"exempt_{name}" for name in RULES_OF), "active_keys", "console_users", "users")


@dataclass(frozen=True, slots=True)
class Bar:
    """Active user keys of one age: used in the last 90 days, unused, without a use on record (yet). `query` selects them in the list."""

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
    root_created_at: datetime | None = None  # of the newest root key
    root_used_at: datetime | None = None  # the newest use of any root key
    root_unread: int | None = None  # root keys whose last use is not known

    @property
    def is_reporting(self) -> bool:
        """Whether its counts are current."""
        return self.state is AccountState.OK

    @property
    def is_production(self) -> bool:
        """Whether its environment is called production."""
        return self.account.environment.lower().startswith("prod")

    @property
    def is_root_unprotected(self) -> bool | None:
        """Whether `root.no_mfa` fails; None: root's MFA is not known."""
        if self.account.root_no_mfa:  # type: ignore[attr-defined]  # annotated
            return True
        return None if self.status is None or self.status.root_mfa_on is None else False

    def is_stale_for_long(self, now: datetime) -> bool:
        """Whether it should report, and its newest report (or else its registration) is more than 24 hours old."""
        if self.state in (AccountState.PAUSED, AccountState.SUSPENDED):
            return False
        newest = self.status.report_generated_at if self.status else None
        return (newest or self.account.created_at) < now - STALE_FOR_LONG

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
class Overview:
    """What is counted for a page or a mail. `everywhere` are all visible accounts, in scope or not; `shell` is about them."""

    sites: tuple[Site, ...]
    everywhere: tuple[Account, ...]
    shell: Mapping[str, Any]
    totals: Mapping[str, int]
    root_accounts: int
    wait_days: int
    ready: int
    changes: Mapping[str, int]
    bars: tuple[Bar, ...]

    @property
    def reporting(self) -> int:
        """Accounts whose data is current and complete."""
        return sum(1 for site in self.sites if site.is_reporting)

    @property
    def expected(self) -> int:
        """Accounts that should report: not paused, not suspended."""
        return self.reporting + len(self.silent)

    @property
    def reports(self) -> tuple[datetime, datetime] | None:
        """Oldest and newest of the credential reports that the counts rest on; None without any."""
        found = [site.status.report_generated_at for site in self.sites if site.is_reporting and site.status]
        known = [moment for moment in found if moment is not None]
        return (min(known), max(known)) if known else None

    @property
    def silent(self) -> tuple[Site, ...]:
        """Accounts that should report and do not."""
        quiet = (AccountState.OK, AccountState.PAUSED, AccountState.SUSPENDED)
        return tuple(site for site in self.sites if site.state not in quiet)

    def stale_for_long(self, now: datetime) -> tuple[Site, ...]:
        """Accounts to warn about: all that are stale past 24 hours if they are many or one is of production, else none."""
        stale = tuple(site for site in self.sites if site.is_stale_for_long(now))
        many = len(stale) > MANY_STALE * max(1, self.expected)
        return stale if many or any(site.is_production for site in stale) else ()

    @property
    def rooted(self) -> tuple[Site, ...]:
        """Reporting accounts with a root key."""
        return tuple(site for site in self.sites if site.is_reporting and site.counts["root_keys"])


def overview(user: User | AnonymousUser, *, policy: Policy, now: datetime, scope: Scope = EVERYTHING, by_owner: bool = False) -> Overview:
    """The counts of what `user` may see within `scope`. Three queries at any size.

    `by_owner`: "mine" counts the users and keys that the person owns, in whichever account, instead of the accounts they own.
    """
    everywhere = tuple(_accounts(user, now))
    owned = owned_by(scope.owner, "") if by_owner and scope.is_mine else Q()
    wait_days = waiting_days(everywhere[0].rule_of_waiting if everywhere else None)  # type: ignore[attr-defined]  # annotated
    counts = _counts_by_account(user, owned, wait_days, policy=policy, now=now)
    inside = [row for row in everywhere if scope.holds(row) or (owned and row.pk in counts)]
    sites = tuple(_site(account, counts, policy=policy, now=now) for account in inside)
    current = [site for site in sites if site.is_reporting]
    return Overview(
        sites=tuple(sorted(sites, key=lambda site: site.weight, reverse=True)),
        everywhere=everywhere,
        shell=_shell(everywhere, policy=policy, now=now),
        totals={name: sum(site.counts[name] for site in current) for name in COUNTED},
        root_accounts=sum(1 for site in current if site.counts["root_keys"]),
        wait_days=wait_days,
        ready=sum(site.counts["ready"] for site in current),
        changes=_changes(current),
        bars=tuple(_bar(place, current) for place in range(len(AGES))),
    )


def _shell(accounts: Iterable[Account], *, policy: Policy, now: datetime) -> dict[str, Any]:
    """What the top bar says of the data: polled accounts, those not reporting, and the newest report."""
    polled = [account for account in accounts if account.is_pollable]
    statuses = [getattr(account, "status", None) for account in polled]
    states = [state_of(status, account, policy=policy, now=now) for status, account in zip(statuses, polled, strict=True)]
    reports = [status.report_generated_at for status in statuses if status and status.report_generated_at]
    silent = sum(1 for state in states if state is not AccountState.OK)
    return {"total": len(polled), "silent": silent, "newest": max(reports, default=None)}


def _counts_by_account(user: User | AnonymousUser, owned: Q, wait_days: int, *, policy: Policy, now: datetime) -> dict[int, dict[str, Any]]:
    """Counts for each account that has keys or users (of the owner, if one is given)."""
    ready = Count("pk", filter=ready_to_delete(now=now, days=wait_days))
    apart = {f"exempt_{name}": Count("pk", filter=exempt_in(name, policy=policy, now=now)) for name in RULES_OF}
    of_users = {"exempt_no_mfa": apart.pop("exempt_no_mfa")}
    users = Principal.objects.visible_to(user).present().filter(owned)
    keys = AccessKey.objects.visible_to(user).present().filter(Q(principal__in=users.values("pk")) if owned else Q())
    of_root = Q(principal__is_root=True)
    root = {"root_created_at": Max("created_at", filter=of_root), "root_used_at": Max("last_used_at", filter=of_root)}
    unread = {"root_unread": Count("pk", filter=of_root & Q(last_used_state=UseState.UNKNOWN))}
    counted = keys.values("account_id").annotate(
        ready=ready, **root, **unread, **apart, **_age_counts(now), **key_counts(policy=policy, now=now)
    )
    found: dict[int, dict[str, Any]] = {}
    rows: list[Any] = [
        *counted.order_by(),
        *users.values("account_id").annotate(**of_users, **user_counts(policy=policy, now=now)).order_by(),
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


def _site(account: Account, counts: Mapping[int, Mapping[str, Any]], *, policy: Policy, now: datetime) -> Site:
    status = getattr(account, "status", None)
    found = counts.get(account.pk, {})
    names = (*COUNTED, "ready", *(f"age{place}_{kind}" for place in range(len(AGES)) for kind in ("all", "never", "idle")))
    state = state_of(status, account, policy=policy, now=now)
    root = {name: found.get(name) for name in ("root_created_at", "root_used_at", "root_unread")}
    return Site(account, status, state, {name: found.get(name, 0) for name in names}, **root)


def _bar(place: int, sites: Iterable[Site]) -> Bar:
    label, least, most = AGES[place]
    total, never, idle = (sum(site.counts[f"age{place}_{kind}"] for site in sites) for kind in ("all", "never", "idle"))
    bounds = [f"age:>={least}"] if least else []
    bounds += [f"age:<={most}"] if most is not None else []
    return Bar(label, total - never - idle, idle, never, " ".join(["status:active", "-is:root", "-is:stale-data", *bounds]))


def _accounts(user: User | AnonymousUser, now: datetime) -> QuerySet[Account]:
    """Accounts with their status, whether root lacks MFA, and their posture of a week ago: one query."""
    then = FilteredRelation("posture", condition=Q(posture__day=(now - WEEK).date()))
    accounts = Account.objects.visible_to(user).filter(removed_at__isnull=True).select_related("status")
    no_mfa = Finding.objects.failing().filter(account=OuterRef("pk"), rule="root.no_mfa")
    compared = {f"then_{name}": F(f"earlier__{name}") for name in COMPARED}
    own = {"root_no_mfa": Exists(no_mfa), "rule_of_waiting": waiting_rule()}
    return accounts.annotate(earlier=then, **own, **compared).order_by("name")


def _changes(current: Iterable[Site]) -> dict[str, int]:
    """Change of each figure in a week, over the accounts that reported then and now. Empty when there are none: no false trend."""
    both = [site for site in current if getattr(site.account, f"then_{COMPARED[0]}") is not None]
    return {name: sum(site.counts[name] - getattr(site.account, f"then_{name}") for site in both) for name in COMPARED} if both else {}
