"""Exports of the whole inventory: the contract's columns, the same rows for pages and for the command. Streams.

How rows become text or a spreadsheet is `services.renderings`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db.models import OuterRef, Prefetch, QuerySet, Subquery

from accounts.models import Account, AuditEvent
from hygiene.domain.ages import is_in_future, whole_days
from hygiene.domain.facts import MfaState, PasswordState
from hygiene.domain.owners import descriptions
from hygiene.domain.policy import Policy
from hygiene.domain.states import AccountState
from hygiene.domain.verdicts import Severity
from hygiene.models import AccessKey, AccountStatus, Exemption, Finding, FindingOutcome, Principal
from hygiene.services.columns import COLUMNS
from hygiene.services.posture import state_of
from hygiene.services.renderings import FORMATS, csv_line, render, render_xlsx
from hygiene.services.roots import RootFacts, root_facts

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser, User

CHUNK = 1000
Row = dict[str, Any]


def rows(
    kind: str, *, policy: Policy, now: datetime, user: User | AnonymousUser | None = None, queryset: QuerySet[Any, Any] | None = None
) -> Iterator[Row]:
    """Rows of `kind` as values of COLUMNS[kind]. Without a queryset: everything that `user` may see, or all without a user."""
    found = _everything(kind, user) if queryset is None else queryset
    loaded, make = _LOADERS[kind], _ROWS[kind]
    for item in loaded(found).iterator(chunk_size=CHUNK):
        yield make(item, policy, now)


def _everything(kind: str, user: User | AnonymousUser | None) -> QuerySet[Any, Any]:
    models: dict[str, Any] = {"keys": AccessKey, "users": Principal, "accounts": Account, "findings": Finding, "exemptions": Exemption}
    models["audit"] = AuditEvent
    found: QuerySet[Any, Any] = models[kind].objects.all() if user is None else models[kind].objects.visible_to(user)
    if kind == "users":
        found = found.filter(gone_at__isnull=True)
    return found.filter(removed_at__isnull=True).order_by("account_id") if kind == "accounts" else found.order_by("pk")


def _severity(level: int) -> str | None:
    return Severity(level).word if level else None


def with_exempt_until(found: QuerySet[AccessKey]) -> QuerySet[AccessKey]:
    """The keys with `exempt_until`: when the first exemption of theirs ends; None for none."""
    covering = Finding.objects.open().filter(key=OuterRef("pk"), outcome=FindingOutcome.EXEMPT).order_by("exemption__ends_at")
    return found.annotate(exempt_until=Subquery(covering.values("exemption__ends_at")[:1]))


def _keys(found: QuerySet[AccessKey]) -> QuerySet[AccessKey]:
    return with_exempt_until(found).select_related("account", "principal")


def _key(key: AccessKey, policy: Policy, now: datetime) -> Row:
    dated = key.created_at is not None and not is_in_future(key.created_at, now)
    return {
        "account_id": key.account.account_id,
        "account_name": key.account.name,
        "user_name": key.principal.name,
        "user_arn": key.principal.arn,
        "is_root": key.principal.is_root,
        "access_key_id": key.access_key_id,
        "status": "deleted" if key.gone_at else key.status,
        "created_at": key.created_at,
        "age_days": whole_days(key.created_at, now) if key.created_at and dated else None,
        "last_used_at": key.last_used_at,
        "last_used_region": key.last_used_region,
        "last_used_service": key.last_used_service,
        "last_used_state": key.last_used_state,
        "first_seen_at": key.first_seen_at,
        "status_observed_at": key.status_observed_at,
        "report_generated_at": key.principal.report_generated_at,
        "owner": key.principal.owner or key.account.owner_email,
        "exempt_until": getattr(key, "exempt_until", None),
        "rules": [] if key.gone_at else key.failing_rules,
        "severity": None if key.gone_at else _severity(key.severity),
        "owner_source": _owner_source(key.principal, key.account),
        "description": key.description,
        "is_admin": key.principal.is_admin,
        "tags": _tags(key.principal),
    }


def _owner_source(user: Principal, account: Account) -> str | None:
    return user.owner_source or ("account" if account.owner_email else None)


def _tags(user: Principal) -> list[str] | None:
    """`key=value`, without the descriptions of keys; None where tags were not read."""
    if user.tags is None:
        return None
    return [f"{key}={value}" for key, value in sorted(user.tags.items()) if key not in descriptions(user.tags)]


def _ids(entries: list[dict[str, Any]] | None, *names: str) -> list[str] | None:
    """Parts of each entry; None where they were not read, which is not "none"."""
    return None if entries is None else [" ".join(str(entry[name]) for name in names) for entry in entries]


def _users(found: QuerySet[Principal]) -> QuerySet[Principal]:
    root_keys = AccessKey.objects.present().filter(principal__is_root=True)
    return found.select_related("account__status").prefetch_related(Prefetch("access_keys", queryset=root_keys, to_attr="root_keys"))


def _user(user: Principal, policy: Policy, now: datetime) -> Row:
    certificates = user.certificates
    status = _status(user.account)
    is_current = _is_root_current(status, policy, now)
    root = root_facts(user.account, status, user, user.root_keys, is_current=is_current) if user.is_root else None  # type: ignore[attr-defined]  # prefetched
    return {
        "account_id": user.account.account_id,
        "account_name": user.account.name,
        "user_name": user.name,
        "user_arn": user.arn,
        "user_id": user.user_id,
        "is_root": user.is_root,
        "created_at": user.created_at,
        "password_state": _password(user, root),
        "password_last_used_at": user.password_last_used_at,
        "password_last_used_state": user.password_last_used_state,
        "password_last_changed_at": user.password_last_changed_at,
        "mfa_state": root.mfa.value if root else mfa_of(user).value,
        "mfa_kinds": ([root.mfa_kind] if root.mfa_kind else None) if root else user.mfa_kinds,
        "active_keys": user.active_keys if user.keys_known else None,
        "inactive_keys": user.inactive_keys if user.keys_known else None,
        "active_certificates": None if certificates is None else sum(1 for item in certificates if item["active"]),
        "owner": user.owner or user.account.owner_email,
        "rules": user.failing_rules,
        "severity": _severity(user.severity),
        "owner_source": _owner_source(user, user.account),
        "user_class": None if user.is_root else user.user_class,
        "groups": user.groups,
        "policies": _ids(user.policies, "name"),
        "is_admin": user.is_admin,
        "quarantine_policy": user.quarantine_policy,
        "tags": _tags(user),
        "ssh_keys": _ids(user.ssh_keys, "id"),
        "service_credentials": _ids(user.service_credentials, "service", "id"),
        "details_observed_at": user.details_observed_at,
    }


def _password(user: Principal, root: RootFacts | None) -> str:
    if root is None or root.password_present is None:
        return user.password_state
    return (PasswordState.ENABLED if root.password_present else PasswordState.NONE).value


def mfa_of(user: Principal) -> MfaState:
    """MFA of an IAM user: for a user without a password "off" is not a gap, so it does not apply."""
    if user.password_state == PasswordState.NONE and user.mfa_state == MfaState.OFF:
        return MfaState.NOT_APPLICABLE
    return MfaState(user.mfa_state)


def _status(account: Account) -> Any:
    return getattr(account, "status", None)


def _accounts(found: QuerySet[Account]) -> QuerySet[Account]:
    roots = Principal.objects.present().filter(is_root=True)
    keys = AccessKey.objects.present().filter(principal__is_root=True)
    return found.select_related("status").prefetch_related(
        Prefetch("principals", queryset=roots, to_attr="roots"), Prefetch("access_keys", queryset=keys, to_attr="root_keys")
    )


def _account(account: Account, policy: Policy, now: datetime) -> Row:
    status, roots = _status(account), account.roots  # type: ignore[attr-defined]  # prefetched
    state = state_of(status, account, policy=policy, now=now)
    root = root_facts(account, status, roots[0] if roots else None, account.root_keys, is_current=_is_root_current(status, policy, now))  # type: ignore[attr-defined]  # prefetched
    return {
        "account_id": account.account_id,
        "name": account.name,
        "partition": account.partition,
        "state": state.value,
        "report_generated_at": status.report_generated_at if status else None,
        "last_polled_at": status.last_polled_at if status else None,
        "last_error": status.error if status else None,
        "root_key_present": root.key_present,
        "root_mfa": root.mfa.value,
        "root_mfa_kind": root.mfa_kind,
        "root_password_present": root.password_present,
        "users": counted(status, "users", state=state),
        "active_keys": counted(status, "active_keys", state=state),
        "findings_open": counted(status, "findings_open", state=state),
    }


def _is_root_current(status: AccountStatus | None, policy: Policy, now: datetime) -> bool:
    """Whether root's facts, live or of the report, are young enough to be told as they are."""
    moments = (status.summary_observed_at, status.report_generated_at) if status else ()
    return any(moment is not None and now - moment <= policy.stale_after for moment in moments)


