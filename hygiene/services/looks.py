"""Reads that a worker does for somebody: the right to one is leased, lost when it runs out, and taken up again by the sweeper."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, TypeAlias
from uuid import uuid4

from django.db.models import Q

from hygiene.models import AccessCheck, RequestState, RootInspection, UsageEvidence

Look: TypeAlias = UsageEvidence | RootInspection | AccessCheck
Looks: TypeAlias = type[UsageEvidence] | type[RootInspection] | type[AccessCheck]

LEASE = timedelta(minutes=4)  # longer than one task may run
GIVE_UP_AFTER = timedelta(minutes=20)
UNTAKEN = timedelta(seconds=60)  # queued for so long without a worker: its wake-up was lost
OPEN = (RequestState.QUEUED, RequestState.RUNNING)


def claim(look: Look, *, now: datetime, **only: Any) -> bool:
    """Take a queued look, or one whose worker is gone. False: somebody else has it, it is finished, or it is not as `only` says."""
    free = Q(lease_expires_at__isnull=True) | Q(lease_expires_at__lte=now)
    values: dict[str, Any] = {"state": RequestState.RUNNING, "lease_token": uuid4(), "lease_expires_at": now + LEASE}
    if not type(look).objects.filter(free, pk=look.pk, state__in=OPEN, **only).update(**values):
        return False
    for name, value in values.items():
        setattr(look, name, value)
    return True


def write(look: Look, **values: Any) -> bool:
    """Write values while the lease is ours. False, and nothing is written, when another worker took it or it was closed."""
    mine = type(look).objects.filter(pk=look.pk, lease_token=look.lease_token, state=RequestState.RUNNING)
    return mine.update(**values) == 1


def finish(look: Look, state: RequestState, *, now: datetime, **values: Any) -> bool:
    """The end of a look. False as in `write`."""
    return write(look, state=state, finished_at=now, lease_token=None, lease_expires_at=None, **values)


def due(kind: Looks, *, now: datetime) -> list[int]:
    """Looks to wake again: no worker took them, or theirs is gone. Those that nobody could finish in 20 minutes are closed as failed."""
    gone = Q(lease_expires_at__lte=now) | Q(lease_expires_at__isnull=True, requested_at__lte=now - UNTAKEN)
    rows = kind.objects.filter(gone, state__in=OPEN)
    rows.filter(requested_at__lte=now - GIVE_UP_AFTER).update(
        state=RequestState.FAILED,
        finished_at=now,
        lease_token=None,
        lease_expires_at=None,
        error="No worker could finish it in 20 minutes.",
    )
    return list(rows.order_by("pk").values_list("pk", flat=True))
