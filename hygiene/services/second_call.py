"""The second call of a change that takes two: a virtual MFA device of root is deleted once AWS shows that it is deactivated.

It has its own arrow and audit row before it, and is made at most once without an answer. What was asked for is done by then: whatever
comes of the second call, the change succeeded, and its row says what is left.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any

from django.db import transaction

from accounts.gateway import AwsError, NoSuchEntity
from hygiene.models import Remediation, State
from hygiene.services import switch
from hygiene.services.arrows import CALL_MARGIN, LEASE, Superseded, move
from hygiene.services.clock import Clock
from hygiene.services.live_checks import stored_refusal
from hygiene.services.operation import Operation, SecondCall

DELETED, LEFT, UNKNOWN = "device_deleted", "device_left", "device_unknown"
BUSY = frozenset({"DeleteConflict", "EntityTemporarilyUnmodifiable", "ConcurrentModification"})  # AWS answered no: it may be asked again
PAUSES = (2.0, 5.0)  # seconds before another attempt


@dataclass(frozen=True, slots=True)
class Ending:
    """What came of it, as the row's code and a sentence after that of the first call."""

    code: str
    sentence: str


def is_to_come(remediation: Remediation, operation: Operation) -> bool:
    """Whether the change takes a second call that nobody has begun."""
    second = operation.second
    return second is not None and remediation.second_called_at is None and second.is_needed(remediation)


def carry_out(remediation: Remediation, operation: Operation, gateway: Any, *, clock: Clock) -> Ending | None:
    """Make the second call, if there is one. The first one's work must have been read from AWS, and the row be this worker's.

    Begun by a worker that is gone it is not made again: whether AWS has done it cannot be read in a session of root.
    """
    second = operation.second
    if second is None or not second.is_needed(remediation) or remediation.result_code == "already_deleted":
        return None
    if remediation.second_called_at is not None:
        return Ending(DELETED, second.done) if remediation.result_code == DELETED else Ending(UNKNOWN, second.unknown)
    return _carry_out(remediation, second, gateway, clock)


def _carry_out(remediation: Remediation, second: SecondCall, gateway: Any, clock: Clock) -> Ending:
    words = ""
    for pause in chain((0.0,), PAUSES):
        if pause:
            clock.sleep(pause)
        words = _turn_of(gateway) or _begin(remediation, second, clock.now())
        if words:
            break
        try:
            return _send(remediation, second, gateway, clock)
        except AwsError as error:
            if not error.definite:
                return Ending(UNKNOWN, second.unknown)
            words, now = f"AWS refused: {error.sentence}", clock.now()
            told: dict[str, Any] = {"second_called_at": None, "aws_request_id": error.request_id or remediation.aws_request_id}
            move(remediation, State.VERIFYING, now=now, message=f"{second.call}: {words}", lease_expires_at=now + LEASE, **told)
            if error.code not in BUSY:
                break
    return Ending(LEFT, f"{second.left} {words}")


def _turn_of(gateway: Any) -> str:
    """Wait for the pace before the last look at the switch; why it cannot be called at all."""
    try:
        gateway.take_turn()
    except AwsError as error:
        return error.sentence
    return ""


def _begin(remediation: Remediation, second: SecondCall, now: datetime) -> str:
    """`calling`, committed under the switch's lock, or why it may not be made now: everything may have changed since the first call."""
    refusal = stored_refusal(remediation, now=now)
    if refusal is not None:
        return refusal.sentence
    with transaction.atomic():
        current = switch.lock()
        hindrance = switch.refusal_of(current) or switch.pause_of(current, now)
        if hindrance is None:
            message = f"The second call of this change: {second.call}."
            move(remediation, State.CALLING, now=now, message=message, second_called_at=now, lease_expires_at=now + LEASE)
    return "" if hindrance is None else hindrance.sentence


def _send(remediation: Remediation, second: SecondCall, gateway: Any, clock: Clock) -> Ending:
    """The one attempt on the wire. A worker that slept through its lease does not call, and nobody does after a stop."""
    if remediation.lease_expires_at is None or clock.now() > remediation.lease_expires_at - CALL_MARGIN:
        raise Superseded
    refusal = switch.refusal_of(switch.current())
    if refusal is not None:
        return Ending(LEFT, f"{second.left} {refusal.sentence}")
    sentence = second.done
    try:
        request_id = second.send(gateway, remediation)
    except NoSuchEntity as error:
        request_id, sentence = error.request_id, second.gone
    now = clock.now()
    told: dict[str, Any] = {"aws_request_id": request_id or remediation.aws_request_id, "result_code": DELETED}
    move(remediation, State.VERIFYING, now=now, message=sentence, lease_expires_at=now + LEASE, **told)
    return Ending(DELETED, sentence)
