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


def observed(old: RotatingKey, *others: RotatingKey, now: datetime) -> list[str]:
    return [step.observed for step in guide(old, others, now=now, wait_days=14)]


def test_it_begins_with_a_second_key(old: RotatingKey, now: datetime) -> None:
    assert progress(old, now=now) == "nlllll"


def test_each_step_says_what_to_do(old: RotatingKey, now: datetime) -> None:
    console = "In the console: IAM, Users, Security credentials, Create access key. Better still, use a role and no key at all."
    assert [(step.title, step.text) for step in guide(old, [], now=now, wait_days=14)] == [
        ("Create a second key", console),
        ("Change over", "Give the new key to everything that uses this one. Look into CloudTrail for what that is."),
        ("Watch this key go quiet", "Wait until AKIA…OLD1 has had no use for 7 days. AWS records use up to 4 hours late."),
        ("Disable this key", "If something breaks, enable it again: that takes one click."),
        ("Wait", "14 days, so that a monthly job can fail while it can still be helped."),
        ("Delete this key", "This cannot be undone, and makes room for the next rotation."),
    ]
    third = "The user already has two keys, and AWS allows no third. First disable and delete the other one, if it is not in use. "
    older = replace(old, created_at=now - 500 * DAY)
    assert guide(old, [older], now=now, wait_days=14)[0].text == third + console
    assert guide(old, [replace(older, gone_at=now)], now=now, wait_days=14)[0].text == console
    assert guide(old, [replace(older, created_at=now - DAY)], now=now, wait_days=14)[0].text == console
    assert guide(old, [], now=now, wait_days=1)[4].text == "1 day, so that a monthly job can fail while it can still be helped."


def test_each_step_says_what_shows_it(old: RotatingKey, new: RotatingKey, now: datetime) -> None:
    assert observed(old, now=now) == ["no newer key seen", "", "last used yesterday", "active", "", ""]
    assert observed(old, new, now=now)[:2] == ["AKIA…NEW1, created 3 Nov 2026", "new key not used yet"]
    moved = replace(new, last_use=used(now - 2 * DAY, now))
    assert observed(old, moved, now=now)[1] == "new key used 2 days ago"
    quiet = replace(old, last_use=used(now - 40 * DAY, now), status=KeyStatus.INACTIVE, inactive_since=now - 12 * DAY)
    assert observed(quiet, moved, now=now)[2:] == ["last used 40 days ago", "seen disabled 12 days ago", "2 days left", ""]
    assert observed(replace(quiet, inactive_since=now - 14 * DAY), moved, now=now)[4] == "the wait is over"
    assert observed(replace(quiet, inactive_since=None), moved, now=now)[3:5] == ["disabled", ""]
    assert observed(replace(quiet, status=KeyStatus.OTHER), moved, now=now)[3:5] == ["neither active nor inactive", ""]
    assert observed(replace(old, gone_at=now), moved, now=now)[3:] == ["", "", "gone since 23 Nov 2026"]


def test_what_was_not_read_is_said_so(old: RotatingKey, new: RotatingKey, now: datetime) -> None:
    unread = LastUse(UseState.UNKNOWN)
    assert observed(replace(old, created_at=None), now=now)[0] == "when these keys were created is not known"
    assert observed(old, replace(new, created_at=None), now=now)[0] == "when these keys were created is not known"
    assert observed(old, replace(new, created_at=None, gone_at=now), now=now)[0] == "no newer key seen"
    assert observed(old, replace(new, last_use=unread), now=now)[1] == "last use of the new key not read"
    assert observed(replace(old, last_use=unread), new, now=now)[2] == "last use not read"
    assert observed(replace(old, last_use=LastUse(UseState.NEVER, observed_at=now)), new, now=now)[2] == "no use on record"
    undated = LastUse(UseState.USED, now - 30 * DAY)
    assert observed(replace(old, last_use=undated), new, now=now)[2] == "last used 30 days ago, when that was read is not known"
    assert progress(replace(old, last_use=undated), replace(new, last_use=used(now, now)), now=now) == "ddulll"


def test_a_key_that_was_never_used_is_quiet_once_there_is_another(old: RotatingKey, new: RotatingKey, now: datetime) -> None:
    unused = replace(old, last_use=LastUse(UseState.NEVER, observed_at=now))
    assert progress(unused, now=now) == "nlllll"
    assert progress(unused, replace(new, last_use=used(now, now)), now=now) == "dddnll"
    quiet_alone = replace(old, last_use=used(now - 40 * DAY, now))
    assert progress(quiet_alone, now=now) == "nlllll"


def test_a_step_that_was_left_out_is_the_next_one_even_if_later_ones_are_done(old: RotatingKey, new: RotatingKey, now: datetime) -> None:
    moved = replace(new, last_use=used(now, now))
    enabled_again = replace(old, last_use=used(now - 40 * DAY, now), inactive_since=now - 20 * DAY)
    assert progress(enabled_again, moved, now=now) == "dddnll"
    disabled_at_unknown_time = replace(enabled_again, status=KeyStatus.INACTIVE, inactive_since=None)
    assert progress(disabled_at_unknown_time, moved, now=now) == "ddddnl"


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


def test_the_successor_is_the_newest_key_made_later(old: RotatingKey, new: RotatingKey, now: datetime) -> None:
    newest = replace(new, access_key_id="AKIA00000000000000", created_at=now - DAY)
    assert successor(old, [new, newest]) == newest
    assert successor(old, [newest, new]) == newest
    assert successor(old, [replace(new, created_at=old.created_at)]) is None
    assert successor(replace(old, created_at=None), [new]) is None
    twin = replace(new, access_key_id="AKIA00000000000001")
    assert successor(old, [new, twin]) == new, "of two made in one second the first one given"


def test_a_key_whose_id_is_not_known_is_called_this_key(old: RotatingKey, now: datetime) -> None:
    steps = guide(replace(old, access_key_id=None), [], now=now, wait_days=14)
    assert steps[2].text.startswith("Wait until this key has had no use for 7 days.")
