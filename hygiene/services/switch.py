"""The kill switch and the breaker: one row, locked by every claim of a change and read again just before the call.

Stopped, what waits is refused when a worker takes it up: whoever wants it still must ask again. Paused by the breaker, it waits.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from accounts import audit
from hygiene.models import ChangeSwitch, Remediation, State
from hygiene.people import roles_with
from hygiene.services import alerts
from hygiene.services.caps import Wait
from hygiene.services.change_rules import ChangeRules
from hygiene.services.permissions import Refusal
from hygiene.services.refused import Invalid, NotAllowed

if TYPE_CHECKING:
    from django.contrib.auth.models import User

THE_ROW = 1
PAUSED = "paused"
LOOK_AGAIN = timedelta(minutes=1)
BAD = (State.FAILED, State.UNKNOWN, State.NOT_APPLIED, State.NEEDS_HUMAN)


def lock() -> ChangeSwitch:
    """The row, locked to the end of the caller's transaction; SQLite's immediate transactions serialise by themselves."""
    ChangeSwitch.objects.get_or_create(pk=THE_ROW)
    return ChangeSwitch.objects.select_for_update().get(pk=THE_ROW)


def current() -> ChangeSwitch:
    """The row as it is now, not locked. One query."""
    return ChangeSwitch.objects.filter(pk=THE_ROW).first() or ChangeSwitch(pk=THE_ROW)


def refusal_of(row: ChangeSwitch) -> Refusal | None:
    """The kill switch as a reason against any change."""
    if not row.is_killed:
        return None
    when = f" at {timezone.localtime(row.set_at):%H:%M} UTC" if row.set_at else ""
    return Refusal("stopped", f"All changes are stopped{when} by {row.set_by_name}: {row.reason}")


def pause_of(row: ChangeSwitch, now: datetime) -> Wait | None:
    """The breaker as a reason to wait."""
    if not row.is_broken:
        return None
    return Wait(PAUSED, f"Waits: changes are paused until somebody with the role approver lets them go on. {row.reason}", now + LOOK_AGAIN)


@transaction.atomic
def stop(*, actor: User, reason: str, now: datetime) -> None:
    """Stop every call that is not on the wire yet. Raises NotAllowed without the role, Invalid without a reason."""
    _require(actor, "hygiene.stop_changes")
    if not reason.strip():
        raise Invalid({"reason": "Say why changes are stopped."})
    row = lock()
    if row.is_killed:
        return
    row.is_killed, row.reason, row.set_by_name, row.set_at = True, reason.strip(), actor.get_username(), now
    row.save(update_fields=["is_killed", "reason", "set_by_name", "set_at"])
    audit.record(action="changes.stop", outcome="succeeded", now=now, actor=actor, target="all changes", message=reason.strip())


@transaction.atomic
def resume(*, actor: User, reason: str, now: datetime) -> list[int]:
    """Let changes go on, after a stop and after the breaker. Returns what waits no longer, to be woken. Raises as `stop`."""
    _require(actor, "hygiene.resume_changes")
    if not reason.strip():
        raise Invalid({"reason": "Say why changes may go on."})
    row = lock()
    if not (row.is_killed or row.is_broken):
        return []
    row.is_killed = row.is_broken = False
    row.reason, row.set_by_name, row.set_at, row.resumed_at = reason.strip(), actor.get_username(), now, now
    row.save(update_fields=["is_killed", "is_broken", "reason", "set_by_name", "set_at", "resumed_at"])
    audit.record(action="changes.resume", outcome="succeeded", now=now, actor=actor, target="all changes", message=reason.strip())
    paused = Remediation.objects.filter(state__in=(State.REQUESTED, State.APPROVED), result_code=PAUSED)
    found = list(paused.values_list("pk", flat=True))
    paused.update(due_at=now)
    return found


def trip_if_failing(row: ChangeSwitch, *, rules: ChangeRules, now: datetime) -> None:
    """Pause everything when too many of the last changes failed or are unknown. The row must be locked."""
    if row.is_broken or not _is_failing(row, rules):
        return
    row.is_broken = True
    row.reason = f"{rules.breaker_failures} of the last {rules.breaker_window} changes failed or have an unknown outcome."
    row.set_by_name, row.set_at = audit.PRODUCT, now
    row.save(update_fields=["is_broken", "reason", "set_by_name", "set_at"])
    audit.record(action="changes.pause", outcome="succeeded", now=now, target="all changes", message=row.reason)
    alerts.raise_alert(kind=alerts.BREAKER, subject="all changes", sentence=f"Changes are paused: {row.reason}", now=now)


@transaction.atomic
def consider(*, rules: ChangeRules, now: datetime) -> None:
    """Look at the breaker after a change that did not succeed."""
    trip_if_failing(lock(), rules=rules, now=now)


def _is_failing(row: ChangeSwitch, rules: ChangeRules) -> bool:
    called = Remediation.objects.filter(called_at__isnull=False).exclude(state__in=(State.CALLING, State.VERIFYING))
    if row.resumed_at is not None:
        called = called.filter(called_at__gt=row.resumed_at)
    last = list(called.order_by("-called_at", "-pk").values_list("state", flat=True)[: rules.breaker_window])
    return sum(state in BAD for state in last) >= rules.breaker_failures


def _require(actor: User, permission: str) -> None:
    if not (actor.is_active and actor.has_perm(permission)):
        raise NotAllowed(f"This needs the role {roles_with(permission)}.")
