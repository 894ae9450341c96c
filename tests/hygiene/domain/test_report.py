"""A credential report as a whole: when it is refused, which lines are set aside, and what it says of rows that contradict."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hygiene.domain.report import ParsedReport, QuarantinedRow, ReportRejected
from tests.hygiene.domain.reports import ANN, ARNS, MADE, ROOT, line, named, read, read_user, utc, without, written

BOB = named("bob")
MEGABYTE = 1024 * 1024


def names(report: ParsedReport) -> list[str]:
    return [row.name for row in report.users]


def refusal(content: bytes) -> str:
    with pytest.raises(ReportRejected) as caught:
        read(content)
    assert str(caught.value) == caught.value.sentence
    return caught.value.sentence


def test_a_report_is_its_root_and_its_users_in_their_order() -> None:
    report = read(written(ROOT, BOB, ANN))
    assert report.root is not None
    assert (report.root.name, report.root.is_root, names(report)) == ("<root_account>", True, ["bob", "ann"])
    assert report.rows == (report.root, *report.users)
    assert (report.quarantined, report.is_partial, report.warnings) == ((), False, ())


def test_a_report_without_root_has_its_users_and_says_so() -> None:
    report = read(written(ANN))
    assert (report.root, report.rows, report.is_partial) == (None, report.users, False)
    assert report.warnings == ("The credential report has no row for the root user.",)


def test_root_is_found_wherever_its_row_stands() -> None:
    report = read(written(ANN, ROOT, BOB))
    assert (report.root is not None and report.root.arn, names(report), report.warnings) == (f"{ARNS}:root", ["ann", "bob"], ())


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "The credential report is empty."),
        (b"\xef\xbb\xbf", "The credential report is empty."),
        (b"\n \r\n,,\t,\n", "The credential report is empty."),
        (b'user,"arn\n' + line(ANN).encode(), "The first line of the credential report cannot be read as column names."),
        (b'"user"x,arn\n' + line(ANN).encode(), "The first line of the credential report cannot be read as column names."),
        (written(ANN).replace(b"user,", b"user,a\x00b,"), "The first line of the credential report holds control characters."),
        (written(ANN).replace(b"user,", b"user,a\x7fb,"), "The first line of the credential report holds control characters."),
        (written(without(ANN, "user")), "The credential report has no column user."),
        (written(without(ANN, "arn")), "The credential report has no column arn."),
        (written(without(ANN, "access_key_1_active")), "The credential report has no column access_key_1_active."),
        (written(ANN).replace(b"cert_2_active", b"mfa_active"), "The credential report has the column mfa_active twice."),
        (written(ANN).split(b"\n")[0], "The credential report is of no use: it has no rows, not even that of the root user."),
        (written(ANN).split(b"\n")[0] + b"\nann", "The credential report is of no use: its rows cannot be read."),
        (written(ANN)[:-1], "The credential report is of no use: its rows cannot be read."),
    ],
)
def test_a_report_that_cannot_be_trusted_is_refused_with_its_reason(content: bytes, sentence: str) -> None:
    assert refusal(content) == sentence


def test_a_report_of_another_account_is_refused_whole_though_its_first_rows_are_right() -> None:
    stranger = named("eve", arn="arn:aws:iam::999988887777:user/eve")
    assert refusal(written(ROOT, stranger)) == (
        "The credential report is of account 999988887777, not of 111122223333. Check which role this account is read with."
    )


def test_columns_are_read_by_name_in_any_order_case_and_spaces() -> None:
    turned = dict(reversed(ANN.items()))
    shouted = {f" {name.upper()} ": cell for name, cell in ANN.items()}
    assert read_user(turned) == read_user(shouted) == read_user(ANN)


def test_a_column_that_we_do_not_know_may_have_any_name_and_stand_twice() -> None:
    content = written(ANN).replace(b"\n", b",n\xe4chste,new,new\n") + b",1,2,3"
    (user,) = read(content).users
    assert user.extra == {"n\ufffdchste": "1", "new": "3"}


def test_quoted_column_names_are_read() -> None:
    header = ",".join(f'"{name}"' for name in ANN)
    assert names(read(f"{header}\n{line(ANN)}".encode())) == ["ann"]


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbf" + written(ROOT, ANN),
        written(ROOT, ANN).replace(b"\n", b"\r\n"),
        written(ROOT, ANN).replace(b"\n", b"\r"),
        written(ROOT, ANN).replace(b"\n", b"\n\n \t\n,,,,\n"),
        written(ROOT, ANN).replace(b",", b" , "),
        written(ROOT, ANN, end="\r\n\r\n"),
    ],
    ids=["a mark of byte order", "CRLF", "CR", "blank lines", "spaces", "blank end"],
)
def test_what_spreadsheets_do_to_a_report_changes_nothing(content: bytes) -> None:
    assert read(content) == read(written(ROOT, ANN))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (line(named("b\xe4d")).encode("latin-1"), "it is not UTF-8"),
        (line(BOB).replace("bob", '"bob', 1).encode(), "it cannot be read as CSV"),
        (line(BOB).replace("bob", '"b"ob', 1).encode(), "it cannot be read as CSV"),
        (line(BOB).encode()[: -len(",N/A")], "it has 21 fields instead of 22"),
        (line(named("ann", user="")).encode(), "it has no user name"),
        (f"{line(BOB)},".encode(), "it has too many fields"),
        (f"{line(BOB)}{'x' * 200_000}".encode(), "it cannot be read as CSV"),
        (b"X", "it has 1 field instead of 22"),
    ],
)
def test_a_line_that_cannot_be_read_is_set_aside_with_its_number_and_reason(text: bytes, reason: str) -> None:
    report = read(written(ROOT) + b"\n\n" + text + b"\n" + line(ANN).encode())
    assert report.quarantined == (QuarantinedRow(4, reason),)
    assert (report.is_partial, names(report), report.root is not None) == (True, ["ann"], True)


def test_names_in_any_letters_are_kept_as_they_are() -> None:
    assert names(read(written(ROOT, named("J\xf6rg")))) == ["J\xf6rg"]


@pytest.mark.parametrize("path", ["/", "/team/", "/x,y/", "/x,arn:y/", "/team/x,z,arn:z/"])
@pytest.mark.parametrize("quote", ["", '"'])
def test_a_comma_in_a_name_or_path_is_no_end_of_a_field(path: str, quote: str) -> None:
    arn = f"{ARNS}:user{path}a,b"
    report = read(written(ROOT, {**ANN, "user": f"{quote}a,b{quote}", "arn": f"{quote}{arn}{quote}"}))
    assert [(row.name, row.arn, row.created_at) for row in report.users] == [("a,b", arn, utc(2020, 1, 2, 3, 4, 5))]
    assert not report.is_partial


def test_commas_are_told_from_the_end_of_a_name_in_a_report_of_three_columns_too() -> None:
    row = {"user": " a,b ", "arn": f"{ARNS}:user/a,b", "access_key_1_active": "true"}
    (user,) = read(written(row)).users
    assert (user.name, user.slots[0].is_active) == ("a,b", True)


@pytest.mark.parametrize(
    "row",
    [
        {**ANN, "mfa_active": "false,"},
        {**ANN, "user": "a,b"},
        {**ANN, "user": ",", "arn": "arn:"},
        {"arn": f"{ARNS}:user/a,b", **ANN, "user": "a,b"},
    ],
    ids=["comma further right", "name that is not the one in the ARN", "no name", "other columns first"],
)
def test_a_row_with_too_many_fields_that_may_be_shifted_is_set_aside(row: dict[str, str]) -> None:
    header = ",".join(row)
    report = read("\n".join([header, line({name: ROOT[name] for name in row}), line(row), ""]).encode())
    assert report.quarantined == (QuarantinedRow(3, "it has too many fields"),)


def test_the_same_row_twice_is_one_user() -> None:
    report = read(written(ROOT, ANN, BOB, ANN))
    assert (names(report), report.is_partial) == (["ann", "bob"], False)
    assert not any(user.has_conflict or user.warnings for user in report.users)


def test_rows_of_one_user_that_differ_are_flagged_and_show_the_most_keys() -> None:
    ahead = {"user_creation_time": "2099-01-01T00:00:00Z"}
    keys = {"access_key_2_active": "true", "access_key_2_last_rotated": "2021-01-01T00:00:00Z"}
    (user,) = read(written(ANN, {**ANN, **keys, **ahead}, {**ANN, "mfa_active": "true"})).users
    assert [slot.slot for slot in user.slots] == [2]
    assert (user.has_conflict, user.keys_known) == (True, False)
    assert user.warnings == (
        "user_creation_time lies in the future.",
        "Access key 2 is older than its user.",
        "The report has two different rows for this ARN.",
    )


def test_names_that_differ_in_case_only_are_kept_apart_and_flagged() -> None:
    report = read(written(named("Dev", user_creation_time="2099-01-01T00:00:00Z"), ANN, named("dev")))
    twin = "Another row has the same name in other letters, which IAM does not allow."
    assert [(user.name, user.has_conflict, user.warnings) for user in report.users] == [
        ("Dev", True, ("user_creation_time lies in the future.", twin)),
        ("ann", False, ()),
        ("dev", True, (twin,)),
    ]
    assert all(user.keys_known for user in report.users)


def test_three_names_that_differ_in_case_only_are_all_flagged() -> None:
    report = read(written(named("dev"), named("DEV"), named("Dev")))
    assert [user.has_conflict for user in report.users] == [True] * 3


def test_without_the_time_of_the_report_nothing_lies_in_the_future() -> None:
    report = read(written(ROOT, named("new", user_creation_time="2099-01-01T00:00:00Z")), generated_at=None)
    assert (report.users[0].created_at, report.users[0].warnings) == (utc(2099, 1, 1), ())


@pytest.mark.parametrize(("skew", "is_flagged"), [(timedelta(minutes=5), False), (timedelta(minutes=5, seconds=1), True)])
def test_five_minutes_ahead_of_the_report_are_skew_of_clocks(skew: timedelta, is_flagged: bool) -> None:
    created_at = MADE + skew
    user = read_user(user_creation_time=created_at.isoformat())
    assert (user.created_at, user.warnings) == (created_at, ("user_creation_time lies in the future.",) if is_flagged else ())


def test_64_megabytes_are_read_and_one_byte_more_is_refused() -> None:
    content = written(ROOT, ANN, end="\n")
    content += b" " * (64 * MEGABYTE - len(content))
    assert names(read(content)) == ["ann"]
    assert refusal(content + b" ") == "The credential report is larger than 64 MB, which no AWS account can have."
