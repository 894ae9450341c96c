"""The daily walk over the audit chain: its result is an event itself, and a chain that does not hold is an alert."""

from __future__ import annotations

from datetime import datetime, timedelta

from accounts import audit, audit_chain
from accounts.models import AuditEvent
from hygiene.services import alerts

VERIFY = "audit.verify"
EVERY = timedelta(hours=24)


def last() -> AuditEvent | None:
    """The event of the newest walk."""
    return AuditEvent.objects.filter(action=VERIFY).order_by("-sequence").first()


def check(*, now: datetime) -> AuditEvent | None:
    """Walk the chain unless that was done within 24 hours. Returns the event that says what was found, or None."""
    before = last()
    if before is not None and now - before.occurred_at < EVERY:
        return None
    found = audit_chain.walk()
    down = ", ".join(audit_chain.guards_down())
    broken = found.broken or (f"The database does not refuse changes of the log: {down} is missing or off." if down else "")
    sequence, value = found.last
    if broken:
        alerts.raise_alert(kind=alerts.AUDIT_BROKEN, subject="audit log", sentence=f"The audit log does not hold. {broken}", now=now)
    message = broken or f"Events {found.first} to {sequence} hold, and agree with {found.anchors} anchors."
    outcome = "failed" if broken else "succeeded"
    return audit.record(
        action=VERIFY, outcome=outcome, now=now, target="audit log", after={"anchor": f"{sequence}:{value}"}, message=message
    )
