"""The trend on a rule's page: one line over 26 weeks, with its table twin."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from hygiene.services import rule_trend
from hygiene.views import lists
from hygiene.views.access import SignedIn
from hygiene.views.charts import weeks_chart


def panel(request: SignedIn, code: str, *, now: datetime) -> dict[str, Any]:
    """What the template `_rule_trend` needs; its numbers are kept for a short while, as every count is."""
    name = ("rule trend", code, now.date())
    weeks = lists.counts(request).of(name, lambda: rule_trend.weeks(code, request.user, now=now))
    return {"trend": weeks_chart(weeks), "weeks": weeks}