def counted(status: AccountStatus | None, name: str, *, state: AccountState) -> int | None:
    """A count of the account's status, or None where it has no current complete report: then its counts are not known."""
    return int(getattr(status, name)) if status is not None and state is AccountState.OK else None


def _findings(found: QuerySet[Finding]) -> QuerySet[Finding]:
    return found.select_related("account", "principal", "key", "exemption")


def _finding(finding: Finding, policy: Policy, now: datetime) -> Row:
    return {
        "account_id": finding.account.account_id,
        "user_arn": finding.principal.arn if finding.principal else None,
        "access_key_id": finding.key.access_key_id if finding.key else None,
        "rule": finding.rule,
        "severity": _severity(finding.severity),
        "outcome": finding.outcome,
        "opened_at": finding.opened_at,
        "last_seen_at": finding.last_seen_at,
        "resolved_at": finding.resolved_at,
        "exempt_until": finding.exemption.ends_at if finding.exemption and finding.outcome == FindingOutcome.EXEMPT else None,
        "explanation": finding.explanation,
    }


def _exemptions(found: QuerySet[Exemption]) -> QuerySet[Exemption]:
    return found.select_related("account", "principal", "key", "created_by")


def _exemption(row: Exemption, policy: Policy, now: datetime) -> Row:
    copied = ("scope", "tag", "rules", "reason", "ticket", "accepted_by", "created_at", "ends_at", "ended_at", "end_reason")
    return {
        **{name: getattr(row, name) for name in copied},
        "account_id": row.account.account_id if row.account else None,
        "account_name": row.account.name if row.account else None,
        "user_arn": row.principal.arn if row.principal else None,
        "access_key_id": row.key.access_key_id if row.key else None,
        "created_by": row.created_by_name,
    }


def _audit(found: QuerySet[AuditEvent]) -> QuerySet[AuditEvent]:
    return found


def _event(event: AuditEvent, policy: Policy, now: datetime) -> Row:
    copied = ("action", "outcome", "target", "reason", "note", "ticket", "before", "after", "message", "correlation_id", "aws_request_id")
    return {
        "occurred_at": event.occurred_at,
        "actor": event.actor_name,
        "account_id": event.account_number,
        "account_name": event.account_name,
        **{name: getattr(event, name) for name in copied},
    }


_LOADERS: dict[str, Callable[[Any], QuerySet[Any, Any]]] = {
    "keys": _keys,
    "users": _users,
    "accounts": _accounts,
    "findings": _findings,
    "exemptions": _exemptions,
    "audit": _audit,
}
__all__ = ["COLUMNS", "FORMATS", "csv_line", "render", "render_xlsx", "rows"]
_ROWS: dict[str, Callable[[Any, Policy, datetime], Row]] = {
    "keys": _key,
    "users": _user,
    "accounts": _account,
    "findings": _finding,
    "exemptions": _exemption,
    "audit": _event,
}
