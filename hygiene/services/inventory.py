"""Report rows → principals and access keys. Rows are marked gone, never deleted; an older fact never reverts a newer one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from accounts.gateway import AccountSummary
from accounts.models import Account
from hygiene.domain.facts import KeyMatch, KeyStatus, MfaState, PasswordState, Source
from hygiene.domain.report import ParsedReport, ReportRow, ReportSlot
from hygiene.models import AccessKey, Poll, Principal
from hygiene.services.changes import CHUNK, KEY_FIELDS, KEY_FRESHNESS, PRINCIPAL_FIELDS, PRINCIPAL_FRESHNESS, Changes, set_status, state


@dataclass(frozen=True, slots=True)
class Observation:
    """One report of one account on its way into the inventory."""

    account: Account
    poll: Poll
    generated_at: datetime
    now: datetime
    virtual_mfa_arns: frozenset[str] | None


def record(parsed: ParsedReport, seen: Observation, *, is_complete: bool) -> int:
    """Store a report. Users absent from it are marked gone only when it `is_complete`. Returns how many principals are new or changed.

    Runs in the caller's transaction.
    """
    known = {principal.arn: principal for principal in Principal.objects.filter(account=seen.account, gone_at__isnull=True)}
    keys: dict[int, list[AccessKey]] = {}
    for key in AccessKey.objects.filter(account=seen.account, gone_at__isnull=True):
        keys.setdefault(key.principal_id, []).append(key)
    changes = Changes()
    changed = 0
    for row in parsed.rows:
        principal = known.pop(row.arn, None)
        if principal is not None and _is_another(principal, row):
            _close(principal, keys.pop(principal.pk, []), seen, changes, reason="deleted and created again under the same name")
            principal = None
        changed += _record_row(row, principal, keys.get(principal.pk, []) if principal else [], seen, changes)
    if is_complete:
        for principal in known.values():
            if not principal.is_root:
                _close(principal, keys.get(principal.pk, []), seen, changes, reason="user not in the newest report")
                changed += 1
    _write_closed_first(changes)
    changes.write_freshness(generated_at=seen.generated_at, now=seen.now)
    return changed


def _write_closed_first(changes: Changes) -> None:
    """Close before opening: an ARN may be present only once."""
    closed = [principal for principal in changes.principals if principal.gone_at is not None]
    Principal.objects.bulk_update(closed, ["gone_at"], batch_size=CHUNK)
    changes.principals = [principal for principal in changes.principals if principal.gone_at is None]
    changes.write()


def _is_another(principal: Principal, row: ReportRow) -> bool:
    """Same ARN but another creation time: the user was deleted and created again."""
    return not row.is_root and None not in (principal.created_at, row.created_at) and principal.created_at != row.created_at


def _close(principal: Principal, keys: Iterable[AccessKey], seen: Observation, changes: Changes, *, reason: str) -> None:
    principal.gone_at = seen.generated_at
    changes.principals.append(principal)
    for key in keys:
        _gone(key, at=seen.generated_at, reason=reason, changes=changes, source=Source.REPORT, poll=seen.poll)
        changes.keys.append(key)


def _gone(key: AccessKey, *, at: datetime, reason: str, changes: Changes, source: Source, poll: Poll | None) -> None:
    key.gone_at, key.gone_reason = at, reason[:64]
    changes.event(key, "gone", f"No longer in AWS: {reason}", at=at, source=source, poll=poll)


def _record_row(row: ReportRow, principal: Principal | None, keys: Sequence[AccessKey], seen: Observation, changes: Changes) -> bool:
    """Principal and keys of one row; whether anything but the report's time changed."""
    is_new = principal is None
    if principal is None:
        principal = Principal(account=seen.account, arn=row.arn, is_root=row.is_root, first_seen_at=seen.now)
    before = state(principal, PRINCIPAL_FIELDS, PRINCIPAL_FRESHNESS)
    _fill(principal, row, seen)
    if row.keys_known or row.slots:
        _record_slots(row, principal, keys, seen, changes)
    if is_new:
        changes.new_principals.append(principal)
        return True
    if before != state(principal, PRINCIPAL_FIELDS, PRINCIPAL_FRESHNESS):
        changes.principals.append(principal)
        return True
    changes.fresh_principals.append(principal.pk)
    return False


