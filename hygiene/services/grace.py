"""The warnings of a campaign: at once, 7 days and 1 day before it acts. Which are due, and whether owners were warned in time."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Max, Q

from hygiene.models import Approval, NoticeKind, NoticeState, Plan
from hygiene.services.caps import Wait

UNWARNED = "unwarned"
BEFORE = {NoticeKind.SEVEN_DAYS: timedelta(days=7), NoticeKind.ONE_DAY: timedelta(days=1)}
LEAST = timedelta(hours=12)  # between the last warning and the act
MOST_LATE = timedelta(hours=24)  # that a warning may be begun after its time, and sent after that
LOOK_AGAIN = timedelta(minutes=1)


def wanted(plan: Plan) -> tuple[NoticeKind, ...]:
    """Warnings of a campaign of this length: none comes on the day of the one before it."""
    kinds = [NoticeKind.FIRST]
    if plan.grace_days > BEFORE[NoticeKind.SEVEN_DAYS].days + 1:
        kinds.append(NoticeKind.SEVEN_DAYS)
    if plan.grace_days > BEFORE[NoticeKind.ONE_DAY].days:
        kinds.append(NoticeKind.ONE_DAY)
    return tuple(kinds)


def begun(plan: Plan) -> dict[str, datetime]:
    """When each warning of the present cycle was begun."""
    return {entry["kind"]: datetime.fromisoformat(entry["at"]) for entry in plan.warned if entry["cycle"] == plan.cycle}


def due(plan: Plan, *, now: datetime) -> list[NoticeKind]:
    """Warnings that are to be sent now."""
    if plan.run_at is None or not plan.notifies_owners:
        return []
    done, run_at = begun(plan), plan.run_at
    return [kind for kind in wanted(plan) if kind not in done and (kind not in BEFORE or now >= run_at - BEFORE[kind])]


def is_too_late(plan: Plan, *, now: datetime) -> bool:
    """Whether a warning did not begin in time, or could not any more, so that all of them must start again. One query if it seems so."""
    if plan.run_at is None or not plan.notifies_owners:
        return False
    if not _late(plan, plan.run_at, None, now=now):
        return False
    return _late(plan, plan.run_at, _agreed_at(plan), now=now)


def _late(plan: Plan, run_at: datetime, agreed_at: datetime | None, *, now: datetime) -> bool:
    """Each warning may come a day after it was due or agreed to, and half a day before the act at the latest."""
    done = begun(plan)
    for kind in wanted(plan):
        due_at = run_at - BEFORE.get(kind, timedelta(days=plan.grace_days))
        from_then = due_at if agreed_at is None else max(due_at, agreed_at)
        if done.get(kind, now) > min(from_then + MOST_LATE, run_at - LEAST):
            return True
    return False


def _agreed_at(plan: Plan) -> datetime | None:
    """When the last of the approvals that it needed came: nobody is warned before."""
    agreed = Approval.objects.filter(plan=plan, is_approved=True, change_hash=plan.change_hash)
    moment: datetime | None = agreed.aggregate(last=Max("decided_at"))["last"]
    return moment


def is_unsent(plan: Plan, *, now: datetime) -> bool:
    """Whether a warning that no mail server could be asked to take has waited for a day, or waits shortly before the act. One query."""
    if plan.run_at is None:
        return False
    late = Q() if now > plan.run_at - LEAST else Q(claimed_at__lt=now - MOST_LATE)
    return plan.notices.filter(late, cycle=plan.cycle, state=NoticeState.CLAIMED).exclude(kind=NoticeKind.DONE).exists()


def wait_of(plan: Plan, *, now: datetime) -> Wait | None:
    """Missing or unsent warnings as a reason to wait."""
    if not is_too_late(plan, now=now) and not is_unsent(plan, now=now):
        return None
    return Wait(UNWARNED, "Waits: its owners were not warned in time, so the warnings start again.", now + LOOK_AGAIN)
