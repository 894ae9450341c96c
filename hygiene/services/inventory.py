"""Report rows → principals and access keys. Rows are marked gone, never deleted; an older fact never reverts a newer one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db.models import CharField, F, Q, Value
from django.db.models.functions import Cast, Concat

from accounts.gateway import AccountSummary
from accounts.models import Account
from hygiene.domain.facts import KeyMatch, KeyStatus, MfaState, PasswordState, Source
from hygiene.domain.report import ParsedReport, ReportRow
from hygiene.models import AccessKey, Poll, Principal
from hygiene.services import slots, timelines
from hygiene.services.changes import CHUNK, PRINCIPAL_FIELDS, PRINCIPAL_FRESHNESS, Changes, state
from hygiene.services.identity import Joined
from hygiene.services.slots import Observation


def record(parsed: ParsedReport, seen: Observation, joined: Joined, *, is_complete: bool) -> int:
    """Store a report whose users are `joined` with those that are known. Users in no row are marked gone only when it `is_complete`.

    Returns how many principals are new or changed. Runs in the caller's transaction.
    """
    keys = _keys(seen, joined)
    changes = Changes()
    changed = 0
    for principal in joined.remade:
        present = [key for key in keys.get(principal.pk, []) if key.gone_at is None]
        _close(principal, present, seen, changes, reason="deleted and created again under the same name")
    for row in parsed.rows:
        known = joined.of.get(row.arn)
        changed += _record_row(row, known, keys.get(known.pk, []) if known else [], seen, changes)
    for principal in joined.left if is_complete else []:
        if not principal.is_root:
            present = [key for key in keys.get(principal.pk, []) if key.gone_at is None]
            _close(principal, present, seen, changes, reason="user not in the newest report")
            changed += 1
    _write_closed_first(changes, joined)
    changes.write_freshness(generated_at=seen.generated_at, now=seen.now)
    return changed


def _keys(seen: Observation, joined: Joined) -> dict[int, list[AccessKey]]:
    """Keys of each principal: present, gone since the report was made, and those that went with a user who is back."""
    wanted = Q(gone_at__isnull=True) | Q(gone_at__gt=seen.generated_at)
    if joined.back:
        wanted |= Q(principal__in=joined.back, gone_at=F("principal__gone_at"))
    keys: dict[int, list[AccessKey]] = {}
    for key in AccessKey.objects.filter(wanted, account=seen.account).order_by("pk"):
        keys.setdefault(key.principal_id, []).append(key)
    return keys


def _write_closed_first(changes: Changes, joined: Joined) -> None:
    """Close before opening, and put names aside before they are given anew: an ARN may be present only once."""
    closed = [principal for principal in changes.principals if principal.gone_at is not None]
    Principal.objects.bulk_update(closed, ["gone_at"], batch_size=CHUNK)
    changes.principals = [principal for principal in changes.principals if principal.gone_at is None]
    renamed = [principal.pk for arn, principal in joined.of.items() if arn in joined.renamed]
    for start in range(0, len(renamed), CHUNK):
        Principal.objects.filter(pk__in=renamed[start : start + CHUNK]).update(arn=Concat(Value("renamed:"), Cast("pk", CharField())))
    changes.write()


def _close(principal: Principal, keys: Iterable[AccessKey], seen: Observation, changes: Changes, *, reason: str) -> None:
    principal.gone_at = seen.generated_at
    changes.principals.append(principal)
    changes.user_events.append(timelines.gone(principal, reason, seen=seen.sighting))
    for key in keys:
        slots.gone(key, at=seen.generated_at, reason=reason, changes=changes, source=Source.REPORT, poll=seen.poll)
        changes.keys.append(key)


def _record_row(row: ReportRow, principal: Principal | None, keys: Sequence[AccessKey], seen: Observation, changes: Changes) -> bool:
    """Principal and keys of one row; whether anything but the report's time changed."""
    is_new = principal is None
    if principal is None:
        principal = Principal(account=seen.account, arn=row.arn, is_root=row.is_root, first_seen_at=seen.now)
    before = state(principal, PRINCIPAL_FIELDS, PRINCIPAL_FRESHNESS)
    if not is_new:
        _lines(principal, row, seen, changes)
    _fill(principal, row, seen)
    if row.keys_known or row.slots:
        slots.record(row, principal, keys, seen, changes)
    if is_new:
        changes.new_principals.append(principal)
        return True
    if before != state(principal, PRINCIPAL_FIELDS, PRINCIPAL_FRESHNESS):
        changes.principals.append(principal)
        return True
    changes.fresh_principals.append(principal.pk)
    return False


def _lines(principal: Principal, row: ReportRow, seen: Observation, changes: Changes) -> None:
    if principal.gone_at is not None:
        changes.user_events.append(timelines.back(principal, seen=seen.sighting))
    changes.user_events += timelines.changes_of_user(principal, row, seen=seen.sighting)


def _fill(principal: Principal, row: ReportRow, seen: Observation) -> None:
    principal.arn, principal.name = row.arn, row.name[:128]
    principal.user_id = seen.user_ids.get((row.arn, row.created_at), principal.user_id)
    principal.created_at = row.created_at
    if timelines.believes_password(principal, seen.generated_at):
        principal.password_state = row.password_state
        principal.password_last_used_state = row.password_last_use.state
        principal.password_last_changed_at = row.password_last_changed_at
        principal.password_next_rotation_at = row.password_next_rotation_at
    principal.password_last_used_at = row.password_last_use.at
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
                slots.gone(key, at=now, reason=reason, changes=changes, source=Source.SUMMARY, poll=poll)
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
