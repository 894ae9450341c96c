"""The last part of a poll's lists: live ListMFADevices of users whose other devices only that can tell, worst first, in batches."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TypeAlias

from accounts.gateway import AccessDenied, Gateway, NoSuchEntity, Throttled
from hygiene.domain.mfa import kinds_of
from hygiene.domain.policy import Policy
from hygiene.models import AccountStatus, Poll, Principal
from hygiene.services import bulk, findings, leases, missing
from hygiene.services.asking import LONGEST, Aside, Names, in_batches
from hygiene.services.clock import Clock
from hygiene.services.mfa_kinds import Assigned

PERMISSION = "iam:ListMFADevices"
UNKNOWN = "whether users with a virtual MFA device have others too"
WITHOUT = f"The read role may not call {PERMISSION}: {UNKNOWN} cannot be known."
PHASE = "listing MFA devices"
FIELDS = ("mfa_kinds", "mfa_listed_fingerprint", "mfa_listed_at", "mfa_listed_others")
Answer: TypeAlias = tuple[Principal, tuple[str, ...] | None]


@dataclass
class Reading:
    """What came of it: sentences for the poll's page, users left for the next poll, and whether anybody was judged again."""

    notes: list[str] = field(default_factory=list)
    left: int = 0
    is_judged: bool = False


def read(
    poll: Poll,
    status: AccountStatus,
    gateway: Gateway,
    users: Sequence[Principal],
    *,
    assigned: Assigned,
    policy: Policy,
    clock: Clock,
) -> Reading:
    """List the devices of these users at AWS's pace, until the poll has run for seven minutes: the next one goes on with the rest.

    After a refusal nobody else is asked; a later poll asks again (`missing.is_due`). Raises other errors, after what was answered is kept.
    """
    reading, done, aside = Reading(), set[int](), Aside()
    if not users:
        missing.clear(status, PERMISSION)  # nothing is unknown without it
        return reading
    was_refused = missing.is_noted(status, PERMISSION)
    if was_refused and not missing.is_due(status, PERMISSION, poll, now=clock.now()):
        return Reading([WITHOUT])
    try:
        for batch in in_batches(users, partial(_serials, gateway=gateway, names=Names(gateway)), clock, aside):
            _record(poll, status, batch, reading, others=assigned.others, policy=policy, clock=clock)
            done.update(user.pk for user, _ in batch)
            if clock.now() - (poll.started_at or clock.now()) > LONGEST:
                break
        missing.clear(status, PERMISSION)
    except AccessDenied as error:
        if error.operation == "AssumeRole":
            raise
        waiting = [] if was_refused else [user for user in users if user.pk not in done]
        return _refused(poll, status, waiting, reading, policy=policy, clock=clock)
    except Throttled:
        pass
    reading.left = len(users) - len(done) - len(aside)
    later = f"MFA devices of {reading.left} users are still to be read; the next poll goes on with them." if reading.left else ""
    reading.notes += filter(None, [aside.note("ListMFADevices", "their other devices are"), later])
    return reading


def _refused(poll: Poll, status: AccountStatus, users: Collection[Principal], reading: Reading, *, policy: Policy, clock: Clock) -> Reading:
    """Note what the role may not ask, and judge these users without it."""
    missing.note(status, PERMISSION, UNKNOWN, now=clock.now())
    if users:
        with leases.fenced(poll, now=clock.now(), phase=PHASE):
            _judge(poll, status, users, reading, policy=policy, now=clock.now())
    reading.notes.append(WITHOUT)
    return reading


def _serials(user: Principal, *, gateway: Gateway, names: Names) -> tuple[str, ...] | None:
    """The user's devices now; None for a user who was deleted since the report (see `listing`)."""
    try:
        return gateway.list_mfa_devices(user.name)
    except NoSuchEntity:
        return None
    except AccessDenied as error:
        if error.operation != "AssumeRole" and names.lack(user.name):
            return None
        raise


def _record(
    poll: Poll, status: AccountStatus, answers: Sequence[Answer], reading: Reading, *, others: int | None, policy: Policy, clock: Clock
) -> None:
    """Store what was answered, and judge whose kinds are others than they were taken for."""
    now, told, changed = clock.now(), [], []
    for user, serials in answers:
        if serials is None:
            continue
        kinds = kinds_of(serials)
        if kinds != user.mfa_kinds:
            changed.append(user)
        user.mfa_kinds, user.mfa_listed_fingerprint = kinds, user.mfa_fingerprint
        user.mfa_listed_at, user.mfa_listed_others = now, others
        told.append(user)
    with leases.fenced(poll, now=now, phase=PHASE):
        bulk.update(Principal, [user.__dict__ for user in told], FIELDS)
        _judge(poll, status, changed, reading, policy=policy, now=now)


def _judge(poll: Poll, status: AccountStatus, users: Collection[Principal], reading: Reading, *, policy: Policy, now: datetime) -> None:
    if not users:
        return
    reading.is_judged = True
    findings.reevaluate_users(poll.account, status, [user.pk for user in users], policy=policy, now=now)
