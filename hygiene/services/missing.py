"""Permissions that AWS refused to the read role: which, what is unknown without it, since when. Kept on the account's status."""

from __future__ import annotations

from datetime import datetime, timedelta

from hygiene.models import AccountStatus, Poll, PollTrigger

# A granted permission is noticed by the next poll. Where it never is, that costs each poll one refused call of it: six a day by
# POLL_INTERVAL_HOURS, next to the six calls of every poll. Polls that follow within minutes, as while users are left to list, leave it out.
ASK_AGAIN = timedelta(hours=1)


def note(status: AccountStatus, permission: str, unknown: str, *, now: datetime) -> None:
    """AWS refused it; the first refusal's time is kept, and the last one's. The caller saves `missing_permissions`."""
    known = _entry(status, permission)
    entry = {"permission": permission, "unknown": unknown, "since": now.isoformat(), **(known or {}), "asked_at": now.isoformat()}
    if known is None:
        status.missing_permissions = [*status.missing_permissions, entry]
    else:
        status.missing_permissions = [entry if one is known else one for one in status.missing_permissions]


def clear(status: AccountStatus, permission: str) -> None:
    """AWS answered it. The caller saves `missing_permissions`."""
    status.missing_permissions = [entry for entry in status.missing_permissions if entry["permission"] != permission]


def tell(status: AccountStatus, permission: str, unknown: str, *, is_refused: bool, now: datetime) -> None:
    """Noted when it was refused, cleared when not. The caller saves `missing_permissions`."""
    if is_refused:
        note(status, permission, unknown, now=now)
    else:
        clear(status, permission)


def is_noted(status: AccountStatus, permission: str) -> bool:
    """Whether the last attempt was refused."""
    return _entry(status, permission) is not None


def is_due(status: AccountStatus, permission: str, poll: Poll, *, now: datetime) -> bool:
    """Whether AWS refused it, and this poll is to ask again: once, and at once where somebody asked for the poll."""
    entry = _entry(status, permission)
    if entry is None:
        return False
    asked_at = datetime.fromisoformat(entry.get("asked_at", entry["since"]))
    if poll.started_at is not None and asked_at >= poll.started_at:
        return False
    by_hand = poll.request_id is not None or poll.trigger != PollTrigger.SCHEDULE
    return by_hand or now - asked_at >= ASK_AGAIN


def _entry(status: AccountStatus, permission: str) -> dict[str, str] | None:
    return next((entry for entry in status.missing_permissions if entry["permission"] == permission), None)


def refused(status: AccountStatus) -> frozenset[str]:
    """All of them, such as "iam:ListUsers"."""
    return frozenset(str(entry["permission"]) for entry in status.missing_permissions)
