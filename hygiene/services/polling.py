"""Polls: which accounts are due, and one poll from claim to close. A poll that fails keeps the inventory it found."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

from accounts.gateway import (
    AccessDenied,
    AwsError,
    CredentialReport,
    CredentialsExpired,
    Gateway,
    ReportNotReady,
)
from accounts.models import Account
from hygiene.domain.policy import Policy
from hygiene.domain.report import ParsedReport, ReportRejected, parse
from hygiene.models import AccountStatus, Poll, PollOutcome, Principal
from hygiene.services import (
    collector,
    completeness,
    details,
    findings,
    holders,
    identity,
    inventory,
    leases,
    live_facts,
    mfa_devices,
    mfa_kinds,
    missing,
    owners,
    posture,
    reports,
    root_rows,
    schedule,
    worker_key,
)
from hygiene.services.changes import Changes
from hygiene.services.clock import Clock
from hygiene.services.listing import list_changed_users, to_list
from hygiene.services.poll_run import Run
from hygiene.services.reports import Patience
from hygiene.services.slots import Observation

T = TypeVar("T")
OpenGateway = Callable[[Account], Gateway]
LISTED_WARNINGS = 20
OWN_ERROR = "Key Hygiene itself failed while it read this account. The worker's log tells where; what was known is kept."
logger = logging.getLogger(__name__)


def run_poll(poll_pk: int, *, open_gateway: OpenGateway, policy: Policy, clock: Clock, patience: Patience | None = None) -> Poll | None:
    """Poll the account of a queued poll and close the row. None when somebody else has it. AWS's errors end in the row, not here."""
    poll = leases.claim(poll_pk, now=clock.now())
    if poll is None:
        return None
    status = schedule.status_of(poll.account, now=clock.now())
    run = Run(poll, poll.account, status, open_gateway(poll.account), policy, clock)
    try:
        with collector.held_back():
            _read(run, patience or Patience())
    except leases.LeaseLost:
        return None
    except ReportRejected as error:
        _close(run, PollOutcome.REJECTED, code="ReportRejected", sentence=error.sentence)
    except ReportNotReady as error:
        _close(run, PollOutcome.NOT_READY, code=error.code, sentence=error.sentence, request_id=error.request_id)
    except AwsError as error:
        _close(run, _outcome_of(error), code=error.code or type(error).__name__, sentence=error.sentence, request_id=error.request_id)
    except Exception as error:
        logger.exception("A poll failed by an error of this program")
        status.refresh_from_db()  # what was rolled back is not known
        _close(run, PollOutcome.FAILED, code=type(error).__name__, sentence=OWN_ERROR)
    poll.refresh_from_db()
    return poll


def _outcome_of(error: AwsError) -> PollOutcome:
    """Refused at the door or by the report: access is lost. A report that came cut off is rejected. Anything else failed this time."""
    if (error.operation, error.code) == ("GetCredentialReport", "CutOffAnswer"):
        return PollOutcome.REJECTED
    refused = isinstance(error, (AccessDenied, CredentialsExpired)) or error.code in ("WrongAccount", "RegionDisabledException")
    return PollOutcome.ACCESS_LOST if refused else PollOutcome.FAILED


