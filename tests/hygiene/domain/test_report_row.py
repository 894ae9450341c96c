"""One row of a credential report: who it is, its dates and words, and what the report says beside the columns we know."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from hygiene.domain.facts import CertificateFacts, LastUse, MfaState, PasswordState, UseState
from hygiene.domain.report import QuarantinedRow, ReportRow, ReportSlot
from hygiene.domain.report_row import ROOT_NAME
from tests.hygiene.domain.reports import ANN, ARNS, MADE, ROOT, named, read, read_user, utc, without, written

ABSENT = ["N/A", "n/a", "no_information", "No_Information", "not_supported", ""]
FULL = {
    **ANN,
    "password_enabled": "true",
    "password_last_used": "2026-11-20T10:11:12Z",
    "password_last_changed": "2021-02-03T04:05:06Z",
    "password_next_rotation": "2027-02-03T04:05:06Z",
    "mfa_active": "true",
    "access_key_1_active": "true",
    "access_key_1_last_rotated": "2021-01-01T00:00:01Z",
    "access_key_1_last_used_date": "2026-11-21T09:30:00Z",
    "access_key_1_last_used_region": "eu-west-1",
    "access_key_1_last_used_service": "ec2",
    "access_key_2_last_rotated": "2022-02-02T00:00:02Z",
    "access_key_2_last_used_date": "2026-11-22T09:30:00Z",
    "access_key_2_last_used_service": "s3",
    "cert_1_active": "true",
    "cert_1_last_rotated": "2016-06-06T00:00:00Z",
    "cert_2_last_rotated": "2017-07-07T00:00:00Z",
}


def warnings(**cells: str) -> tuple[str, ...]:
    return read_user(**cells).warnings


def test_a_row_with_everything_is_read_to_the_last_field() -> None:
    assert read_user(FULL) == ReportRow(
        name="ann",
        arn=f"{ARNS}:user/ann",
        is_root=False,
        created_at=utc(2020, 1, 2, 3, 4, 5),
        password_state=PasswordState.ENABLED,
        password_last_use=LastUse(UseState.USED, utc(2026, 11, 20, 10, 11, 12), observed_at=MADE),
        password_last_changed_at=utc(2021, 2, 3, 4, 5, 6),
        password_next_rotation_at=utc(2027, 2, 3, 4, 5, 6),
        mfa_state=MfaState.ON,
        slots=(
            ReportSlot(1, True, utc(2021, 1, 1, 0, 0, 1), LastUse(UseState.USED, utc(2026, 11, 21, 9, 30), "eu-west-1", "ec2", MADE)),
            ReportSlot(2, False, utc(2022, 2, 2, 0, 0, 2), LastUse(UseState.USED, utc(2026, 11, 22, 9, 30), None, "s3", MADE)),
        ),
        keys_known=True,
        certificates=(CertificateFacts(1, True, utc(2016, 6, 6)), CertificateFacts(2, False, utc(2017, 7, 7))),
    )


def test_a_user_with_nothing_has_nothing_rather_than_unknown() -> None:
    user = read_user()
    assert (user.slots, user.keys_known, user.certificates, user.warnings, user.extra) == ((), True, (), (), {})
    assert (user.password_state, user.mfa_state, user.has_conflict) == (PasswordState.NONE, MfaState.OFF, False)


def test_columns_that_are_missing_are_unknown_and_never_nothing() -> None:
    report = read(b"user,arn,access_key_1_active\nann,arn:aws:iam::111122223333:user/ann,false\n")
    unknown = LastUse(UseState.UNKNOWN, observed_at=MADE)
    assert report.users == (
        ReportRow(
            *("ann", f"{ARNS}:user/ann", False, None, PasswordState.UNKNOWN, unknown, None, None, MfaState.UNKNOWN),
            slots=(),
            keys_known=False,
            certificates=None,
        ),
    )


@pytest.mark.parametrize("name", ["<root_account>", "root_account", "root", ""])
@pytest.mark.parametrize("partition", ["aws", "aws-us-gov", "aws-cn"])
def test_root_is_known_by_its_arn_in_any_partition_whatever_its_name(name: str, partition: str) -> None:
    root = read(written({**ROOT, "user": name, "arn": f"arn:{partition}:iam::111122223333:root"})).root
    assert root is not None
    assert (root.name, root.is_root, root.arn, root.warnings) == (ROOT_NAME, True, f"arn:{partition}:iam::111122223333:root", ())
    assert ROOT_NAME == "<root_account>"


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"arn": "N/A"}, "its ARN is not that of a user or of root"),
        ({"arn": "arn:aws:iam::111122223333:role/ann"}, "its ARN is not that of a user or of root"),
        ({"arn": "arn:aws:iam::111122223333:user/"}, "its ARN is not that of a user or of root"),
        ({"arn": "arn:aws:iam::111122223333:roots"}, "its ARN is not that of a user or of root"),
        ({"arn": "arn:aws:iam::11112222333:user/ann"}, "its ARN is not that of a user or of root"),
        ({"arn": "x:arn:aws:iam::111122223333:root"}, "its ARN is not that of a user or of root"),
        ({"user": ""}, "it has no user name"),
        ({"user": " "}, "it has no user name"),
        ({"user": "x" * 129}, "its name or ARN is longer than IAM allows"),
        ({"arn": f"{ARNS}:user/{'x' * 2016}/ann"}, "its name or ARN is longer than IAM allows"),
        ({"mfa_active": "tr\x00ue"}, "it holds control characters"),
        ({"user": "a\x7fnn"}, "it holds control characters"),
        ({"access_key_1_last_used_service": "s\x1b3"}, "it holds control characters"),
    ],
)
def test_a_row_that_is_nobody_is_set_aside_with_the_reason(cells: dict[str, str], reason: str) -> None:
    assert read(written(ROOT, {**ANN, **cells}, end="\n")).quarantined == (QuarantinedRow(3, reason),)


def test_the_longest_name_and_arn_are_read() -> None:
    name = "x" * 128
    arn = f"{ARNS}:user/{'y' * (2048 - len(f'{ARNS}:user//{name}'))}/{name}"
    assert (read_user(user=name, arn=arn).name, len(read_user(user=name, arn=arn).arn)) == (name, 2048)


@pytest.mark.parametrize(
    ("name", "arn", "is_told"),
    [
        ("ann", f"{ARNS}:user/ann", False),
        ("ann", f"{ARNS}:user/team/x/ann", False),
        ("nn", f"{ARNS}:user/ann", True),
        ("Ann", f"{ARNS}:user/ann", True),
        ("<root_account>", f"{ARNS}:user/ann", True),
    ],
)
def test_a_name_that_is_not_the_one_in_the_arn_is_told(name: str, arn: str, is_told: bool) -> None:
    user = read_user(user=name, arn=arn)
    assert (user.name, user.arn, user.is_root) == (name, arn, False)
    assert user.warnings == (("The user name is not the one in the ARN.",) if is_told else ())


@pytest.mark.parametrize("name", ["=HYPERLINK(1)", "<script>", "-x", "@x", "a'b", "a&b;c|d?", "\U0001d54f", "\xc4\xf6"])
def test_hostile_text_is_kept_as_it_came(name: str) -> None:
    assert read_user(named(name)).name == name


@pytest.mark.parametrize(
    ("word", "moment"),
    [
        ("2020-01-02T03:04:05Z", utc(2020, 1, 2, 3, 4, 5)),
        ("2020-01-02t03:04:05z", utc(2020, 1, 2, 3, 4, 5)),
        ("2020-01-02T03:04:05+00:00", utc(2020, 1, 2, 3, 4, 5)),
        ("2020-01-02 03:04:05+00:00", utc(2020, 1, 2, 3, 4, 5)),
        ("2020-01-02T03:04+00:00", utc(2020, 1, 2, 3, 4)),
        ("2020-01-02T03:04:05.999999999Z", utc(2020, 1, 2, 3, 4, 5)),
        ("2020-01-02T08:34:05+05:30", utc(2020, 1, 2, 3, 4, 5)),
        ("2020-01-01T20:04:05-07:00", utc(2020, 1, 2, 3, 4, 5)),
        (" 2020-01-02T03:04:05Z ", utc(2020, 1, 2, 3, 4, 5)),
    ],
)
def test_every_way_to_write_a_moment_is_the_same_moment_in_utc(word: str, moment: datetime) -> None:
    user = read_user(user_creation_time=word)
    assert (user.created_at, user.warnings) == (moment, ())
    assert user.created_at is not None
    assert user.created_at.tzinfo is UTC


def test_births_are_told_by_the_whole_second_and_uses_as_they_came() -> None:
    cells = dict.fromkeys(("password_last_used", "access_key_1_last_rotated", "access_key_1_last_used_date"), "2021-01-02T03:04:05.25Z")
    user = read_user(access_key_1_active="true", **cells)
    assert user.slots[0].rotated_at == utc(2021, 1, 2, 3, 4, 5)
    assert user.slots[0].last_use.at == user.password_last_use.at == utc(2021, 1, 2, 3, 4, 5, 250_000)


def test_a_date_without_a_time_zone_is_utc_with_a_warning() -> None:
    user = read_user(user_creation_time="2020-01-02T03:04:05")
    assert (user.created_at, user.warnings) == (
        utc(2020, 1, 2, 3, 4, 5),
        ("user_creation_time has no time zone and is read as UTC.",),
    )


@pytest.mark.parametrize(
    ("word", "shown"),
    [
        ("-", "'-'"),
        ("null", "'null'"),
        ("2020-01-02", "'2020-01-02'"),
        ("20200102T030405Z", "'20200102T030405Z'"),
        ("2020-13-45T00:00:00Z", "'2020-13-45T00:00:00Z'"),
        ("2020-02-30T00:00:00Z", "'2020-02-30T00:00:00Z'"),
        ("\u0662\u0660\u0662\u0660-01-02T03:04:05Z", "'\u0662\u0660\u0662\u0660-01-02T03:04:05Z'"),
        ("0001-01-01T00:00:00+14:00", "'0001-01-01T00:00:00+14:00'"),
        ("9999-12-31T23:59:59-12:00", "'9999-12-31T23:59:59-12:00'"),
        ("it's", '"it\'s"'),
        ("x" * 41, f"'{'x' * 40}'"),
    ],
)
def test_a_word_that_is_no_date_makes_its_field_unknown_and_keeps_the_row(word: str, shown: str) -> None:
    user = read_user(password_last_changed=word)
    assert (user.password_last_changed_at, user.created_at) == (None, utc(2020, 1, 2, 3, 4, 5))
    assert user.warnings == (f"password_last_changed holds {shown}, which is not a date, so it is unknown.",)


@pytest.mark.parametrize("word", ABSENT)
@pytest.mark.parametrize("column", ["user_creation_time", "password_last_changed", "password_next_rotation"])
def test_a_date_that_aws_says_is_absent_is_none_without_a_warning(column: str, word: str) -> None:
    user = read_user(**{column: word})
    moments = {
        "user_creation_time": user.created_at,
        "password_last_changed": user.password_last_changed_at,
        "password_next_rotation": user.password_next_rotation_at,
    }
    assert (moments[column], user.warnings) == (None, ())


@pytest.mark.parametrize("column", ["user_creation_time", "password_last_used", "password_last_changed", "cert_1_last_rotated"])
def test_what_has_happened_does_not_lie_ahead_of_the_report(column: str) -> None:
    assert warnings(**{column: "2026-11-23T08:05:00Z"}) == ()
    assert warnings(**{column: "2026-11-23T08:05:00.5Z"}) == (f"{column} lies in the future.",)


def test_the_next_rotation_of_a_password_may_lie_ahead() -> None:
    user = read_user(password_next_rotation="2099-01-01T00:00:00Z")
    assert (user.password_next_rotation_at, user.warnings) == (utc(2099, 1, 1), ())


@pytest.mark.parametrize("word", ["true", "TRUE", "True", " tRuE "])
def test_true_is_true_in_any_letters(word: str) -> None:
    user = read_user(password_enabled=word, mfa_active=word, cert_1_active=word, access_key_2_active=word)
    assert (user.password_state, user.mfa_state) == (PasswordState.ENABLED, MfaState.ON)
    assert (user.certificates, [slot.is_active for slot in user.slots]) == ((CertificateFacts(1, True, None),), [True])


@pytest.mark.parametrize("word", ["false", "FALSE", " False "])
def test_false_is_false_in_any_letters(word: str) -> None:
    user = read_user(password_enabled=word, mfa_active=word, cert_1_active=word, access_key_1_active=word)
    assert (user.password_state, user.mfa_state, user.certificates, user.slots) == (PasswordState.NONE, MfaState.OFF, (), ())


@pytest.mark.parametrize("word", ["not_supported", "N/A", "", "yes", "1", "no_information"])
def test_any_other_word_of_a_flag_is_unknown_and_not_false(word: str) -> None:
    user = read_user(password_enabled=word, mfa_active=word)
    assert (user.password_state, user.mfa_state) == (PasswordState.UNKNOWN, MfaState.UNKNOWN)


@pytest.mark.parametrize("words", [("", ""), ("N/A", "n/a"), ("no_information", "not_supported")])
def test_additional_credentials_that_are_none_are_no_news(words: tuple[str, str]) -> None:
    for word in words:
        user = read_user({**ANN, "additional_credentials_info": word, "new": "N/A"})
        assert (user.extra, user.warnings) == ({"new": "N/A"}, ())


@pytest.mark.parametrize("place", [0, 5, 22])
def test_additional_credentials_are_kept_raw_and_told(place: int) -> None:
    cells = list(ANN.items())
    row = dict([*cells[:place], ("additional_credentials_info", "2 more: ListAccessKeys"), *cells[place:]])
    user = read_user(row)
    assert user.extra == {"additional_credentials_info": "2 more: ListAccessKeys"}
    assert user.warnings == ("AWS says that this user has more credentials than the report shows.",)


def test_warnings_stand_in_the_order_of_the_columns() -> None:
    row = {**FULL, "user_creation_time": "?", "password_last_used": "?", "access_key_1_last_used_date": "?", "cert_1_last_rotated": "?"}
    assert [sentence.split(" holds ")[0] for sentence in read_user(row).warnings] == [
        *("user_creation_time", "password_last_used", "access_key_1_last_used_date", "cert_1_last_rotated")
    ]


def test_a_fingerprint_is_the_same_in_every_release_or_all_keys_would_be_listed_again() -> None:
    assert read_user(FULL).fingerprint == "59a7cab7b671c8eeb252ae6604a1cf2b"
    assert read_user().fingerprint == "1a55fdca25d88d4a5d4df775afa9f122"


@pytest.mark.parametrize(
    ("cells", "is_listed_again"),
    [
        ({"access_key_1_active": "false"}, True),
        ({"access_key_2_last_rotated": "N/A"}, True),
        ({"access_key_2_last_rotated": "2022-02-02T00:00:03Z"}, True),
        ({"access_key_2_last_rotated": "-"}, True),
        ({"user_creation_time": "2020-01-02T03:04:06Z"}, True),
        ({"access_key_1_last_used_date": "2026-11-23T07:00:00Z", "password_last_used": "2026-11-23T07:00:00Z"}, False),
        ({"mfa_active": "false", "password_enabled": "false"}, False),
        ({"access_key_1_last_rotated": "2021-01-01T02:00:01.5+02:00"}, False),
    ],
)
def test_keys_are_listed_again_only_when_one_may_have_changed(cells: dict[str, str], is_listed_again: bool) -> None:
    assert (read_user(FULL, **cells).fingerprint != read_user(FULL).fingerprint) == is_listed_again


def test_a_key_that_moves_to_the_other_slot_or_a_word_of_more_credentials_is_a_reason_to_list() -> None:
    user = read_user(FULL)
    moved = replace(user, slots=(replace(user.slots[0], slot=2), replace(user.slots[1], slot=1)))
    more = [read_user({**FULL, "additional_credentials_info": word}).fingerprint for word in ("", "1 more", "2 more")]
    assert moved.fingerprint != user.fingerprint
    assert (more[0] == user.fingerprint, len({*more})) == (True, 3)


def test_use_of_one_of_two_keys_born_in_one_second_is_a_reason_to_list() -> None:
    tied = {**FULL, "access_key_2_last_rotated": FULL["access_key_1_last_rotated"]}
    assert read_user(tied).fingerprint != read_user(tied, access_key_2_last_used_date="2026-11-23T07:00:00Z").fingerprint


def test_rows_without_key_columns_are_not_those_of_a_user_without_keys() -> None:
    columns = [name for name in ANN if name.startswith("access_key_2")]
    assert read_user(without(ANN, *columns)).fingerprint != read_user(ANN).fingerprint
