"""Each step of a rotation is ticked by what is observed."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from hygiene.domain.facts import KeyStatus, LastUse, UseState
from hygiene.domain.rotation import Progress, RotatingKey, guide, successor

DAY = timedelta(days=1)


@pytest.fixture
def old(now: datetime) -> RotatingKey:
    return RotatingKey("AKIAOLDOLDOLDOLDOLD1", now - 400 * DAY, KeyStatus.ACTIVE, used(now - DAY, now))


@pytest.fixture
def new(now: datetime) -> RotatingKey:
    return RotatingKey("AKIANEWNEWNEWNEWNEW1", now - 20 * DAY, KeyStatus.ACTIVE, LastUse(UseState.NEVER, observed_at=now))


def used(at: datetime, now: datetime) -> LastUse:
    return LastUse(UseState.USED, at, observed_at=now)


def progress(old: RotatingKey, *others: RotatingKey, now: datetime) -> str:
    """One letter for each step: d(one), n(ow), l(ater), u(nknown)."""
    return "".join(step.progress[0] for step in guide(old, others, now=now, wait_days=14))


def test_it_begins_with_a_second_key(old: RotatingKey, now: datetime) -> None:
    assert progress(old, now=now) == "nlllll"


def test_a_second_key_that_is_older_is_not_the_new_one(old: RotatingKey, now: datetime) -> None:
    older = replace(old, created_at=now - 500 * DAY)
    assert progress(old, older, now=now) == "nlllll"
    assert "no third" in guide(old, [older], now=now, wait_days=14)[0].text


def test_a_newer_key_ticks_the_first_step_and_its_use_the_second(old: RotatingKey, new: RotatingKey, now: datetime) -> None:
    assert progress(old, new, now=now) == "dnllll"
    assert progress(old, replace(new, last_use=used(now, now)), now=now) == "ddnlll"


def test_the_old_key_is_quiet_after_seven_days_and_the_lag_of_awss_record(old: RotatingKey, new: RotatingKey, now: datetime) -> None:
    new = replace(new, last_use=used(now, now))
    seven = now - 7 * DAY
    assert progress(replace(old, last_use=used(seven, now)), new, now=now) == "ddnlll"
    assert progress(replace(old, last_use=used(seven - timedelta(hours=4), now)), new, now=now) == "dddnll"


def test_quiet_is_counted_up_to_when_it_was_read_and_not_to_now(old: RotatingKey, new: RotatingKey, now: datetime) -> None:
    new = replace(new, last_use=used(now, now))
    read_long_ago = replace(old, last_use=LastUse(UseState.USED, now - 30 * DAY, observed_at=now - 29 * DAY))
    assert progress(read_long_ago, new, now=now) == "ddnlll"


def test_what_was_not_read_is_unknown_and_never_a_tick(old: RotatingKey, new: RotatingKey, now: datetime) -> None:
    unread = LastUse(UseState.UNKNOWN)
    assert progress(old, replace(new, last_use=unread), now=now) == "dullll"
    new = replace(new, last_use=used(now, now))
    assert progress(replace(old, last_use=unread), new, now=now) == "ddulll"
    assert progress(replace(old, created_at=None), new, now=now).startswith("u")


def test_disabled_waited_and_deleted_are_seen(old: RotatingKey, new: RotatingKey, now: datetime) -> None:
    new = replace(new, last_use=used(now, now))
    old = replace(old, last_use=used(now - 40 * DAY, now), status=KeyStatus.INACTIVE, inactive_since=now - 13 * DAY)
    assert progress(old, new, now=now) == "ddddnl"
    assert guide(old, [new], now=now, wait_days=14)[4].observed == "1 day left"
    assert progress(replace(old, inactive_since=now - 14 * DAY), new, now=now) == "dddddn"
    assert progress(replace(old, gone_at=now), new, now=now) == "dddddd"


def test_a_key_disabled_too_early_still_shows_what_was_left_out(old: RotatingKey, now: datetime) -> None:
    disabled = replace(old, status=KeyStatus.INACTIVE, inactive_since=now - DAY)
    steps = guide(disabled, [], now=now, wait_days=14)
    assert [step.progress for step in steps][:4] == [Progress.NOW, Progress.LATER, Progress.LATER, Progress.DONE]


def test_a_deleted_newer_key_is_no_successor(old: RotatingKey, new: RotatingKey, now: datetime) -> None:
    assert successor(old, [replace(new, gone_at=now)]) is None
    assert successor(old, [new]) == new
