"""Ages: the one helper that rules, pages, mails and exports share. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

DAY = timedelta(seconds=86_400)
CLOCK_SKEW = timedelta(minutes=5)
KEY_USE_RECORDED_SINCE = datetime.fromisoformat("2015-04-22T00:00:00+00:00")
PASSWORD_USE_RECORDED_SINCE = datetime.fromisoformat("2014-10-20T00:00:00+00:00")


def whole_days(since: datetime, now: datetime) -> int:
    """D(x) of the rules: whole days from `since` to `now`, floor of seconds / 86,400; both aware. Up to 5 minutes of skew count as 0.

    Negative for a `since` further in the future: the caller must treat such an age as unknown (`is_in_future`).
    """
    elapsed = now - since
    return 0 if -CLOCK_SKEW <= elapsed < DAY else elapsed // DAY


def is_in_future(moment: datetime, now: datetime) -> bool:
    """Whether `moment` lies further ahead than clock skew explains, so that no age may be computed from it."""
    return moment - now > CLOCK_SKEW
