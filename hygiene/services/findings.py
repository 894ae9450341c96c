"""Verdicts → findings. Facts are built from models, rules judge them, and rows of open findings are kept, opened or resolved."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from accounts.models import Account
from hygiene.domain.facts import (
    AccountFacts,
    CertificateFacts,
    KeyFacts,
    KeyMatch,
    KeyStatus,
    LastUse,
    MfaState,
    OrganizationRole,
    PasswordState,
    PrincipalFacts,
    Source,
    UseState,
)
from hygiene.domain.policy import Policy
from hygiene.domain.rules import evaluate_account, evaluate_principal
from hygiene.domain.verdicts import Outcome, Verdict
from hygiene.models import AccessKey, AccountStatus, Exemption, Finding, FindingOutcome, PollOutcome, Principal
from hygiene.services import covering
from hygiene.services.covering import Place
from hygiene.services.detail_facts import detail_facts, missing_permissions, password_policy_facts
from hygiene.services.live_keys import last_use
from hygiene.services.marks import mark_worst

CHUNK = 1000  # rows of one statement; SQLite takes fewer, and Django cuts them there
UNREACHABLE_OUTCOMES = (PollOutcome.ACCESS_LOST, PollOutcome.REJECTED)
KEPT = (Outcome.FAIL, Outcome.EXEMPT, Outcome.UNKNOWN)
OUTCOMES = {Outcome.FAIL: FindingOutcome.FAIL, Outcome.EXEMPT: FindingOutcome.EXEMPT, Outcome.UNKNOWN: FindingOutcome.UNKNOWN}
FIELDS = (
    "rule_version",
    "profile",
    "outcome",
    "severity",
    "explanation",
    "comparison",
    "evidence",
    "exemption",
    "last_seen_at",
    "resolved_at",
    "resolution",
)


def account_facts(account: Account, status: AccountStatus) -> AccountFacts:
    """The account's own facts as rules want them."""
    return AccountFacts(
        account_id=account.account_id,
        partition=account.partition,
        is_pollable=account.is_pollable,
        newest_report_at=status.report_generated_at,
        is_reachable=status.last_outcome not in UNREACHABLE_OUTCOMES,
        last_poll_complete=status.report_is_complete,
        root_key_present=status.root_key_present,
        root_mfa_on=status.root_mfa_on,
        root_password_present=status.root_password_present,
        root_certificate_present=status.root_certificate_present,
        summary_observed_at=status.summary_observed_at,
        root_has_virtual_mfa=status.root_has_virtual_mfa,
        mfa_devices_observed_at=status.mfa_devices_observed_at,
        failing_since=status.failing_since,
        error=status.error,
        tags=account.tags,
        password_policy=password_policy_facts(status),
        password_policy_observed_at=status.password_policy_observed_at,
        organization_role=OrganizationRole(status.organization_role),
        central_root_features=None if status.central_root_features is None else frozenset(status.central_root_features),
        organization_observed_at=status.organization_observed_at,
        worker_key_user=status.worker_key_user,
        worker_observed_at=status.last_polled_at,
        missing_permissions=missing_permissions(status),
    )


def key_facts(key: AccessKey) -> KeyFacts:
    """One key's facts."""
    return KeyFacts(
        ref=key.pk,
        status=KeyStatus(key.status),
        created_at=key.created_at,
        last_use=last_use(key),
        access_key_id=key.access_key_id,
        status_raw=key.status_raw,
        match=KeyMatch(key.match),
        status_observed_at=key.status_observed_at,
        status_source=Source(key.status_source),
        first_inactive_at=key.first_inactive_at,
        has_data_warning=key.has_data_warning,
    )


