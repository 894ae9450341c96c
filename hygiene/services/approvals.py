"""Deciding on the requests of others, and taking back one's own: approve, deny, cancel, lapse. Nobody decides on what they asked for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts import audit
from accounts.models import Account
from hygiene.models import WAITING_STATES, Action, Approval, Plan, Remediation, State
from hygiene.people import roles_with
from hygiene.services import caps, change_rules
from hygiene.services.arrows import entry
from hygiene.services.consent import stored_hash
from hygiene.services.refused import Conflict, Invalid, NotAllowed

if TYPE_CHECKING:
    from django.contrib.auth.models import User


def waiting_for(user: User) -> QuerySet[Plan]:
    """Plans that this person may decide on: asked for by others, not decided by them yet, wholly in their scope. Oldest first."""
    if not user.has_perm("hygiene.approve_change"):
        return Plan.objects.none()
    rows = Remediation.objects.filter(plan=OuterRef("pk"))
    unseen = rows.exclude(account__in=Account.objects.visible_to(user))
    decided = Approval.objects.filter(plan=OuterRef("pk"), approver=user, change_hash=OuterRef("change_hash"))
    plans = Plan.objects.filter(Exists(rows.filter(state=State.AWAITING_APPROVAL))).exclude(created_by=user)
    return plans.exclude(Exists(unseen)).exclude(Exists(decided)).order_by("confirmed_at", "pk")


@transaction.atomic
def approve(*, plan: Plan, actor: User, comment: str = "", now: datetime) -> list[int]:
    """Agree to exactly the changes of the plan. Returns the rows that may run now, to be woken. Raises NotAllowed or Conflict."""
    rows = _open_for_decision(plan, actor)
    approval = _decide(plan, rows, actor=actor, is_approved=True, comment=comment, now=now)
    agreed = Approval.objects.filter(plan=plan, is_approved=True, expires_at__gt=now, change_hash=approval.change_hash)
    audit.record_many(entry(row, "approval", now=now, message=comment.strip(), actor=actor) for row in rows)
    if agreed.exclude(approver=plan.created_by_id).values("approver").distinct().count() < plan.approvals_needed:
        return []
    due = max(now, plan.run_at) if plan.run_at else now
    Remediation.objects.filter(pk__in=[row.pk for row in rows]).update(state=State.APPROVED, due_at=due)
    audit.record_many(entry(row, State.APPROVED, now=now, actor=actor) for row in rows)
    return [row.pk for row in rows] if due <= now else []


@transaction.atomic
def deny(*, plan: Plan, actor: User, comment: str, now: datetime) -> None:
    """Refuse the whole plan. Raises NotAllowed, Conflict, or Invalid without a comment."""
    rows = _open_for_decision(plan, actor)
    if not comment.strip():
        raise Invalid({"comment": "Say why not: the person who asked sees it."})
    _decide(plan, rows, actor=actor, is_approved=False, comment=comment, now=now)
    close(rows, State.DENIED, f"Denied by {actor.get_username()}: {comment.strip()}", now=now, actor=actor)


def _open_for_decision(plan: Plan, actor: User) -> list[Remediation]:
    """The rows that wait for approval, locked, if this person may decide on them."""
    if not (actor.is_active and actor.has_perm("hygiene.approve_change")):
        raise NotAllowed(f"This needs the role {roles_with('hygiene.approve_change')}.")
    Plan.objects.select_for_update().get(pk=plan.pk)
    everything = list(plan.remediations.select_related("account", "requested_by", "plan").order_by("pk"))
    if plan.created_by_id == actor.pk or any(row.requested_by_id == actor.pk for row in everything):
        raise NotAllowed("Nobody decides on their own request. Ask somebody else with the role approver.")
    visible = set(Account.objects.visible_to(actor).values_list("pk", flat=True))
    if any(row.account_id not in visible for row in everything):
        raise NotAllowed("Some of these accounts are not in your scope, so you cannot decide on this plan.")
    waiting = [row for row in everything if row.state == State.AWAITING_APPROVAL]
    if not waiting:
        raise Conflict("This plan does not wait for an approval any more.")
    return waiting


def _decide(plan: Plan, rows: Sequence[Remediation], *, actor: User, is_approved: bool, comment: str, now: datetime) -> Approval:
    covered = stored_hash(plan)
    if covered != plan.change_hash:
        raise Conflict("This plan is not what was confirmed: it was changed since. Nothing was approved.")
    try:
        with transaction.atomic():
            return Approval.objects.create(
                plan=plan,
                approver=actor,
                approver_name=actor.get_username(),
                is_approved=is_approved,
                comment=comment.strip(),
                change_hash=covered,
                decided_at=now,
                expires_at=_end(plan, len(rows), now=now),
            )
    except IntegrityError as error:
        raise Conflict("You have decided on this plan already.") from error


def _end(plan: Plan, count: int, *, now: datetime) -> datetime:
    """When an approval lapses: some hours after the changes may begin, or once the slices that the plan announced are through."""
    rules = change_rules.load()
    begins = max(now, plan.run_at) if plan.run_at else now
    return begins + timedelta(hours=max(rules.approval_hours, caps.hours(Action(plan.action), count, rules) + 1))


@transaction.atomic
def cancel(*, rows: QuerySet[Remediation], actor: User, now: datetime) -> int:
    """Take back one's own requests that no worker has taken up. Returns how many. Raises NotAllowed for those of others."""
    found = list(rows.select_related("account", "requested_by", "plan").order_by("pk"))
    if any(row.requested_by_id != actor.pk for row in found):
        raise NotAllowed("Only the person who asked can cancel a request.")
    return close(found, State.CANCELLED, f"Cancelled by {actor.get_username()}.", now=now, actor=actor)


