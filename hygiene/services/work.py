"""What waits for one person, and what has been achieved, as single numbers: approvals, failed changes, endings, keys eliminated."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import User
from django.db.models import Count, DateTimeField, Exists, IntegerField, Min, OuterRef, Q, QuerySet, Subquery, Value

from accounts.models import Account
from hygiene.domain.policy import Policy
from hygiene.models import (
    OPEN_STATES,
    SUCCESS_STATES,
    DeliveryState,
    DigestDelivery,
    Exemption,
    Finding,
    FindingOutcome,
    InstallationPolicy,
    Remediation,
    State,
)
from hygiene.services.approvals import waiting_for
from hygiene.services.exemptions import ENDING
from hygiene.services.posture import eliminated_keys, reporting

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

LATELY = timedelta(days=7)
UNSETTLED = (State.FAILED, State.NOT_APPLIED, State.NEEDS_HUMAN)


@dataclass(frozen=True, slots=True)
class Work:
    """Numbers over the accounts in scope. `approvals` are plans; `failed` changes of the last 7 days that nobody has tried again.

    `has_policy`: somebody has chosen a policy; `has_digest`: the person was sent a digest.
    """

    approvals: int = 0
    oldest_asked_at: datetime | None = None
    failed: int = 0
    ending: int = 0
    next_end_at: datetime | None = None
    exempt: int = 0
    eliminated: int = 0
    eliminated_lately: int = 0
    has_policy: bool = False
    has_digest: bool = False


def failed_changes(accounts: QuerySet[Account], *, now: datetime) -> QuerySet[Remediation]:
    """Changes that ended badly in the last 7 days, or that need a person, and that no later request for the same thing followed."""
    same = {name: OuterRef(name) for name in ("principal", "target_kind", "target_id")}
    later = Remediation.objects.filter(**same, requested_at__gt=OuterRef("requested_at"), state__in=(*OPEN_STATES, *SUCCESS_STATES))
    recent = Q(finished_at__gt=now - LATELY) | Q(state=State.NEEDS_HUMAN)
    return Remediation.objects.filter(recent, account__in=accounts, state__in=UNSETTLED).exclude(Exists(later))


def ending_exemptions(
    user: User | AnonymousUser, accounts: QuerySet[Account], *, now: datetime, is_everything: bool
) -> QuerySet[Exemption]:
    """Live exemptions that end within 14 days; those by tag, which name no account, only where nothing is left out."""
    here = Q(account__in=accounts) | (Q(account__isnull=True) if is_everything else Q(pk__in=[]))
    return Exemption.objects.visible_to(user).live().filter(here, ends_at__lte=now + ENDING)


def work_of(user: User, accounts: QuerySet[Account], *, policy: Policy, now: datetime, is_everything: bool = True) -> Work:
    """All of it in one query."""
    plans = waiting_for(user)
    ending = ending_exemptions(user, accounts, now=now, is_everything=is_everything)
    exempt = Finding.objects.open().filter(reporting(policy=policy, now=now), outcome=FindingOutcome.EXEMPT, account__in=accounts)
    gone = eliminated_keys().filter(account__in=accounts)
    numbers: dict[str, Any] = {
        "approvals": _count(plans),
        "oldest_asked_at": _earliest(plans, "confirmed_at"),
        "failed": _count(failed_changes(accounts, now=now)),
        "ending": _count(ending),
        "next_end_at": _earliest(ending, "ends_at"),
        "exempt": _count(exempt),
        "eliminated": _count(gone),
        "eliminated_lately": _count(gone.filter(gone_at__gt=now - LATELY)),
        "has_policy": Exists(InstallationPolicy.objects.all()),
        "has_digest": Exists(DigestDelivery.objects.filter(user=user.pk, state=DeliveryState.SENT)),
    }
    renamed = {f"of_{name}": subquery for name, subquery in numbers.items()}
    row = User.objects.filter(pk=user.pk).annotate(**renamed).values(*renamed).get()
    values: dict[str, Any] = {name: row[f"of_{name}"] for name in numbers}
    return Work(**{name: value for name, value in values.items() if value is not None})


def _count(rows: QuerySet[Any, Any]) -> Subquery:
    counted = rows.order_by().annotate(together=Value(1)).values("together").annotate(number=Count("pk")).values("number")
    return Subquery(counted, output_field=IntegerField())


def _earliest(rows: QuerySet[Any, Any], field: str) -> Subquery:
    found = rows.order_by().annotate(together=Value(1)).values("together").annotate(first=Min(field)).values("first")
    return Subquery(found, output_field=DateTimeField())
