"""A report that ends before its last row does: AWS writes no newline at the end, so its last word must show that it is whole."""

from __future__ import annotations

import pytest

from hygiene.domain.report import QuarantinedRow
from hygiene.domain.report_row import is_cut_off
from tests.hygiene.domain.reports import ANN, ROOT, named, read, without, written

CUT_OFF = (QuarantinedRow(3, "it is cut off"),)
OTHER_ENDS = without(ROOT, "cert_2_last_rotated"), without(ANN, "cert_2_last_rotated")


@pytest.mark.parametrize(
    ("word", "is_whole"),
    [
        ("2020-01-01T00:00:00+00:00", True),
        ("2020-01-01T00:00:00Z", True),
        ("N/A", True),
        ("n/a", True),
        ("not_supported", True),
        ("2020-01-01T00:00:00", False),
        ("2020-01-01T00:00:00+0", False),
        ("2020-0", False),
        ("N/", False),
        ("", False),
    ],
)
def test_a_row_is_cut_off_whose_last_date_is_no_whole_date(word: str, is_whole: bool) -> None:
    report = read(written(ROOT, {**ANN, "cert_2_last_rotated": word}))
    assert report.quarantined == (() if is_whole else CUT_OFF)
    assert [user.name for user in report.users] == (["ann"] if is_whole else [])


@pytest.mark.parametrize(
    ("word", "is_whole"), [("false", True), ("TRUE", True), ("N/A", True), ("not_supported", True), ("tru", False), ("", False)]
)
def test_a_row_is_cut_off_whose_last_flag_is_no_whole_flag(word: str, is_whole: bool) -> None:
    root, ann = OTHER_ENDS
    assert read(written(root, {**ann, "cert_2_active": word})).quarantined == (() if is_whole else CUT_OFF)


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
@pytest.mark.parametrize("word", ["", "N/", "2020-01-01T00:00:00"])
def test_a_row_with_its_line_end_is_whole_whatever_its_last_word(end: str, word: str) -> None:
    report = read(written(ROOT, {**ANN, "cert_2_last_rotated": word}, end=end))
    assert (report.quarantined, [user.name for user in report.users]) == ((), ["ann"])


@pytest.mark.parametrize(
    ("before", "last", "is_whole"),
    [
        (["", ""], "", True),
        (["more", ""], "", True),
        (["", "more"], "", True),
        (["more", "more"], "", False),
        (["", ""], "mo", True),
        (["more", "more"], "mo", True),
    ],
)
def test_an_empty_last_word_is_whole_where_other_rows_have_one(before: list[str], last: str, is_whole: bool) -> None:
    rows = [{**row, "note": word} for row, word in zip([ROOT, named("bob"), ANN], [*before, last], strict=True)]
    assert read(written(*rows)).quarantined == (() if is_whole else (QuarantinedRow(4, "it is cut off"),))


def test_an_empty_last_word_of_a_row_that_was_set_aside_says_nothing() -> None:
    rows = [{**ROOT, "note": "more"}, {**named("bob"), "arn": "?", "note": ""}, {**ANN, "note": ""}]
    assert read(written(*rows)).quarantined == (
        QuarantinedRow(3, "its ARN is not that of a user or of root"),
        QuarantinedRow(4, "it is cut off"),
    )


def test_a_last_row_that_was_set_aside_leaves_the_one_before_it() -> None:
    report = read(written({**ROOT, "cert_2_last_rotated": "N/"}, ANN) + b",\xff")
    assert report.quarantined == (QuarantinedRow(3, "it is not UTF-8"),)
    assert report.root is not None


def test_a_row_cut_off_leaves_the_same_user_of_an_earlier_row_alone() -> None:
    report = read(written(ANN, ANN)[:-1])
    assert ([user.name for user in report.users], report.users[0].has_conflict, report.quarantined) == (["ann"], False, CUT_OFF)


def test_a_report_cut_off_anywhere_in_its_last_date_is_found_out() -> None:
    date = "2020-01-01T00:00:00+00:00"
    whole = written(ROOT, {**ANN, "cert_2_last_rotated": date})
    for length in range(len(date) - len("00:00")):
        cut = whole[: len(whole) - len(date) + length]
        assert read(cut).quarantined == CUT_OFF, cut[-30:]


@pytest.mark.parametrize("column", ["access_key_1_last_used_region", "cert_1_last_rotated_by", "arn", "note"])
def test_a_word_of_any_other_column_may_be_whole_whatever_it_is(column: str) -> None:
    assert not is_cut_off(column, "us-ea")
