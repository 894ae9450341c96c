"""How a remediation ends: its last arrow and what was seen of the credential, in one transaction."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction

from hygiene.domain.policy import Policy
from hygiene.models import Remediation, State
from hygiene.services import second_look
from hygiene.services.arrows import move
from hygiene.services.operation import Live
from hygiene.services.operations import operation_of
from hygiene.services.permissions import Refusal
from hygiene.services.second_call import Ending


@transaction.atomic
def refuse(remediation: Remediation, refusal: Refusal, *, live: Live | None, policy: Policy, now: datetime) -> None:
    """Set aside before any call. What AWS showed is kept, so that the next plan starts from it."""
    before = live.as_json() if live else {}
    values: dict[str, Any] = {"result_code": refusal.code, "result": refusal.sentence, "live_before": before}
    move(remediation, State.REFUSED, now=now, message=refusal.sentence, before=before, **values)
    if live is not None:
        operation_of(remediation).observe(remediation, live, is_ours=False, policy=policy, now=now)


@transaction.atomic
def already_deleted(remediation: Remediation, live: Live, *, policy: Policy, now: datetime) -> None:
    """A deletion that found nothing to delete before it called: what was wanted is so."""
    operation = operation_of(remediation)
    sentence = f"AWS no longer lists {operation.noun}: it was already {operation.done.lower()}. No call was made."
    values: dict[str, Any] = {
        "result_code": "already_deleted",
        "result": sentence,
        "live_before": live.as_json(),
        "live_after": live.as_json(),
    }
    move(remediation, State.SUCCEEDED_OBSERVED, now=now, message=sentence, after=live.as_json(), **values)
    operation.observe(remediation, live, is_ours=False, policy=policy, now=now)


@transaction.atomic
def succeed(remediation: Remediation, live: Live, *, state: State, policy: Policy, now: datetime, also: Ending | None = None) -> None:
    """AWS shows what was wanted, after our call. `also`: what came of a second call."""
    operation, found = operation_of(remediation), remediation.result_code == "already_deleted"
    sentence = f"{operation.done}: AWS confirmed it." if state == State.SUCCEEDED else "AWS did not answer, but shows the change."
    if found:
        sentence = f"AWS no longer knew {operation.noun}: it was already {operation.done.lower()}."
    sentence += f" {also.sentence}" if also else ""
    after = live.as_json()
    values: dict[str, Any] = {"result": sentence, "live_after": after}
    if also is not None:
        values["result_code"] = also.code
    if operation.looks_again:
        values["second_look_at"] = now + second_look.AFTER
    move(remediation, state, now=now, message=sentence, before=remediation.live_before, after=after, **values)
    operation.observe(remediation, live, is_ours=not found, policy=policy, now=now)


@transaction.atomic
def fail(remediation: Remediation, code: str, sentence: str, *, request_id: str, now: datetime) -> None:
    """AWS answered that it did not do it."""
    values: dict[str, Any] = {"result_code": code[:48], "result": sentence, "aws_request_id": request_id}
    move(remediation, State.FAILED, now=now, message=sentence, before=remediation.live_before, **values)


@transaction.atomic
def not_applied(remediation: Remediation, live: Live, *, policy: Policy, now: datetime) -> None:
    """The answer was lost, and AWS shows twice that nothing changed."""
    operation = operation_of(remediation)
    sentence = f"AWS did not answer, and still shows {operation.noun} as {live.status.lower()} after two looks: the change was not applied."
    after = live.as_json()
    move(remediation, State.NOT_APPLIED, now=now, message=sentence, after=after, result=sentence, live_after=after)
    operation.observe(remediation, live, is_ours=False, policy=policy, now=now)


def needs_human(remediation: Remediation, sentence: str, *, now: datetime) -> None:
    """Nobody could tell for 15 minutes what came of the call."""
    move(remediation, State.NEEDS_HUMAN, now=now, message=sentence, result=sentence)
