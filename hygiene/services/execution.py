"""Carries out one remediation: claim, live checks, one call, reading back. No transaction is open while AWS is asked.

From `calling` on nobody calls again, whatever happens: what came of the call is found out by reading.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain, repeat
from typing import Any, TypeAlias

from django.db import transaction

from accounts.gateway import AwsError, NoSuchEntity
from hygiene.domain.policy import Policy
from hygiene.models import Remediation, State
from hygiene.services import change_rules, outcomes, second_call, switch
from hygiene.services.arrows import CALL_MARGIN, LEASE, Superseded, hold, move
from hygiene.services.caps import Wait
from hygiene.services.claims import claim, put_off
from hygiene.services.clock import Clock
from hygiene.services.live_checks import stored_refusal
from hygiene.services.operation import Live, Operation
from hygiene.services.operations import operation_of
from hygiene.services.permissions import Refusal

OpenGateway: TypeAlias = Callable[[Remediation, tuple[str, ...]], Any]

VERIFY_FOR = timedelta(seconds=30)
VERIFY_PAUSES = (0.5, 1.0, 2.0)  # seconds; the last one repeats
READS_APART = timedelta(seconds=10)
GIVE_UP_AFTER = timedelta(minutes=15)
NOT_NOW = frozenset({"EntityTemporarilyUnmodifiable", "ConcurrentModification"})  # AWS answered: not applied, and to be tried later
NOT_NOW_WORDS = "Waits: AWS is still busy with an earlier change of this user, and asks to try again in some minutes."
TRY_AGAIN_AFTER = timedelta(minutes=5)
MOST_ATTEMPTS = 12
RELATED = ("account__status", "principal", "key", "requested_by", "plan")


@dataclass(frozen=True, slots=True)
class Job:
    """One remediation in the hands of one worker."""

    remediation: Remediation
    open_gateway: OpenGateway
    policy: Policy
    clock: Clock

    @property
    def operation(self) -> Operation:
        """How it is done."""
        return operation_of(self.remediation)

    def now(self) -> datetime:
        """Aware UTC."""
        return self.clock.now()


def execute(remediation_pk: int, *, open_gateway: OpenGateway, policy: Policy, clock: Clock) -> Remediation:
    """Take the remediation as far as it goes now; return it as it then stands.

    `open_gateway(remediation, actions)` opens a session for these IAM actions on this one user (none: reading only). Does nothing
    when the row is finished, not due, or leased by another worker. May run any number of times.
    """
    remediation = Remediation.objects.select_related(*RELATED).get(pk=remediation_pk)
    job = Job(remediation, open_gateway, policy, clock)
    try:
        if claim(remediation, now=clock.now()):
            (_change if remediation.state == State.CLAIMED else _settle)(job)
    except Superseded:
        pass  # another worker has it: this one's knowledge is stale, and nothing of it was written
    row = Remediation.objects.select_related(*RELATED).get(pk=remediation_pk)
    if row.state in switch.BAD:
        switch.consider(rules=change_rules.load(), now=clock.now())
    return row


def _change(job: Job) -> None:
    """From claimed: the checks, then the call."""
    remediation = job.remediation
    refusal = stored_refusal(remediation, now=job.now())
    if refusal is not None:
        outcomes.refuse(remediation, refusal, live=None, policy=job.policy, now=job.now())
        return
    try:
        gateway = job.open_gateway(remediation, (*job.operation.reads, job.operation.call))
        gateway.take_turn()  # nothing waits for the pace between the last look at the switch and the call
        live = job.operation.look(gateway, remediation)
    except AwsError as error:
        refusal = job.operation.explain(error)
    except ValueError as error:
        refusal = Refusal("not_scopable", f"Not changed, because the session cannot be limited to this one user: {error}")
    if refusal is not None:
        outcomes.refuse(remediation, refusal, live=None, policy=job.policy, now=job.now())
    else:
        _judge_and_call(job, gateway, live)


def _judge_and_call(job: Job, gateway: Any, live: Live) -> None:
    remediation, now = job.remediation, job.now()
    if job.operation.removes and job.operation.is_done(live):
        outcomes.already_deleted(remediation, live, policy=job.policy, now=now)
        return
    refusal = job.operation.judge(remediation, live, now)
    if refusal is not None:
        outcomes.refuse(remediation, refusal, live=live, policy=job.policy, now=now)
        return
    before = live.as_json()
    move(remediation, State.CHECKED, now=now, before=before, live_before=before, lease_expires_at=now + LEASE)
    if _commit_to_call(job, before):
        _call(job, gateway)


def _commit_to_call(job: Job, before: dict[str, Any]) -> bool:
    """`calling`, committed under the switch's lock: after a stop nobody gets here. False: not to be called."""
    remediation, now = job.remediation, job.now()
    with transaction.atomic():
        current = switch.lock()
        refusal, waiting = switch.refusal_of(current), switch.pause_of(current, now)
        if refusal is not None:
            outcomes.refuse(remediation, refusal, live=None, policy=job.policy, now=now)
        elif waiting is not None:
            put_off(remediation, waiting, now=now)
        else:
            move(remediation, State.CALLING, now=now, before=before, called_at=now, lease_expires_at=now + LEASE)
            return True
    return False


