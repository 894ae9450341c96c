"""Caps: how many changes one person, the installation and one account may see in a time. Counted in the claiming transaction.

A change counts from its claim until its call's time is over. Taking a change back is never capped.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Min, Q, QuerySet

from hygiene.domain.facts import KeyStatus
from hygiene.models import OPEN_STATES, AccessKey, Action, Remediation, State
from hygiene.services import consent
from hygiene.services.change_rules import DISABLE, KIND_OF, ChangeRules

HOUR, DAY = timedelta(hours=1), timedelta(hours=24)
SOON = timedelta(seconds=15)


@dataclass(frozen=True, slots=True)
class Wait:
    """Why a change waits, as a code and a sentence, and until when at least."""

    code: str
    sentence: str
    until: datetime


def _counted(kind: str, *, since: datetime) -> QuerySet[Remediation]:
    actions = [action for action, its in KIND_OF.items() if its == kind]
    in_hand = Q(state__in=(State.CLAIMED, State.CHECKED))
    return Remediation.objects.filter(in_hand | Q(called_at__gt=since), action__in=actions)


def wait_of(remediation: Remediation, *, rules: ChangeRules, now: datetime) -> Wait | None:
    """The first cap that has no free place for this change, or None. The switch's row must be locked."""
    kind = KIND_OF.get(Action(remediation.action))
    if kind is None:
        return None
    hour = _counted(kind, since=now - HOUR).exclude(pk=remediation.pk)
    mine = hour.filter(requested_by=remediation.requested_by_id)
    most = rules.cap("operator_hour", kind)
    waiting = _full(mine, most, "operator", f"{remediation.requested_by_name} may make {most} of these changes in an hour", now, HOUR)
    if waiting is None:
        most = rules.cap("installation_hour", kind)
        waiting = _full(hour, most, "installation", f"{most} of these changes may be made here in an hour", now, HOUR)
    if waiting is None:
        most = account_caps([remediation.account_id], kind, rules)[remediation.account_id]
        day = _counted(kind, since=now - DAY).exclude(pk=remediation.pk).filter(account=remediation.account_id)
        words = f"{most} of these changes may be made in {remediation.account.name} in 24 hours without a second person"
        waiting = _full(day, most, "account", words, now, DAY)
        if waiting is not None and consent.has_second_person(remediation, now=now):
            waiting = None
    return waiting


def _full(rows: QuerySet[Remediation], most: int, scope: str, words: str, now: datetime, window: timedelta) -> Wait | None:
    found = rows.aggregate(n=Count("pk"), oldest=Min("called_at", filter=Q(called_at__gt=now - window)))
    if found["n"] < most:
        return None
    until = now + SOON if found["oldest"] is None else max(found["oldest"] + window, now + SOON)
    return Wait(f"capped:{scope}", f"Waits: {words}, and that many were made.", until)


def account_caps(account_pks: Iterable[int], kind: str, rules: ChangeRules) -> Mapping[int, int]:
    """How many changes each account may see in 24 hours without a second person. At most one query."""
    most, pks = rules.cap("account_day", kind), list(account_pks)
    if kind != DISABLE:
        return dict.fromkeys(pks, most)
    active = AccessKey.objects.present().filter(account__in=pks, status=KeyStatus.ACTIVE).values_list("account").annotate(n=Count("pk"))
    found = dict(active)
    return {pk: max(most, found.get(pk, 0) * rules.account_day_share // 100) for pk in pks}


def accounts_over(wanted: Mapping[int, int], action: Action, *, rules: ChangeRules, now: datetime) -> Mapping[int, tuple[int, int]]:
    """Accounts in which so many changes more, with those of the last 24 hours and those under way, pass what one person may make.

    `wanted` are numbers of changes by account; the answer has the total and the cap of each account over it. Two queries.
    """
    kind = KIND_OF.get(action)
    if kind is None:
        return {}
    actions = [other for other, its in KIND_OF.items() if its == kind]
    recent = Remediation.objects.filter(Q(state__in=OPEN_STATES) | Q(called_at__gt=now - DAY), action__in=actions, account__in=wanted)
    before = dict(recent.values_list("account").annotate(n=Count("pk")))
    most = account_caps(wanted, kind, rules)
    totals = {pk: count + before.get(pk, 0) for pk, count in wanted.items()}
    return {pk: (total, most[pk]) for pk, total in totals.items() if total > most[pk]}


def an_hour(action: Action, rules: ChangeRules) -> int | None:
    """How many of these changes one person may make in an hour; None where nothing limits it."""
    kind = KIND_OF.get(action)
    return None if kind is None else min(rules.cap("operator_hour", kind), rules.cap("installation_hour", kind))


def free_now(action: Action, actor_pk: int, *, rules: ChangeRules, now: datetime) -> int | None:
    """How many of these changes this person may still make within the hour; None where nothing limits it. One query."""
    kind = KIND_OF.get(action)
    if kind is None:
        return None
    made = _counted(kind, since=now - HOUR).aggregate(all=Count("pk"), mine=Count("pk", filter=Q(requested_by=actor_pk)))
    left = rules.cap("operator_hour", kind) - made["mine"], rules.cap("installation_hour", kind) - made["all"]
    return max(0, int(min(left)))


def hours(action: Action, count: int, rules: ChangeRules) -> int:
    """How many whole hours pass from the first slice of so many changes to the last; 0 when one is enough."""
    most = an_hour(action, rules)
    return 0 if most is None else max(0, -(-count // most) - 1)
