"""Questions to owners about several keys at once: one mail to each owner, one answer for each key."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from hygiene.models import AccessKey
from hygiene.services import notices

if TYPE_CHECKING:
    from django.contrib.auth.models import User


@dataclass(frozen=True, slots=True)
class Asking:
    """Who is asked about which keys, and which keys nobody can be asked about."""

    by_owner: dict[str, list[AccessKey]] = field(default_factory=dict)
    without: list[AccessKey] = field(default_factory=list)

    @property
    def count(self) -> int:
        """Keys that somebody is asked about."""
        return sum(len(keys) for keys in self.by_owner.values())


def grouped(keys: Iterable[AccessKey]) -> Asking:
    """The keys by the address that would be asked; no query when account and principal are loaded."""
    found = Asking()
    for key in keys:
        owner = notices.owner_of(key)
        if owner:
            found.by_owner.setdefault(owner, []).append(key)
        else:
            found.without.append(key)
    return found


def ask(keys: Iterable[AccessKey], *, actor: User, now: datetime) -> tuple[list[list[int]], int]:
    """Claim a question for each key; the caller wakes a sender for each list of notices, one list for each owner.

    Answers the lists, and how many keys were left out since their owner was asked within a day.
    """
    mails, asked_before = [], 0
    for group in grouped(keys).by_owner.values():
        claimed = []
        for key in group:
            try:
                claimed.append(notices.ask(key, actor=actor, now=now).pk)
            except notices.CannotAsk:
                asked_before += 1
        if claimed:
            mails.append(claimed)
    return mails, asked_before
