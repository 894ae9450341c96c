"""Access keys, passwords and signing certificates as a report's row tells them: what is there, how old, and when it was used."""

from __future__ import annotations

from datetime import datetime

import pytest

from hygiene.domain.facts import CertificateFacts, LastUse, PasswordState, UseState
from hygiene.domain.report import ReportSlot
from tests.hygiene.domain.reports import ANN, MADE, ROOT, read, read_user, utc, without, written

BORN = "2021-01-01T00:00:00Z"
NEVER, NO_DATA, UNKNOWN = (LastUse(state, observed_at=MADE) for state in (UseState.NEVER, UseState.NO_DATA, UseState.UNKNOWN))
ABSENT = ["N/A", "no_information", "not_supported", ""]
OF_ONE = ("access_key_{}_active", "access_key_{}_last_rotated", "access_key_{}_last_used_date")


def key(number: int, active: str, rotated: str, used: str = "N/A") -> dict[str, str]:
    """The columns of one slot."""
    return {name.format(number): word for name, word in zip(OF_ONE, (active, rotated, used), strict=True)}


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("word", ABSENT)
def test_a_slot_that_is_not_active_and_has_no_date_holds_no_key(number: int, word: str) -> None:
    user = read_user(**key(number, "false", word))
    assert (user.slots, user.keys_known, user.warnings) == ((), True, ())


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize(("active", "is_active"), [("true", True), ("false", False)])
def test_a_slot_with_a_date_holds_a_key_active_or_not(number: int, active: str, is_active: bool) -> None:
    user = read_user(**key(number, active, BORN))
    assert user.slots == (ReportSlot(number, is_active, utc(2021, 1, 1), NEVER),)
    assert (user.keys_known, user.warnings) == (True, ())


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize(
    ("active", "rotated", "warnings"),
    [
        ("maybe", "N/A", ()),
        ("N/A", "N/A", ()),
        ("false", "-", ("access_key_{}_last_rotated holds '-', which is not a date, so it is unknown.",)),
    ],
)
def test_a_slot_that_cannot_be_read_may_hold_a_key(number: int, active: str, rotated: str, warnings: tuple[str, ...]) -> None:
    user = read_user(**key(number, active, rotated))
    assert (user.slots, user.keys_known) == ((), False)
    assert user.warnings == tuple(sentence.format(number) for sentence in warnings)


@pytest.mark.parametrize("column", ["access_key_2_active", "access_key_2_last_rotated"])
def test_a_slot_whose_column_is_missing_may_hold_a_key(column: str) -> None:
    assert not read_user(without(ANN, column)).keys_known


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize(
    ("cells", "is_active", "doubt"),
    [
        (("maybe", BORN), True, "has a status that cannot be read"),
        (("", BORN, "2020-12-01T00:00:00Z"), True, "has a status that cannot be read"),
        (("true", "N/A"), True, "is active but has no creation time"),
        (("true", "N/A", "2026-01-01T00:00:00Z"), True, "is active but has no creation time"),
        (("true", "2026-11-23T08:05:01Z"), True, "has a date in the future"),
        (("false", "2026-11-23T08:05:01Z"), False, "has a date in the future"),
        (("true", BORN, "2026-11-23T08:05:01Z"), True, "has a date in the future"),
        (("true", BORN, "2020-12-31T23:58:59Z"), True, "was used before it was created"),
        (("false", BORN, "2020-12-31T23:58:59Z"), False, "was used before it was created"),
    ],
)
def test_a_key_that_contradicts_itself_is_shown_with_the_reason_and_decides_nothing(
    number: int, cells: tuple[str, ...], is_active: bool, doubt: str
) -> None:
    user = read_user(**key(number, *cells))
    assert [(slot.slot, slot.is_active, slot.has_warning) for slot in user.slots] == [(number, is_active, True)]
    assert (user.warnings, user.keys_known) == ((f"Access key {number} {doubt}.",), True)


