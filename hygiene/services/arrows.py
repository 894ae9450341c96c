"""The arrows between the states of a remediation: each one compare-and-swap UPDATE, in one transaction with its audit row.

A worker that lost its lease carries an old token: whatever it tries to write then changes no row and raises `Superseded`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import transaction

from accounts import audit
from hygiene.models import OPEN_STATES, Remediation, State, TargetKind

if TYPE_CHECKING:
    from django.contrib.auth.models import User

LEASE = timedelta(seconds=75)  # longer than a task may work (60 s), so short that a killed worker's change is settled within 120 s
CALL_MARGIN = timedelta(seconds=30)  # of the lease, for one attempt on the wire: 5 s to connect, 10 s to answer, and the pace
NOT_CALLED = (State.REQUESTED, State.APPROVED, State.CLAIMED, State.CHECKED)
MAYBE_CALLED = (State.CALLING, State.VERIFYING, State.UNKNOWN)
DRIVEN_STATES = NOT_CALLED + MAYBE_CALLED


class Superseded(Exception):
    """Another worker has this remediation, or it moved on: nothing was written."""


def hold(remediation: Remediation, **values: Any) -> None:
    """Write values without an arrow, if the state, the token and the lease are still as they were read."""
    mine = Remediation.objects.filter(
        pk=remediation.pk,
        state=remediation.state,
        lease_token=remediation.lease_token,
        lease_expires_at=remediation.lease_expires_at,
    )
    if mine.update(**values) != 1:
        raise Superseded
    for name, value in values.items():
        setattr(remediation, name, value)


@transaction.atomic
def move(
    remediation: Remediation,
    state: State,
    *,
    now: datetime,
    message: str = "",
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    **values: Any,
) -> None:
    """One arrow and its audit row, or `Superseded` and neither. A state without a next step also lets go of the lease."""
    if state not in OPEN_STATES:
        values |= {"lease_token": None, "lease_expires_at": None, "finished_at": now}
    hold(remediation, state=state, **values)
    record(remediation, state, now=now, message=message, before=before, after=after)


def record(
    remediation: Remediation,
    outcome: str,
    *,
    now: datetime,
    message: str = "",
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """An audit row of this remediation, in the name of the person who asked for it."""
    audit.record(**entry(remediation, outcome, now=now, message=message, before=before, after=after))


def entry(
    remediation: Remediation,
    outcome: str,
    *,
    now: datetime,
    message: str = "",
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    actor: User | None = None,
) -> audit.Entry:
    """What an audit row of this remediation says; in the name of `actor`, else of the person who asked for it."""
    kind = "key" if remediation.target_kind == TargetKind.ACCESS_KEY else remediation.target_kind
    return audit.Entry(
        action=f"{kind}.{remediation.action}",
        outcome=outcome,
        now=now,
        actor=actor or remediation.requested_by,
        actor_name=actor.get_username() if actor else remediation.requested_by_name,
        account=remediation.account,
        target=f"{remediation.get_target_kind_display()} {remediation.target_id} of {remediation.user_name}".replace("  ", " "),
        reason=remediation.reason,
        note=remediation.note,
        ticket=remediation.ticket,
        before=before,
        after=after,
        message=message,
        correlation_id=remediation.correlation_id,
        aws_request_id=remediation.aws_request_id,
    )
