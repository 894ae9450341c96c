"""The slots of a report's row → access keys of its user. A key that is known stays its row; an older fact never reverts a newer one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from accounts.models import Account
from hygiene.domain.ages import is_in_future
from hygiene.domain.facts import KeyMatch, KeyStatus, Source
from hygiene.domain.owners import Chain
from hygiene.domain.report import ReportRow, ReportSlot
from hygiene.models import AccessKey, Poll, Principal
from hygiene.services import timelines
from hygiene.services.changes import KEY_STATE, Changes, set_status
from hygiene.services.identity import UserIds
from hygiene.services.mfa_kinds import Assigned
from hygiene.services.timelines import Sighting


@dataclass(frozen=True, slots=True)
class Observation:
    """One report of one account on its way into the inventory."""

    account: Account
    poll: Poll
    generated_at: datetime
    now: datetime
    mfa: Assigned
    user_ids: UserIds = field(default_factory=dict)
    chain: Chain = field(default_factory=Chain)

    @property
    def sighting(self) -> Sighting:
        """For lines of timelines."""
        return Sighting(self.poll, self.generated_at)


def gone(key: AccessKey, *, at: datetime, reason: str, changes: Changes, source: Source, poll: Poll | None) -> None:
    """The key is no longer in AWS; the caller writes its row."""
    key.gone_at, key.gone_reason = at, reason[:64]
    changes.event(key, "gone", f"No longer in AWS: {reason}", at=at, source=source, poll=poll)


def record(row: ReportRow, principal: Principal, keys: Sequence[AccessKey], seen: Observation, changes: Changes) -> list[AccessKey]:
    """Slots find their rows by birth and status; ids that are known stay where a row fits. Returns the keys that are held now."""
    left = list(keys)
    current: list[AccessKey] = []
    for slot in row.slots:
        twins = [other for other in row.slots if other.rotated_at == slot.rotated_at]
        key = _fitting(left, slot, row)
        if key is not None:
            left.remove(key)
            if key.gone_at is not None and key.gone_at > seen.generated_at:
                continue  # deleted since the report was made
            is_twin = sum(other.is_active == slot.is_active for other in twins) > 1
            is_tied = key.access_key_id is not None and (is_twin or slot.rotated_at is None)
            _seen_again(key, slot, seen, changes, is_tied=is_tied)
        else:
            key = _new_key(slot, principal, seen, twin=sum(other.created_at == slot.rotated_at for other in current))
            changes.new_keys.append(key)
            _born_events(key, seen, changes)
            _apply_slot(key, slot, seen, changes, is_tied=False)
        current.append(key)
    current += _not_in_row(row, [key for key in left if key.gone_at is None], seen, changes)
    _rotations(current, seen, changes)
    tied = [key for key in current if key.match == KeyMatch.AMBIGUOUS and key.status == KeyStatus.ACTIVE]
    principal.ambiguous_slots = min(principal.ambiguous_slots, len(tied))
    principal.active_keys = sum(key.status == KeyStatus.ACTIVE for key in current)
    principal.inactive_keys = len(current) - principal.active_keys
    return current


def _seen_again(key: AccessKey, slot: ReportSlot, seen: Observation, changes: Changes, *, is_tied: bool) -> None:
    before = KEY_STATE(key)
    if key.gone_at is not None:
        key.gone_at, key.gone_reason = None, ""
        changes.event(key, "reappeared", "In AWS again", at=seen.generated_at, source=Source.REPORT, poll=seen.poll)
    if key.status_source == Source.SUMMARY and key.created_at is None:
        key.status_observed_at = seen.generated_at  # the summary only counted it: what it is, the report tells first
    is_told = key.access_key_id is None or slot.rotated_at is not None
    if is_told:
        _apply_slot(key, slot, seen, changes, is_tied=is_tied)
    else:
        key.has_data_warning = slot.has_warning
    if before != KEY_STATE(key):
        changes.keys.append(key)
    elif is_told:
        changes.fresh_keys.append(key.pk)
        if key.last_used_source == Source.REPORT and key.last_used_observed_at == seen.generated_at:
            changes.fresh_uses.append(key.pk)


def _not_in_row(row: ReportRow, left: Sequence[AccessKey], seen: Observation, changes: Changes) -> list[AccessKey]:
    """Keys that no slot shows: gone, unless a live list saw them after the report was made. Returns those that stay."""
    stay = []
    for key in left:
        if key.status_observed_at <= seen.generated_at and row.keys_known and not row.has_conflict:
            gone(key, at=seen.generated_at, reason="not in the newest report", changes=changes, source=Source.REPORT, poll=seen.poll)
            changes.keys.append(key)
        else:
            stay.append(key)
    return stay


def _rotations(current: Sequence[AccessKey], seen: Observation, changes: Changes) -> None:
    """A key that is new beside an older one is a rotation of the older."""
    for newer in (key for key in current if key.pk is None):
        for older in current:
            if older.pk is not None and older.created_at and newer.created_at and older.created_at < newer.created_at:
                changes.events.append(timelines.rotated(older, newer, seen=seen.sighting))


def _fitting(keys: Sequence[AccessKey], slot: ReportSlot, row: ReportRow) -> AccessKey | None:
    """The known row of a slot: born in the same second, of the same status if there are two.

    A slot without a date that was joined to nothing certain is the key that is ambiguous because of it.
    """
    if slot.rotated_at is None:
        dated = {other.rotated_at for other in row.slots}
        undated = [key for key in keys if key.match == KeyMatch.AMBIGUOUS and key.created_at not in dated]
        keys = [*(key for key in keys if key.created_at is None), *undated]
        return next(iter(keys), None)
    fits = sorted((key for key in keys if key.created_at == slot.rotated_at), key=lambda key: key.gone_at is not None)
    same = [key for key in fits if (key.status == KeyStatus.ACTIVE) == slot.is_active]
    return next(iter(same or fits or _counted(keys, slot, row)), None)


def _counted(keys: Sequence[AccessKey], slot: ReportSlot, row: ReportRow) -> list[AccessKey]:
    """Root's key that only the live summary told of until now: the active slot's, else that of the one there is."""
    if not slot.is_active and any(other.is_active for other in row.slots):
        return []
    return [key for key in keys if key.status_source == Source.SUMMARY and key.created_at is None and key.gone_at is None]


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
    is_new = key._state.adding
    key.has_data_warning = slot.has_warning
    if key.created_at is None and slot.rotated_at is not None:
        key.created_at = slot.rotated_at
        changes.event(key, "created", "Key created", at=slot.rotated_at, source=Source.REPORT, poll=seen.poll)
    if key.match in (KeyMatch.LIVE_ONLY, KeyMatch.AMBIGUOUS) and not is_tied:
        key.match = KeyMatch.EXACT
    status = KeyStatus.ACTIVE if slot.is_active else KeyStatus.INACTIVE
    is_counted_only = key.status_source == Source.SUMMARY
    if is_counted_only:
        key.status = status  # the live summary counts keys; it does not tell their status
    is_newer = is_new or is_counted_only or key.status_observed_at <= seen.generated_at
    if is_newer and key.status != KeyStatus.OTHER:
        set_status(key, status, raw="", observed_at=seen.generated_at, source=Source.REPORT, changes=changes, poll=seen.poll)
    if not is_tied and (key.last_used_observed_at is None or key.last_used_observed_at <= seen.generated_at):
        _set_use(key, slot, seen, changes)


def _set_use(key: AccessKey, slot: ReportSlot, seen: Observation, changes: Changes) -> None:
    use = slot.last_use
    if use.at is not None and key.last_used_at != use.at and (key.last_used_at is None or use.at > key.last_used_at):
        where = ", ".join(filter(None, [use.service, use.region]))
        changes.event(key, "used", f"Used ({where})" if where else "Used", at=use.at, source=Source.REPORT, poll=seen.poll)
    known = key.last_used_at
    if known is not None and use.at is not None and use.at < known and not is_in_future(known, seen.generated_at):
        return  # a later use is known, and it is none that an earlier report dated after this one was made
    key.last_used_state, key.last_used_at = use.state, use.at
    key.last_used_region, key.last_used_service = use.region or "", use.service or ""
    key.last_used_observed_at, key.last_used_source = seen.generated_at, Source.REPORT
