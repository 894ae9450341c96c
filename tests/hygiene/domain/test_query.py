"""The filter line as text: what a facet writes into it, and what stays."""

from __future__ import annotations

import pytest

from hygiene.domain.query import parse_query, put


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
    ],
)
def test_a_facet_replaces_its_own_words_alone(text: str, key: str, values: list[str], line: str) -> None:
    assert put(text, key, values) == line


def test_what_is_put_is_what_is_asked() -> None:
    asked = parse_query(put("", "owner", ["web team", "none"]))
    assert (asked.values("owner"), asked.notes) == (("web team", "none"), ())