@pytest.mark.parametrize(
    ("rotated", "used"),
    [
        (BORN, "2020-12-31T23:59:00Z"),
        ("2021-01-01T00:00:59Z", "2021-01-01T00:00:00Z"),
        ("2026-11-23T08:05:00Z", "N/A"),
        (BORN, "2026-11-23T08:05:00Z"),
    ],
)
def test_a_minute_of_rounding_and_five_of_skew_are_no_contradiction(rotated: str, used: str) -> None:
    user = read_user(**key(1, "true", rotated, used))
    assert (user.warnings, user.slots[0].has_warning) == ((), False)


def test_a_key_older_than_its_user_is_told_and_still_decides() -> None:
    user = read_user(**key(1, "true", "2020-01-02T03:04:04Z"), **key(2, "true", "2020-01-02T03:04:05Z"))
    assert user.warnings == ("Access key 1 is older than its user.",)
    assert [slot.has_warning for slot in user.slots] == [False, False]
    assert read_user(user_creation_time="N/A", **key(1, "true", "2010-01-01T00:00:00Z")).warnings == ()


@pytest.mark.parametrize(
    ("rotated", "used", "use"),
    [
        (BORN, "N/A", NEVER),
        (BORN, "no_information", NEVER),
        ("2015-04-22T00:00:00Z", "N/A", NEVER),
        ("2015-04-21T23:59:59Z", "N/A", NO_DATA),
        ("N/A", "N/A", UNKNOWN),
        (BORN, "-", UNKNOWN),
        ("2015-04-21T23:59:59Z", "-", UNKNOWN),
        (BORN, "2026-01-01T00:00:00Z", LastUse(UseState.USED, utc(2026, 1, 1), observed_at=MADE)),
        ("N/A", "2026-01-01T00:00:00Z", LastUse(UseState.USED, utc(2026, 1, 1), observed_at=MADE)),
    ],
)
def test_no_use_is_never_only_for_a_key_born_since_aws_records_it(rotated: str, used: str, use: LastUse) -> None:
    user = read_user(user_creation_time="2010-01-01T00:00:00Z", **key(2, "true", rotated, used))
    assert user.slots[0].last_use == use


@pytest.mark.parametrize("number", [1, 2])
def test_a_report_without_columns_of_use_says_nothing_of_use(number: int) -> None:
    row = without(ANN, *(name for name in ANN if "last_used" in name))
    assert read_user({**row, **dict(list(key(number, "true", BORN).items())[:2])}).slots[0].last_use == UNKNOWN


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("what", ["region", "service"])
def test_region_and_service_of_a_use_are_kept_unless_aws_names_none(number: int, what: str) -> None:
    longest = {"region": 64, "service": 128}[what]
    column = f"access_key_{number}_last_used_{what}"
    cells = key(number, "true", BORN, "2026-01-01T00:00:00Z")

    def told(word: str) -> tuple[str | None, tuple[str, ...]]:
        user = read_user(**cells, **{column: word})
        use = user.slots[0].last_use
        return {"region": use.region, "service": use.service}[what], user.warnings

    assert told("Sts") == ("Sts", ())
    assert [told(word) for word in ABSENT] == [(None, ())] * 4
    assert told("x" * longest) == ("x" * longest, ())
    assert told("x" * (longest + 1)) == (None, (f"{column} is longer than any that AWS has, so it is unknown.",))
    (slot,) = read_user({**without(ANN, column), **cells}).slots
    assert (slot.last_use.region, slot.last_use.service) == (None, None)


