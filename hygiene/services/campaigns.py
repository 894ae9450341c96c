"""Campaigns: disables that wait for a day while their owners are warned. What is tended here is due at any time and done once.

A key that is used, or that its owner says is in use, leaves. If the scheduler slept through the warnings, they start again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet

from accounts import audit
from accounts.models import Account
from hygiene.domain.facts import UseState
from hygiene.domain.wording import day, plural, relative
from hygiene.models import (
    OPEN_STATES,
    SUCCESS_STATES,
    WAITING_STATES,
    NoticeKind,
    NoticeState,
    OwnerNotice,
    Plan,
    Remediation,
    State,
)
from hygiene.people import roles_with
from hygiene.services import approvals, consent, grace
from hygiene.services.notices import owner_of
from hygiene.services.refused import Conflict, Invalid, NotAllowed
from hygiene.services.remediation import MOST_DAYS

if TYPE_CHECKING:
    from django.contrib.auth.models import User

ROUNDING = timedelta(minutes=1)  # reports tell uses by the minute
RELATED = ("account", "principal", "key", "requested_by", "plan")


def waiting() -> QuerySet[Plan]:
    """Campaigns of which something still waits, soonest first."""
    rows = Remediation.objects.filter(plan=OuterRef("pk"), state__in=WAITING_STATES)
    return Plan.objects.filter(Exists(rows), run_at__isnull=False).order_by("run_at", "pk")


def visible_to(user: User) -> QuerySet[Plan]:
    """Waiting campaigns of which the person sees every account, with `left` changes; for the queue and for "Coming up"."""
    unseen = Remediation.objects.filter(plan=OuterRef("pk")).exclude(account__in=Account.objects.visible_to(user))
    left = Count("remediations", filter=Q(remediations__state__in=WAITING_STATES))
    return waiting().exclude(Exists(unseen)).annotate(left=left).select_related("created_by")


def tend(*, now: datetime) -> list[int]:
    """Let go what was used, start late warnings again, and claim mails that are due. Returns notices to send."""
    let_go_used(now=now)
    found: list[int] = []
    for pk in list(waiting().values_list("pk", flat=True)):
        found += _tend(pk, now=now)
    for pk in list(_ended().values_list("pk", flat=True)):
        found += _tell_the_end(pk, now=now)
    return found


@transaction.atomic
def let_go_used(*, now: datetime) -> int:
    """Keys used since they were planned leave their campaign. Returns how many."""
    known = Q(key__last_used_at__gt=F("seen_last_used_at") + ROUNDING) | Q(seen_last_used_at=None, key__last_used_at__isnull=False)
    unknown = Q(seen_last_used_state=UseState.UNKNOWN, key__last_used_at__gt=F("requested_at"))
    rows = Remediation.objects.filter(state__in=WAITING_STATES, plan__run_at__isnull=False, key__isnull=False)
    rows = rows.filter(unknown | (known & ~Q(seen_last_used_state=UseState.UNKNOWN))).select_related(*RELATED).order_by("pk")
    ended = 0
    for row in rows:
        used = row.this_key.last_used_at or now
        ended += _leave([row], f"Left the campaign: used {relative(used, now)}, since it was planned.", "used_since", now=now)
    return ended


def _leave(rows: Sequence[Remediation], sentence: str, code: str, *, now: datetime, actor: User | None = None) -> int:
    ended = approvals.close(rows, State.CANCELLED, sentence, now=now, actor=actor)
    Remediation.objects.filter(pk__in=[row.pk for row in rows], state=State.CANCELLED).update(result_code=code)
    return ended


@transaction.atomic
def _tend(plan_pk: int, *, now: datetime) -> list[int]:
    """One campaign under its row's lock, so that two sweepers warn once."""
    plan = Plan.objects.select_for_update().get(pk=plan_pk)
    rows = plan.remediations.filter(state__in=WAITING_STATES)
    is_late = grace.wait_of(plan, now=now) is not None
    if rows.filter(state=State.AWAITING_APPROVAL).exists() or not (is_late or grace.due(plan, now=now)):
        return []
    if is_late and not rows.filter(lease_token__isnull=False).exists():
        words = "The warnings of owners did not go out in time, so they start again"
        _begin_anew(plan, now + timedelta(days=max(1, plan.grace_days)), now=now, words=words)
    found: list[int] = []
    for kind in grace.due(plan, now=now):
        found += _claim(plan, kind, rows, now=now)
    return found


def _begin_anew(plan: Plan, run_at: datetime, *, now: datetime, words: str, actor: User | None = None) -> None:
    """Another day, with all warnings before it. Approvals cover the day: who agreed to another must agree again."""
    plan.run_at, plan.cycle = run_at, plan.cycle + 1
    plan.change_hash = consent.stored_hash(plan)
    plan.save(update_fields=["run_at", "cycle", "change_hash", "grace_days"])
    rows = plan.remediations.filter(state__in=WAITING_STATES, lease_token__isnull=True)
    rows.update(due_at=run_at, result_code="", result="")
    unsent = plan.notices.filter(state=NoticeState.CLAIMED)
    unsent.update(state=NoticeState.FAILED, error="Not sent before the warnings started again.")
    if plan.approvals_needed:
        rows.update(state=State.AWAITING_APPROVAL, requested_at=now)
    _record(plan, "moved", f"{words}: {day(run_at)}.", now=now, actor=actor)


