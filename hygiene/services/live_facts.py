"""What a poll reads beside the report at every time: GetAccountSummary and ListVirtualMFADevices. A root key shows at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from accounts.gateway import AccessDenied, AccountSummary, UnexpectedAwsError, Unreachable
from hygiene.services import leases, missing, root_rows
from hygiene.services.mfa_kinds import Assigned
from hygiene.services.poll_run import Run

T = TypeVar("T")
UNKNOWN = "root's credentials between two reports"


def read(run: Run) -> None:
    """Ask and record, whatever becomes of the report.

    Without the permission for one of them its facts are unknown. While AWS fails to answer GetAccountSummary, what was read before stays,
    with the time of that, and the report is read all the same.
    """
    try:
        run.summary = _permitted(run, run.gateway.account_summary, "iam:GetAccountSummary", UNKNOWN)
    except (Unreachable, UnexpectedAwsError) as error:
        if not error.request_id or error.operation == "AssumeRole":
            raise
        run.has_failed = True
        run.notes.append(f"Root's credentials are as they were known before: {error.sentence}")
    run.devices = _permitted(run, run.gateway.virtual_mfa_devices, "iam:ListVirtualMFADevices", "which MFA devices are virtual")
    run.assigned = Assigned.of(run.devices, run.summary)
    _record(run)


def _permitted(run: Run, call: Callable[[], T], permission: str, unknown: str) -> T | None:
    """What is not permitted is unknown, and everything else still works."""
    try:
        answer = call()
    except AccessDenied as error:
        if error.operation == "AssumeRole":
            raise
        run.notes.append(f"The read role may not call {permission}: {unknown} cannot be known.")
        missing.note(run.status, permission, unknown, now=run.clock.now())
        return None
    missing.clear(run.status, permission)
    return answer


def _record(run: Run) -> None:
    now, status = run.clock.now(), run.status
    with leases.fenced(run.poll, now=now, phase="report"):
        if not run.has_failed:
            summary = run.summary or AccountSummary()
            status.root_key_present, status.root_mfa_on = summary.root_key_present, summary.root_mfa_on
            status.root_password_present, status.root_certificate_present = summary.root_password_present, summary.root_certificate_present
            status.summary_users = summary.users
        status.root_has_virtual_mfa = None if run.devices is None else any(device.belongs_to_root for device in run.devices)
        if run.summary is not None:
            status.summary_observed_at = now
        if run.devices is not None:
            status.mfa_devices_observed_at = now
        status.save()
        if run.summary is not None and run.summary.root_key_present and status.report_generated_at is None:
            root_rows.before_report(run.account, run.summary, poll=run.poll, now=now)
