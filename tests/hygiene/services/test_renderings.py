"""Exported rows as CSV, JSON and spreadsheets: the same values in each, and nothing that a spreadsheet would run."""

from __future__ import annotations

import io
import json
from datetime import datetime
from typing import Any

from openpyxl import load_workbook

from hygiene.services.renderings import render, render_xlsx

COLUMNS = ("name", "count", "flag", "at", "rules", "none")


def row(now: datetime, **changes: Any) -> dict[str, Any]:
    return {"name": "ann", "count": 3, "flag": True, "at": now, "rules": ["key.unused", "key.too_old"], "none": None, **changes}


def workbook(rows: list[dict[str, Any]], **about: str) -> Any:
    return load_workbook(io.BytesIO(render_xlsx(rows, COLUMNS, title="keys", about=about)))


def test_a_spreadsheet_has_one_line_of_headers_and_typed_cells(now: datetime) -> None:
    sheet = workbook([row(now)])["keys"]
    header, first = sheet.iter_rows(values_only=True)
    assert header == COLUMNS
    assert first == ("ann", 3, True, "2026-11-23T08:00:00Z", "key.unused;key.too_old", None)


def test_a_spreadsheet_says_what_it_was_made_from(now: datetime) -> None:
    about = list(workbook([], Query="age:>90", Made="2026-11-23")["about"].iter_rows(values_only=True))
    assert about == [("Query", "age:>90"), ("Made", "2026-11-23")]


def test_no_cell_of_a_spreadsheet_is_a_formula_or_breaks_the_file(now: datetime) -> None:
    hostile = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "a\x00b\x1f", "x" * 40_000]
    sheet = workbook([row(now, name=text) for text in hostile])["keys"]
    cells = [cells[0] for cells in sheet.iter_rows(min_row=2)]
    assert all(cell.data_type == "s" for cell in cells)
    assert [cell.value for cell in cells] == ["'=1+1", "'+1", "'-1", "'@SUM(A1)", "'\tx", "ab", "x" * 32_767]


def test_text_renderings_say_the_same(now: datetime) -> None:
    text = "".join(render([row(now)], COLUMNS, "csv"))
    assert text.splitlines()[1] == '"ann","3","true","2026-11-23T08:00:00Z","key.unused;key.too_old",""'
    found = json.loads("".join(render([row(now), row(now)], COLUMNS, "json")))
    assert found[1] == row(now) | {"at": "2026-11-23T08:00:00Z"}
    lines = "".join(render([row(now), row(now)], COLUMNS, "jsonl")).splitlines()
    assert [json.loads(line) for line in lines] == found
