"""Exports as answers: the rows of a list or of a selection as CSV, XLSX or JSON, with what they are of."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Max, QuerySet
from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils import timezone

from accounts.models import Account
from hygiene.services import exports, policies
from hygiene.views.access import SignedIn

TYPES = {
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@dataclass(frozen=True, slots=True)
class Link:
    """One entry of the export menu."""

    label: str
    url: str


def links(address: Callable[..., str], *, has_columns: bool) -> list[Link]:
    """The menu: every format with all columns, and the tables for people with the columns that are shown too."""
    found = [Link(word.upper(), address(format=word, about="1" if word == "csv" else "")) for word in TYPES]
    if has_columns:
        found += [Link(f"{word.upper()}, shown columns", address(format=word, about="1", columns="visible")) for word in ("csv", "xlsx")]
    return found


def response(
    request: SignedIn, kind: str, title: str, rows: QuerySet[Any, Any], style: str, *, columns: Sequence[str] | None = None
) -> HttpResponseBase:
    """All rows with the contract's columns, or with some of them.

    With ?about=1 the first line of CSV says query, time and data age; a spreadsheet always says them on a sheet of their own.
    """
    now, policy = timezone.now(), policies.current().installation
    found, names = exports.rows(kind, policy=policy, now=now, queryset=rows), columns or exports.COLUMNS[kind]
    asked = request.POST if request.method == "POST" else request.GET
    about = {
        "Query": asked.get("q") or "none",
        "View": asked.get("view") or "all",
        "Made at": f"{now:%Y-%m-%dT%H:%M:%SZ}",
        "Newest data": _newest_data(request),
    }
    answer: HttpResponseBase
    if style == "xlsx":
        answer = HttpResponse(exports.render_xlsx(found, names, title=title, about=about), content_type=TYPES[style])
    else:
        text = exports.render(found, names, style)
        answer = StreamingHttpResponse(_headed(about, text) if asked.get("about") and style == "csv" else text, content_type=TYPES[style])
    answer["Content-Disposition"] = f'attachment; filename="{kind}-{now:%Y-%m-%d}.{style}"'
    return answer


def _headed(about: dict[str, str], text: Iterator[str]) -> Iterator[str]:
    """CSV after one line that says what it is."""
    yield exports.csv_line(["# Key Hygiene", *(f"{name}: {words}" for name, words in about.items())])
    yield from text


def _newest_data(request: SignedIn) -> str:
    """When AWS made the newest credential report in the person's scope."""
    newest = Account.objects.visible_to(request.user).aggregate(at=Max("status__report_generated_at"))["at"]
    return f"{newest:%Y-%m-%dT%H:%M:%SZ}" if newest else "none read yet"
