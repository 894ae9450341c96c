"""What approvals cover and whether they still hold: asked when a plan is confirmed and again just before each change.

An approval covers the SHA-256 of the exact list of changes. It holds while the approver is active, has the role, sees the account
and is not the person who asked. A row whose state says approved proves nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeAlias

from accounts.models import Account
from hygiene.models import SUCCESS_STATES, Action, Approval, Plan, Reason, Remediation, State
from hygiene.services.change_rules import ChangeRules
from hygiene.services.permissions import Refusal

TAKING_BACK = (Action.ENABLE, Action.ACTIVATE_CERTIFICATE)
COVERED = (
    *("account_id", "principal_id", "key_id", "target_kind", "target_id", "user_name", "user_arn", "access_key_id", "action"),
    *("seen_status", "seen_created_at", "seen_last_used_state", "seen_last_used_at", "requested_by_id", "is_early", "ticked"),
)


def change_hash(plan: Plan, rows: Iterable[Remediation]) -> str:
    """SHA-256 in hex over the plan, its time and every change in it, in an order that does not depend on the database."""
    return _hash(plan, ([getattr(row, name) for name in COVERED] for row in rows))


def stored_hash(plan: Plan) -> str:
    """`change_hash` of the plan's changes as they are stored now. One query."""
    return _hash(plan, plan.remediations.values_list(*COVERED))


def _hash(plan: Plan, changes: Iterable[Sequence[Any]]) -> str:
    lines = sorted(json.dumps([_plain(value) for value in change]) for change in changes)
    return hashlib.sha256(json.dumps([str(plan.uuid), _plain(plan.run_at), lines]).encode()).hexdigest()


def _plain(value: Any) -> Any:
    return value.astimezone(UTC).isoformat(timespec="microseconds") if isinstance(value, datetime) else value


Target: TypeAlias = tuple[int, str, str]  # a principal's key, the kind of credential and its id


def after_leak(targets: Iterable[Target]) -> set[Target]:
    """Those that were last disabled as a suspected leak, or may have been. One query."""
    wanted = set(targets)
    done = Remediation.objects.filter(
        principal__in={principal for principal, _, _ in wanted},
        action__in=(Action.DISABLE, Action.DEACTIVATE_CERTIFICATE),
        state__in=(*SUCCESS_STATES, State.NEEDS_HUMAN),
    )
    rows = done.order_by("finished_at", "pk").values_list("principal_id", "target_kind", "target_id", "reason")
    last = {(principal, kind, name): reason for principal, kind, name, reason in rows}
    return {target for target in wanted if last.get(target) == Reason.SUSPECTED_LEAK}


def needed_by(row: Remediation, rules: ChangeRules) -> int:
    """How many other people must agree to this one change by the rules, whatever its plan says."""
    is_leak = row.action in TAKING_BACK and bool(after_leak([(row.principal_id, row.target_kind, row.target_id)]))
    count = rules.approvals(Action(row.action), after_leak=is_leak)
    return max(count, 1) if row.is_early else count


def holding(remediation: Remediation, *, now: datetime) -> list[Approval]:
    """Approvals of this change that hold now, at most one for each person."""
    plan = remediation.plan
    approvals = Approval.objects.filter(plan=plan, is_approved=True, expires_at__gt=now).select_related("approver")
    approvals = approvals.exclude(approver=plan.created_by_id).exclude(approver=remediation.requested_by_id)
    found = {approval.approver_id: approval for approval in approvals}
    if not found:
        return []
    covered = stored_hash(plan)
    return [approval for approval in found.values() if approval.change_hash == covered and _may(approval, remediation)]


def _may(approval: Approval, remediation: Remediation) -> bool:
    approver = approval.approver
    if not (approver.is_active and approver.has_perm("hygiene.approve_change")):
        return False
    return Account.objects.visible_to(approver).filter(pk=remediation.account_id).exists()


def has_second_person(remediation: Remediation, *, now: datetime) -> bool:
    """Whether somebody else agreed to exactly this, and still may."""
    return bool(holding(remediation, now=now))


def refusal(remediation: Remediation, *, rules: ChangeRules, now: datetime) -> Refusal | None:
    """Too few approvals that hold, at the moment of the change."""
    needed = max(remediation.plan.approvals_needed, needed_by(remediation, rules))
    if not needed:
        return None
    have = len(holding(remediation, now=now))
    if have >= needed:
        return None
    return Refusal("not_approved", f"This needs {needed} approvals by other people that still hold, and has {have}. Nothing was changed.")