def _read(run: Run, patience: Patience) -> None:
    """Summary and devices, then the report, recorded at once; then live lists of changed users."""
    live_facts.read(run)
    report = reports.obtain(run.gateway, run.status, clock=run.clock, patience=patience)
    if missing.is_noted(run.status, reports.PERMISSION):
        run.notes.append(reports.WITHOUT)
    is_complete = _record_report(run, report)
    users, of_devices, run.held = to_list(run.held), mfa_kinds.to_read(run.held, run.assigned, now=run.clock.now()), []
    listing = list_changed_users(run.poll, run.status, run.gateway, users, policy=run.policy, clock=run.clock)
    if listing.refusal:
        run.notes.append(listing.refusal)
    elif listing.left:
        run.notes.append(f"{listing.left} changed users are still to be listed; the next poll goes on with them.")
    run.notes += listing.gaps
    run.status.list_keys_error = " ".join(filter(None, [listing.refusal, *listing.gaps]))
    missing.tell(run.status, "iam:ListAccessKeys", "ids of access keys", is_refused=bool(listing.refusal), now=run.clock.now())
    run.goes_on = listing.left > 0 and not listing.refusal
    run.is_counted = listing.listed == 0
    if worker_key.learn(run.status, run.gateway):
        with leases.fenced(run.poll, now=run.clock.now(), phase="listing keys"):
            findings.reevaluate_account(run.account, run.status, policy=run.policy, now=run.clock.now())
        run.is_counted = False
    if listing.left == 0 or listing.refusal:
        _beside(run, lambda: _read_mfa_devices(run, of_devices), "MFA devices")
    _beside(run, lambda: identity.learn(run.users_digest, run.poll, run.status, run.gateway, now=run.clock.now()), "UserIds")
    if missing.is_noted(run.status, identity.PERMISSION):
        run.notes.append(identity.WITHOUT)
    if details.is_due(run.poll, run.status, run.clock):
        _beside(run, lambda: _read_details(run), "Details")
    is_whole = is_complete and not (listing.refusal or listing.gaps or run.has_failed)
    _close(run, PollOutcome.COMPLETE if is_whole else PollOutcome.PARTIAL)


def _beside(run: Run, read: Callable[[], None], what: str) -> None:
    """What is read beside the report never fails the poll: the next one asks again."""
    try:
        read()
    except AwsError as error:
        run.notes.append(f"{what} could not be read this time: {error.sentence}")


def _read_mfa_devices(run: Run, users: Sequence[Principal]) -> None:
    """Kinds of devices that only a list of each user's devices tells."""
    reading = mfa_devices.read(run.poll, run.status, run.gateway, users, assigned=run.assigned, policy=run.policy, clock=run.clock)
    run.notes += reading.notes
    run.goes_on = run.goes_on or reading.left > 0
    run.is_counted = run.is_counted and not reading.is_judged


def _read_details(run: Run) -> None:
    """Facts beside the report, when they are due; verdicts that may differ follow."""
    reading = details.refresh(run.poll, run.status, run.gateway, clock=run.clock)
    run.notes += reading.notes
    if not reading.is_changed and not reading.changed:
        return
    now = run.clock.now()
    with leases.fenced(run.poll, now=now, phase="details"):
        AccountStatus.objects.select_for_update().get(pk=run.status.pk)  # nobody judges by newer facts of others until this is written
        if reading.is_changed:
            findings.reevaluate_account(run.account, run.status, policy=run.policy, now=now)
        else:
            findings.reevaluate_users(run.account, run.status, reading.changed, policy=run.policy, now=now)
    run.is_counted = False


def _record_report(run: Run, report: CredentialReport) -> bool:
    """Inventory, verdicts, findings and posture in one transaction. Returns whether the report was complete."""
    parsed = parse(report.content, account_id=run.account.account_id, generated_at=report.generated_at)
    is_complete = _is_complete(run, parsed, report.generated_at)
    now, status, poll = run.clock.now(), run.status, run.poll
    digest = hashlib.sha256(report.content).hexdigest()
    run.users_digest = identity.digest_of(parsed.rows)
    user_ids = identity.ids_before(parsed, status, run.gateway, now=now)
    with leases.fenced(poll, now=now, phase="recording"):
        is_older = status.report_generated_at is not None and report.generated_at < status.report_generated_at
        poll.report_generated_at, poll.report_sha256 = report.generated_at, digest
        poll.users_total, poll.rows_quarantined = len(parsed.users), len(parsed.quarantined)
        poll.warnings = _warnings(run, parsed)
        if is_older:
            poll.warnings.append("AWS served an older report than the one that is known; it was not used.")
        is_news = not is_older and not _is_known(run, report, digest, is_complete=is_complete)
        seen = Observation(run.account, poll, report.generated_at, now, run.assigned, user_ids, owners.chain(run.account))
        changes = _present(run, parsed if is_news else None, seen, is_complete=is_complete)
        poll.save(update_fields=["report_generated_at", "report_sha256", "users_total", "users_changed", "rows_quarantined", "warnings"])
        status.last_outcome = PollOutcome.COMPLETE if is_complete else PollOutcome.PARTIAL
        status.failing_since, status.failures, status.error_code, status.error = None, 0, "", ""
        if is_news:
            status.report_generated_at, status.report_is_complete = report.generated_at, is_complete
        status.save()
        findings.judge(run.account, status, run.held, policy=run.policy, now=now, changes=changes)
        changes.write()
        changes.write_freshness(generated_at=report.generated_at, now=now)
        posture.refresh(run.account, status, policy=run.policy, now=now)
    return is_complete and not is_older


