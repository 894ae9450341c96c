"""Fetching one credential report: generate, wait with pauses that grow, get. Bounded in time; a stored one will do where AWS makes none."""

from __future__ import annotations

from dataclasses import dataclass

from accounts.gateway import AccessDenied, CredentialReport, Gateway, ReportNotReady, ReportState, Throttled
from hygiene.models import AccountStatus
from hygiene.services import missing
from hygiene.services.clock import Clock

PERMISSION = "iam:GenerateCredentialReport"
WITHOUT = f"The read role may not call {PERMISSION}: the report is one that somebody else asked for."
FIRST_WAIT, GROWTH, LONGEST_WAIT = 2.0, 1.5, 20.0


@dataclass(frozen=True, slots=True)
class Patience:
    """How long one poll waits for AWS to make a report before the worker turns to other accounts."""

    seconds: float = 30.0


def obtain(gateway: Gateway, status: AccountStatus, *, clock: Clock, patience: Patience) -> CredentialReport:
    """`fetch`; where the role may not ask for a report, the one that somebody else asked for, as long as AWS serves it.

    The caller saves `missing_permissions`. Raises AccessDenied where there is none to get either.
    """
    try:
        report = fetch(gateway, clock=clock, patience=patience)
    except AccessDenied as error:
        if error.operation != "GenerateCredentialReport":
            raise
        missing.note(status, PERMISSION, "whether AWS could make a newer report", now=clock.now())
        try:
            return gateway.get_credential_report()
        except ReportNotReady:
            raise error from None
    missing.clear(status, PERMISSION)
    return report


def fetch(gateway: Gateway, *, clock: Clock, patience: Patience) -> CredentialReport:
    """Ask for a report until it is complete, then get it. When AWS limits the asking, what is stored is taken.

    Raises ReportNotReady when patience ends, and any other AwsError as it comes.
    """
    wait, waited = FIRST_WAIT, 0.0
    limited: Throttled | None = None
    while True:
        try:
            state = gateway.generate_credential_report()
        except Throttled as error:
            limited, state = error, ReportState.COMPLETE
        if state is ReportState.COMPLETE:
            try:
                return gateway.get_credential_report()
            except ReportNotReady:
                if limited is not None:
                    raise limited from None
        if waited >= patience.seconds:
            raise ReportNotReady("AWS is still making the credential report. It is asked for again soon.", code="ReportInProgress")
        pause = min(min(wait, LONGEST_WAIT) * (0.9 + 0.2 * clock.random()), patience.seconds - waited)
        clock.sleep(pause)
        waited += pause
        wait *= GROWTH
