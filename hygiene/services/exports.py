"""Exports of the whole inventory: the columns of `services.columns`, the same rows for pages and for the command. Streams.

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
from hygiene.models import AccessKey, AccountStatus, Exemption, Finding, FindingOutcome, Principal, Remediation
from hygiene.services import exported_records
from hygiene.services.columns import COLUMNS
from hygiene.services.exported_records import Row, severity_word
from hygiene.services.posture import state_of
from hygiene.services.renderings import FORMATS, about_line, render, render_xlsx
from hygiene.services.roots import RootFacts, root_facts

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser, User

CHUNK = 1000


def rows(
    kind: str, *, policy: Policy, now: datetime, user: User | AnonymousUser | None = None, queryset: QuerySet[Any, Any] | None = None
) -> Iterator[Row]:
    """Rows of `kind` as values of COLUMNS[kind]. Without a queryset: everything that `user` may see, or all without a user."""
    found = _everything(kind, user) if queryset is None else queryset
    loaded, make = _LOADERS[kind], _ROWS[kind]
    for item in loaded(found).iterator(chunk_size=CHUNK):
        yield make(item, policy, now)


def rows_in_order(kind: str, ids: list[int], queryset: QuerySet[Any, Any], *, policy: Policy, now: datetime) -> Iterator[Row]:
    """Rows of `kind` in the order of `ids`; those that `queryset` does not have are left out. One statement and its prefetches."""
    found = {item.pk: item for item in _LOADERS[kind](queryset)}
    for pk in ids:
        if pk in found:
            yield _ROWS[kind](found[pk], policy, now)


def _everything(kind: str, user: User | AnonymousUser | None) -> QuerySet[Any, Any]:
    models: dict[str, Any] = {"keys": AccessKey, "users": Principal, "accounts": Account, "findings": Finding, "exemptions": Exemption}
    models |= {"audit": AuditEvent, "queue": Remediation}
    found: QuerySet[Any, Any] = models[kind].objects.all() if user is None else models[kind].objects.visible_to(user)
    if kind in ("keys", "users", "findings"):
        found = found.filter(account__removed_at__isnull=True)
    if kind == "users":
        found = found.filter(gone_at__isnull=True)
    return found.filter(removed_at__isnull=True).order_by("account_id") if kind == "accounts" else found.order_by("pk")


def with_exempt_until(found: QuerySet[AccessKey]) -> QuerySet[AccessKey]:
    """The keys with `exempt_until`: when the first exemption of theirs ends; None for none."""
    covering = Finding.objects.open().filter(key=OuterRef("pk"), outcome=FindingOutcome.EXEMPT).order_by("exemption__ends_at")
    return found.annotate(exempt_until=Subquery(covering.values("exemption__ends_at")[:1]))


def _keys(found: QuerySet[AccessKey]) -> QuerySet[AccessKey]:
    return with_exempt_until(found).select_related("account__status", "principal")


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
        "severity": None if key.gone_at else severity_word(key.severity),
        "owner_source": _owner_source(key.principal, key.account),
        "description": key.description,
        "is_admin": key.principal.is_admin,
        "tags": _tags(key.principal),
        "status_source": key.status_source,
        "last_used_observed_at": key.last_used_observed_at,
        "last_used_source": key.last_used_source if key.last_used_observed_at else None,
        "account_state": _state(key.account, policy, now),
    }


def _state(account: Account, policy: Policy, now: datetime) -> str:
    return state_of(_status(account), account, policy=policy, now=now).value


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
    plain = found.select_related("account__status").prefetch_related(None)
    return plain.prefetch_related(Prefetch("access_keys", queryset=root_keys, to_attr="root_keys"))


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
        "severity": severity_word(user.severity),
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
        "report_generated_at": user.report_generated_at,
        "account_state": _state(user.account, policy, now),
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
    return (
        found.select_related("status")
        .prefetch_related(None)
        .prefetch_related(  # a page's own are of no use here
            Prefetch("principals", queryset=roots, to_attr="roots"), Prefetch("access_keys", queryset=keys, to_attr="root_keys")
        )
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
        "report_is_complete": status.report_is_complete if status and status.report_generated_at else None,
        "root_observed_at": status.summary_observed_at if status else None,
        "missing_permissions": [entry["permission"] for entry in status.missing_permissions] if status else None,
    }


def _is_root_current(status: AccountStatus | None, policy: Policy, now: datetime) -> bool:
    """Whether root's facts, live or of the report, are young enough to be told as they are."""
    moments = (status.summary_observed_at, status.report_generated_at) if status else ()
    return any(moment is not None and now - moment <= policy.stale_after for moment in moments)


def counted(status: AccountStatus | None, name: str, *, state: AccountState) -> int | None:
    """A count of the account's status, or None where it has no current complete report: then its counts are not known."""
    return int(getattr(status, name)) if status is not None and state is AccountState.OK else None


_LOADERS: dict[str, Callable[[Any], QuerySet[Any, Any]]] = {
    "keys": _keys,
    "users": _users,
    "accounts": _accounts,
    "findings": exported_records.findings,
    "exemptions": exported_records.exemptions,
    "audit": exported_records.audit,
    "queue": exported_records.changes,
}
__all__ = ["COLUMNS", "FORMATS", "about_line", "render", "render_xlsx", "rows"]
_ROWS: dict[str, Callable[[Any, Policy, datetime], Row]] = {
    "keys": _key,
    "users": _user,
    "accounts": _account,
    "findings": exported_records.finding,
    "exemptions": exported_records.exemption,
    "audit": exported_records.event,
    "queue": exported_records.change,
}
