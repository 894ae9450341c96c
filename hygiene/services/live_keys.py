"""Live ListAccessKeys → ids and statuses of one user's keys. What AWS lists now wins over the report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from accounts.gateway import KeyLastUse, ListedKey
from hygiene.domain.facts import KeyMatch, KeyStatus, LastUse, Source, UseState
from hygiene.domain.keys import PairedKey, key_status, pair, second_of
from hygiene.domain.report import ReportSlot
from hygiene.models import AccessKey, Poll, Principal, Remediation
from hygiene.services.changes import Changes, set_status
from hygiene.services.timelines import Event


def slots_of(keys: Sequence[AccessKey]) -> list[ReportSlot]:
    """Keys as the report last told them, for pairing. A key that only a live list knows is no slot."""
    return [
        ReportSlot(number, key.status == KeyStatus.ACTIVE, key.created_at, last_use(key), key.has_data_warning)
        for number, key in enumerate(keys, start=1)
        if key.match != KeyMatch.LIVE_ONLY
    ]


def last_use(key: AccessKey) -> LastUse:
    """The key's last use as a fact."""
    return LastUse(
        UseState(key.last_used_state),
        key.last_used_at,
        key.last_used_region or None,
        key.last_used_service or None,
        key.last_used_observed_at,
        Source(key.last_used_source),
    )


@dataclass(frozen=True, slots=True)
class Live:
    """What AWS tells of one user's keys now.

    `elsewhere`: rows of this account, by id, that are gone or another user's: an id is given only once, so they are this user's now.
    `foreign`: ids that another account has, which cannot be.
    """

    listed: tuple[ListedKey, ...]
    uses: Mapping[str, KeyLastUse] = field(default_factory=dict)
    elsewhere: Mapping[str, AccessKey] = field(default_factory=dict)
    foreign: frozenset[str] = frozenset()


def tied(keys: Sequence[AccessKey]) -> frozenset[str]:
    """Ids of keys whose use the report does not tell: of one second and status, or with a slot that nothing joins to them."""
    births = Counter((key.created_at, key.status) for key in keys if key.access_key_id)
    is_tied = (key for key in keys if key.match == KeyMatch.AMBIGUOUS or births[key.created_at, key.status] > 1)
    return frozenset(key.access_key_id for key in is_tied if key.access_key_id)


def apply(
    principal: Principal, live: Live, *, now: datetime, changes: Changes, keys: Sequence[AccessKey], poll: Poll | None = None
) -> None:
    """Give the user's key rows their ids and live statuses; rows are only collected in `changes`, not written."""
    listed = live.listed
    keys = [*keys, *_brought(principal, listed, live.elsewhere, keys, now=now, changes=changes, poll=poll)]
    keys = [key for key in keys if key not in changes.same_keys]
    unnamed = [key for key in keys if key.access_key_id is None]
    named = {key.access_key_id: key for key in keys if key.access_key_id is not None}
    fresh = [key for key in listed if key.access_key_id not in named]
    slots = slots_of(unnamed)
    pairing = pair(slots, fresh, last_uses=live.uses)
    row_of = {slot.slot: key for slot, key in zip(slots, [k for k in unnamed if k.match != KeyMatch.LIVE_ONLY], strict=True)}
    for paired in pairing.keys:
        if paired.listed.access_key_id in live.foreign:
            _set_aside(paired, row_of, changes)
        else:
            _name(principal, paired, row_of, now=now, changes=changes, poll=poll)
    for key in listed:
        if (row := named.get(key.access_key_id)) is not None:
            _observe(row, key, now=now, changes=changes, poll=poll)
    _drop_unlisted(named, row_of, pairing.keys, {key.access_key_id for key in listed}, now=now, changes=changes, poll=poll)
    still_tied = sum(key.match == KeyMatch.AMBIGUOUS and key.status == KeyStatus.ACTIVE for key in named.values() if not key.gone_at)
    principal.ambiguous_slots = pairing.ambiguous_slots + still_tied
    is_settled = not any(key.access_key_id in live.foreign for key in listed)
    principal.listed_fingerprint, principal.listed_at = principal.fingerprint if is_settled else "", now
    principal.keys_known = True
    principal.active_keys = sum(key_status(key.status) is KeyStatus.ACTIVE for key in listed)
    principal.inactive_keys = len(listed) - principal.active_keys


def _brought(
    principal: Principal,
    listed: Sequence[ListedKey],
    elsewhere: Mapping[str, AccessKey],
    keys: Sequence[AccessKey],
    *,
    now: datetime,
    changes: Changes,
    poll: Poll | None,
) -> list[AccessKey]:
    """Known keys that come to this user with their ids and history. The row that the report opened for one of them is the same key."""
    unnamed = [key for key in keys if key.access_key_id is None and key.match != KeyMatch.LIVE_ONLY]
    rows = []
    for key in listed:
        row = elsewhere.get(key.access_key_id)
        if row is None:
            continue
        moved = f", now of {principal.name}" if row.principal_id != principal.pk else ""
        changes.event(row, "reappeared", f"Listed again{moved}", at=now, source=Source.LIVE_LIST, poll=poll)
        row.principal, row.gone_at, row.gone_reason = principal, None, ""
        same = next((other for other in unnamed if other.created_at == key.created_at), None)
        if same is not None:
            unnamed.remove(same)
            changes.same_keys.append(same)
            row.last_used_state, row.last_used_at = same.last_used_state, same.last_used_at
            row.last_used_region, row.last_used_service = same.last_used_region, same.last_used_service
            row.last_used_observed_at, row.last_used_source = same.last_used_observed_at, same.last_used_source
        rows.append(row)
    return rows


