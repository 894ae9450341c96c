"""Finds remediations whose next step is due and that no worker holds. Wake-ups may be lost; these rows are the truth."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q

from hygiene.models import Remediation
from hygiene.services import approvals
from hygiene.services.arrows import DRIVEN_STATES


def tidy(*, now: datetime) -> None:
    """End what waits in vain: requests whose approval lapsed, and those for users or keys that AWS no longer has."""
    approvals.lapse(now=now)
    approvals.drop_gone(now=now)


def due(now: datetime) -> list[int]:
    """Primary keys of remediations to wake, longest waiting first. Waking one too many or twice does no harm: `execute` claims."""
    free = Q(lease_expires_at__isnull=True) | Q(lease_expires_at__lte=now)
    rows = Remediation.objects.filter(free, state__in=DRIVEN_STATES, due_at__lte=now)
    return list(rows.order_by("due_at", "pk").values_list("pk", flat=True))
