"""Words of changes, for templates: what is being done, and how it ended."""

from __future__ import annotations

from django import template

from hygiene.domain.wording import short_key_id
from hygiene.models import SUCCESS_STATES, TARGETS, Action, PlanItem, Remediation, State, TargetKind

register = template.Library()
DOING = {
    Action.DISABLE: "disabling",
    Action.ENABLE: "enabling",
    Action.DEACTIVATE_CERTIFICATE: "deactivating",
    Action.ACTIVATE_CERTIFICATE: "activating",
    Action.DEACTIVATE_ROOT_MFA: "deactivating",
}
NAMES = {TargetKind.PASSWORD: "console password", TargetKind.CERTIFICATE: "certificate", TargetKind.MFA_DEVICE: "MFA device"}
BAD_STATES = (State.FAILED, State.NEEDS_HUMAN, State.NOT_APPLIED)


@register.filter
def doing(remediation: Remediation) -> str:
    """Disabling, enabling, deleting: said until AWS confirms."""
    return DOING.get(Action(remediation.action), "deleting")


@register.filter
def credential(row: Remediation | PlanItem) -> str:
    """What it is about: "AKIA…EGXD", "console password", "certificate …4QX7"."""
    kind = TargetKind(row.target_kind) if isinstance(row, Remediation) else TARGETS[Action(row.plan.action)]
    name = row.target_id if row.key is None else row.key.access_key_id or ""
    if kind == TargetKind.ACCESS_KEY:
        return short_key_id(name)
    return f"{NAMES[kind]} {name if len(name) < 33 else f'…{name[-24:]}'}".strip()


@register.filter
def level(remediation: Remediation) -> str:
    """How a change ended, as a glyph's name: shape carries the meaning."""
    if remediation.state in SUCCESS_STATES:
        return "ok"
    return "high" if remediation.state in BAD_STATES else "unknown"
