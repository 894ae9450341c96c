"""Whether the audit log is as it was written, and the only way by which old events leave it. Writing is `accounts.audit`.

An edited event has another hash than it says; a missing, moved or inserted one breaks the numbers or the links. A chain that was cut
off at its end or written anew holds by itself: anchors show that, hashes that left the house in mails.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from django.db import connection, transaction

from accounts import audit
from accounts.models import AuditAnchor, AuditCheckpoint, AuditEvent

Anchor: TypeAlias = tuple[int, str]  # an event's number and hash
TRIM = "audit.trim"
MOST_AT_ONCE = 20_000  # events that one step removes
GUARDED = ("accounts_auditevent", "accounts_auditanchor", "accounts_auditcheckpoint")
GUARDS = tuple(f"{table}_{guard}" for table in GUARDED for guard in ("only_added", "no_truncate"))


@dataclass(frozen=True, slots=True)
class Finding:
    """What a walk over the chain found. `broken` is the first place where it does not hold, empty when all of it does."""

    broken: str
    first: int
    last: Anchor
    anchors: int


def checkpoint() -> AuditCheckpoint | None:
    """Where the kept chain begins; None while nothing was ever removed."""
    return AuditCheckpoint.objects.order_by("-sequence").first()


def walk(anchors: Iterable[Anchor] = ()) -> Finding:
    """Check every event, the anchors that went out in mails, and `anchors` that somebody kept. Streams, so any length will do."""
    kept = tuple(anchors)
    begin = checkpoint()
    found = _walk(begin, kept)
    if found.broken and checkpoint() != begin:  # the retention rule removed events under way
        return _walk(checkpoint(), kept)
    return found


def _walk(begin: AuditCheckpoint | None, anchors: Iterable[Anchor]) -> Finding:
    wanted: defaultdict[int, set[str]] = defaultdict(set)
    for sequence, value in (*anchors, *AuditAnchor.objects.values_list("sequence", "hash")):
        wanted[sequence].add(value)
    start: Anchor = (begin.sequence, begin.hash) if begin else (0, "")
    place = start
    for event in _events(start, wanted):
        if isinstance(event, str):
            return Finding(event, start[0] + 1, place, len(wanted))
        place = (event.sequence, event.hash)
    return Finding(_at_the_end(begin, place, wanted), start[0] + 1, place, len(wanted))


def _events(place: Anchor, wanted: dict[int, set[str]]) -> Iterator[AuditEvent | str]:
    """Each event that follows the one before it, or a sentence about the first that does not."""
    row = 0
    for event in AuditEvent.objects.order_by("sequence").iterator(chunk_size=2000):
        broken = _against(event, place, row) or _against_anchors(event, wanted)
        if broken:
            yield broken
            return
        yield event
        place, row = (event.sequence, event.hash), event.pk


def _against(event: AuditEvent, place: Anchor, row: int) -> str:
    sequence, previous = place
    if event.sequence <= sequence:
        return f"Event {event.sequence} was put back: events up to {sequence} were removed by the retention rule."
    if event.sequence != sequence + 1:
        return f"Event {sequence + 1} is missing: after {sequence} comes {event.sequence}."
    if event.previous_hash != previous or event.pk <= row:
        return f"Event {event.sequence} ({event.uuid}) does not follow event {sequence}: one of them was moved, inserted or replaced."
    if audit.hash_of(event) != event.hash:
        return f"Event {event.sequence} ({event.uuid}) was changed after it was written."
    return ""


def _against_anchors(event: AuditEvent, wanted: dict[int, set[str]]) -> str:
    if wanted.get(event.sequence, {event.hash}) == {event.hash}:
        return ""
    return f"Event {event.sequence} ({event.uuid}) is not the one that its anchor names: the chain was written anew."


def _at_the_end(begin: AuditCheckpoint | None, place: Anchor, wanted: dict[int, set[str]]) -> str:
    cut = [sequence for sequence in sorted(wanted) if sequence > place[0]]
    if cut:
        return f"Events after {place[0]} are missing: an anchor names event {cut[0]}."
    if begin is None:
        return ""
    if wanted.get(begin.sequence, {begin.hash}) != {begin.hash}:
        return f"Event {begin.sequence}, after which the kept chain begins, is not the one that its anchor names."
    told = AuditEvent.objects.filter(action=TRIM, after__sequence=begin.sequence, after__hash=begin.hash)
    return "" if told.exists() else f"Events up to {begin.sequence} were removed, and no event says that the retention rule did it."


def guards_down() -> list[str]:
    """PostgreSQL's triggers that should refuse changes of events, anchors and checkpoints and are missing or off. SQLite has none."""
    if connection.vendor != "postgresql":
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgname FROM pg_trigger WHERE tgrelid = ANY(%s::text[]::regclass[]) AND tgenabled IN ('O', 'A')", [list(GUARDED)]
        )
        found = {name for (name,) in cursor.fetchall()}
    return [name for name in GUARDS if name not in found]


@transaction.atomic
def trim(*, keep_days: int, now: datetime) -> int:
    """Remove the oldest events, those of more than `keep_days` days ago, and say so in the log. Returns how many; 0 days keeps all.

    One step removes at most 20,000. The newest event counts as now if it is older: a clock that runs ahead removes nothing early.
    """
    audit.lock_chain()
    newest = AuditEvent.objects.order_by("-sequence").values_list("occurred_at", flat=True).first()
    if not keep_days or newest is None:
        return 0
    limit = min(now, newest) - timedelta(days=keep_days)
    kept = AuditEvent.objects.filter(occurred_at__gte=limit).order_by("sequence").values_list("sequence", flat=True).first() or 0
    begin = checkpoint()
    before = begin.sequence if begin else 0
    end = AuditEvent.objects.filter(sequence__lt=kept, sequence__lte=before + MOST_AT_ONCE).order_by("-sequence").first()
    if end is None:
        return 0
    count = end.sequence - before
    step = {"sequence": end.sequence, "hash": end.hash}
    AuditCheckpoint.objects.create(**step, removed=count, made_at=now)
    words = f"Events {before + 1} to {end.sequence}, the last of {end.occurred_at:%d %b %Y}, are older than {keep_days} days."
    audit.record(action=TRIM, outcome="succeeded", now=now, target="audit log", after=step, message=words)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM accounts_auditevent WHERE sequence <= %s", [end.sequence])
    return count
