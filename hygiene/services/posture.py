"""Figures: the same conditions behind every count and the list that the count links to.

Only reporting accounts are counted. What a live exemption covers is in no figure: it is counted apart (`exempt_in`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from django.db.models import Count, Q, QuerySet

from accounts.models import Account, OrganizationState
from hygiene.domain.ages import CLOCK_SKEW
from hygiene.domain.facts import KeyStatus, MfaState, PasswordState, UseState
from hygiene.domain.policy import Policy
from hygiene.domain.states import AccountState, account_state
from hygiene.domain.wording import YOUNG
from hygiene.models import AccessKey, AccountStatus, DailyPosture, Finding, FindingOutcome, PollOutcome, Principal

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser, User

UNUSED = (UseState.NEVER, UseState.NO_DATA)
RULES_OF = {  # an exemption of which rule takes a key or user out of a figure
    "root_keys": ("root.key_present",),
    "never_used": ("key.never_used",),
    "unused_45": ("key.unused",),
    "unused_90": ("key.unused", "key.unused_90"),
    "over_age": ("key.too_old",),
    "no_mfa": ("password.no_mfa",),
}


def state_of(status: AccountStatus | None, account: Account, *, policy: Policy, now: datetime) -> AccountState:
    """State of an account's data; without a status row it was never polled."""
    return account_state(
        is_polled=account.is_polled and account.removed_at is None,
        is_suspended=account.organization_state not in (OrganizationState.NONE, OrganizationState.ACTIVE),
        access_lost=status is not None and status.last_outcome == PollOutcome.ACCESS_LOST,
        report_generated_at=status.report_generated_at if status else None,
        report_is_complete=status is not None and status.report_is_complete and status.last_outcome != PollOutcome.REJECTED,
        now=now,
        stale_after=policy.stale_after,
    )


def reporting(*, policy: Policy, now: datetime, prefix: str = "account__") -> Q:
    """Condition for "the account has a current complete report", for querysets that reach the account by `prefix`."""
    values = {
        "is_polled": True,
        "organization_state__in": (OrganizationState.NONE, OrganizationState.ACTIVE),
        "removed_at__isnull": True,
        "status__report_generated_at__gte": now - policy.stale_after,
        "status__report_is_complete": True,
    }
    lost = Q(**{f"{prefix}status__last_outcome__in": (PollOutcome.ACCESS_LOST, PollOutcome.REJECTED)})
    return Q(**{prefix + name: value for name, value in values.items()}) & ~lost


def not_born_later(now: datetime) -> Q:
    """Whose age may be computed: no birth or use in the future, no contradiction."""
    limit = now + CLOCK_SKEW
    return Q(has_data_warning=False, created_at__lte=limit) & (Q(last_used_at__isnull=True) | Q(last_used_at__lte=limit))


def young(now: datetime) -> Q:
    """Keys too young for "never used", as `wording.is_young` tells of one: AWS tells of a use hours later."""
    return Q(created_at__gt=now - YOUNG, created_at__lte=now + CLOCK_SKEW)


def never_used(*, now: datetime) -> Q:
    """Active user keys without any record of use, old enough for AWS to have told of one."""
    no_use = Q(status=KeyStatus.ACTIVE, principal__is_root=False, last_used_state__in=UNUSED)
    return no_use & Q(created_at__lte=now - YOUNG) & not_born_later(now)


def unused(*, now: datetime, days: int) -> Q:
    """Active user keys whose last use, or birth when there is none, is at least `days` whole days ago."""
    cutoff = now - timedelta(days=days)
    idle = Q(last_used_at__lte=cutoff) | Q(last_used_at__isnull=True, last_used_state__in=UNUSED, created_at__lte=cutoff)
    return Q(status=KeyStatus.ACTIVE, principal__is_root=False) & idle & not_born_later(now)


def over_age(*, now: datetime, days: int) -> Q:
    """Active user keys created more than `days` whole days ago."""
    return Q(status=KeyStatus.ACTIVE, principal__is_root=False) & _born_by(now, days + 1)


def _born_by(now: datetime, days: int) -> Q:
    return Q(created_at__lte=now - timedelta(days=days)) & not_born_later(now)


def ready_to_delete(*, now: datetime, days: int) -> Q:
    """Disabled user keys whose waiting time of `days` is over."""
    waited = now - timedelta(days=days)
    since = Q(disabled_here_at__lte=waited) | Q(disabled_here_at__isnull=True, first_inactive_at__lte=waited)
    return Q(status=KeyStatus.INACTIVE, principal__is_root=False) & since


def console_users() -> Q:
    """Users with a console password."""
    return Q(is_root=False, password_state=PasswordState.ENABLED)


def no_mfa() -> Q:
    """Console users without MFA."""
    return console_users() & Q(mfa_state=MfaState.OFF, has_data_warning=False)