def principal_facts(principal: Principal, keys: Iterable[AccessKey]) -> PrincipalFacts:
    """Root's or one user's facts with its keys."""
    return PrincipalFacts(
        ref=principal.pk,
        is_root=principal.is_root,
        arn=principal.arn,
        name=principal.name,
        created_at=principal.created_at,
        password_state=PasswordState(principal.password_state),
        password_last_use=LastUse(
            UseState(principal.password_last_used_state), principal.password_last_used_at, observed_at=principal.report_generated_at
        ),
        password_last_changed_at=principal.password_last_changed_at,
        password_next_rotation_at=principal.password_next_rotation_at,
        mfa_state=MfaState(principal.mfa_state),
        keys=tuple(key_facts(key) for key in keys),
        certificates=_certificates(principal.certificates),
        mfa_kinds=None if principal.mfa_kinds is None else frozenset(principal.mfa_kinds),
        mfa_kinds_observed_at=principal.report_generated_at,
        observed_at=principal.report_generated_at,
        ambiguous_slots=principal.ambiguous_slots,
        keys_known=principal.keys_known,
        has_data_warning=principal.has_data_warning,
        details=detail_facts(principal),
    )


def _certificates(stored: list[dict[str, Any]] | None) -> tuple[CertificateFacts, ...] | None:
    if stored is None:
        return None
    return tuple(
        CertificateFacts(
            entry["slot"], entry["active"], datetime.fromisoformat(entry["last_rotated_at"]) if entry["last_rotated_at"] else None
        )
        for entry in stored
    )


def reevaluate_account(account: Account, status: AccountStatus, *, policy: Policy, now: datetime) -> None:
    """Judge everything in the account again. Runs in the caller's transaction; statements do not grow with what stays the same."""
    principals = list(Principal.objects.filter(account=account, gone_at__isnull=True))
    _reevaluate(account, status, principals, policy=policy, now=now, scope=Q())


def reevaluate_principals(
    account: Account, status: AccountStatus, principals: Sequence[Principal], *, policy: Policy, now: datetime
) -> None:
    """Judge these principals and their keys again, and the account itself."""
    ids = [principal.pk for principal in principals]
    _reevaluate(account, status, principals, policy=policy, now=now, scope=Q(principal__in=ids) | Q(principal__isnull=True))


def _reevaluate(
    account: Account, status: AccountStatus, principals: Sequence[Principal], *, policy: Policy, now: datetime, scope: Q
) -> None:
    keys: dict[int, list[AccessKey]] = {principal.pk: [] for principal in principals}
    for key in AccessKey.objects.filter(account=account, gone_at__isnull=True, principal__in=_scope_ids(principals, scope)).order_by("pk"):
        keys.setdefault(key.principal_id, []).append(key)
    of_account, covered_by = account_facts(account, status), covering.coverage(account, principals, now=now)
    verdicts = evaluate_account(of_account, policy=policy, now=now)
    if not of_account.is_reachable:
        verdicts += _verdicts_without_report(account, status, principals, policy=policy, now=now)
        said = Q(subject__in={_subject(verdict) for verdict in verdicts}, rule__in={verdict.rule for verdict in verdicts})
        known = {(f.subject, f.rule): f for f in Finding.objects.open().filter(said | Q(subject="account"), account=account)}
        _reconcile(account, *covering.apply(verdicts, covered_by), known, now=now)
        return
    for principal in principals:
        verdicts += evaluate_principal(principal_facts(principal, keys[principal.pk]), of_account, policy=policy, now=now)
    known = {(finding.subject, finding.rule): finding for finding in Finding.objects.open().filter(scope, account=account)}
    verdicts, exemptions = covering.apply(verdicts, covered_by)
    _reconcile(account, verdicts, exemptions, known, now=now)
    roots = {principal.pk for principal in principals if principal.is_root}
    mark_worst(principals, [key for some in keys.values() for key in some], verdicts, roots)


def _verdicts_without_report(
    account: Account, status: AccountStatus, principals: Sequence[Principal], *, policy: Policy, now: datetime
) -> list[Verdict]:
    """What earlier reports said becomes unknown; what a live summary says of root still holds when only the report was refused."""
    live: list[Verdict] = []
    if status.last_outcome == PollOutcome.REJECTED:
        facts = replace(account_facts(account, status), is_reachable=True)
        for root in (principal for principal in principals if principal.is_root):
            judged = evaluate_principal(replace(principal_facts(root, []), has_data_warning=True), facts, policy=policy, now=now)
            live += [verdict for verdict in judged if verdict.outcome is Outcome.FAIL]
    opened = Finding.objects.open().filter(account=account).exclude(subject="account")
    opened.update(outcome=FindingOutcome.UNKNOWN)
    return live


