"""Exported rows as text or as a spreadsheet; what the rows are is `services.exports`.

Dates are ISO 8601 in UTC; absent is empty in CSV and null in JSON; lists are joined by ";" in CSV, and one that was not read is the
word "unknown", since an empty cell is a list of nothing. CSV follows RFC 4180 with every
cell quoted, and cells that a spreadsheet would take for a formula start with an apostrophe (OWASP, CSV injection).
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

FORMATS = ("json", "jsonl", "csv")
FORMULA = ("=", "+", "-", "@", "\t", "\r")
LONGEST_CELL = 32_767  # Excel's limit
MOST_ROWS = 1_048_575  # Excel's limit, without the line of headers
Row = Mapping[str, Any]
UNREAD = "unknown"
LISTS = ("groups", "policies", "tags", "mfa_kinds", "ssh_keys", "service_credentials", "missing_permissions")


def render(found: Iterable[Row], columns: Sequence[str], style: str) -> Iterator[str]:
    """Text of the export in pieces: `csv`, `json` (one array) or `jsonl` (one object a line)."""
    if style == "csv":
        yield csv_line(columns)
        for row in found:
            yield csv_line([_cell(_told(row, name)) for name in columns])
        return
    is_array, separator = style == "json", ""
    yield "[" if is_array else ""
    for row in found:
        yield separator + json.dumps({name: _plain(row[name]) for name in columns}, ensure_ascii=False) + ("" if is_array else "\n")
        separator = ",\n" if is_array else ""
    yield "]\n" if is_array else ""


def render_xlsx(found: Iterable[Row], columns: Sequence[str], *, title: str, about: Mapping[str, str]) -> bytes:
    """The rows as a workbook: the sheet `title` with one line of headers, then a sheet "about" with query, time and data age.

    Numbers and booleans stay what they are, dates are ISO text as in CSV, and no cell is a formula. Rows beyond Excel's limit are
    left out, and the sheet "about" says so.
    """
    book = Workbook(write_only=True)
    sheet = book.create_sheet(title[:31])
    sheet.freeze_panes = "A2"
    sheet.append(list(columns))
    is_whole = True
    for place, row in enumerate(found):
        if place >= MOST_ROWS:
            is_whole = False
            break
        sheet.append([_spreadsheet_cell(_told(row, name)) for name in columns])
    notes = book.create_sheet("about")
    for name, words in {**about, **({} if is_whole else {"Left out": f"rows after {MOST_ROWS:,}"})}.items():
        notes.append([_spreadsheet_cell(name), _spreadsheet_cell(words)])
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def _told(row: Row, name: str) -> Any:
    """The value for a table's cell; a list that was not read is told from one of nothing. Root's own do not exist."""
    is_unread = name in LISTS and row[name] is None and not row.get("is_root")
    return UNREAD if is_unread else row[name]


def _spreadsheet_cell(value: Any) -> Any:
    if isinstance(value, bool | int):
        return value
    text = ILLEGAL_CHARACTERS_RE.sub("", _cell(value))[:LONGEST_CELL]
    return text or None


def about_line(about: Mapping[str, str]) -> str:
    """The line of CSV that says what the export is of."""
    return csv_line(["# Key Hygiene", *(f"{name}: {words}" for name, words in about.items())])


def csv_line(cells: Sequence[str]) -> str:
    """One line of CSV, every cell quoted."""
    buffer = io.StringIO()
    csv.writer(buffer, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerow(cells)
    return buffer.getvalue()


def _cell(value: Any) -> str:
    """One CSV cell; what a spreadsheet would run is made text."""
    if isinstance(value, list | tuple):
        text = ";".join(str(part) for part in value)
    elif isinstance(value, dict):
        text = json.dumps(value, ensure_ascii=False) if value else ""
    else:
        plain = _plain(value)
        text = "" if plain is None else str(plain).lower() if isinstance(plain, bool) else str(plain)
    return f"'{text}" if text.startswith(FORMULA) else text


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if value == "":
        return None
    return value if isinstance(value, bool | int | list | dict) or value is None else str(value)
