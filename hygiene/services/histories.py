"""Timelines as pages show them: stored lines of users and keys, and those that follow from the rows themselves, newest first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from django.db.models import CharField, QuerySet, UUIDField, Value

from hygiene.domain.facts import Source
from hygiene.models import AccessKey, KeyEvent, Principal, PrincipalEvent

MOST = 200
NAMES = ("renamed", "moved", "gone", "reappeared")  # what happens to a user and matters for its keys
Row: TypeAlias = tuple[datetime, str, str, UUID | None, str | None, UUID | None, str | None, int]
COLUMNS = ("occurred_at", "summary", "source", "remediation__uuid", "remediation__requested_by_name")


@dataclass(frozen=True, slots=True)
class Line:
    """One line. `source`: the call that told it. `change`: our own remediation that did it. `key`: whose line it is, on a user's page."""

    at: datetime
    text: str
    source: str
    change: UUID | None = None
    by: str = ""
    key: UUID | None = None
    key_id: str = ""


def of_key(key: AccessKey) -> list[Line]:
    """The key's own lines, and what happened to its user as a whole. One query."""
    about_user = PrincipalEvent.objects.filter(principal=key.principal_id, kind__in=NAMES, occurred_at__gte=key.first_seen_at)
    rows = _joined(KeyEvent.objects.filter(key=key), about_user)
    return [
        Line(at, summary if of_key else f"User: {summary}", source, change, by or "")
        for at, summary, source, change, by, of_key, _, _ in rows
    ]


def of_user(user: Principal) -> list[Line]:
    """Lines of the user and of all its keys, deleted ones too. One query."""
    rows = _joined(KeyEvent.objects.filter(key__principal=user), PrincipalEvent.objects.filter(principal=user))
    lines = [Line(at, summary, source, change, by or "", key, key_id or "") for at, summary, source, change, by, key, key_id, _ in rows]
    return sorted([*lines, *_of_row(user)], key=lambda line: line.at, reverse=True)


def _joined(of_keys: QuerySet[KeyEvent], of_users: QuerySet[PrincipalEvent]) -> list[Row]:
    no_key, no_id = Value(None, output_field=UUIDField()), Value(None, output_field=CharField())
    users = of_users.annotate(no_key=no_key, no_id=no_id).values_list(*COLUMNS, "no_key", "no_id", "pk")
    keys = of_keys.values_list(*COLUMNS, "key__uuid", "key__access_key_id", "pk")
    return list(keys.union(users, all=True).order_by("-occurred_at", "-pk")[:MOST])


def _of_row(user: Principal) -> Iterator[Line]:
    """Birth and first sight need no line of their own in the database."""
    if user.created_at is not None:
        yield Line(user.created_at, "Account created" if user.is_root else "User created", Source.REPORT)
    yield Line(user.first_seen_at, "First seen by a poll", Source.REPORT)
