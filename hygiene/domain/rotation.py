"""The steps by which an owner replaces a key that is too old, each ticked by what is observed and by nothing else. Pure.

Follows "Update access keys" of the IAM User Guide: make a second key, change over, watch, deactivate, wait, delete.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from hygiene.domain.facts import KeyStatus, LastUse, UseState
from hygiene.domain.wording import day, plural, relative, short_key_id

QUIET = timedelta(days=7)  # without a use until the old key counts as quiet
LAG = timedelta(hours=4)  # by which AWS's record of use may be late


class Progress(StrEnum):
    """DONE was observed; NOW is the first step that was not; LATER comes after it. UNKNOWN: what would show it was not read."""

    DONE = "done"
    NOW = "now"
    LATER = "later"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class RotatingKey:
    """One key of the user as it is known. `inactive_since` and `gone_at` None: it is not so, or not known since when."""

    access_key_id: str | None
    created_at: datetime | None
    status: KeyStatus
    last_use: LastUse
    inactive_since: datetime | None = None
    gone_at: datetime | None = None

    @property
    def is_gone(self) -> bool:
        """Whether AWS no longer lists it."""
        return self.gone_at is not None


@dataclass(frozen=True, slots=True)
class RotationStep:
    """One step: what its owner does, how far it is, and what was observed of it."""

    title: str
    text: str
    progress: Progress
    observed: str = ""


@dataclass(frozen=True, slots=True)
class _Seen:
    """Whether a step is done (None: cannot be told) and what shows it."""

    done: bool | None
    observed: str = ""


def guide(old: RotatingKey, others: Sequence[RotatingKey], *, now: datetime, wait_days: int) -> tuple[RotationStep, ...]:
    """The six steps for `old`, whose user also has `others`, the deleted ones too. Each is ticked by what shows it, and by no later one."""
    new = successor(old, others)
    seen = (
        _second_key(old, new, others),
        _moved(new, now),
        _quiet(old, new, now),
        _disabled(old, now),
        _waited(old, now, wait_days),
        _deleted(old),
    )
    texts = _texts(old, others, new, wait_days)
    current = next((place for place, step in enumerate(seen) if step.done is not True), None)
    return tuple(
        RotationStep(*texts[place], _progress(step, is_current=place == current), step.observed) for place, step in enumerate(seen)
    )


def successor(old: RotatingKey, others: Sequence[RotatingKey]) -> RotatingKey | None:
    """The newest key of the user that was made after `old` and is still there."""
    born = old.created_at
    present = [(key.created_at, key) for key in others if not key.is_gone and key.created_at is not None]
    later = [(created_at, key) for created_at, key in present if born is not None and created_at > born]
    return max(later, key=lambda entry: entry[0])[1] if later else None


def _progress(step: _Seen, *, is_current: bool) -> Progress:
    if step.done:
        return Progress.DONE
    if not is_current:
        return Progress.LATER
    return Progress.UNKNOWN if step.done is None else Progress.NOW


def _texts(old: RotatingKey, others: Sequence[RotatingKey], new: RotatingKey | None, wait_days: int) -> tuple[tuple[str, str], ...]:
    name = short_key_id(old.access_key_id) if old.access_key_id else "this key"
    second = "In the console: IAM, Users, Security credentials, Create access key. Better still, use a role and no key at all."
    if new is None and any(not key.is_gone for key in others):
        second = (
            "The user already has two keys, and AWS allows no third. First disable and delete the other one, if it is not in use. " + second
        )
    return (
        ("Create a second key", second),
        ("Change over", "Give the new key to everything that uses this one. Look into CloudTrail for what that is."),
        ("Watch this key go quiet", f"Wait until {name} has had no use for {QUIET.days} days. AWS records use up to 4 hours late."),
        ("Disable this key", "If something breaks, enable it again: that takes one click."),
        ("Wait", f"{plural(wait_days, 'day')}, so that a monthly job can fail while it can still be helped."),
        ("Delete this key", "This cannot be undone, and makes room for the next rotation."),
    )


def _second_key(old: RotatingKey, new: RotatingKey | None, others: Sequence[RotatingKey]) -> _Seen:
    if new is not None and new.created_at is not None:
        return _Seen(True, f"{short_key_id(new.access_key_id)}, created {day(new.created_at)}")
    if old.created_at is None or any(not key.is_gone and key.created_at is None for key in others):
        return _Seen(None, "when these keys were created is not known")
    return _Seen(False, "no newer key seen")


def _moved(new: RotatingKey | None, now: datetime) -> _Seen:
    if new is None:
        return _Seen(None)
    if new.last_use.at is not None:
        return _Seen(True, f"new key used {relative(new.last_use.at, now)}")
    return (
        _Seen(None, "last use of the new key not read") if new.last_use.state is UseState.UNKNOWN else _Seen(False, "new key not used yet")
    )


def _quiet(old: RotatingKey, new: RotatingKey | None, now: datetime) -> _Seen:
    use = old.last_use
    if use.at is None:
        return _Seen(None, "last use not read") if use.state is UseState.UNKNOWN else _Seen(new is not None, "no use on record")
    said = f"last used {relative(use.at, now)}"
    if use.observed_at is None:
        return _Seen(None, f"{said}, when that was read is not known")
    return _Seen(new is not None and use.observed_at - LAG - use.at >= QUIET, said)


def _disabled(old: RotatingKey, now: datetime) -> _Seen:
    if old.is_gone:
        return _Seen(True)
    if old.status is not KeyStatus.INACTIVE:
        return _Seen(False, "active" if old.status is KeyStatus.ACTIVE else "neither active nor inactive")
    since = old.inactive_since
    return _Seen(True, f"seen disabled {relative(since, now)}" if since else "disabled")


def _waited(old: RotatingKey, now: datetime, wait_days: int) -> _Seen:
    if old.is_gone:
        return _Seen(True)
    since = old.inactive_since
    if old.status is not KeyStatus.INACTIVE or since is None:
        return _Seen(False)
    left = max(0, wait_days - (now - since).days)
    return _Seen(left == 0, "the wait is over" if left == 0 else f"{plural(left, 'day')} left")


def _deleted(old: RotatingKey) -> _Seen:
    return _Seen(True, f"gone since {day(old.gone_at)}") if old.gone_at is not None else _Seen(False)
