"""The button that leads to the form of an exemption, with its reason when the person may not."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django import template

from hygiene.people import roles_with

register = template.Library()


@register.inclusion_tag("hygiene/_exempt_button.html", takes_context=True)
def exempt_button(context: dict[str, Any], look: str = "", **query: Any) -> dict[str, Any]:
    """`{% exempt_button key=key.uuid %}`, `user=…`, `account=…`, also with `rule=code`."""
    request = context.get("request")
    may = request is not None and request.user.has_perm("hygiene.accept_risk")
    return {"may": may, "look": look, "query": urlencode({**query}), "roles": roles_with("hygiene.accept_risk")}
