"""The way to change AWS: a plan is confirmed and becomes remediations, which a worker executes (`services.execution`).

Nothing here calls AWS. A row and its audit event are committed together; the caller then wakes a worker.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, transaction

from accounts import audit
from hygiene.domain.facts import KeyStatus
from hygiene.models import SUCCESS_STATES, AccessKey, Action, Disposition, Plan, PlanItem, Reason, Remediation, State, TargetKind
from hygiene.services import change_rules, consent, needs, switch, targets
from hygiene.services.arrows import entry, record
from hygiene.services.boxes import Boxes, offered
from hygiene.services.confirmed import row_of, set_aside
from hygiene.services.execution import execute
from hygiene.services.permissions import role_refusal
from hygiene.services.plans import expected_typing, is_typed, make_plan, under_way_sentence
from hygiene.services.refused import Conflict, Invalid, NotAllowed

if TYPE_CHECKING:
    from django.contrib.auth.models import User

__all__ = ["Conflict", "Invalid", "NotAllowed", "confirm", "enable", "execute", "explain", "undo"]

MOST_DAYS = 90  # that a campaign waits
AFTER = {  # every other action deletes
    Action.DISABLE: KeyStatus.INACTIVE,
    Action.ENABLE: KeyStatus.ACTIVE,
    Action.DEACTIVATE_CERTIFICATE: KeyStatus.INACTIVE,
    Action.ACTIVATE_CERTIFICATE: KeyStatus.ACTIVE,
}


def confirm(
    *,
    plan: Plan,
    actor: User,
    reason: str,
    note: str = "",
    ticket: str = "",
    typed: str = "",
    include_in_use: bool = False,
    ticked: Collection[str] = (),
    in_days: int = 0,
    notifies_owners: bool = False,
    now: datetime,
    undo_of: Remediation | None = None,
) -> list[Remediation]:
    """Use up the plan: one remediation for each key that is to be changed, each with its audit event. The caller wakes a worker.

    With `in_days` it is a campaign: owners are warned, and nothing is done before so many days are over.
    `ticked` are the codes of cautions that the person accepts. Keys that changed since are set aside when the plan has several.
    Confirming again answers with what the first time made. Raises NotAllowed, Conflict or Invalid, and then makes nothing.
    """
    plan.refresh_from_db()
    _require_rights(plan, actor)
    if plan.confirmed_at is not None:
        return _made_by(plan)
    _require_open(plan, now)
    items = list(plan.items.select_related("key", "principal__account").order_by("pk"))
    chosen = _chosen(items, Boxes(include_in_use, frozenset(ticked)))
    _require_words(plan, items, chosen, reason=reason, note=note, typed=typed)
    plan.reason, plan.note, plan.ticket = reason, note.strip(), ticket.strip()
    aside = set_aside(plan, chosen, actor=actor, ticked=ticked, now=now)
    _set_time(plan, in_days, notifies_owners=notifies_owners, now=now)
    try:
        with transaction.atomic():
            PlanItem.objects.bulk_update(aside, ["disposition", "skip_code", "skip_reason"], batch_size=500)
            left = [item for item in chosen if item not in aside]
            return _use_up(plan, left, actor=actor, now=now, ticked=ticked, undo_of=undo_of)
    except IntegrityError as error:
        _raise_conflict(chosen, error, now=now)
        raise


def _raise_conflict(chosen: Collection[PlanItem], error: IntegrityError, *, now: datetime) -> None:
    """Conflict that names the change under way, if there is one of these users."""
    running = Remediation.objects.open().filter(principal__in=[item.principal_id for item in chosen]).first()
    if running is not None:
        raise Conflict(under_way_sentence(running, now)) from error


def _set_time(plan: Plan, in_days: int, *, notifies_owners: bool, now: datetime) -> None:
    """At once, or a campaign of so many days; only disables of keys can wait."""
    plan.notifies_owners = plan.action == Action.DISABLE and (notifies_owners or in_days > 0)
    if not in_days:
        return
    if plan.action != Action.DISABLE:
        raise Invalid({"in_days": "Only a disable can wait."})
    if not 1 <= in_days <= MOST_DAYS:
        raise Invalid({"in_days": f"Give a number of days from 1 to {MOST_DAYS}."})
    plan.grace_days, plan.run_at = in_days, now + timedelta(days=in_days)


def _require_open(plan: Plan, now: datetime) -> None:
    if now >= plan.expires_at:
        raise Conflict("This plan is older than an hour. Nothing was done; look at the key again.")
    stopped = switch.refusal_of(switch.current())
    if stopped is not None:
        raise Conflict(f"Nothing was done. {stopped.sentence}")


def _require_rights(plan: Plan, actor: User) -> None:
    if plan.created_by_id != actor.pk:
        raise NotAllowed("Only the person who made a plan can confirm it.")
    refusal = role_refusal(actor, Action(plan.action))
    if refusal is not None:
        raise NotAllowed(refusal.sentence)


def _made_by(plan: Plan) -> list[Remediation]:
    return list(plan.remediations.select_related("account", "key", "plan").order_by("pk"))


def _require_words(plan: Plan, items: list[PlanItem], chosen: list[PlanItem], *, reason: str, note: str, typed: str) -> None:
    errors: dict[str, str] = {}
    if reason not in Reason.values:
        errors["reason"] = "Choose a reason."
    elif reason == Reason.OTHER and not note.strip():
        errors["note"] = "Say what the reason is."
    expected = expected_typing(plan, items, chosen)
    if expected and not is_typed(plan, expected, typed):
        errors["typed"] = f"Type {expected} to confirm."
    if errors:
        raise Invalid(errors)


def _chosen(items: list[PlanItem], boxes: Boxes) -> list[PlanItem]:
    """What will be done; Conflict where nothing can be, Invalid where the boxes leave nothing."""
    able = offered(items, boxes)
    chosen = [item for item in able if boxes.accepts(item)]
    if not able and any(item.disposition == Disposition.IN_USE for item in items):
        raise Invalid({"include_in_use": "Include the keys in use, or leave all as they are: there are no others."})
    if not able:
        reasons = dict.fromkeys(item.skip_reason for item in items if item.skip_reason)
        raise Conflict(" ".join(reasons) or "Nothing is left to do in this plan.")
    if not chosen:
        raise Invalid({"ticked": "Tick what you accept, or leave these keys as they are."})
    return chosen


def _use_up(
    plan: Plan, chosen: list[PlanItem], *, actor: User, now: datetime, ticked: Collection[str], undo_of: Remediation | None
) -> list[Remediation]:
    if not Plan.objects.filter(pk=plan.pk, confirmed_at__isnull=True).update(confirmed_at=now):
        return _made_by(plan)
    plan.confirmed_at = now
    rows = [row_of(plan, item, actor=actor, now=now, ticked=ticked, undo_of=undo_of) for item in chosen]
    asked = needs.of_items(Action(plan.action), chosen, actor_pk=actor.pk, rules=change_rules.load(), now=now)
    plan.approvals_needed, plan.approval_why = asked.approvals, " ".join(asked.why) if asked.approvals else ""
    plan.change_hash = consent.change_hash(plan, rows)
    plan.save()
    if plan.approvals_needed:
        for row in rows:
            row.state, row.needs_second_person = State.AWAITING_APPROVAL, True
    made = Remediation.objects.bulk_create(rows, batch_size=500)
    wanted = {"status": AFTER.get(Action(plan.action), "deleted")}
    audit.record_many(entry(row, "requested", now=now, message=plan.approval_why, before=_seen(row), after=wanted) for row in made)
    return made


def _seen(row: Remediation) -> dict[str, Any]:
    return {"status": row.seen_status, "last_used_at": row.seen_last_used_at.isoformat() if row.seen_last_used_at else None}


@transaction.atomic
def enable(*, key: AccessKey, actor: User, now: datetime) -> Remediation:
    """Ask for a disabled key to be active again, without more questions; the reason may be given afterwards (`explain`).

    Raises NotAllowed or Conflict.
    """
    undone = Remediation.objects.filter(key=key, action=Action.DISABLE, state__in=SUCCESS_STATES).order_by("-finished_at").first()
    plan = make_plan(keys=[key], action=Action.ENABLE, actor=actor, now=now)
    return confirm(plan=plan, actor=actor, reason=Reason.UNDO, now=now, undo_of=undone)[0]


@transaction.atomic
def undo(remediation: Remediation, *, actor: User, now: datetime) -> Remediation:
    """Make active again what this disabled or deactivated. Raises NotAllowed or Conflict; Conflict too for what cannot be undone."""
    if not is_undoable(remediation):
        raise Conflict("Only a disable or deactivation that was done can be undone.")
    if remediation.action == Action.DISABLE:
        return enable(key=remediation.this_key, actor=actor, now=now)
    target = _deactivated(remediation)
    if target is None:
        raise Conflict("This certificate is not as it was left: there is nothing to undo.")
    plan = targets.make_plan(target, Action.ACTIVATE_CERTIFICATE, actor=actor, now=now)
    return confirm(plan=plan, actor=actor, reason=Reason.UNDO, now=now, undo_of=remediation)[0]


def is_undoable(remediation: Remediation) -> bool:
    """Whether it disabled a key, or deactivated a certificate, that is, as far as is known, still so and there."""
    if remediation.state not in SUCCESS_STATES:
        return False
    if remediation.action == Action.DEACTIVATE_CERTIFICATE:
        return _deactivated(remediation) is not None
    is_left = remediation.action == Action.DISABLE and remediation.this_key.status == KeyStatus.INACTIVE
    return is_left and remediation.this_key.gone_at is None


def _deactivated(remediation: Remediation) -> targets.Target | None:
    """The certificate that it deactivated, if it is still inactive. AWS may have told its id since it was asked for."""
    names = {remediation.target_id, str(remediation.live_before.get("id", ""))}
    found = (target for target in targets.of_user(remediation.principal) if target.kind == TargetKind.CERTIFICATE and target.name in names)
    return next((target for target in found if target.status == KeyStatus.INACTIVE), None)


@transaction.atomic
def explain(remediation: Remediation, *, actor: User, reason: str, note: str = "", ticket: str = "", now: datetime) -> None:
    """Give the reason for making one's own credential work again, which asked for none. Raises NotAllowed for anything else, or Invalid.

    The reason of every other change was given before it was confirmed, and stays: whether a leak is taken back alone rests on it.
    """
    if remediation.action not in consent.TAKING_BACK:
        raise NotAllowed("The reason of this change was given before it was confirmed, and stays as it is.")
    if remediation.requested_by_id != actor.pk:
        raise NotAllowed(f"Only {remediation.requested_by_name}, who asked for it, can give the reason.")
    if reason not in Reason.values:
        raise Invalid({"reason": "Choose a reason."})
    if reason == Reason.OTHER and not note.strip():
        raise Invalid({"note": "Say what the reason is."})
    remediation.reason, remediation.note, remediation.ticket = reason, note.strip(), ticket.strip()
    remediation.save(update_fields=["reason", "note", "ticket"])
    record(remediation, "explained", now=now)
