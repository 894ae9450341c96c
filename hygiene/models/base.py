"""What all models share: who looks at them, and choices made of the domain's words."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser, User

Viewer: TypeAlias = "User | AnonymousUser"


def choices(words: type[StrEnum]) -> list[tuple[str, str]]:
    """Model choices from a domain enum: the value is also the label."""
    return [(word.value, word.value) for word in words]
