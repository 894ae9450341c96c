"""The filter line as text: what its words mean, what a facet writes into it, and what stays."""

from __future__ import annotations

import pytest

from hygiene.domain.query import KEYS, Query, Term, days, parse_query, put, why_not_days


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("", ()),
        ("  ", ()),
        ("s3", (Term("", ("s3",)),)),
        ("-s3", (Term("", ("s3",), is_negated=True),)),
        ('"two words" -"not these"', (Term("", ("two words",)), Term("", ("not these",), is_negated=True))),
        ('"never closed', (Term("", ("never closed",)),)),
        (">90", (Term("", (">90",)),)),
        ("a,b", (Term("", ("a,b",)),)),
        ("account:prod", (Term("account", ("prod",)),)),
        ("-account:prod", (Term("account", ("prod",), is_negated=True),)),
        ("ACCOUNT:Prod", (Term("account", ("Prod",)),)),
        ("account:a,b", (Term("account", ("a", "b")),)),
        ("account:,a,,b,", (Term("account", ("a", "b")),)),
        ("account:,", (Term("account", (",",)),)),
        ('account:"a b, c"', (Term("account", ("a b", "c")),)),
        ('owner:" ann "', (Term("owner", ("ann",)),)),
        ("age:>90", (Term("age", ("90",), ">"),)),
        ("age:<90", (Term("age", ("90",), "<"),)),
        ("age:=90", (Term("age", ("90",), "="),)),
        ("age:>=90", (Term("age", ("90",), ">="),)),
        ("-age:<=90,never", (Term("age", ("90", "never"), "<=", is_negated=True),)),
        ('age:">= 90"', (Term("age", ("90",), ">="),)),
        ("age:>", (Term("age", (">",)),)),
        ("age:>=", (Term("age", ("=",), ">"),)),
        ("age:>>90", (Term("age", (">90",), ">"),)),
        ("last-used:never s3", (Term("last-used", ("never",)), Term("", ("s3",)))),
        ("https://x.example/a", (Term("", ("https://x.example/a",)),)),
        ("-https://x.example/a", (Term("", ("https://x.example/a",), is_negated=True),)),
        ("a::b", (Term("", ("a::b",)),)),
        ("-a::b", (Term("", ("a::b",), is_negated=True),)),
        ("a:https://b", (Term("", ("a:https://b",)),)),
        ("user:https://b", (Term("user", ("https://b",)),)),
        ("user::b", (Term("user", (":b",)),)),
        ("1:2", (Term("", ("1:2",)),)),
        ("X-ray user:X", (Term("", ("X-ray",)), Term("user", ("X",)))),
    ],
)
def test_words_of_the_filter_line_are_terms(text: str, terms: tuple[Term, ...]) -> None:
    assert parse_query(text) == Query(terms)


@pytest.mark.parametrize(
    ("text", "notes"),
    [
        ("color:red", ("“color:” is not a filter here, so it was left out.",)),
        ("-Color:red", ("“color:” is not a filter here, so it was left out.",)),
        ("color:", ("“color:” is not a filter here, so it was left out.",)),
        ("Account:", ("“Account:” has no value, so it was left out.",)),
        ('-account:" "', ('“-account:" "” has no value, so it was left out.',)),
        ("-", ("“-” has no value, so it was left out.",)),
        ('""', ('“""” has no value, so it was left out.',)),
        ("color:red account:", ("“color:” is not a filter here, so it was left out.", "“account:” has no value, so it was left out.")),
    ],
)
def test_a_word_that_means_nothing_is_left_out_with_a_note_and_the_rest_is_kept(text: str, notes: tuple[str, ...]) -> None:
    assert parse_query(f"one {text} two") == Query((Term("", ("one",)), Term("", ("two",))), notes)


def test_each_list_has_its_own_filters() -> None:
    assert parse_query("color:red", keys=("color",)) == Query((Term("color", ("red",)),))
    assert parse_query("account:prod", keys=("color",)).notes == ("“account:” is not a filter here, so it was left out.",)
    assert [parse_query(f"{key}:x").terms for key in KEYS] == [(Term(key, ("x",)),) for key in KEYS]


def test_a_line_is_read_to_its_thousandth_letter() -> None:
    (term,) = parse_query("x" * 1001).terms
    assert term == Term("", ("x" * 1000,))


def test_values_of_a_key_are_those_asked_for_and_not_those_ruled_out() -> None:
    query = parse_query("account:a,b -account:c user:d account:e f")
    assert [query.values(key) for key in ("account", "user", "age", "")] == [("a", "b", "e"), ("d",), (), ("f",)]


@pytest.mark.parametrize(
    ("text", "key", "values", "line"),
    [
        ("", "account", ["data-lake"], "account:data-lake"),
        ("s3", "account", ["a", "b"], "s3 account:a,b"),
        ("account:old age:>90", "account", ["new"], "age:>90 account:new"),
        ("account:old -account:not-this", "account", [], "-account:not-this"),
        ('owner:"team data" s3', "owner", ["web team"], 's3 owner:"web team"'),
        ("Account:old", "account", [], ""),
        ("https://x:1 age:>90", "age", [">365"], "https://x:1 age:>365"),
        ('"two words"   s3 ', "account", ["a"], '"two words" s3 account:a'),
        ("account:a account:b", "account", ["c"], "account:c"),
        ("s3 account:a", "account", [""], "s3"),
        ("", "owner", ['"web" team', "none"], 'owner:"web team,none"'),
        ("", "owner", ['we"b'], "owner:web"),
        ("-s3 -owner:ann", "owner", ["bob"], "-s3 -owner:ann owner:bob"),
    ],
)
def test_a_facet_replaces_its_own_words_alone(text: str, key: str, values: list[str], line: str) -> None:
    assert put(text, key, values) == line


def test_what_is_put_is_what_is_asked() -> None:
    asked = parse_query(put("", "owner", ["web team", "none"]))
    assert (asked.values("owner"), asked.notes) == (("web team", "none"), ())


@pytest.mark.parametrize(
    ("word", "number"),
    [
        ("0", 0),
        ("90", 90),
        ("90d", 90),
        ("090", 90),
        ("999999", 999_999),
        ("999999d", 999_999),
        ("1000000", None),
        ("90dd", None),
        ("d90", None),
        ("d", None),
        ("", None),
        ("-1", None),
        ("+1", None),
        ("1.5", None),
        ("1_000", None),
        ("90 ", None),
        ("ninety", None),
        ("\u00b2", None),
        ("\u0669\u0660", None),
    ],
)
def test_only_a_whole_number_is_a_number_of_days(word: str, number: int | None) -> None:
    assert days(word) == number


@pytest.mark.parametrize("word", ["1000000", "1000000d", "9" * 40])
def test_more_days_than_there_are_is_said_with_the_most(word: str) -> None:
    assert why_not_days(word) == "is more than 999999 days"
    assert why_not_days("ninety") == "is not a number of days"
