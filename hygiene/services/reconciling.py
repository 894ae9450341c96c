"""Verdicts → findings: what is new is opened, what stays is kept, what is no longer so is resolved. Few statements for any number."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import Q, QuerySet

from accounts.models import Account
from hygiene.domain.recompute import EVALUATED
from hygiene.domain.verdicts import Outcome, Verdict
from hygiene.models import Exemption, Finding, FindingOutcome
from hygiene.services import bulk
from hygiene.services.covering import Place

IDS = 900  # of one statement, below SQLite's limit of parameters
OUTCOMES = {Outcome.FAIL: FindingOutcome.FAIL, Outcome.EXEMPT: FindingOutcome.EXEMPT, Outcome.UNKNOWN: FindingOutcome.UNKNOWN}
TOLD = (
    *("rule_version", "profile", "outcome", "severity", "explanation", "comparison", "numbers", "set_in", "evidence"),
    *("exemption_id", "last_seen_at"),
)


class _Open(NamedTuple):
    """What is read of an open finding to see whether a verdict changes it."""

    pk: int
    subject: str
    rule: str
    outcome: str
    severity: int
    explanation: str
    exemption_id: int | None
    profile: str
    comparison: str
    set_in: str


class _Diff:
    """Rows to write."""

    def __init__(self) -> None:
        self.new: list[dict[str, Any]] = []
        self.changed: list[dict[str, Any]] = []
        self.seen: list[int] = []  # only told again
        self.over: list[int] = []


def reconcile(account: Account, verdicts: Iterable[Verdict], exemptions: Mapping[Place, Exemption], scope: Q, *, now: datetime) -> None:
    """Bring the account's open findings within `scope` in line with the verdicts, of which those that pass say nothing."""
    found = Finding.objects.open().filter(scope, account=account).values_list(*_Open._fields)
    known = {(row[1], row[2]): _Open(*row) for row in found}
    diff = _Diff()
    for verdict in verdicts:
        if verdict.outcome not in OUTCOMES:
            continue
        exemption = exemptions.get((verdict.principal_ref, verdict.key_ref, verdict.rule)) if exemptions else None
        finding = known.pop((subject_of(verdict), verdict.rule), None)
        if finding is None and verdict.is_pending:
            continue
        _sort_in(diff, account, verdict, exemption, finding, now)
    diff.over = [finding.pk for finding in known.values()]
    write(diff, Finding.objects.open().filter(scope, account=account), now)


def _sort_in(diff: _Diff, account: Account, verdict: Verdict, exemption: Exemption | None, finding: _Open | None, now: datetime) -> None:
    """An unknown verdict keeps the severity of the failure it hides, so that it sorts where it was."""
    is_fail = verdict.outcome is not Outcome.UNKNOWN
    severity = int(verdict.severity) if is_fail else finding.severity if finding else 0
    exemption_id = exemption.pk if exemption else None
    outcome = OUTCOMES[verdict.outcome].value
    comparison, set_in = verdict.comparison[:255], verdict.set_in[:160]
    told = (outcome, severity, verdict.explanation, exemption_id, verdict.profile, comparison, set_in)
    if finding is not None and told == finding[3:]:
        diff.seen.append(finding.pk)
        return
    row = {
        "rule_version": verdict.version,
        "profile": verdict.profile,
        "outcome": outcome,
        "severity": severity,
        "explanation": verdict.explanation,
        "comparison": comparison,
        "numbers": dict(verdict.numbers),
        "set_in": set_in,
        "exemption_id": exemption_id,
        "evidence": _evidence(verdict),
        "last_seen_at": now,
    }
    if finding is not None:
        row["id"] = finding.pk
        diff.changed.append(row)
        return
    row |= {"account_id": account.pk, "principal_id": verdict.principal_ref, "key_id": verdict.key_ref}
    row |= {"subject": subject_of(verdict), "rule": verdict.rule, "opened_at": now}
    diff.new.append(row)


def subject_of(verdict: Verdict) -> str:
    """What a finding is about, as one word."""
    if verdict.key_ref is not None:
        return f"key:{verdict.key_ref}"
    return f"principal:{verdict.principal_ref}" if verdict.principal_ref is not None else "account"


def _evidence(verdict: Verdict) -> list[dict[str, Any]]:
    """The verdict's facts and the time of judgement, from which `domain.recompute` comes to the same outcome."""
    facts = [
        {"name": f.name, "value": f.value, "observed_at": f.observed_at.isoformat() if f.observed_at else None, "source": f.source}
        for f in verdict.facts
    ]
    at = verdict.evaluated_at.isoformat() if verdict.evaluated_at else ""
    return [*facts, {"name": EVALUATED, "value": at, "observed_at": None, "source": "clock"}]


def write(diff: _Diff, found: QuerySet[Finding], now: datetime) -> None:
    """Store the differences to those that were `found`."""
    _see_again(diff, found, now)
    bulk.update(Finding, diff.changed, TOLD)
    bulk.insert(Finding, diff.new)
    for rows in _by_ids(diff.over):
        rows.update(resolved_at=now, resolution="no longer so")


def _see_again(diff: _Diff, found: QuerySet[Finding], now: datetime) -> None:
    """In one statement where most are only told again: then the others are fewer to name."""
    others = [*diff.over, *(row["id"] for row in diff.changed)]
    if diff.seen and len(others) < len(diff.seen) and len(others) <= IDS:
        found.exclude(pk__in=others).update(last_seen_at=now)
        return
    for rows in _by_ids(diff.seen):
        rows.update(last_seen_at=now)


def _by_ids(ids: list[int]) -> Iterable[Any]:
    return (Finding.objects.filter(pk__in=ids[start : start + IDS]) for start in range(0, len(ids), IDS))
