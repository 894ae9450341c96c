"""The warnings of a campaign: at once, 7 days and 1 day before it acts. Which are due, and whether owners were warned in time."""

from __future__ import annotations

from datetime import datetime, timedelta

from hygiene.models import NoticeKind, NoticeState, Plan
from hygiene.services.caps import Wait

UNWARNED = "unwarned"
BEFORE = {NoticeKind.SEVEN_DAYS: timedelta(days=7), NoticeKind.ONE_DAY: timedelta(days=1)}
LEAST = timedelta(hours=12)  # between the last warning and the act
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
    """Whether the campaign would act without having warned in time, so that its warnings must start again."""
    if plan.run_at is None or not plan.notifies_owners or now <= plan.run_at - LEAST:
        return False
    done, latest = begun(plan), plan.run_at - LEAST
    return any(kind not in done or done[kind] > latest for kind in wanted(plan))


def is_unsent(plan: Plan, *, now: datetime) -> bool:
    """Whether, shortly before the act, a warning was begun that no mail server was asked to take. One query near that day."""
    if plan.run_at is None or now <= plan.run_at - LEAST:
        return False
    return plan.notices.filter(cycle=plan.cycle, state=NoticeState.CLAIMED).exists()


def wait_of(plan: Plan, *, now: datetime) -> Wait | None:
    """Missing or unsent warnings as a reason to wait."""
    if not is_too_late(plan, now=now) and not is_unsent(plan, now=now):
        return None
    return Wait(UNWARNED, "Waits: its owners were not warned in time, so the warnings start again.", now + LOOK_AGAIN)
