"""Permissions that AWS refused to the read role: which, what is unknown without it, since when. Kept on the account's status."""

from __future__ import annotations

from datetime import datetime

from hygiene.models import AccountStatus


def note(status: AccountStatus, permission: str, unknown: str, *, now: datetime) -> None:
    """AWS refused it; the first refusal's time is kept. The caller saves `missing_permissions`."""
    if not is_noted(status, permission):
        entry = {"permission": permission, "unknown": unknown, "since": now.isoformat()}
        status.missing_permissions = [*status.missing_permissions, entry]


def clear(status: AccountStatus, permission: str) -> None:
    """AWS answered it. The caller saves `missing_permissions`."""
    status.missing_permissions = [entry for entry in status.missing_permissions if entry["permission"] != permission]


def is_noted(status: AccountStatus, permission: str) -> bool:
    """Whether the last attempt was refused."""
    return any(entry["permission"] == permission for entry in status.missing_permissions)


def refused(status: AccountStatus) -> frozenset[str]:
    """All of them, such as "iam:ListUsers"."""
    return frozenset(str(entry["permission"]) for entry in status.missing_permissions)