def _call(job: Job, gateway: Any) -> None:
    """The one attempt on the wire. `calling` and its audit row are committed; a worker that slept through its lease does not call."""
    remediation = job.remediation
    if remediation.lease_expires_at is None or job.now() > remediation.lease_expires_at - CALL_MARGIN:
        return
    refusal = switch.refusal_of(switch.current())
    if refusal is not None:
        outcomes.refuse(remediation, refusal, live=None, policy=job.policy, now=job.now())
        return
    code = ""
    try:
        request_id = job.operation.send(gateway, remediation)
    except NoSuchEntity as error:
        if not job.operation.removes:
            outcomes.fail(remediation, error.code or "NoSuchEntity", error.sentence, request_id=error.request_id, now=job.now())
            return
        request_id, code = error.request_id, "already_deleted"
    except AwsError as error:
        _after_error(job, error)
        return
    now = job.now()
    move(remediation, State.VERIFYING, now=now, aws_request_id=request_id, result_code=code, lease_expires_at=now + LEASE)
    _verify(job, gateway)


def _after_error(job: Job, error: AwsError) -> None:
    """AWS said no: failed. AWS said not now: it waits. AWS did not say: unknown, and read."""
    remediation, now = job.remediation, job.now()
    if error.code in NOT_NOW and remediation.attempts <= MOST_ATTEMPTS:
        put_off(remediation, Wait("not_now", NOT_NOW_WORDS, now + TRY_AGAIN_AFTER), now=now)
    elif error.definite:
        code = error.code or type(error).__name__
        outcomes.fail(remediation, code, f"AWS refused: {error.sentence}", request_id=error.request_id, now=now)
    else:
        message = f"No answer to the call: {error.sentence} What came of it is being read."
        move(remediation, State.UNKNOWN, now=now, message=message, lease_expires_at=now + LEASE)
        _settle(job)


def _verify(job: Job, gateway: Any) -> None:
    """Read until ListAccessKeys agrees with AWS's own yes; after 30 s it is read on at leisure."""
    remediation = job.remediation
    deadline = job.now() + VERIFY_FOR
    for pause in chain(VERIFY_PAUSES, repeat(VERIFY_PAUSES[-1])):
        live = _read(job, gateway)
        if live is not None and job.operation.is_done(live):
            _succeed(job, gateway, live, State.SUCCEEDED)
            return
        if job.now() >= deadline:
            break
        job.clock.sleep(pause)
    now = job.now()
    message = "AWS accepted the change, but does not show it after 30 s. It is read on."
    move(remediation, State.UNKNOWN, now=now, message=message, **_released(now))


def _succeed(job: Job, gateway: Any, live: Live, state: State) -> None:
    """AWS shows what was wanted. A change of two calls makes its second one now, unless somebody began it."""
    ending = second_call.carry_out(job.remediation, job.operation, gateway, clock=job.clock)
    outcomes.succeed(job.remediation, live, state=state, policy=job.policy, now=job.now(), also=ending)


def _settle(job: Job) -> None:
    """From unknown: read, twice and 10 s apart, and decide by what AWS shows. Never makes a call that was begun."""
    remediation, second = job.remediation, job.operation.second
    still = (second.call,) if second is not None and second_call.is_to_come(remediation, job.operation) else ()
    try:
        gateway = job.open_gateway(remediation, (*job.operation.reads, *still))
    except (AwsError, ValueError):  # the account's act role was taken out of the registry, for one
        _read_later(job, is_readable=False)
        return
    while True:
        live = _read(job, gateway)
        if live is not None and job.operation.is_done(live):
            state = State.SUCCEEDED if remediation.aws_request_id else State.SUCCEEDED_OBSERVED
            _succeed(job, gateway, live, state)
            return
        if live is None or remediation.aws_request_id:
            _read_later(job, is_readable=live is not None)
            return
        if remediation.reads_after:
            outcomes.not_applied(remediation, live, policy=job.policy, now=job.now())
            return
        now = job.now()
        hold(remediation, reads_after=1, lease_expires_at=now + LEASE)
        job.clock.sleep(READS_APART.total_seconds())


def _read(job: Job, gateway: Any) -> Live | None:
    """What AWS shows, or None when it cannot be read now."""
    try:
        return job.operation.read(gateway, job.remediation)
    except AwsError:
        return None


def _read_later(job: Job, *, is_readable: bool) -> None:
    """Let go until the next reading is due; after 15 minutes a person must look."""
    remediation, now = job.remediation, job.now()
    if now - (remediation.called_at or remediation.requested_at) < GIVE_UP_AFTER:
        hold(remediation, **_released(now))
        return
    shown = "AWS accepted the change but does not show it" if is_readable else "AWS could not be read"
    outcomes.needs_human(remediation, f"{shown} for 15 minutes after the call. Look at the key in AWS before you try again.", now=now)


def _released(now: datetime) -> dict[str, Any]:
    return {"lease_token": None, "lease_expires_at": None, "due_at": now + READS_APART}
