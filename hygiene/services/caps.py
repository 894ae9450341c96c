"""Caps: how many changes one person, the installation and one account may see in a time. Counted in the claiming transaction.

A change counts from its claim until its call's time is over. Taking a change back is never capped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Min, Q, QuerySet

from hygiene.domain.facts import KeyStatus
from hygiene.domain.wording import plural
from hygiene.models import AccessKey, Action, Remediation, State
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
    if waiting is None and not consent.has_second_person(remediation, now=now):
        most = _account_cap(remediation.account_id, kind, rules)
        day = _counted(kind, since=now - DAY).exclude(pk=remediation.pk).filter(account=remediation.account_id)
        words = f"{most} of these changes may be made in {remediation.account.name} in 24 hours without a second person"
        waiting = _full(day, most, "account", words, now, DAY)
    return waiting


def _full(rows: QuerySet[Remediation], most: int, scope: str, words: str, now: datetime, window: timedelta) -> Wait | None:
    found = rows.aggregate(n=Count("pk"), oldest=Min("called_at", filter=Q(called_at__gt=now - window)))
    if found["n"] < most:
        return None
    until = now + SOON if found["oldest"] is None else max(found["oldest"] + window, now + SOON)
    return Wait(f"capped:{scope}", f"Waits: {words}, and that many were made.", until)


def _account_cap(account_pk: int, kind: str, rules: ChangeRules) -> int:
    most = rules.cap("account_day", kind)
    if kind != DISABLE:
        return most
    active = AccessKey.objects.present().filter(account=account_pk, status=KeyStatus.ACTIVE).count()
    return max(most, active * rules.account_day_share // 100)


def accounts_over(rows: Iterable[Remediation], *, rules: ChangeRules, now: datetime) -> list[str]:
    """Sentences of accounts in which these changes, with those of the last 24 hours, are more than one person may make."""
    found = []
    wanted: Counter[tuple[int, str]] = Counter()
    names: dict[int, str] = {}
    for row in rows:
        kind = KIND_OF.get(Action(row.action))
        if kind is not None:
            wanted[row.account_id, kind] += 1
            names[row.account_id] = row.account.name
    for (account_pk, kind), count in wanted.items():
        if count <= 1 and kind == DISABLE and rules.account_day_disable > 1:
            continue  # one key more never makes a plan large: its claim counts
        most = _account_cap(account_pk, kind, rules)
        if count > most:
            found.append(f"{names[account_pk]}: {count} changes, more than {most} in 24 hours.")
    return found


def slices(action: Action, count: int, rules: ChangeRules) -> str:
    """How long a plan of this size takes because of the hourly caps; empty when it runs at once."""
    kind = KIND_OF.get(action)
    if kind is None:
        return ""
    most = min(rules.cap("operator_hour", kind), rules.cap("installation_hour", kind))
    hours = -(-count // most) - 1
    return f"At most {most} an hour: this plan runs in slices, over about {plural(hours, 'hour')}." if hours else ""
