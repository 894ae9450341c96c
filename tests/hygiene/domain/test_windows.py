"""Change windows and freeze days, over the days on which clocks change too."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hygiene.domain.windows import calendar, parse_freezes, parse_windows

OFFICE = "mon-fri 09:00-17:00 Europe/London"


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("window", "moment", "is_open"),
    [
        (OFFICE, "2026-11-23T08:59", False),
        (OFFICE, "2026-11-23T09:00", True),
        (OFFICE, "2026-11-23T16:59", True),
        (OFFICE, "2026-11-23T17:00", False),
        (OFFICE, "2026-07-20T08:00", True),  # summer time: 09:00 in London
        (OFFICE, "2026-07-20T16:00", False),
        (OFFICE, "2026-11-22T12:00", False),  # a Sunday
        ("sat,sun 10:00-12:00", "2026-11-22T11:00", True),
        ("daily 22:00-04:00 UTC", "2026-11-23T23:00", True),
        ("daily 22:00-04:00 UTC", "2026-11-23T03:59", True),
        ("daily 22:00-04:00 UTC", "2026-11-23T04:00", False),
        ("fri 22:00-04:00", "2026-11-28T03:00", True),  # Friday's window, on Saturday
        ("fri 22:00-04:00", "2026-11-27T03:00", False),
        ("sat-mon 00:00-24:00", "2026-11-23T23:59", True),
        ("sat-mon 00:00-24:00", "2026-11-24T00:00", False),
        (f"{OFFICE}; sun 10:00-11:00 UTC", "2026-11-22T10:30", True),
        ("", "2026-11-22T03:00", True),
    ],
)
def test_a_window_is_open_by_the_wall_clock_of_its_zone(window: str, moment: str, is_open: bool) -> None:
    assert (calendar(window, []).why_closed(utc(moment)) == "") is is_open


def test_the_next_opening_keeps_its_local_hour_over_a_change_of_the_clocks() -> None:
    office = calendar(OFFICE, [])
    assert office.next_open(utc("2026-03-27T18:00")) == utc("2026-03-30T08:00")  # clocks go forward on 29 March
    assert office.next_open(utc("2026-10-23T18:00")) == utc("2026-10-26T09:00")  # and back on 25 October
    assert office.next_open(utc("2026-11-23T10:15")) == utc("2026-11-23T10:15")


def test_a_start_that_the_clocks_leave_out_opens_when_they_have_gone_forward() -> None:
    night = calendar("sun 01:30-03:00 Europe/London", [])
    assert night.next_open(utc("2026-03-28T12:00")) == utc("2026-03-29T01:00")  # 02:00 summer time
    assert night.why_closed(utc("2026-03-29T01:30")) == ""
    assert night.why_closed(utc("2026-03-29T02:00")) != ""


def test_a_window_that_lies_in_the_hour_left_out_does_not_come_that_week() -> None:
    hour = calendar("sun 01:00-02:00 Europe/London", [])
    assert hour.next_open(utc("2026-03-28T12:00")) == utc("2026-04-05T00:00")


def test_an_hour_that_comes_twice_is_open_twice() -> None:
    night = calendar("sun 01:00-02:00 Europe/London", [])
    assert night.next_open(utc("2026-10-24T12:00")) == utc("2026-10-25T00:00")
    assert night.why_closed(utc("2026-10-25T01:30")) == ""
    assert night.why_closed(utc("2026-10-25T02:00")) != ""


def test_nothing_is_open_on_a_freeze_day_of_the_accounts_own_zone() -> None:
    frozen = calendar("daily 00:00-24:00 Asia/Tokyo", ["2026-12-24..2026-12-26"])
    assert frozen.why_closed(utc("2026-12-23T15:00")) == "2026-12-24 is a freeze day."
    assert frozen.why_closed(utc("2026-12-23T14:59")) == ""
    assert frozen.next_open(utc("2026-12-24T00:00")) == utc("2026-12-26T15:00")
    assert calendar("", ["2026-11-23"]).next_open(utc("2026-11-23T12:00")) == utc("2026-11-24T00:00")


def test_a_window_over_midnight_goes_on_after_a_freeze_day() -> None:
    frozen = calendar("daily 22:00-04:00", ["2026-11-23"])
    assert frozen.next_open(utc("2026-11-23T22:30")) == utc("2026-11-24T00:00")


def test_a_window_that_never_opens_is_told() -> None:
    assert calendar("mon 09:00-10:00", ["2026-01-01..2029-01-01"]).next_open(utc("2026-11-23T12:00")) is None


@pytest.mark.parametrize(
    "text",
    [
        *("always", "mon-fri", "mon-fri 9-17", "mon-fri 09:00-25:00", "mon-fri 24:00-02:00", "mon- 09:00-17:00", "xyz 09:00-17:00"),
        *("mon-fri 09:00-17:00 Mars/Base", "mon-fri 09:60-17:00", "mon,,tue 09:00-17:00", "mon 09:00-17:00 ../etc/passwd"),
    ],
)
def test_a_window_that_cannot_be_read_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match=r"\.$"):
        parse_windows(text)


@pytest.mark.parametrize("text", ["24.12.2026", "2026-12-24..", "2026-13-01", "2026-12-24..2026-12-01"])
def test_a_freeze_day_that_cannot_be_read_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match=r"\.$"):
        parse_freezes([text])


@given(
    moment=st.integers(0, 700 * 24 * 60),
    zone=st.sampled_from(["Europe/London", "America/New_York", "Asia/Tokyo", "Australia/Lord_Howe", "UTC"]),
    hours=st.tuples(st.integers(0, 23), st.integers(0, 24)),
)
def test_what_is_called_the_next_opening_is_open_and_nothing_before_it_is(moment: int, zone: str, hours: tuple[int, int]) -> None:
    start = utc("2026-01-01") + timedelta(minutes=moment)
    found = calendar(f"tue,fri {hours[0]:02d}:00-{hours[1]:02d}:00 {zone}", [])
    opening = found.next_open(start)
    assert opening is not None
    assert found.why_closed(opening) == ""
    step = start
    while step < opening:
        assert found.why_closed(step) != ""
        step += timedelta(minutes=30)