def _fill(principal: Principal, row: ReportRow, seen: Observation) -> None:
    principal.name = row.name[:128]
    principal.created_at = row.created_at
    principal.password_state = row.password_state
    principal.password_last_used_at = row.password_last_use.at
    principal.password_last_used_state = row.password_last_use.state
    principal.password_last_changed_at = row.password_last_changed_at
    principal.password_next_rotation_at = row.password_next_rotation_at
    principal.mfa_state = row.mfa_state
    principal.mfa_kinds = _mfa_kinds(row, seen)
    principal.certificates = _certificates(row)
    principal.fingerprint = row.fingerprint
    principal.keys_known = row.keys_known
    principal.has_data_warning = row.has_conflict
    principal.warnings = list(row.warnings)
    principal.extra = {name: value for name, value in row.extra.items() if value}
    principal.owner, principal.owner_source = _owner(seen.account)
    principal.report_generated_at = seen.generated_at
    principal.last_seen_at = seen.now
    principal.gone_at = None


def _owner(account: Account) -> tuple[str, str]:
    return (account.owner_email, "account") if account.owner_email else ("", "")


def _mfa_kinds(row: ReportRow, seen: Observation) -> list[str] | None:
    """Virtual if an assigned virtual device carries the ARN, else hardware (or a passkey); None when devices could not be listed."""
    if row.mfa_state is MfaState.OFF:
        return []
    if seen.virtual_mfa_arns is None or row.mfa_state is MfaState.UNKNOWN:
        return None
    return ["virtual"] if row.arn in seen.virtual_mfa_arns else ["hardware"]


def _certificates(row: ReportRow) -> list[dict[str, Any]] | None:
    if row.certificates is None:
        return None
    return [
        {"slot": c.slot, "active": c.is_active, "last_rotated_at": c.last_rotated_at.isoformat() if c.last_rotated_at else None}
        for c in row.certificates
    ]


def _record_slots(row: ReportRow, principal: Principal, keys: Sequence[AccessKey], seen: Observation, changes: Changes) -> None:
    """Slots find their rows by birth and status; ids that are known stay where a row fits."""
    left = list(keys)
    current: list[AccessKey] = []
    for slot in row.slots:
        twins = [other for other in row.slots if other.rotated_at == slot.rotated_at]
        key = _fitting(left, slot)
        if key is None:
            key = _new_key(slot, principal, seen, twin=sum(other.created_at == slot.rotated_at for other in current))
            changes.new_keys.append(key)
            _born_events(key, seen, changes)
            _apply_slot(key, slot, seen, changes, is_tied=False)
        else:
            left.remove(key)
            before = state(key, KEY_FIELDS, KEY_FRESHNESS)
            is_tied = key.access_key_id is not None and sum(other.is_active == slot.is_active for other in twins) > 1
            _apply_slot(key, slot, seen, changes, is_tied=is_tied)
            if before == state(key, KEY_FIELDS, KEY_FRESHNESS):
                changes.fresh_keys.append(key.pk)
            else:
                changes.keys.append(key)
        current.append(key)
    for key in left:
        if key.status_observed_at <= seen.generated_at and row.keys_known and not principal.has_data_warning:
            _gone(key, at=seen.generated_at, reason="not in the newest report", changes=changes, source=Source.REPORT, poll=seen.poll)
            changes.keys.append(key)
        else:
            current.append(key)
    principal.active_keys = sum(key.status == KeyStatus.ACTIVE for key in current)
    principal.inactive_keys = len(current) - principal.active_keys


def _fitting(keys: Sequence[AccessKey], slot: ReportSlot) -> AccessKey | None:
    """The known row of a slot: born in the same second, of the same status if there are two."""
    fits = [key for key in keys if key.created_at == slot.rotated_at]
    same = [key for key in fits if (key.status == KeyStatus.ACTIVE) == slot.is_active]
    return next(iter(same or fits), None)


def _new_key(slot: ReportSlot, principal: Principal, seen: Observation, *, twin: int) -> AccessKey:
    return AccessKey(
        account=seen.account,
        principal=principal,
        twin=twin,
        match=KeyMatch.UNLISTABLE if principal.is_root else KeyMatch.ID_PENDING,
        status=KeyStatus.ACTIVE if slot.is_active else KeyStatus.INACTIVE,
        status_observed_at=seen.generated_at,
        created_at=slot.rotated_at,
        first_seen_at=seen.now,
    )


