"""The only writer of audit events. Each carries the hash of the one before it, so that a change of any of them shows (`audit_chain`).

Rows are chained under one lock: an advisory lock on PostgreSQL, held to the end of the caller's transaction; on SQLite the write
lock of the transaction itself.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Required, TypedDict, Unpack

from django.db import connection, transaction

from accounts.models import Account, AuditAnchor, AuditEvent

if TYPE_CHECKING:
    from django.contrib.auth.models import User

PRODUCT = "Key Hygiene"
CHAIN_LOCK = 4_815_162_342  # any number that no other advisory lock of this database uses
HASHED = (
    *("sequence", "previous_hash", "uuid", "occurred_at", "actor_id", "actor_name", "account_id", "account_number", "account_name"),
    *("action", "outcome", "target", "reason", "note", "ticket", "before", "after", "message", "correlation_id", "aws_request_id"),
)


def hash_of(event: AuditEvent) -> str:
    """SHA-256 in hex over every field of the event but the hash itself, as canonical JSON; times in UTC."""
    values = {name: _hashable(getattr(event, name)) for name in HASHED}
    return hashlib.sha256(json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()).hexdigest()


def _hashable(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    return str(value) if isinstance(value, uuid.UUID) else value


def lock_chain() -> None:
    """Nobody else adds to the chain until the caller's transaction ends."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [CHAIN_LOCK])


class Entry(TypedDict, total=False):
    """What one audit event says; see `record`."""

    action: Required[str]
    outcome: Required[str]
    now: Required[datetime]
    actor: User | None
    actor_name: str
    account: Account | None
    target: str
    reason: str
    note: str
    ticket: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    message: str
    correlation_id: uuid.UUID | None
    aws_request_id: str


def record(**entry: Unpack[Entry]) -> AuditEvent:
    """Add one audit event in the caller's transaction.

    `action` is a dotted word such as ``key.disable``; `outcome` a word such as ``requested``, ``calling``, ``succeeded``,
    ``failed``. Without an actor the event is the product's own. Values of `before` and `after` must be JSON types.
    """
    return record_many([entry])[0]


@transaction.atomic
def record_many(entries: Iterable[Entry]) -> list[AuditEvent]:
    """Add audit events in this order, in the caller's transaction: three statements for any number up to a thousand."""
    lock_chain()
    last = AuditEvent.objects.order_by("-sequence").values("sequence", "hash").first() or {"sequence": 0, "hash": ""}
    sequence, previous = last["sequence"], last["hash"]
    events = []
    for entry in entries:
        sequence += 1
        event = _event(entry, sequence=sequence, previous_hash=previous)
        previous = event.hash = hash_of(event)
        events.append(event)
    return AuditEvent.objects.bulk_create(events, batch_size=1000)


def _event(entry: Entry, *, sequence: int, previous_hash: str) -> AuditEvent:
    actor, account = entry.get("actor"), entry.get("account")
    before, after = json.loads(json.dumps([dict(entry.get("before") or {}), dict(entry.get("after") or {})]))
    return AuditEvent(
        sequence=sequence,
        previous_hash=previous_hash,
        occurred_at=entry["now"],
        actor_id=None if actor is None else actor.pk,
        actor_name=entry.get("actor_name") or (actor.get_username() if actor else PRODUCT),
        account_id=None if account is None else account.pk,
        account_number=account.account_id if account else "",
        account_name=account.name if account else "",
        action=entry["action"],
        outcome=entry["outcome"],
        target=entry.get("target", ""),
        reason=entry.get("reason", ""),
        note=entry.get("note", ""),
        ticket=entry.get("ticket", ""),
        before=before,
        after=after,
        message=entry.get("message", ""),
        correlation_id=entry.get("correlation_id"),
        aws_request_id=entry.get("aws_request_id", ""),
    )


def last() -> tuple[int, str]:
    """Sequence and hash of the newest event: an anchor, if it is kept where this database's owner cannot change it."""
    found = AuditEvent.objects.order_by("-sequence").values_list("sequence", "hash").first()
    return found or (0, "")


def give_anchor(recipient: str, *, now: datetime) -> str:
    """The newest event as NUMBER:HASH for a mail to `recipient`, remembered for `audit_chain.broken_at`. Empty without any event."""
    sequence, value = last()
    return str(AuditAnchor.objects.create(sequence=sequence, hash=value, recipient=recipient, sent_at=now)) if sequence else ""
