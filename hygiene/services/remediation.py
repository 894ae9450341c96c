"""The way to change AWS: a plan is confirmed and becomes remediations, which a worker executes (`services.execution`).

Nothing here calls AWS. A row and its audit event are committed together; the caller then wakes a worker.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, transaction

from accounts import audit
from accounts.models import Account
from hygiene.domain.facts import KeyStatus
from hygiene.models import SUCCESS_STATES, AccessKey, Action, Disposition, Plan, PlanItem, Reason, Remediation, State
from hygiene.services import cautions, change_rules, consent, needs, switch
from hygiene.services.arrows import entry, record
from hygiene.services.cautions import codes_of
from hygiene.services.execution import execute
from hygiene.services.permissions import Refusal, role_refusal, why_not, with_actions
from hygiene.services.plans import expected_typing, is_typed, make_plan, under_way, under_way_sentence
from hygiene.services.refused import Conflict, Invalid, NotAllowed

if TYPE_CHECKING:
    from django.contrib.auth.models import User

__all__ = ["Conflict", "Invalid", "NotAllowed", "confirm", "enable", "execute", "explain", "undo"]

AFTER = {Action.DISABLE: KeyStatus.INACTIVE, Action.ENABLE: KeyStatus.ACTIVE, Action.DELETE: "deleted"}


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
    now: datetime,
    undo_of: Remediation | None = None,
) -> list[Remediation]:
    """Use up the plan: one remediation for each key that is to be changed, each with its audit event. The caller wakes a worker.

    `ticked` are the codes of cautions that the person accepts. Keys that changed since are set aside when the plan has several.
    Confirming again answers with what the first time made. Raises NotAllowed, Conflict or Invalid, and then makes nothing.
    """
    plan.refresh_from_db()
    _require_rights(plan, actor)
    if plan.confirmed_at is not None:
        return _made_by(plan)
    _require_open(plan, now)
    items = list(plan.items.select_related("key", "principal__account").order_by("pk"))
    chosen = _chosen(items, include_in_use=include_in_use, ticked=ticked)
    _require_words(plan, items, chosen, reason=reason, note=note, typed=typed)
    aside = _changed_since(plan, chosen, actor=actor, ticked=ticked, now=now)
    chosen = [item for item in chosen if item not in aside]
    plan.reason, plan.note, plan.ticket = reason, note.strip(), ticket.strip()
    try:
        with transaction.atomic():
            PlanItem.objects.bulk_update(aside, ["disposition", "skip_code", "skip_reason"], batch_size=500)
            return _use_up(plan, chosen, actor=actor, now=now, ticked=ticked, undo_of=undo_of)
    except IntegrityError as error:
        running = Remediation.objects.open().filter(key__in=[item.key_id for item in chosen]).first()
        if running is None:
            raise
        raise Conflict(under_way_sentence(running, now)) from error


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


def _chosen(items: list[PlanItem], *, include_in_use: bool, ticked: Collection[str]) -> list[PlanItem]:
    """What will be done. One key alone that is in use was opted in by typing its last characters; cautions are opted in by ticks."""
    wanted = {Disposition.WILL_DO} | ({Disposition.IN_USE} if include_in_use or len(items) == 1 else set())
    offered = [item for item in items if item.disposition in wanted]
    chosen = [item for item in offered if codes_of(item) <= set(ticked)]
    if not offered:
        reasons = dict.fromkeys(item.skip_reason for item in items if item.skip_reason)
        raise Conflict(" ".join(reasons) or "Nothing is left to do in this plan.")
    if not chosen:
        raise Invalid({"ticked": "Tick what you accept, or leave these keys as they are."})
    return chosen


def _changed_since(plan: Plan, chosen: list[PlanItem], *, actor: User, ticked: Collection[str], now: datetime) -> list[PlanItem]:
    """Items that are not as the person saw them, marked as skipped. For a single key this is a Conflict; nothing left is one too."""
    rows = {key.pk: key for key in with_actions(AccessKey.objects.filter(pk__in=[item.key_id for item in chosen]))}
    visible = set(Account.objects.visible_to(actor).values_list("pk", flat=True))
    speaking = cautions.of_keys(rows) if plan.action != Action.ENABLE else {}
    aside: list[PlanItem] = []
    for item in chosen:
        key = item.key = rows[item.this_key.pk]
        if key.account_id not in visible:
            raise NotAllowed(f"{key.account.name} is not in your scope.")
        refusal = why_not(key, Action(plan.action), user=actor, now=now) or _news(plan, item, key)
        if refusal is None and not speaking.get(key.pk, set()) <= set(ticked):
            refusal = Refusal("caution", "Something speaks for this key since you looked: an exemption or a rotation.")
        if refusal is None and len(chosen) > 1:
            refusal = under_way(key, now)
        if refusal is not None:
            item.disposition, item.skip_code, item.skip_reason = Disposition.SKIPPED, refusal.code, refusal.sentence
            aside.append(item)
    if len(aside) == len(chosen):
        raise Conflict(" ".join(dict.fromkeys(item.skip_reason for item in aside)))
    return aside


def _news(plan: Plan, item: PlanItem, key: AccessKey) -> Refusal | None:
    if key.last_used_at != item.seen_last_used_at and plan.action != Action.ENABLE:
        return Refusal("used_since", "This key's last use is newer than what this plan shows. Look at it again.")
    return None


def _use_up(
    plan: Plan, chosen: list[PlanItem], *, actor: User, now: datetime, ticked: Collection[str], undo_of: Remediation | None
) -> list[Remediation]:
    if not Plan.objects.filter(pk=plan.pk, confirmed_at__isnull=True).update(confirmed_at=now):
        return _made_by(plan)
    plan.confirmed_at = now
    rows = [_remediation(plan, item, actor=actor, now=now, ticked=ticked, undo_of=undo_of) for item in chosen]
    asked = needs.of_items(Action(plan.action), chosen, rules=change_rules.load(), now=now)
    plan.approvals_needed, plan.approval_why = asked.approvals, " ".join(asked.why) if asked.approvals else ""
    plan.change_hash = consent.change_hash(plan, rows)
    plan.save()
    if plan.approvals_needed:
        for row in rows:
            row.state, row.needs_second_person = State.AWAITING_APPROVAL, True
    made = Remediation.objects.bulk_create(rows, batch_size=500)
    wanted = {"status": AFTER[Action(plan.action)]}
    audit.record_many(entry(row, "requested", now=now, message=plan.approval_why, before=_seen(row), after=wanted) for row in made)
    return made


def _seen(row: Remediation) -> dict[str, Any]:
    return {"status": row.seen_status, "last_used_at": row.seen_last_used_at.isoformat() if row.seen_last_used_at else None}


def _remediation(
    plan: Plan, item: PlanItem, *, actor: User, now: datetime, ticked: Collection[str], undo_of: Remediation | None
) -> Remediation:
    key = item.this_key
    codes = codes_of(item)
    return Remediation(
        plan=plan,
        account=key.account,
        principal=key.principal,
        key=key,
        target_id=key.access_key_id or "",
        access_key_id=key.access_key_id or "",
        user_name=key.principal.name,
        user_arn=key.principal.arn,
        action=plan.action,
        state=State.REQUESTED,
        seen_status=item.seen_status,
        seen_created_at=item.seen_created_at,
        seen_last_used_state=item.seen_last_used_state,
        seen_last_used_at=item.seen_last_used_at,
        requested_by=actor,
        requested_by_name=actor.get_username(),
        requested_at=now,
        due_at=now,
        reason=plan.reason,
        note=plan.note,
        ticket=plan.ticket,
        undo_of=undo_of,
        ticked=sorted(codes & set(ticked)),
        is_early="early" in codes,
    )


@transaction.atomic
def enable(*, key: AccessKey, actor: User, now: datetime) -> Remediation:
    """Ask for a disabled key to be active again, without more questions; the reason may be given afterwards (`explain`).

    Raises NotAllowed or Conflict.
    """
    undone = Remediation.objects.filter(key=key, action=Action.DISABLE, state__in=SUCCESS_STATES).order_by("-finished_at").first()
    plan = make_plan(keys=[key], action=Action.ENABLE, actor=actor, now=now)
    return confirm(plan=plan, actor=actor, reason=Reason.UNDO, now=now, undo_of=undone)[0]


def undo(remediation: Remediation, *, actor: User, now: datetime) -> Remediation:
    """Enable again what this remediation disabled. Raises NotAllowed or Conflict; Conflict too for what cannot be undone."""
    if not is_undoable(remediation):
        raise Conflict("Only a disable that was done can be undone.")
    return enable(key=remediation.this_key, actor=actor, now=now)


def is_undoable(remediation: Remediation) -> bool:
    """Whether it disabled a key that is, as far as is known, still disabled and there."""
    is_done = remediation.action == Action.DISABLE and remediation.state in SUCCESS_STATES
    return is_done and remediation.this_key.status == KeyStatus.INACTIVE and remediation.this_key.gone_at is None


@transaction.atomic
def explain(remediation: Remediation, *, actor: User, reason: str, note: str = "", ticket: str = "", now: datetime) -> None:
    """Give the reason for one's own request afterwards. Raises NotAllowed for somebody else's, Invalid without a reason."""
    if remediation.requested_by_id != actor.pk:
        raise NotAllowed(f"Only {remediation.requested_by_name}, who asked for it, can give the reason.")
    if reason not in Reason.values:
        raise Invalid({"reason": "Choose a reason."})
    if reason == Reason.OTHER and not note.strip():
        raise Invalid({"note": "Say what the reason is."})
    remediation.reason, remediation.note, remediation.ticket = reason, note.strip(), ticket.strip()
    remediation.save(update_fields=["reason", "note", "ticket"])
    record(remediation, "explained", now=now)
