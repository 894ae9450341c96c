"""Ways to spoil a credential report, as hypothesis draws them: bytes, cells, columns and rows of a report of real shape."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from hypothesis import strategies as st

from tests.fakes import HEADER

NUMBER = "111122223333"
OTHER = "999988887777"
NO_KEY = "false,N/A,N/A,N/A,N/A"
NO_CERTIFICATES = "false,N/A,false,N/A"
ROWS = (
    f"<root_account>,arn:aws:iam::{NUMBER}:root,2015-01-01T00:00:00Z,true,2026-11-01T10:00:00Z,2020-05-05T05:05:05Z,not_supported,true,"
    f"false,2016-01-01T00:00:00Z,N/A,N/A,N/A,{NO_KEY},{NO_CERTIFICATES}\n"
    f"ann,arn:aws:iam::{NUMBER}:user/ann,2019-03-03T03:03:03+00:00,true,no_information,2019-03-03T03:03:04+00:00,N/A,false,"
    "true,2019-03-04T00:00:00+00:00,2026-10-10T10:10:00+00:00,us-east-1,s3,true,2026-01-01T00:00:00+00:00,N/A,N/A,N/A,"
    f"{NO_CERTIFICATES}\n"
    f"bob,arn:aws:iam::{NUMBER}:user/team/x/bob,2020-02-02T02:02:02Z,false,N/A,N/A,N/A,false,"
    "true,2021-01-01T13:14:50Z,N/A,N/A,N/A,false,2021-01-01T13:14:50Z,2021-02-01T00:00:00Z,N/A,iam,"
    "true,2020-02-03T00:00:00Z,false,N/A\n"
    f"c@d.example+x=y,arn:aws:iam::{NUMBER}:user/c@d.example+x=y,2022-02-02T02:02:02Z,false,2022-03-03T00:00:00Z,N/A,N/A,false,"
    f"{NO_KEY},true,2022-02-02T02:02:02Z,2022-02-02T02:02:00Z,eu-west-1,cognito-idp,{NO_CERTIFICATES}\n"
    f"dan,arn:aws:iam::{NUMBER}:user/dan,2022-02-02T02:02:02Z,false,N/A,N/A,N/A,false,{NO_KEY},{NO_KEY},{NO_CERTIFICATES}"
)
REPORT = f"{HEADER}\n{ROWS}".encode()
WORDS = (
    *("", "N/A", "n/a", "no_information", "not_supported", "true", "FALSE", " True ", "-", "null", "None", "0", "1", "yes", '"', '""'),
    *("2024-01-01T00:00:00Z", "2024-01-01", "2024-01-01T00:00:00", "2099-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00"),
    *("2024-02-30T00:00:00Z", "9999-12-31T23:59:59-12:00", "2024-01-01T00:00:00.123456789Z", "24-01-01T00:00:00Z"),
    *("\u0662\u0660\u0662\u0664-01-01T00:00:00Z", "root", "<root_account>", "user", "access_key_1_active", "'"),
    *(f"arn:aws:iam::{NUMBER}:root", f"arn:aws:iam::{OTHER}:user/ann", f"arn:aws:iam::{NUMBER}:user/ann", "arn:aws:iam::1:user/", "arn:"),
    *("a,b", '"a,b"', "a\nb", "a\rb", "\x00", "\u2028", "\ufeff", "=1+1", "<script>", "\U0001d54f" * 40, "x" * 3000),
)
Table: TypeAlias = list[list[str]]
Mutation: TypeAlias = Callable[[bytes], bytes]


def _table(content: bytes) -> Table:
    return [line.split(",") for line in content.decode("utf-8", "replace").split("\n")]


def _bytes(table: Table) -> bytes:
    return "\n".join(",".join(line) for line in table).encode("utf-8", "replace")


def _cell(row: int, column: int, word: str) -> Mutation:
    def apply(content: bytes) -> bytes:
        table = _table(content)
        line = table[row % len(table)]
        line[column % len(line)] = word
        return _bytes(table)

    return apply


def _column(first: int, second: int, kind: str) -> Mutation:
    """Drop, double or swap columns in every line."""

    def apply(content: bytes) -> bytes:
        table = _table(content)
        for line in table:
            one, two = first % len(line), second % len(line)
            if kind == "drop":
                del line[one]
            elif kind == "double":
                line.insert(two, line[one])
            else:
                line[one], line[two] = line[two], line[one]
        return _bytes([line or [""] for line in table])

    return apply


def _row(first: int, second: int, kind: str) -> Mutation:
    """Drop, double, swap or cut a row, or a field out of it."""

    def apply(content: bytes) -> bytes:
        table = _table(content)
        one, two = first % len(table), second % len(table)
        if kind == "drop":
            del table[one]
        elif kind == "double":
            table.insert(two, list(table[one]))
        elif kind == "swap":
            table[one], table[two] = table[two], table[one]
        else:
            del table[one][second % len(table[one])]
        return _bytes([line or [""] for line in table]) if table else b""

    return apply


def _splice(start: float, length: int, put: bytes) -> Mutation:
    """Replace some bytes; a length of zero only inserts."""

    def apply(content: bytes) -> bytes:
        place = int(start * len(content))
        return content[:place] + put + content[place + length :]

    return apply


_PLACE = st.integers(0, 63)
_CELLS = st.builds(_cell, _PLACE, _PLACE, st.sampled_from(WORDS))
_COLUMNS = st.builds(_column, _PLACE, _PLACE, st.sampled_from(("drop", "double", "swap")))
_ROWS = st.builds(_row, _PLACE, _PLACE, st.sampled_from(("drop", "double", "swap", "field")))
_BYTES = st.builds(_splice, st.floats(0, 1), st.integers(0, 30), st.binary(max_size=6))
MUTATIONS = st.lists(st.one_of(_CELLS, _CELLS, _ROWS, _COLUMNS, _BYTES), min_size=1, max_size=4)


def spoiled(mutations: list[Mutation], content: bytes = REPORT) -> bytes:
    """The report after these mutations, in turn."""
    for mutate in mutations:
        content = mutate(content)
    return content