@pytest.mark.parametrize(
    ("enabled", "word", "created", "use"),
    [
        ("true", "no_information", "2020-01-01T00:00:00Z", NEVER),
        ("true", "N/A", "2020-01-01T00:00:00Z", NEVER),
        ("true", "", "2014-10-20T00:00:00Z", NEVER),
        ("true", "no_information", "2014-10-19T23:59:59Z", NO_DATA),
        ("true", "N/A", "2014-10-19T23:59:59Z", NO_DATA),
        ("true", "no_information", "N/A", NO_DATA),
        ("true", "not_supported", "2020-01-01T00:00:00Z", UNKNOWN),
        ("true", "-", "2020-01-01T00:00:00Z", UNKNOWN),
        ("not_supported", "no_information", "2020-01-01T00:00:00Z", NEVER),
        ("not_supported", "No_Information", "2010-01-01T00:00:00Z", NO_DATA),
        ("not_supported", "N/A", "2020-01-01T00:00:00Z", UNKNOWN),
        ("not_supported", "not_supported", "2020-01-01T00:00:00Z", UNKNOWN),
        ("false", "N/A", "2020-01-01T00:00:00Z", LastUse(UseState.NOT_APPLICABLE, observed_at=MADE)),
        ("false", "no_information", "2010-01-01T00:00:00Z", LastUse(UseState.NOT_APPLICABLE, observed_at=MADE)),
    ],
)
def test_no_sign_in_is_never_only_for_a_user_born_since_aws_records_it(enabled: str, word: str, created: str, use: LastUse) -> None:
    user = read_user(password_enabled=enabled, password_last_used=word, user_creation_time=created)
    assert user.password_last_use == use


@pytest.mark.parametrize("enabled", ["true", "false", "not_supported"])
def test_a_sign_in_outlives_the_password(enabled: str) -> None:
    user = read_user(password_enabled=enabled, password_last_used="2026-01-01T00:00:00Z")
    assert user.password_last_use == LastUse(UseState.USED, utc(2026, 1, 1), observed_at=MADE)


@pytest.mark.parametrize(("enabled", "state"), [("true", UseState.UNKNOWN), ("false", UseState.NOT_APPLICABLE)])
def test_a_report_without_the_column_of_sign_ins_says_nothing_of_them(enabled: str, state: UseState) -> None:
    user = read_user({**without(ANN, "password_last_used"), "password_enabled": enabled})
    assert user.password_last_use.state is state


def test_root_of_2026_tells_its_password() -> None:
    said = ("true", "no_information", "2026-02-03T04:05:06Z", "not_supported")
    columns = ("password_enabled", "password_last_used", "password_last_changed", "password_next_rotation")
    root = read(written({**ROOT, **dict(zip(columns, said, strict=True))})).root
    assert root is not None
    assert (root.password_state, root.password_last_use) == (PasswordState.ENABLED, NEVER)
    assert (root.password_last_changed_at, root.password_next_rotation_at) == (utc(2026, 2, 3, 4, 5, 6), None)


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize(
    ("active", "rotated", "certificate"),
    [
        ("true", BORN, (True, utc(2021, 1, 1))),
        ("false", BORN, (False, utc(2021, 1, 1))),
        ("true", "N/A", (True, None)),
        ("true", "-", (True, None)),
        ("maybe", BORN, (True, utc(2021, 1, 1))),
    ],
)
def test_a_signing_certificate_is_there_when_active_or_dated(
    number: int, active: str, rotated: str, certificate: tuple[bool, datetime | None]
) -> None:
    user = read_user(**{f"cert_{number}_active": active, f"cert_{number}_last_rotated": rotated})
    assert user.certificates == (CertificateFacts(number, *certificate),)


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize(("active", "rotated"), [("maybe", "N/A"), ("N/A", "N/A"), ("false", "-")])
def test_certificates_are_unknown_when_one_of_the_two_cannot_be_read(number: int, active: str, rotated: str) -> None:
    other = {f"cert_{3 - number}_active": "true"}
    assert read_user(**other, **{f"cert_{number}_active": active, f"cert_{number}_last_rotated": rotated}).certificates is None


@pytest.mark.parametrize("column", ["cert_1_active", "cert_1_last_rotated", "cert_2_active", "cert_2_last_rotated"])
def test_certificates_are_unknown_when_a_column_is_missing(column: str) -> None:
    assert read_user(without(ANN, column)).certificates is None