def _set_aside(paired: PairedKey, row_of: dict[int, AccessKey], changes: Changes) -> None:
    """A key whose id is another account's: what the report says of it stays, without an id, and nothing is decided from it."""
    slots = [paired.slot.slot] if paired.slot else [slot for slot, key in row_of.items() if key.created_at == paired.listed.created_at]
    for row in [row_of.pop(slot) for slot in slots[:1]]:
        row.has_data_warning = True
        changes.keys.append(row)


def _name(
    principal: Principal,
    paired: PairedKey,
    row_of: dict[int, AccessKey],
    *,
    now: datetime,
    changes: Changes,
    poll: Poll | None,
) -> None:
    """A listed key whose id is new to us takes the row of its slot, or a row of its own."""
    row = row_of.pop(paired.slot.slot) if paired.slot else None
    if row is None and paired.match is KeyMatch.AMBIGUOUS:
        own = (second_of(paired.listed.created_at), None)  # a slot without a date may be any key's
        row = next((row_of.pop(slot) for slot, key in list(row_of.items()) if key.created_at in own), None)
        if row is not None:
            row.last_used_state, row.last_used_at, row.last_used_region, row.last_used_service = UseState.UNKNOWN, None, "", ""
    if row is None:
        row = AccessKey(
            account_id=principal.account_id,
            principal=principal,
            status=key_status(paired.listed.status),
            status_observed_at=now,
            created_at=second_of(paired.listed.created_at),
            first_seen_at=now,
        )
        row.access_key_id, row.match = paired.listed.access_key_id, paired.match
        changes.event(row, "first_seen", "First seen by a live list", at=now, source=Source.LIVE_LIST, poll=poll)
        _observe(row, paired.listed, now=now, changes=changes, poll=poll)
        changes.keys.remove(row)
        changes.new_keys.append(row)
        return
    row.access_key_id, row.match = paired.listed.access_key_id, paired.match
    row.created_at = second_of(paired.listed.created_at) or row.created_at
    _observe(row, paired.listed, now=now, changes=changes, poll=poll)


def _observe(row: AccessKey, listed: ListedKey, *, now: datetime, changes: Changes, poll: Poll | None) -> None:
    status = key_status(listed.status)
    raw = listed.status if status is KeyStatus.OTHER else ""
    set_status(row, status, raw=raw, observed_at=now, source=Source.LIVE_LIST, changes=changes, poll=poll)
    row.gone_at, row.gone_reason = None, ""
    changes.keys.append(row)


def _drop_unlisted(
    named: dict[str, AccessKey],
    row_of: dict[int, AccessKey],
    pairs: Sequence[PairedKey],
    listed_ids: set[str],
    *,
    now: datetime,
    changes: Changes,
    poll: Poll | None,
) -> None:
    """Keys that are not listed are deleted since the report, however it still shows them."""
    for row in [*(key for key_id, key in named.items() if key_id not in listed_ids), *row_of.values()]:
        row.gone_at, row.gone_reason = now, "deleted since the report"
        changes.event(row, "gone", "No longer in AWS: deleted since the report", at=now, source=Source.LIVE_LIST, poll=poll)
        changes.keys.append(row)


def record_uses(keys: Sequence[AccessKey], uses: Mapping[str, KeyLastUse], *, now: datetime) -> None:
    """Live last use of keys, by id, on rows that the caller writes. Absence means never only where AWS was asked."""
    for key in keys:
        use = uses.get(key.access_key_id or "")
        if use is None:
            continue
        key.last_used_at, key.last_used_region, key.last_used_service = use.last_used_at, use.region or "", use.service or ""
        key.last_used_state = UseState.USED if use.last_used_at else UseState.NEVER
        key.last_used_observed_at, key.last_used_source = now, Source.LAST_USED


def record_status(key: AccessKey, status: KeyStatus, *, observed_at: datetime, remediation: Remediation, raw: str = "") -> None:
    """The outcome of our own action, read back from AWS; written at once, in the caller's transaction."""
    changes = Changes()
    set_status(key, status, raw=raw, observed_at=observed_at, source=Source.OWN_ACTION, changes=changes, remediation=remediation)
    changes.keys.append(key)
    changes.write()


def record_gone(key: AccessKey, *, now: datetime, reason: str, remediation: Remediation) -> None:
    """The key is deleted by our own action, or found deleted; written at once, in the caller's transaction."""
    changes = Changes(keys=[key])
    key.gone_at, key.gone_reason = now, reason[:64]
    summary = f"Deleted here by {remediation.requested_by_name}"
    changes.events = [Event(key, now, "gone", summary, Source.OWN_ACTION, remediation=remediation)]
    changes.write()
