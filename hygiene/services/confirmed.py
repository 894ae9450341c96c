"""What a confirmed plan becomes: what changed since the person looked is set aside, the rest are rows."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from accounts.models import Account
from hygiene.models import TARGETS, AccessKey, Action, Disposition, Plan, PlanItem, Remediation, State
from hygiene.services import cautions, targets
from hygiene.services.cautions import codes_of
from hygiene.services.permissions import Refusal, why_not, with_actions
from hygiene.services.plans import under_way
from hygiene.services.refused import Conflict, NotAllowed

if TYPE_CHECKING:
    from django.contrib.auth.models import User


def set_aside(plan: Plan, chosen: list[PlanItem], *, actor: User, ticked: Collection[str], now: datetime) -> list[PlanItem]:
    """Items that are not as the person saw them, marked as skipped. For a single one this is a Conflict; nothing left is one too.

    Raises NotAllowed for an account that the person may not see.
    """
    visible = set(Account.objects.visible_to(actor).values_list("pk", flat=True))
    hidden = [item.principal.account for item in chosen if item.principal.account_id not in visible]
    if hidden:
        raise NotAllowed(f"{hidden[0].name} is not in your scope.")
    keys = {key.pk: key for key in with_actions(AccessKey.objects.filter(pk__in=[item.key_id for item in chosen]))}
    speaking = cautions.of_keys(keys) if plan.action != Action.ENABLE else {}
    aside: list[PlanItem] = []
    for item in chosen:
        if item.key_id is None:
            refusal = targets.changed_since(plan, item, actor=actor, now=now)
        else:
            item.key = keys[item.key_id]
            refusal = _of_key(plan, item, item.key, actor=actor, now=now) or _unticked(item.key, speaking, ticked)
            if refusal is None and len(chosen) > 1:
                refusal = under_way(item.key, now)
        if refusal is not None:
            item.disposition, item.skip_code, item.skip_reason = Disposition.SKIPPED, refusal.code, refusal.sentence
            aside.append(item)
    if len(aside) == len(chosen):
        raise Conflict(" ".join(dict.fromkeys(item.skip_reason for item in aside)))
    return aside


def _of_key(plan: Plan, item: PlanItem, key: AccessKey, *, actor: User, now: datetime) -> Refusal | None:
    refused = why_not(key, Action(plan.action), user=actor, now=now)
    if refused is None and key.last_used_at != item.seen_last_used_at and plan.action != Action.ENABLE:
        return Refusal("used_since", "This key's last use is newer than what this plan shows. Look at it again.")
    return refused


def _unticked(key: AccessKey, speaking: Mapping[int, set[str]], ticked: Collection[str]) -> Refusal | None:
    if speaking.get(key.pk, set()) <= set(ticked):
        return None
    return Refusal("caution", "Something speaks for this key since you looked: an exemption or a rotation.")


def row_of(plan: Plan, item: PlanItem, *, actor: User, now: datetime, ticked: Collection[str], undo_of: Remediation | None) -> Remediation:
    """One requested change, not stored yet. Nothing of it is done before the plan's time."""
    key, codes = item.key, codes_of(item)
    key_id = (key.access_key_id or "") if key else ""
    return Remediation(
        plan=plan,
        account=item.principal.account,
        principal=item.principal,
        key=key,
        target_kind=TARGETS[Action(plan.action)],
        target_id=key_id if key else item.target_id,
        access_key_id=key_id or (item.target_id if plan.action == Action.DELETE_ROOT_KEY else ""),
        user_name=item.principal.name,
        user_arn=item.principal.arn,
        action=plan.action,
        state=State.REQUESTED,
        seen_status=item.seen_status,
        seen_created_at=item.seen_created_at,
        seen_last_used_state=item.seen_last_used_state,
        seen_last_used_at=item.seen_last_used_at,
        requested_by=actor,
        requested_by_name=actor.get_username(),
        requested_at=now,
        due_at=max(now, plan.run_at) if plan.run_at else now,
        reason=plan.reason,
        note=plan.note,
        ticket=plan.ticket,
        undo_of=undo_of,
        ticked=sorted(codes & set(ticked)),
        is_early="early" in codes,
    )
