"""Lines of timelines: what a newer observation says of a user or a key that the one before did not. One line for each change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hygiene.domain.facts import KeyStatus, MfaState, PasswordState, Source
from hygiene.domain.report import ReportRow
from hygiene.domain.wording import day, short_key_id
from hygiene.models import AccessKey, Poll, Principal, PrincipalEvent, Remediation

LONGEST = 255


@dataclass(frozen=True, slots=True)
class Sighting:
    """By which poll, and when AWS knew it."""

    poll: Poll | None
    at: datetime
    source: Source = Source.REPORT


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a key's timeline on its way into the database; the key may still be without a number."""

    key: AccessKey
    occurred_at: datetime
    kind: str
    summary: str
    source: Source
    poll: Poll | None = None
    remediation: Remediation | None = None

    def row(self) -> dict[str, Any]:
        """As stored, once the key has its number."""
        return {
            "key_id": self.key.pk,
            "occurred_at": self.occurred_at,
            "kind": self.kind,
            "summary": self.summary,
            "source": self.source,
            "poll_id": self.poll.pk if self.poll else None,
            "remediation_id": self.remediation.pk if self.remediation else None,
        }


def of_user(principal: Principal, kind: str, summary: str, *, seen: Sighting, at: datetime | None = None) -> PrincipalEvent:
    """One line of a user's timeline; `at` where the moment itself is known, else when it was seen."""
    return PrincipalEvent(
        principal=principal, occurred_at=at or seen.at, kind=kind, summary=summary[:LONGEST], source=seen.source, poll=seen.poll
    )


def changes_of_user(principal: Principal, row: ReportRow, *, seen: Sighting) -> Iterator[PrincipalEvent]:
    """What this row says that the principal's fields do not say yet. To be asked before they are filled."""
    yield from _names(principal, row, seen)
    yield from _password(principal, row, seen)
    if row.mfa_state is not MfaState.UNKNOWN and principal.mfa_state not in (MfaState.UNKNOWN, row.mfa_state):
        is_on = row.mfa_state is MfaState.ON
        yield of_user(principal, "mfa_on" if is_on else "mfa_off", f"MFA {'switched on' if is_on else 'removed'}", seen=seen)


def _names(principal: Principal, row: ReportRow, seen: Sighting) -> Iterator[PrincipalEvent]:
    if principal.name != row.name[:128]:
        yield of_user(principal, "renamed", f"Renamed from {principal.name} to {row.name}", seen=seen)
    elif principal.arn != row.arn:
        yield of_user(principal, "moved", f"Path changed from {_path(principal.arn)} to {_path(row.arn)}", seen=seen)


def _path(arn: str) -> str:
    return f"/{arn.partition(':user/')[2]}".rpartition("/")[0] + "/"


def _password(principal: Principal, row: ReportRow, seen: Sighting) -> Iterator[PrincipalEvent]:
    was, now = principal.password_state, row.password_state
    if not believes_password(principal, seen.at):
        return
    changed_at, used_at = row.password_last_changed_at, row.password_last_use.at
    if (was, now) == (PasswordState.NONE, PasswordState.ENABLED):
        yield of_user(principal, "password_set", "Console password set", seen=seen, at=changed_at)
    elif (was, now) == (PasswordState.ENABLED, PasswordState.NONE):
        yield of_user(principal, "password_removed", "Console password removed outside this tool", seen=seen)
    elif now is PasswordState.ENABLED and changed_at and principal.password_last_changed_at not in (None, changed_at):
        yield of_user(principal, "password_changed", "Console password changed", seen=seen, at=changed_at)
    if used_at and (principal.password_last_used_at is None or used_at > principal.password_last_used_at):
        yield of_user(principal, "signed_in", "Signed in to the console", seen=seen, at=used_at)


def believes_password(principal: Principal, observed_at: datetime) -> bool:
    """Whether a fact of this time is newer than our own last change of the password."""
    return principal.password_changed_here_at is None or observed_at > principal.password_changed_here_at


def gone(principal: Principal, reason: str, *, seen: Sighting) -> PrincipalEvent:
    """The user is no longer in AWS."""
    return of_user(principal, "gone", f"No longer in AWS: {reason}", seen=seen)


def back(principal: Principal, *, seen: Sighting) -> PrincipalEvent:
    """The user is in AWS again, and is the same one."""
    return of_user(principal, "reappeared", "In AWS again, with the same identity", seen=seen)


def rotated(older: AccessKey, newer: AccessKey, *, seen: Sighting) -> Event:
    """The user got a newer key beside this one."""
    known = f" {short_key_id(newer.access_key_id)}" if newer.access_key_id else ""
    summary = f"Rotation: a newer key{known} was created"
    at = newer.created_at or seen.at
    return Event(older, at, "rotated", summary, seen.source, seen.poll)


def status_change(key: AccessKey, status: KeyStatus, raw: str, remediation: Remediation | None) -> str:
    """Who changed a key's status, as far as it is known. A change from outside after one of ours names ours."""
    word = {KeyStatus.ACTIVE: "Enabled", KeyStatus.INACTIVE: "Disabled"}.get(status, f"Status became {raw}")
    if remediation is not None:
        return f"{word} here by {remediation.requested_by_name}"
    ours = f", after it was changed here on {day(key.acted_here_at)}" if key.acted_here_at else ""
    if key.disabled_here_at and status is KeyStatus.ACTIVE:
        ours = f", after it was disabled here on {day(key.disabled_here_at)}"
    return f"{word} outside this tool{ours}"