def _born_events(key: AccessKey, seen: Observation, changes: Changes) -> None:
    if key.created_at is not None:
        changes.event(key, "created", "Key created", at=key.created_at, source=Source.REPORT, poll=seen.poll)
    changes.event(key, "first_seen", "First seen by a poll", at=seen.now, source=Source.REPORT, poll=seen.poll)


def _apply_slot(key: AccessKey, slot: ReportSlot, seen: Observation, changes: Changes, *, is_tied: bool) -> None:
    """What the report says of one key, where it is newer than what is known."""
    is_new = key.pk is None
    key.has_data_warning = slot.has_warning
    if key.match == KeyMatch.LIVE_ONLY and not is_tied:
        key.match = KeyMatch.EXACT
    if is_new or key.status_observed_at <= seen.generated_at:
        status = KeyStatus.ACTIVE if slot.is_active else KeyStatus.INACTIVE
        if key.status != KeyStatus.OTHER:
            set_status(key, status, raw="", observed_at=seen.generated_at, source=Source.REPORT, changes=changes, poll=seen.poll)
    if not is_tied and (key.last_used_observed_at is None or key.last_used_observed_at <= seen.generated_at):
        _set_use(key, slot, seen, changes)


def _set_use(key: AccessKey, slot: ReportSlot, seen: Observation, changes: Changes) -> None:
    use = slot.last_use
    if use.at is not None and key.last_used_at != use.at and (key.last_used_at is None or use.at > key.last_used_at):
        where = ", ".join(filter(None, [use.service, use.region]))
        changes.event(key, "used", f"Used ({where})" if where else "Used", at=use.at, source=Source.REPORT, poll=seen.poll)
    if key.last_used_at is not None and use.at is not None and use.at < key.last_used_at:
        return
    key.last_used_state, key.last_used_at = use.state, use.at
    key.last_used_region, key.last_used_service = use.region or "", use.service or ""
    key.last_used_observed_at, key.last_used_source = seen.generated_at, Source.REPORT


def root_without_row(account: Account, summary: AccountSummary | None, *, now: datetime) -> None:
    """A report without a row for root: keep a root principal, known only from the live summary."""
    arn = f"arn:{account.partition}:iam::{account.account_id}:root"
    password = {True: PasswordState.ENABLED, False: PasswordState.NONE, None: PasswordState.UNKNOWN}
    mfa = {True: MfaState.ON, False: MfaState.OFF, None: MfaState.UNKNOWN}
    Principal.objects.get_or_create(
        account=account,
        arn=arn,
        gone_at=None,
        defaults={
            "is_root": True,
            "name": "<root_account>",
            "password_state": password[summary.root_password_present if summary else None],
            "mfa_state": mfa[summary.root_mfa_on if summary else None],
            "warnings": ["The credential report has no row for the root user."],
            "first_seen_at": now,
            "last_seen_at": now,
        },
    )


def reconcile_root_key(account: Account, summary: AccountSummary | None, *, poll: Poll, now: datetime) -> None:
    """The live summary wins: a root key that no report has shown yet gets a row, and rows of a key that is gone are closed."""
    if summary is None or summary.root_key_present is None:
        return
    root = Principal.objects.filter(account=account, is_root=True, gone_at__isnull=True).first()
    if root is None:
        return
    keys = list(AccessKey.objects.present().filter(principal=root))
    placeholders = [key for key in keys if key.status_source == Source.SUMMARY]
    changes = Changes()
    if not summary.root_key_present or len(keys) > len(placeholders):
        reason = "root key gone by the live summary" if not summary.root_key_present else "now shown by the report"
        active_left = keys if not summary.root_key_present else placeholders
        for key in active_left:
            if key.status == KeyStatus.ACTIVE or key in placeholders:
                _gone(key, at=now, reason=reason, changes=changes, source=Source.SUMMARY, poll=poll)
                changes.keys.append(key)
    elif not keys:
        key = AccessKey(
            account=account,
            principal=root,
            match=KeyMatch.UNLISTABLE,
            status=KeyStatus.ACTIVE,
            status_observed_at=now,
            status_source=Source.SUMMARY,
            first_seen_at=now,
        )
        changes.event(key, "first_seen", "Root key seen in the live account summary", at=now, source=Source.SUMMARY, poll=poll)
        changes.new_keys.append(key)
    changes.write()
