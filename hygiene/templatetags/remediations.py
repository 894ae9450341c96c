"""Words of changes, for templates: what is being done, and how it ended."""

from __future__ import annotations

from django import template

from hygiene.models import SUCCESS_STATES, Action, Remediation, State

register = template.Library()
DOING = {Action.DISABLE: "disabling", Action.ENABLE: "enabling", Action.DELETE: "deleting"}
BAD_STATES = (State.FAILED, State.NEEDS_HUMAN, State.NOT_APPLIED)


@register.filter
def doing(remediation: Remediation) -> str:
    """Disabling, enabling, deleting: said until AWS confirms."""
    return DOING[Action(remediation.action)]


@register.filter
def level(remediation: Remediation) -> str:
    """How a change ended, as a glyph's name: shape carries the meaning."""
    if remediation.state in SUCCESS_STATES:
        return "ok"
    return "high" if remediation.state in BAD_STATES else "unknown"
