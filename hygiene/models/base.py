"""What all models share: who looks at them and may see what, and choices made of the domain's words."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from django.db.models import QuerySet

from accounts.models import Account, sees_every_account

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser, User

Viewer: TypeAlias = "User | AnonymousUser"
Rows = TypeVar("Rows", bound=QuerySet[Any, Any])


def in_sight(rows: Rows, user: Viewer) -> Rows:
    """Rows of accounts that the user sees and that were not removed: what lists, counts, exports and digests go through."""
    if sees_every_account(user):
        return rows.exclude(account__in=Account.objects.filter(removed_at__isnull=False))
    return rows.filter(account__in=Account.objects.visible_to(user).filter(removed_at__isnull=True))


def in_scope(rows: Rows, user: Viewer) -> Rows:
    """The same with removed accounts: for pages of one object, which the audit log and the queue link to for ever."""
    return rows if sees_every_account(user) else rows.filter(account__in=Account.objects.visible_to(user))


def choices(words: type[StrEnum]) -> list[tuple[str, str]]:
    """Model choices from a domain enum: the value is also the label."""
    return [(word.value, word.value) for word in words]
