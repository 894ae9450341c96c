"""Report rows → principals and access keys. Rows are marked gone, never deleted; an older fact never reverts a newer one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.db.models import F, Q

from hygiene.domain.facts import Source
from hygiene.domain.report import ParsedReport, ReportRow
from hygiene.models import AccessKey, Principal
from hygiene.services import mfa_kinds, owners, slots, timelines
from hygiene.services.changes import PRINCIPAL_STATE, Changes
from hygiene.services.holders import Holder
from hygiene.services.identity import Joined
from hygiene.services.slots import Observation

LATELY = timedelta(days=2)


def record(parsed: ParsedReport, seen: Observation, joined: Joined, changes: Changes, *, is_complete: bool) -> tuple[list[Holder], int]:
    """Lay a report, whose users are `joined` with those that are known, over what is known. Nothing is written: that is in `changes`.

    Users in no row are marked gone only when it `is_complete`. Returns who is present now with which keys, and how many principals
    are new or changed.
    """
    keys = _keys(seen, joined)
    held: list[Holder] = []
    changed = 0
    for principal in joined.remade:
        _close(principal, _present(keys, principal), seen, changes, reason="deleted and created again under the same name")
    for row in parsed.rows:
        known = joined.of.get(row.arn)
        is_changed, holder = _record_row(row, known, keys.get(known.pk, []) if known else [], seen, changes)
        changed += is_changed
        held.append(holder)
    for principal in joined.left:
        if is_complete and not principal.is_root:
            _close(principal, _present(keys, principal), seen, changes, reason="user not in the newest report")
            changed += 1
        else:
            held.append(Holder(principal, _present(keys, principal)))
    changes.renamed = [joined.of[arn].pk for arn in joined.renamed]
    return held, changed


def look_again(held: Iterable[Holder], seen: Observation, changes: Changes) -> None:
    """The report says nothing new, but which MFA devices are virtual was read live."""
    for holder in held:
        before = PRINCIPAL_STATE(holder.principal)
        mfa_kinds.fill(holder.principal, seen.mfa)
        if before != PRINCIPAL_STATE(holder.principal):
            changes.principals.append(holder.principal)


def _present(keys: Mapping[int, list[AccessKey]], principal: Principal) -> list[AccessKey]:
    return [key for key in keys.get(principal.pk, []) if key.gone_at is None]


def _keys(seen: Observation, joined: Joined) -> dict[int, list[AccessKey]]:
    """Keys of each principal: present, gone lately or since the report was made, and those that went with a user who is back.

    A key that went lately may be back: as one that a live list missed because its user had just been renamed.
    """
    wanted = Q(gone_at__isnull=True) | Q(gone_at__gt=seen.generated_at - LATELY)
    if joined.back:
        wanted |= Q(principal__in=joined.back, gone_at=F("principal__gone_at"))
    keys: dict[int, list[AccessKey]] = {}
    for key in AccessKey.objects.filter(wanted, account=seen.account).order_by("pk"):
        keys.setdefault(key.principal_id, []).append(key)
    return keys


def _close(principal: Principal, keys: Iterable[AccessKey], seen: Observation, changes: Changes, *, reason: str) -> None:
    principal.gone_at = seen.generated_at
    changes.principals.append(principal)
    changes.user_events.append(timelines.gone(principal, reason, seen=seen.sighting))
    for key in keys:
        slots.gone(key, at=seen.generated_at, reason=reason, changes=changes, source=Source.REPORT, poll=seen.poll)
        changes.keys.append(key)


def _record_row(
    row: ReportRow, known: Principal | None, keys: Sequence[AccessKey], seen: Observation, changes: Changes
) -> tuple[bool, Holder]:
    """Principal and keys of one row; whether anything but the report's time changed."""
    principal = known or Principal(account=seen.account, arn=row.arn, is_root=row.is_root, first_seen_at=seen.now)
    before = PRINCIPAL_STATE(principal) if known else None
    if known:
        _lines(principal, row, seen, changes)
    _fill(principal, row, seen)
    holder = Holder(principal, [key for key in keys if key.gone_at is None])
    if row.keys_known or row.slots:
        holder.keys = slots.record(row, principal, keys, seen, changes)
    if before is None:
        changes.new_principals.append(principal)
    elif before != PRINCIPAL_STATE(principal):
        changes.principals.append(principal)
    else:
        changes.fresh_principals.append(principal.pk)
        return False, holder
    return True, holder


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
    mfa_kinds.fill(principal, seen.mfa)
    principal.certificates = _certificates(row)
    principal.fingerprint = row.fingerprint
    principal.keys_known = row.keys_known
    principal.has_data_warning = row.has_conflict
    principal.warnings = list(row.warnings)
    principal.extra = {name: value for name, value in row.extra.items() if value}
    owners.settle(principal, seen.chain)
    principal.report_generated_at = seen.generated_at
    principal.last_seen_at = seen.now
    principal.gone_at = None


def _certificates(row: ReportRow) -> list[dict[str, Any]] | None:
    if row.certificates is None:
        return None
    return [
        {"slot": c.slot, "active": c.is_active, "last_rotated_at": c.last_rotated_at.isoformat() if c.last_rotated_at else None}
        for c in row.certificates
    ]
