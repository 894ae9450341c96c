"""The right of one worker to the next step of one change, given out under the switch's row lock, where caps are counted."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import uuid4

from django.db import transaction

from hygiene.models import Remediation, State
from hygiene.services import calendars, caps, change_rules, grace, switch
from hygiene.services.arrows import DRIVEN_STATES, LEASE, NOT_CALLED, Superseded, hold, move, record
from hygiene.services.caps import Wait
from hygiene.services.change_rules import ChangeRules


def claim(remediation: Remediation, *, now: datetime) -> bool:
    """Take the right to the next step, for LEASE. False when it is finished, not due, in other hands, or must wait.

    Where no call can have been made the work starts over; from `calling` on it becomes `unknown` and is only read.
    """
    leased = remediation.lease_expires_at is not None and remediation.lease_expires_at > now
    if remediation.state not in DRIVEN_STATES or leased or remediation.due_at > now:
        return False
    try:
        return _begin(remediation, now) if remediation.state in NOT_CALLED else _take_over(remediation, now)
    except Superseded:
        return False


def _held(remediation: Remediation, now: datetime) -> dict[str, Any]:
    return {"lease_token": uuid4(), "lease_expires_at": now + LEASE, "attempts": remediation.attempts + 1}


def _taken_over(remediation: Remediation) -> str:
    return f"Taken over: the worker that held it in {State(remediation.state)} is gone."


@transaction.atomic
def _begin(remediation: Remediation, now: datetime) -> bool:
    """Under the lock that every claim of a change takes, so that no two of them count the same free place."""
    current, rules = switch.lock(), change_rules.load()
    switch.trip_if_failing(current, rules=rules, now=now)
    waiting = switch.pause_of(current, now) or _of_campaign(remediation, rules, now) or caps.wait_of(remediation, rules=rules, now=now)
    if waiting is not None:
        put_off(remediation, waiting, now=now)
        return False
    fresh = remediation.state in (State.REQUESTED, State.APPROVED)
    message = "" if fresh else _taken_over(remediation)
    move(remediation, State.CLAIMED, now=now, message=message, result_code="", result="", **_held(remediation, now))
    return True


def _of_campaign(remediation: Remediation, rules: ChangeRules, now: datetime) -> Wait | None:
    """A campaign acts after its warnings, in the account's change window; what a person asks for at once does not wait for it."""
    if remediation.plan.run_at is None:
        return None
    return grace.wait_of(remediation.plan, now=now) or calendars.wait_of(remediation.account, rules=rules, now=now)


def put_off(remediation: Remediation, waiting: Wait, *, now: datetime) -> None:
    """Leave it waiting and say why; the audit log says it once for each reason."""
    is_news = remediation.result_code != waiting.code
    values: dict[str, Any] = {"due_at": waiting.until, "result_code": waiting.code, "result": waiting.sentence}
    state = State.APPROVED if remediation.plan.approvals_needed else State.REQUESTED
    hold(remediation, state=state, lease_token=None, lease_expires_at=None, **values)
    if is_news:
        record(remediation, "waiting", now=now, message=waiting.sentence)


def _take_over(remediation: Remediation, now: datetime) -> bool:
    if remediation.state == State.UNKNOWN:
        hold(remediation, **_held(remediation, now))
    else:
        move(remediation, State.UNKNOWN, now=now, message=_taken_over(remediation), **_held(remediation, now))
    return True
