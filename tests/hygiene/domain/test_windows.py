"""Change windows and freeze days, over the days on which clocks change too."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hygiene.domain.windows import LOOK_AHEAD, calendar, days_of, freeze_lines, parse_freezes, parse_windows

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
        ("mon,wed 09:30-09:59", "2026-11-23T09:30", True),
        ("mon,wed 09:30-09:59", "2026-11-23T09:29", False),
        ("mon,wed 09:30-09:59", "2026-11-25T09:58", True),
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


def test_the_next_opening_is_told_in_utc_to_the_minute() -> None:
    moment = datetime.fromisoformat("2026-11-22T10:00:30+09:00")  # a Sunday, in Tokyo
    for text, opening in (
        ("", "2026-11-22T01:00:30"),
        ("mon 09:45-10:00 Asia/Tokyo", "2026-11-23T00:45"),
        ("mon 00:00-01:00", "2026-11-23"),
    ):
        found = calendar(text, []).next_open(moment)
        assert found == utc(opening)
        assert found.tzinfo is UTC
    assert calendar(OFFICE, []).why_closed(moment) == "The account's change window is closed."


def test_windows_in_zones_whose_dates_are_two_days_apart_are_all_seen() -> None:
    far = calendar("mon 00:00-00:01 Pacific/Kiritimati; sat 23:30-23:59 Etc/GMT+12", [])
    assert far.next_open(utc("2026-11-22T11:00")) == utc("2026-11-22T11:30")  # Monday, 01:00, in Kiritimati, and still Saturday elsewhere
    assert far.next_open(utc("2026-11-22T12:00")) == utc("2026-11-29T10:00")


def test_the_last_window_that_is_looked_for_opens_in_400_days() -> None:
    moment = utc("2026-11-23T12:00")
    assert calendar("daily 09:00-10:00", ["2026-11-24..2027-12-26"]).next_open(moment) == utc("2027-12-27T09:00")
    assert calendar("daily 09:00-10:00", ["2026-11-24..2027-12-27"]).next_open(moment) is None


def test_a_start_that_the_clocks_leave_out_opens_when_they_have_gone_forward() -> None:
    night = calendar("sun 01:30-03:00 Europe/London", [])
    opening = night.next_open(utc("2026-03-28T12:00"))
    assert opening == utc("2026-03-29T01:00")  # 02:00 summer time
    assert opening.tzinfo is UTC
    assert calendar("sun 01:15-03:00 Europe/London", []).next_open(utc("2026-03-28T12:00")) == opening
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
    elsewhere = calendar("daily 22:00-04:00 America/New_York", ["2026-11-23"])
    assert elsewhere.next_open(utc("2026-11-23T15:00")) == utc("2026-11-24T05:00"), "midnight is that of the account's own zone"


def test_a_window_that_never_opens_is_told() -> None:
    assert calendar("mon 09:00-10:00", ["2026-01-01..2029-01-01"]).next_open(utc("2026-11-23T12:00")) is None


@pytest.mark.parametrize(
    "text",
    [
        *("always", "mon-fri", "mon-fri 9-17", "mon-fri 09:00-25:00", "mon-fri 24:00-02:00", "mon- 09:00-17:00", "xyz 09:00-17:00"),
        *("mon-fri 09:00-17:00 Mars/Base", "mon-fri 09:60-17:00", "mon,,tue 09:00-17:00", "mon 09:00-17:00 ../etc/passwd"),
        *("mon-xyz 09:00-17:00", "mon 09:00-24:01"),
    ],
)
def test_a_window_that_cannot_be_read_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match=r"\.$"):
        parse_windows(text)


@pytest.mark.parametrize("text", ["24.12.2026", "2026-12-24..", "2026-13-01", "2026-12-24..2026-12-01"])
def test_a_freeze_day_that_cannot_be_read_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match=r"\.$"):
        parse_freezes([text])


def test_every_day_is_seven_days() -> None:
    assert parse_windows("daily 09:00-10:00")[0].days == frozenset(range(7))
    assert parse_windows("mon,sat-mon 09:00-10:00")[0].days == {0, 5, 6}


def test_freeze_days_are_told_as_they_are_read_with_neighbours_joined() -> None:
    lines = ["2026-12-24..2026-12-26", "2026-12-31", "2027-01-02"]
    days = days_of(parse_freezes(lines))
    assert [day.isoformat() for day in days] == ["2026-12-24", "2026-12-25", "2026-12-26", "2026-12-31", "2027-01-02"]
    assert freeze_lines([*reversed(days), *days]) == lines
    assert freeze_lines([]) == []


def test_a_freeze_lasts_at_most_400_days() -> None:
    longest = parse_freezes(["2026-01-01..2027-02-05"])
    assert len(days_of(longest)) == LOOK_AHEAD + 1
    with pytest.raises(ValueError, match=r"^A freeze lasts at most 400 days, not 2026-01-01\.\.2027-02-06\.$"):
        days_of(parse_freezes(["2026-01-01..2027-02-06"]))


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
