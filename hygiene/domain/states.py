"""State of an account's data, the same for pages, counts and exports. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

STALE_AFTER = timedelta(hours=12)


class AccountState(StrEnum):
    """Words of pages and exports. Only OK counts as reporting: everything else is unknown, never green."""

    OK = "ok"
    STALE = "stale"
    ACCESS_LOST = "access_lost"
    NEVER_POLLED = "never_polled"
    SUSPENDED = "suspended"
    PAUSED = "paused"


STATE_WORDS = {
    AccountState.OK: "reporting",
    AccountState.STALE: "out of date",
    AccountState.ACCESS_LOST: "access lost",
    AccountState.NEVER_POLLED: "never polled",
    AccountState.SUSPENDED: "not active in AWS",
    AccountState.PAUSED: "paused",
}


def account_state(
    *,
    is_polled: bool,
    is_suspended: bool,
    access_lost: bool,
    report_generated_at: datetime | None,
    report_is_complete: bool,
    now: datetime,
    stale_after: timedelta = STALE_AFTER,
) -> AccountState:
    """Which state holds; the first of suspended, paused, access lost, never polled, stale that applies, else ok.

    Stale: the newest report is older than `stale_after`, or the last that came was rejected or not complete (rule `account.stale`).
    """
    if is_suspended:
        return AccountState.SUSPENDED
    if not is_polled:
        return AccountState.PAUSED
    if access_lost:
        return AccountState.ACCESS_LOST
    if report_generated_at is None:
        return AccountState.NEVER_POLLED
    if not report_is_complete or now - report_generated_at > stale_after:
        return AccountState.STALE
    return AccountState.OK
