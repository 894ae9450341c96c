"""Rows of findings, exemptions, audit events and changes for exports; those of the inventory are in `services.exports`."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypeAlias

from django.db.models import QuerySet

from accounts.models import AuditEvent
from hygiene.domain.policy import Policy
from hygiene.domain.verdicts import Severity
from hygiene.models import Exemption, Finding, FindingOutcome, Remediation
from hygiene.services.posture import state_of

Row: TypeAlias = dict[str, Any]


def severity_word(level: int) -> str | None:
    """The word of a severity; None for no finding."""
    return Severity(level).word if level else None


def findings(found: QuerySet[Finding]) -> QuerySet[Finding]:
    """With what their rows need."""
    return found.select_related("account__status", "principal", "key", "exemption")


def finding(found: Finding, policy: Policy, now: datetime) -> Row:
    """One finding."""
    account = found.account
    return {
        "account_id": account.account_id,
        "user_arn": found.principal.arn if found.principal else None,
        "access_key_id": found.key.access_key_id if found.key else None,
        "rule": found.rule,
        "severity": severity_word(found.severity),
        "outcome": found.outcome,
        "opened_at": found.opened_at,
        "last_seen_at": found.last_seen_at,
        "resolved_at": found.resolved_at,
        "exempt_until": found.exemption.ends_at if found.exemption and found.outcome == FindingOutcome.EXEMPT else None,
        "explanation": found.explanation,
        "account_state": state_of(getattr(account, "status", None), account, policy=policy, now=now).value,
    }


def exemptions(found: QuerySet[Exemption]) -> QuerySet[Exemption]:
    """With what their rows need."""
    return found.select_related("account", "principal", "key", "created_by")


def exemption(row: Exemption, policy: Policy, now: datetime) -> Row:
    """One exemption."""
    copied = ("scope", "tag", "rules", "reason", "ticket", "accepted_by", "created_at", "ends_at", "ended_at", "end_reason")
    return {
        **{name: getattr(row, name) for name in copied},
        "account_id": row.account.account_id if row.account else None,
        "account_name": row.account.name if row.account else None,
        "user_arn": row.principal.arn if row.principal else None,
        "access_key_id": row.key.access_key_id if row.key else None,
        "created_by": row.created_by_name,
    }


def audit(found: QuerySet[AuditEvent]) -> QuerySet[AuditEvent]:
    """As they are."""
    return found


def event(told: AuditEvent, policy: Policy, now: datetime) -> Row:
    """One audit event."""
    copied = ("action", "outcome", "target", "reason", "note", "ticket", "before", "after", "message", "correlation_id", "aws_request_id")
    return {
        "occurred_at": told.occurred_at,
        "actor": told.actor_name,
        "account_id": told.account_number,
        "account_name": told.account_name,
        **{name: getattr(told, name) for name in copied},
    }


def changes(found: QuerySet[Remediation]) -> QuerySet[Remediation]:
    """With what their rows need."""
    return found.select_related("account")


def change(row: Remediation, policy: Policy, now: datetime) -> Row:
    """One change that somebody asked for. A time for its next step is told while there is one."""
    copied = ("user_name", "user_arn", "target_kind", "action", "state", "result_code", "result", "reason", "note", "ticket")
    return {
        **{name: getattr(row, name) for name in (*copied, "requested_at", "called_at", "finished_at", "correlation_id", "aws_request_id")},
        "requested_by": row.requested_by_name,
        "account_id": row.account.account_id,
        "account_name": row.account.name,
        "target_id": row.target_id or row.access_key_id,
        "due_at": row.due_at if row.is_open else None,
    }
