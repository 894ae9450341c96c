"""Joins the slots of a credential report to the access key ids of ListAccessKeys. Pure; never guesses.

Slot order is no contract of AWS's, and neither is the order of ListAccessKeys: keys are matched by the second they were created
in. Two of one second are told apart by status, else by last use; what stays tied gets no slot at all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from accounts.gateway import KeyLastUse, ListedKey
from hygiene.domain.facts import KeyMatch, KeyStatus, UseState
from hygiene.domain.report import ReportSlot

Fits = Callable[[ListedKey, ReportSlot], bool]


@dataclass(frozen=True, slots=True)
class PairedKey:
    """A listed key with the slot that is certainly its own, or none."""

    listed: ListedKey
    slot: ReportSlot | None
    match: KeyMatch


@dataclass(frozen=True, slots=True)
class Pairing:
    """Result of `pair`. `missing_slots`: keys deleted since the report. `ambiguous_slots`: active slots left unmatched."""

    keys: tuple[PairedKey, ...]
    missing_slots: tuple[ReportSlot, ...] = ()
    ambiguous_slots: int = 0


def key_status(word: str) -> KeyStatus:
    """AWS's status word as ours; anything but Active and Inactive is OTHER and not usable."""
    return {"Active": KeyStatus.ACTIVE, "Inactive": KeyStatus.INACTIVE}.get(word, KeyStatus.OTHER)


def pair(slots: Sequence[ReportSlot], listed: Sequence[ListedKey], *, last_uses: Mapping[str, KeyLastUse] | None = None) -> Pairing:
    """Match slots to listed keys. `last_uses` (by access key id) separates twins of one second when status does not.

    A slot or a listed key without creation time is matched to nothing; keys and slots that may belong to it are ambiguous, neither
    new nor missing.
    """
    slot_of: dict[str, ReportSlot] = {}
    tied: set[str] = set()
    for second in dict.fromkeys(second_of(slot.rotated_at) for slot in slots):
        keys = [key for key in listed if second is not None and second_of(key.created_at) == second]
        here = [slot for slot in slots if second_of(slot.rotated_at) == second]
        matched = _match(keys, here, last_uses or {})
        slot_of |= matched
        if len(matched) < len(here):
            tied |= {key.access_key_id for key in keys} - set(matched)
    left = [slot for slot in slots if slot not in slot_of.values()]
    open_keys = [key for key in listed if key.access_key_id not in slot_of]
    doubtful = [slot for slot in left if _is_doubtful(slot, open_keys)]
    is_open = any(slot.rotated_at is None for slot in doubtful)
    tied |= {key.access_key_id for key in open_keys if is_open or (key.created_at is None and left)}
    return Pairing(
        tuple(_paired(key, slot_of.get(key.access_key_id), is_tied=key.access_key_id in tied) for key in listed),
        tuple(slot for slot in left if slot not in doubtful),
        sum(slot.is_active for slot in doubtful),
    )


def needs_last_use(slots: Sequence[ReportSlot], listed: Sequence[ListedKey]) -> tuple[str, ...]:
    """Ids of keys whose pairing is ambiguous without GetAccessKeyLastUsed."""
    return tuple(key.listed.access_key_id for key in pair(slots, listed).keys if key.match is KeyMatch.AMBIGUOUS)


def _paired(key: ListedKey, slot: ReportSlot | None, *, is_tied: bool) -> PairedKey:
    if slot is not None:
        return PairedKey(key, slot, KeyMatch.EXACT)
    return PairedKey(key, None, KeyMatch.AMBIGUOUS if is_tied else KeyMatch.LIVE_ONLY)


def _is_doubtful(slot: ReportSlot, open_keys: Sequence[ListedKey]) -> bool:
    """Whether an unmatched slot may still be one of the unmatched keys."""
    seconds = {second_of(key.created_at) for key in open_keys}
    return bool(open_keys) and (slot.rotated_at is None or None in seconds or second_of(slot.rotated_at) in seconds)


def second_of(moment: datetime | None) -> datetime | None:
    """The whole second of a moment, in UTC: as far as AWS's sources agree on when a key was born."""
    return None if moment is None else moment.astimezone(UTC).replace(microsecond=0)


def _match(keys: Sequence[ListedKey], slots: Sequence[ReportSlot], uses: Mapping[str, KeyLastUse]) -> dict[str, ReportSlot]:
    """Certain matches, by id, of keys and slots born in one second.

    Two and two are separated by status if both pairs differ in it. Otherwise the last-used triple decides, and when it names one
    of two the other follows. Status alone does not decide between one key and two slots: the other may have been switched since.
    """
    if len(keys) == len(slots) == 1:
        return {keys[0].access_key_id: slots[0]}
    is_two = len(keys) == len(slots) == 2
    if is_two and len(matched := _unique(keys, slots, _same_status)) == 2:
        return matched
    matched = _unique(keys, slots, _same_use(uses))
    if is_two and len(matched) == 1:
        key = next(key for key in keys if key.access_key_id not in matched)
        matched[key.access_key_id] = next(slot for slot in slots if slot not in matched.values())
    return matched


def _unique(keys: Sequence[ListedKey], slots: Sequence[ReportSlot], fits: Fits) -> dict[str, ReportSlot]:
    """Pairs in which the key fits no other slot and the slot no other key."""
    found: dict[str, ReportSlot] = {}
    for key in keys:
        candidates = [slot for slot in slots if fits(key, slot)]
        if len(candidates) == 1 and sum(fits(other, candidates[0]) for other in keys) == 1:
            found[key.access_key_id] = candidates[0]
    return found


def _same_status(key: ListedKey, slot: ReportSlot) -> bool:
    return (key_status(key.status) is KeyStatus.ACTIVE) == slot.is_active


def _same_use(uses: Mapping[str, KeyLastUse]) -> Fits:
    """Whether a key's last use is the slot's: date to the minute, region and service. Status may have changed since the report."""

    def fits(key: ListedKey, slot: ReportSlot) -> bool:
        use, told = uses.get(key.access_key_id), slot.last_use
        if use is None or told.state is UseState.UNKNOWN:
            return False
        return (_minute(use.last_used_at), use.region, use.service) == (_minute(told.at), told.region, told.service)

    return fits


def _minute(moment: datetime | None) -> float | None:
    """The whole minute of a moment, counted from 1970."""
    return None if moment is None else moment.timestamp() // 60