def _claim(plan: Plan, kind: NoticeKind, rows: QuerySet[Remediation], *, now: datetime) -> list[int]:
    """One notice for each owner of what `rows` change; begun once for the campaign and cycle, whoever can be told."""
    found = rows.select_related("key__principal", "key__account", "principal")
    owners = sorted({owner_of(row.this_key) for row in found if row.key is not None} - {""})
    plan.warned = [*plan.warned, {"cycle": plan.cycle, "kind": str(kind), "at": now.isoformat(), "owners": len(owners)}]
    plan.save(update_fields=["warned"])
    known = {"plan": plan, "kind": kind, "cycle": plan.cycle}
    made = [OwnerNotice.objects.create(owner=owner, claimed_at=now, **known) for owner in owners]
    label = "told what was done" if kind == NoticeKind.DONE else f"warned {kind.label}"
    _record(plan, "warned", f"{plural(len(owners), 'owner')} {label}.", now=now)
    return [notice.pk for notice in made]


def _ended() -> QuerySet[Plan]:
    """Plans that mail owners, whose last change has ended, and of which owners were not told yet."""
    rows = Remediation.objects.filter(plan=OuterRef("pk"))
    plans = Plan.objects.filter(notifies_owners=True, told_at__isnull=True, confirmed_at__isnull=False)
    return plans.exclude(Exists(rows.filter(state__in=OPEN_STATES))).order_by("pk")


@transaction.atomic
def _tell_the_end(plan_pk: int, *, now: datetime) -> list[int]:
    plan = Plan.objects.select_for_update().get(pk=plan_pk)
    if plan.told_at is not None:
        return []
    plan.told_at = now
    plan.save(update_fields=["told_at"])
    done = plan.remediations.filter(state__in=SUCCESS_STATES)
    return _claim(plan, NoticeKind.DONE, done, now=now) if done.exists() else []


@transaction.atomic
def move(plan: Plan, run_at: datetime, *, actor: User, now: datetime) -> None:
    """Another day for one's own campaign; owners are told of it at once. Raises NotAllowed, Conflict or Invalid."""
    plan = Plan.objects.select_for_update().get(pk=plan.pk)
    if plan.created_by_id != actor.pk:
        raise NotAllowed("Only the person who asked for a campaign can move it.")
    if plan.run_at is None or not plan.remediations.filter(state__in=WAITING_STATES, lease_token__isnull=True).exists():
        raise Conflict("Nothing of this campaign waits any more.")
    days = (run_at - now).days
    if not 1 <= days <= MOST_DAYS:
        raise Invalid({"run_at": f"Choose a day from tomorrow on, within {MOST_DAYS} days."})
    plan.grace_days = days
    _begin_anew(plan, run_at, now=now, words=f"Moved by {actor.get_username()}", actor=actor)


@transaction.atomic
def stop(plan: Plan, *, actor: User, reason: str, now: datetime) -> int:
    """Nothing that still waits is done. For the person who asked, and for approvers. Raises NotAllowed, Conflict or Invalid."""
    if plan.created_by_id != actor.pk and not (actor.is_active and actor.has_perm("hygiene.approve_change")):
        raise NotAllowed(
            f"Only {plan.created_by.get_username()}, or somebody with the role {roles_with('hygiene.approve_change')}, can stop it."
        )
    if not reason.strip():
        raise Invalid({"reason": "Say why it is stopped."})
    rows = list(plan.remediations.filter(state__in=WAITING_STATES).select_related(*RELATED).order_by("pk"))
    ended = _leave(rows, f"Stopped by {actor.get_username()}: {reason.strip()}", "stopped_campaign", now=now, actor=actor)
    if not ended:
        raise Conflict("Nothing of this campaign waits any more.")
    _record(plan, "stopped", f"{plural(ended, 'change')} will not be made: {reason.strip()}", now=now, actor=actor)
    return ended


@transaction.atomic
def let_go(rows: QuerySet[Remediation], *, words: str, code: str, actor: User, now: datetime) -> int:
    """These keys leave their campaign, in the words of their owner. Returns how many still waited."""
    waiting_rows = rows.filter(state__in=WAITING_STATES).select_related(*RELATED).order_by("pk")
    return _leave(list(waiting_rows), f"Left the campaign: {words}", code, now=now, actor=actor)


@dataclass(frozen=True, slots=True)
class Warned:
    """One warning of a campaign as its page lists it."""

    kind: str
    at: datetime
    owners: int
    is_of_this_cycle: bool


def warnings(plan: Plan) -> list[Warned]:
    """Warnings that were begun, newest first. No query."""
    labels = dict(NoticeKind.choices)
    entries = [
        Warned(str(labels[entry["kind"]]), datetime.fromisoformat(entry["at"]), entry["owners"], entry["cycle"] == plan.cycle)
        for entry in plan.warned
    ]
    return entries[::-1]


def without_owner(plan: Plan) -> int:
    """How many keys of the plan have nobody to be told. One query."""
    rows = plan.remediations.filter(key__isnull=False).select_related("key__principal", "key__account")
    return sum(1 for row in rows if not owner_of(row.this_key))


def _record(plan: Plan, outcome: str, message: str, *, now: datetime, actor: User | None = None) -> None:
    audit.record(
        action="campaign",
        outcome=outcome,
        now=now,
        actor=actor,
        target=f"campaign {plan.uuid} of {plan.created_by.get_username()}",
        message=message,
        after={"run_at": plan.run_at.isoformat() if plan.run_at else None, "cycle": plan.cycle},
        correlation_id=plan.uuid,
    )


__all__ = ["Warned", "let_go", "let_go_used", "move", "stop", "tend", "visible_to", "waiting", "warnings", "without_owner"]
