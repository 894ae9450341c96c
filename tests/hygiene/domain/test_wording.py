"""Words for values, as pages and mails show them: states of keys, last use, last sign-in, ages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hygiene.domain import wording
from hygiene.domain.facts import KeyStatus, LastUse, UseState
from hygiene.domain.wording import Words, age_words, key_sentence, last_used_words, relative, sign_in_words, used_when
from tests.hygiene.domain.cases import NEVER, NO_DATA, NO_PASSWORD, NOW, UNKNOWN, ago, used

ACTIVE, INACTIVE = KeyStatus.ACTIVE, KeyStatus.INACTIVE
FUTURE = NOW + timedelta(minutes=6)


def sentence(**more: Any) -> str:
    return key_sentence(**{"status": ACTIVE, "created_at": ago(412), "last_use": NEVER, "now": NOW, **more})


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({}, "Active, never used, 412 days old"),
        (
            {"created_at": ago(513), "last_use": used(203), "limit_days": 90},
            "Active, last used 203 days ago (s3, eu-west-1), 513 days old",
        ),
        ({"created_at": ago(1204), "last_use": used(0), "limit_days": 90}, "Active, used today, 1,204 days old, limit 90"),
        ({"created_at": ago(90), "last_use": used(0), "limit_days": 90}, "Active, used today, 90 days old"),
        (
            {"created_at": ago(91), "last_use": used(90), "limit_days": 90},
            "Active, last used 90 days ago (s3, eu-west-1), 91 days old, limit 90",
        ),
        ({"created_at": ago(1204), "limit_days": 90}, "Active, never used, 1,204 days old"),
        (
            {"status": INACTIVE, "last_use": used(203), "inactive_since": ago(16)},
            "Disabled 16 days ago, last used 203 days ago",
        ),
        ({"status": INACTIVE, "last_use": used(203)}, "Disabled, last used 203 days ago"),
        ({"status": INACTIVE, "inactive_since": ago(1), "is_root": True}, "Root key disabled yesterday, never used"),
        (
            {"is_root": True, "last_use": LastUse(UseState.USED, ago(2), "us-east-1", "iam")},
            "Root key active, last used 2 days ago (iam, us-east-1)",
        ),
        ({"created_at": ago(1)}, "Active, never used, 1 day old"),
        ({"created_at": ago(hours=3)}, "Active, not used yet, 0 days old"),
        ({"created_at": ago(hours=24)}, "Active, never used, 1 day old"),
        ({"created_at": ago(hours=3), "status": INACTIVE}, "Disabled, not used yet"),
        ({"created_at": ago(hours=3), "last_use": UNKNOWN}, "Active, last use unknown, 0 days old"),
        ({"created_at": None}, "Active, never used, age unknown"),
        ({"created_at": FUTURE}, "Active, never used, age unknown"),
        ({"last_use": UNKNOWN}, "Active, last use unknown, 412 days old"),
        ({"last_use": NO_DATA}, "Active, no use on record since 22 Apr 2015, 412 days old"),
        ({"last_use": used(1)}, "Active, last used yesterday (s3, eu-west-1), 412 days old"),
        ({"last_use": LastUse(UseState.USED, ago(3))}, "Active, last used 3 days ago, 412 days old"),
        ({"last_use": LastUse(UseState.USED, ago(3), None, "s3")}, "Active, last used 3 days ago (s3, no region), 412 days old"),
        ({"last_use": LastUse(UseState.USED, FUTURE)}, "Active, last used on 23 Nov 2026 (in the future), 412 days old"),
        ({"status": KeyStatus.OTHER, "status_raw": "Expired"}, "Expired, never used, 412 days old"),
        ({"status": KeyStatus.OTHER}, "Other, never used, 412 days old"),
        ({"is_gone": True, "last_use": used(3)}, "Deleted, last used 3 days ago"),
    ],
)
def test_the_status_sentence_of_a_key(facts: dict[str, Any], words: str) -> None:
    assert sentence(**facts) == words


@pytest.mark.parametrize(
    ("use", "created", "words"),
    [
        (used(203), ago(513), Words("203 days ago", "s3, eu-west-1")),
        (LastUse(UseState.USED, ago(3)), ago(513), Words("3 days ago", "no service, no region")),
        (LastUse(UseState.USED, ago(3), "eu-west-1"), ago(513), Words("3 days ago", "no service, eu-west-1")),
        (NEVER, ago(412), Words("never", "no use since created")),
        (NEVER, None, Words("never", "no use since created")),
        (NEVER, ago(hours=3), Words("not yet", "created 3 h ago")),
        (NEVER, ago(hours=24), Words("never", "no use since created")),
        (NEVER, NOW + timedelta(minutes=2), Words("not yet", "created just now")),
        (NEVER, FUTURE, Words("never", "no use since created")),
        (NO_DATA, ago(4300), Words("no data", "none since 22 Apr 2015")),
        (UNKNOWN, ago(412), Words("unknown", "not read")),
    ],
)
def test_last_use_in_two_lines(use: LastUse, created: datetime | None, words: Words) -> None:
    assert last_used_words(use, created_at=created, now=NOW) == words


def test_last_use_of_an_account_that_does_not_report_is_unknown() -> None:
    assert last_used_words(UNKNOWN, created_at=None, now=NOW, is_reporting=False) == Words("unknown", "account not reporting")


@pytest.mark.parametrize(
    ("use", "words"),
    [
        (LastUse(UseState.USED, ago(9)), Words("9 days ago", "14 Nov 2026")),
        (LastUse(UseState.NOT_APPLICABLE, ago(9)), Words("9 days ago", "no password now")),
        (NEVER, Words("never", "no sign-in on record")),
        (NO_DATA, Words("never", "none since 20 Oct 2014")),
        (NO_PASSWORD, Words("n/a", "no console password")),
        (UNKNOWN, Words("unknown", "not read")),
    ],
)
def test_last_sign_in_in_two_lines(use: LastUse, words: Words) -> None:
    assert sign_in_words(use, now=NOW) == words


@pytest.mark.parametrize(
    ("moment", "words"),
    [
        (NOW + timedelta(minutes=5), "just now"),
        (ago(seconds=59), "just now"),
        (ago(seconds=60), "1 min ago"),
        (ago(minutes=59, seconds=59), "59 min ago"),
        (ago(hours=1), "1 h ago"),
        (ago(hours=23, minutes=59), "23 h ago"),
        (ago(1), "yesterday"),
        (ago(1, hours=23), "yesterday"),
        (ago(2), "2 days ago"),
        (ago(1204), "1,204 days ago"),
        (FUTURE, "on 23 Nov 2026 (in the future)"),
    ],
)
def test_relative_times_are_never_in_months(moment: datetime, words: str) -> None:
    assert relative(moment, NOW) == words


@pytest.mark.parametrize(("days", "words"), [(0, "used today"), (1, "last used yesterday"), (2, "last used 2 days ago")])
def test_use_in_a_sentence(days: int, words: str) -> None:
    assert used_when(ago(days), NOW) == words


@pytest.mark.parametrize(
    ("created", "words"),
    [
        (ago(1204), Words("1,204", "7 Aug 2023")),
        (NOW, Words("0", "23 Nov 2026")),
        (None, Words("unknown", "creation not known")),
        (FUTURE, Words("unknown", "dated 23 Nov 2026, in the future")),
    ],
)
def test_ages_in_two_lines(created: datetime | None, words: Words) -> None:
    assert age_words(created, NOW) == words


def test_small_words() -> None:
    assert [wording.plural(count, "key") for count in (0, 1, 2, 1204)] == ["0 keys", "1 key", "2 keys", "1,204 keys"]
    assert wording.plural(2, "entry", "entries") == "2 entries"
    assert wording.short_key_id("AKIAIOSFODNN7EXAMPLE") == "AKIA…MPLE"
    assert [wording.short_key_id(nothing) for nothing in (None, "")] == ["ID not known", "ID not known"]
    assert wording.grouped_account("204811779021") == "2048 1177 9021"
    assert [wording.status_word(status) for status in KeyStatus] == ["active", "disabled", "other"]
    assert wording.status_word(KeyStatus.OTHER, "Expired") == "expired"
    assert wording.day(datetime(2021, 2, 8, tzinfo=UTC)) == "8 Feb 2021"