@transaction.atomic
def lapse(*, now: datetime) -> int:
    """Expire what waited too long for approval, and what was approved so long ago that the approvals lapsed. Returns how many."""
    hours = change_rules.load().approval_hours
    asked_for = Q(state=State.AWAITING_APPROVAL, requested_at__lte=now - timedelta(hours=hours))
    agreed = Approval.objects.filter(plan=OuterRef("plan"), is_approved=True, expires_at__gt=now)
    lapsed = Q(state=State.APPROVED, plan__approvals_needed__gt=0) & ~Q(Exists(agreed))
    rows = Remediation.objects.filter(asked_for | lapsed).select_related("account", "requested_by", "plan").order_by("pk")
    return close(list(rows), State.EXPIRED, f"Not approved and begun within {hours} hours. Ask again if it is still wanted.", now=now)


@transaction.atomic
def drop_gone(*, now: datetime) -> int:
    """Cancel what waits for a user or key that AWS no longer has. Returns how many."""
    gone = Q(principal__gone_at__isnull=False) | Q(key__gone_at__isnull=False)
    rows = Remediation.objects.filter(gone, state__in=WAITING_STATES).select_related("account", "requested_by", "plan").order_by("pk")
    return close(list(rows), State.CANCELLED, "The user or key is gone in AWS: there is nothing left to change.", now=now)


def close(rows: Sequence[Remediation], state: State, sentence: str, *, now: datetime, actor: User | None = None) -> int:
    """End those that still wait and that no worker holds, each with its audit event. Returns how many."""
    open_rows = Remediation.objects.select_for_update().filter(
        pk__in=[row.pk for row in rows], state__in=WAITING_STATES, lease_token__isnull=True
    )
    still = set(open_rows.values_list("pk", flat=True))
    ended = [row for row in rows if row.pk in still]
    values = {"state": state, "finished_at": now, "result": sentence, "result_code": str(state)}
    Remediation.objects.filter(pk__in=still, state__in=WAITING_STATES).update(**values)
    audit.record_many(entry(row, state, now=now, message=sentence, actor=actor) for row in ended)
    return len(ended)