def _present(run: Run, news: ParsedReport | None, seen: Observation, *, is_complete: bool) -> Changes:
    """Who is in the account after the report, and what is to be written of it once it is judged. None: the report says nothing new."""
    changes = Changes()
    if news is None:
        run.held = holders.of_account(run.account)
        inventory.look_again(run.held, seen, changes)
    else:
        joined = identity.join(news.rows, run.status, seen.user_ids)
        run.held, run.poll.users_changed = inventory.record(news, seen, joined, changes, is_complete=is_complete)
    root = next((holder for holder in run.held if holder.principal.is_root), None)
    if root is None:
        root = root_rows.without_row(run.account, run.summary, now=seen.now, changes=changes)
        run.held.append(root)
    elif news is not None and news.root is None:
        root_rows.unsaid(root, changes)
    root_rows.reconcile_key(root, run.summary, poll=run.poll, now=seen.now, changes=changes)
    changes.number()
    return changes


def _is_known(run: Run, report: CredentialReport, digest: str, *, is_complete: bool) -> bool:
    """The very same report again: nothing to record, and its age is counted from when AWS made it."""
    if report.generated_at != run.status.report_generated_at or run.status.report_is_complete != is_complete:
        return False
    last = Poll.objects.filter(account=run.account, report_generated_at=report.generated_at).exclude(pk=run.poll.pk).order_by("-pk").first()
    return last is not None and last.report_sha256 == digest


def _is_complete(run: Run, parsed: ParsedReport, generated_at: datetime) -> bool:
    """Nothing set aside, and nobody missing who is in the account."""
    if parsed.is_partial:
        return False
    counted = run.summary.users if run.summary else None
    gap = completeness.gap(parsed, account=run.account, counted=counted, gateway=run.gateway, generated_at=generated_at)
    if gap:
        run.notes.append(f"{gap} It is taken as partial, and nobody as gone.")
    return not gap


def _warnings(run: Run, parsed: ParsedReport) -> list[str]:
    lines = [f"Line {row.line} was set aside: {row.reason}." for row in parsed.quarantined[:LISTED_WARNINGS]]
    of_rows = [f"{row.name}: {text}" for row in parsed.rows for text in row.warnings]
    return [*run.notes, *parsed.warnings, *lines, *of_rows[:LISTED_WARNINGS]]


def _close(run: Run, outcome: PollOutcome, *, code: str = "", sentence: str = "", request_id: str = "") -> None:
    """Close the poll and say when the next is due. A failure keeps the inventory and marks the account with its reason."""
    now, poll, status = run.clock.now(), run.poll, run.status
    try:
        with leases.fenced(poll, now=now, phase=""):
            poll.finished_at, poll.outcome, poll.calls = now, outcome, run.gateway.calls
            poll.error_code, poll.error, poll.aws_request_id = code[:64], sentence, request_id[:128]
            poll.warnings = [*poll.warnings, *(note for note in run.notes if note not in poll.warnings)]
            poll.save(update_fields=["finished_at", "outcome", "calls", "error_code", "error", "aws_request_id", "warnings"])
            schedule.after(status, poll, now=now, jitter=run.clock.random(), goes_on=run.goes_on, has_failed=run.has_failed)
            if outcome not in (PollOutcome.COMPLETE, PollOutcome.PARTIAL):
                findings.reevaluate_account(run.account, status, policy=run.policy, now=now)
            if not run.is_counted:
                posture.refresh(run.account, status, policy=run.policy, now=now)
    except leases.LeaseLost:
        return
