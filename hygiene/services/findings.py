"""Models → facts → verdicts, of a whole account or of some of its principals. What becomes of verdicts stands in `reconciling`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType
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
    UsageFacts,
    UseState,
)
from hygiene.domain.policy import Policy
from hygiene.domain.rules import evaluate_account, evaluate_principal
from hygiene.domain.verdicts import Outcome, Verdict
from hygiene.models import UNKNOWN_USER, AccessKey, AccountStatus, Finding, FindingOutcome, PollOutcome, Principal
from hygiene.services import covering, holders
from hygiene.services.changes import Changes
from hygiene.services.detail_facts import central_root_on, detail_facts, missing_permissions, password_policy_facts, usage_in
from hygiene.services.holders import Holder
from hygiene.services.live_keys import last_use
from hygiene.services.marks import mark_worst
from hygiene.services.reconciling import reconcile, subject_of

UNREACHABLE_OUTCOMES = (PollOutcome.ACCESS_LOST, PollOutcome.REJECTED)
FEW = 500  # users who are judged by themselves; more of them, and the whole account is
KEPT = (Outcome.FAIL, Outcome.EXEMPT, Outcome.UNKNOWN)


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
        central_root_on=central_root_on(status),
        organization_observed_at=status.organization_observed_at,
        worker_key_user=None if status.worker_key_user == UNKNOWN_USER else status.worker_key_user,
        worker_observed_at=status.last_polled_at,
        missing_permissions=missing_permissions(status),
    )


def key_facts(key: AccessKey, usage: Mapping[int, UsageFacts]) -> KeyFacts:
    """One key's facts; `usage` by primary key where somebody looked for the key's use."""
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
        usage=usage.get(key.pk),
    )


def principal_facts(
    principal: Principal, keys: Iterable[AccessKey], usage: Mapping[int, UsageFacts] = MappingProxyType({})
) -> PrincipalFacts:
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
        keys=tuple(key_facts(key, usage) for key in keys),
        certificates=_certificates(principal.certificates),
        mfa_kinds=None if principal.mfa_kinds is None else frozenset(principal.mfa_kinds),
        mfa_kinds_observed_at=principal.mfa_listed_at or principal.report_generated_at,
        mfa_kinds_source=Source.MFA_DEVICES if principal.mfa_listed_at is None else "ListMFADevices",
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
    changes = Changes()
    judge(account, status, holders.of_account(account), policy=policy, now=now, changes=changes)
    changes.write()


def reevaluate_principals(
    account: Account, status: AccountStatus, principals: Sequence[Principal], *, policy: Policy, now: datetime
) -> None:
    """Judge these principals and their keys again, and the account itself."""
    changes = Changes()
    scope = Q(principal__in=[principal.pk for principal in principals]) | Q(principal__isnull=True)
    judge(account, status, holders.of_principals(principals), policy=policy, now=now, changes=changes, scope=scope)
    changes.write()


def reevaluate_users(account: Account, status: AccountStatus, pks: Collection[int], *, policy: Policy, now: datetime) -> None:
    """Judge these users as they are stored, and the account itself; where they are many, everything in the account."""
    if len(pks) > FEW:
        reevaluate_account(account, status, policy=policy, now=now)
    else:
        users = list(Principal.objects.present().filter(pk__in=pks))
        reevaluate_principals(account, status, users, policy=policy, now=now)


def judge(
    account: Account,
    status: AccountStatus,
    held: Sequence[Holder],
    *,
    policy: Policy,
    now: datetime,
    changes: Changes,
    scope: Q | None = None,
) -> None:
    """Verdicts of these rows, which need not be written yet but have their numbers, and of the account; findings are stored.

    Marks of the rows are left to `changes`. `scope`: which open findings the verdicts replace, all of the account by default.
    """
    of_account = account_facts(account, status)
    covered_by = covering.coverage(account, [holder.principal for holder in held], now=now)
    verdicts = evaluate_account(of_account, policy=policy, now=now)
    if not of_account.is_reachable:
        verdicts += _verdicts_without_report(account, status, [holder.principal for holder in held], policy=policy, now=now)
        said = Q(subject__in={subject_of(verdict) for verdict in verdicts}, rule__in={verdict.rule for verdict in verdicts})
        reconcile(account, *covering.apply(verdicts, covered_by), said | Q(subject="account"), now=now)
        return
    usage = usage_in(account)
    for holder in held:
        facts = principal_facts(holder.principal, sorted(holder.keys, key=_by_number), usage)
        verdicts += evaluate_principal(facts, of_account, policy=policy, now=now, outcomes=KEPT)
    verdicts, exemptions = covering.apply(verdicts, covered_by)
    reconcile(account, verdicts, exemptions, scope or Q(), now=now)
    changes.marked += mark_worst(held, verdicts)


def _by_number(key: AccessKey) -> int:
    return key.pk


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


def reevaluate_silent(*, policy: Policy, policies: Callable[[Account], Policy], now: datetime) -> int:
    """Judge accounts again whose newest report went out of date since their last verdict. Returns how many.

    `policy` says what is out of date, which is one number for all; `policies` gives that of one account.
    """
    said = Finding.objects.open().filter(account=OuterRef("account"), rule="account.stale")
    late = Q(report_generated_at__isnull=True) | Q(report_generated_at__lt=now - policy.stale_after)
    silent = AccountStatus.objects.filter(late, account__in=Account.objects.pollable()).filter(~Exists(said)).select_related("account")
    for status in silent:
        with transaction.atomic():
            reevaluate_account(status.account, status, policy=policies(status.account), now=now)
    return len(silent)