def _scope_ids(principals: Sequence[Principal], scope: Q) -> Any:
    """Ids as a list for a few principals; a subquery for a whole account, which may hold more than a statement's parameters."""
    if scope:
        return [principal.pk for principal in principals]
    return Principal.objects.filter(account=principals[0].account_id).values("pk") if principals else []


@dataclass
class _Diff:
    new: list[Finding] = field(default_factory=list)
    changed: list[Finding] = field(default_factory=list)
    seen: list[int] = field(default_factory=list)


def _reconcile(
    account: Account,
    verdicts: Iterable[Verdict],
    exemptions: Mapping[Place, Exemption],
    known: dict[tuple[str, str], Finding],
    *,
    now: datetime,
) -> None:
    """Open what is new, keep what stays, resolve what is no longer so."""
    diff = _Diff()
    for verdict in (verdict for verdict in verdicts if verdict.outcome in KEPT):
        subject = _subject(verdict)
        exemption = exemptions.get((verdict.principal_ref, verdict.key_ref, verdict.rule))
        finding = known.pop((subject, verdict.rule), None)
        if finding is None:
            finding = Finding(account=account, subject=subject, rule=verdict.rule, opened_at=now, last_seen_at=now)
            finding.principal_id, finding.key_id = verdict.principal_ref, verdict.key_ref
            _fill(finding, verdict, exemption, now)
            diff.new.append(finding)
            continue
        before = _told(finding)
        _fill(finding, verdict, exemption, now)
        if before == _told(finding):
            diff.seen.append(finding.pk)
        else:
            diff.changed.append(finding)
    for finding in known.values():
        finding.resolved_at, finding.resolution = now, "no longer so"
        diff.changed.append(finding)
    _write(diff, now)


def _told(finding: Finding) -> tuple[str, int, str, int | None]:
    return (finding.outcome, finding.severity, finding.explanation, finding.exemption_id)


def _write(diff: _Diff, now: datetime) -> None:
    if diff.changed:
        Finding.objects.bulk_create(diff.changed, batch_size=CHUNK, update_conflicts=True, unique_fields=["id"], update_fields=FIELDS)
    Finding.objects.bulk_create(diff.new, batch_size=CHUNK)
    for start in range(0, len(diff.seen), 900):
        Finding.objects.filter(pk__in=diff.seen[start : start + 900]).update(last_seen_at=now)


def _subject(verdict: Verdict) -> str:
    if verdict.key_ref is not None:
        return f"key:{verdict.key_ref}"
    return f"principal:{verdict.principal_ref}" if verdict.principal_ref is not None else "account"


def _fill(finding: Finding, verdict: Verdict, exemption: Exemption | None, now: datetime) -> None:
    """An unknown verdict keeps the severity of the failure it hides, so that it sorts where it was."""
    is_fail = verdict.outcome in (Outcome.FAIL, Outcome.EXEMPT)
    finding.exemption = exemption
    finding.rule_version, finding.profile = verdict.version, verdict.profile
    finding.outcome = OUTCOMES[verdict.outcome]
    finding.severity = int(verdict.severity) if is_fail else int(finding.severity or 0)
    finding.explanation, finding.comparison = verdict.explanation, verdict.comparison[:255]
    finding.last_seen_at, finding.resolved_at = now, None
    if is_fail or not finding.evidence:
        finding.evidence = [
            {"name": f.name, "value": f.value, "observed_at": f.observed_at.isoformat() if f.observed_at else None, "source": f.source}
            for f in verdict.facts
        ]


def reevaluate_silent(*, policy: Policy, now: datetime) -> int:
    """Judge accounts again whose newest report went out of date since their last verdict. Returns how many."""
    said = Finding.objects.open().filter(account=OuterRef("account"), rule="account.stale")
    late = Q(report_generated_at__isnull=True) | Q(report_generated_at__lt=now - policy.stale_after)
    silent = AccountStatus.objects.filter(late, account__in=Account.objects.pollable()).filter(~Exists(said)).select_related("account")
    for status in silent:
        with transaction.atomic():
            reevaluate_account(status.account, status, policy=policy, now=now)
    return len(silent)