def facts_of(figure: str, *, policy: Policy, now: datetime) -> Q:
    """Present keys, or users for `no_mfa`, that a figure is about by their facts, exempt ones among them."""
    if figure == "no_mfa":
        return no_mfa()
    if figure == "root_keys":
        return Q(principal__is_root=True)
    if figure == "never_used":
        return never_used(now=now)
    if figure == "over_age":
        return over_age(now=now, days=policy.number("key.too_old"))
    return unused(now=now, days=policy.number("key.unused" if figure == "unused_45" else "key.unused_90"))


def _is_exempt(figure: str) -> Q:
    """Whose finding behind the figure is exempt. One subquery that does not depend on the row."""
    found = Finding.objects.open().filter(outcome=FindingOutcome.EXEMPT, rule__in=RULES_OF[figure])
    if figure == "no_mfa":
        return Q(pk__in=found.filter(principal__isnull=False).values("principal"))
    if figure == "root_keys":
        return Q(principal__in=found.filter(principal__isnull=False).values("principal"))
    return Q(pk__in=found.filter(key__isnull=False).values("key"))


def counted(figure: str, *, policy: Policy, now: datetime, has_exempt: bool = True) -> Q:
    """What a figure counts: its facts, without what is exempt. `has_exempt` False: it is known that nothing is."""
    facts = facts_of(figure, policy=policy, now=now)
    return facts & ~_is_exempt(figure) if has_exempt else facts


def exempt_in(figure: str, *, policy: Policy, now: datetime) -> Q:
    """What is counted apart from a figure, since an exemption covers it."""
    return facts_of(figure, policy=policy, now=now) & _is_exempt(figure)


def key_counts(*, policy: Policy, now: datetime, has_exempt: bool = True) -> Mapping[str, Count]:
    """Aggregates over present keys. `has_exempt` as in `counted`."""
    active = {"active_keys": Count("pk", filter=Q(status=KeyStatus.ACTIVE, principal__is_root=False))}
    figures = [figure for figure in RULES_OF if figure != "no_mfa"]
    return active | {figure: Count("pk", filter=counted(figure, policy=policy, now=now, has_exempt=has_exempt)) for figure in figures}


def user_counts(*, policy: Policy, now: datetime, has_exempt: bool = True) -> Mapping[str, Count]:
    """Aggregates over present principals. `has_exempt` as in `counted`."""
    return {
        "users": Count("pk", filter=Q(is_root=False)),
        "console_users": Count("pk", filter=console_users()),
        "no_mfa": Count("pk", filter=counted("no_mfa", policy=policy, now=now, has_exempt=has_exempt)),
    }


@dataclass(frozen=True, slots=True)
class Figures:
    """Totals over the reporting accounts in a person's scope. `root_accounts` counts accounts with a root key."""

    accounts: int
    reporting: int
    active_keys: int
    root_keys: int
    root_accounts: int
    never_used: int
    unused_45: int
    unused_90: int
    over_age: int
    users: int
    console_users: int
    no_mfa: int


def figures(user: User | AnonymousUser, *, policy: Policy, now: datetime) -> Figures:
    """Live totals; four queries at any size."""
    current = reporting(policy=policy, now=now)
    keys = AccessKey.objects.visible_to(user).present().filter(current).aggregate(**key_counts(policy=policy, now=now))
    users = Principal.objects.visible_to(user).present().filter(current).aggregate(**user_counts(policy=policy, now=now))
    visible = Account.objects.visible_to(user).filter(removed_at__isnull=True)
    accounts = visible.aggregate(accounts=Count("pk"), reporting=Count("pk", filter=reporting(policy=policy, now=now, prefix="")))
    rooted = Finding.objects.visible_to(user).failing().filter(current, rule="root.key_present")
    return Figures(**keys, **users, **accounts, root_accounts=rooted.values("account").distinct().count())


def eliminated_keys() -> QuerySet[AccessKey]:
    """Keys that were seen and are gone from AWS, by us or by others, root's among them."""
    return AccessKey.objects.filter(gone_at__isnull=False)


def refresh(account: Account, status: AccountStatus, *, policy: Policy, now: datetime) -> None:
    """Counts of the account's own rows, and its posture of the day. Runs in the caller's transaction."""
    failing, exempt = (Count("pk", filter=Q(outcome=outcome)) for outcome in (FindingOutcome.FAIL, FindingOutcome.EXEMPT))
    found = Finding.objects.open().filter(account=account).aggregate(findings_open=failing, exempt=exempt)
    of_keys = key_counts(policy=policy, now=now, has_exempt=found["exempt"] > 0)
    of_users = user_counts(policy=policy, now=now, has_exempt=found["exempt"] > 0)
    keys = AccessKey.objects.present().filter(account=account).aggregate(**of_keys)
    users = Principal.objects.present().filter(account=account).aggregate(**of_users)
    status.users, status.active_keys, status.findings_open = users["users"], keys["active_keys"], found["findings_open"]
    status.save(update_fields=["users", "active_keys", "findings_open"])
    if state_of(status, account, policy=policy, now=now) is AccountState.OK:
        eliminated = eliminated_keys().filter(account=account).count()
        values = {**keys, **users, **found, "keys_eliminated": eliminated, "measured_at": now}
        DailyPosture.objects.update_or_create(account=account, day=now.astimezone(UTC).date(), defaults=values)
