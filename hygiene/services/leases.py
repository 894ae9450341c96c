"""The right of one worker to one poll: claimed by compare-and-swap, renewed on the way, lost when it runs out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from uuid import uuid4

from django.db import transaction
from django.db.models import Q

from hygiene.models import Poll, PollOutcome

LEASE = timedelta(minutes=11)  # longer than a task may run, so that a living worker never loses it


class LeaseLost(Exception):
    """Another worker has the row, or it was closed: whatever this one knows is stale and must not be written."""


def claim(poll_pk: int, *, now: datetime) -> Poll | None:
    """Take a queued poll, or one whose worker's lease ran out before it began to write. None: somebody else has it, or it is done."""
    token = uuid4()
    free = Q(lease_expires_at__isnull=True)
    taken = Poll.objects.filter(free, pk=poll_pk, finished_at__isnull=True).update(
        lease_token=token, lease_expires_at=now + LEASE, started_at=now, phase="report"
    )
    return Poll.objects.select_related("account").get(pk=poll_pk) if taken else None


@contextmanager
def fenced(poll: Poll, *, now: datetime, phase: str) -> Iterator[None]:
    """One transaction that holds the lease: raises LeaseLost, and writes nothing, when it is not ours any more."""
    with transaction.atomic():
        mine = Poll.objects.filter(pk=poll.pk, lease_token=poll.lease_token, finished_at__isnull=True)
        if not mine.update(lease_expires_at=now + LEASE, phase=phase):
            raise LeaseLost
        yield


def abandon_expired(*, now: datetime) -> list[Poll]:
    """Close polls whose worker died. Returns them."""
    expired = list(Poll.objects.unfinished().filter(lease_expires_at__lt=now).select_related("account"))
    closed = []
    for poll in expired:
        mine = Poll.objects.filter(pk=poll.pk, lease_token=poll.lease_token, finished_at__isnull=True, lease_expires_at__lt=now)
        sentence = "The worker that ran this poll is gone. The account is polled again."
        if mine.update(finished_at=now, outcome=PollOutcome.ABANDONED, error_code="Abandoned", error=sentence):
            closed.append(poll)
    return closed
