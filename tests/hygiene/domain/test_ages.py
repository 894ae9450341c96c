"""Whole days: floor of seconds by 86,400, the same everywhere."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from hygiene.domain.ages import CLOCK_SKEW, KEY_USE_RECORDED_SINCE, PASSWORD_USE_RECORDED_SINCE, is_in_future, whole_days

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("since", "days"),
    [
        (NOW, 0),
        (NOW - timedelta(days=1) + MICROSECOND, 0),
        (NOW - timedelta(days=1), 1),
        (NOW - timedelta(days=45) + MICROSECOND, 44),
        (NOW - timedelta(days=45), 45),
        (NOW + timedelta(minutes=5), 0),
        (NOW + timedelta(minutes=5) + MICROSECOND, -1),
        (NOW + timedelta(days=3), -3),
        ((NOW - timedelta(days=90)).astimezone(timezone(timedelta(hours=14))), 90),
        (datetime(2006, 3, 14, tzinfo=UTC), 7559),
    ],
)
def test_days_are_whole(since: datetime, days: int) -> None:
    assert whole_days(since, NOW) == days


def test_a_change_to_summer_time_is_no_day_more_or_less() -> None:
    before = datetime(2026, 3, 28, 12, 0, tzinfo=timezone(timedelta(hours=1)))
    after = datetime(2026, 3, 29, 12, 0, tzinfo=timezone(timedelta(hours=2)))
    assert whole_days(before, after) == 0


def test_the_future_begins_beyond_the_skew_of_clocks() -> None:
    assert not is_in_future(NOW + CLOCK_SKEW, NOW)
    assert is_in_future(NOW + CLOCK_SKEW + MICROSECOND, NOW)
    assert not is_in_future(NOW - timedelta(days=1), NOW)


def test_when_aws_began_to_record() -> None:
    assert datetime(2015, 4, 22, tzinfo=UTC) == KEY_USE_RECORDED_SINCE
    assert datetime(2014, 10, 20, tzinfo=UTC) == PASSWORD_USE_RECORDED_SINCE
