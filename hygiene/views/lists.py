"""What all list pages share: the filter line, facets, tabs, sort, paging, and exports of the same rows that the page shows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django_tables2 import RequestConfig

from hygiene.domain.policy import Policy
from hygiene.domain.query import Query, parse_query
from hygiene.domain.wording import plural
from hygiene.filters import Scene, keys_of, narrow
from hygiene.filters.conditions import Condition
from hygiene.services import background_exports, policies
from hygiene.services.counting import Counts
from hygiene.tables.base import List, PagedRows
from hygiene.views import emptiness, exporting, facets, saved_views
from hygiene.views.access import SignedIn
from hygiene.views.facets import Facet, FacetKind

PAGE_SIZES = (50, 25, 100, 200)
KEPT = ("view", "sort", "q", "per_page", "cols", "saved", "density")


@dataclass(frozen=True, slots=True)
class Tab:
    """One built-in view of a list with its count."""

    label: str
    count: int | None
    url: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class Page:
    """One list: what it is called, which rows, which table."""

    kind: str
    title: str
    noun: str
    table: type[List]
    conditions: Mapping[str, Condition]
    template: str
    facets: tuple[FacetKind, ...] = ()
    empty: Mapping[str, str] = field(default_factory=dict)  # what an empty built-in view means when all is well
    many: str = ""  # of the noun, where it is not the noun with an s
    is_read: bool = True  # rows come from AWS, so that polls bring newer ones


def moment() -> tuple[datetime, Policy]:
    """Now, and the installation's policy: what views hand to services."""
    return timezone.now(), policies.current().installation


def address(request: HttpRequest, **changes: str) -> str:
    """The page's address with some parameters changed, and back on page 1."""
    kept = {**kept_of(request), "q": request.GET.get("q", "")}
    return "?" + urlencode({name: value for name, value in {**kept, **changes}.items() if value})


def kept_of(request: HttpRequest) -> dict[str, str]:
    """The parameters of the page's address that a new filter line keeps; ticked columns become one word."""
    found = {name: request.GET[name] for name in KEPT if name not in ("q", "cols") and request.GET.get(name)}
    columns = ",".join(filter(None, request.GET.getlist("cols")))
    return {**found, "cols": columns} if columns else found


def tabs(labels: Iterable[tuple[str, str, int | None]], *, current: str) -> list[Tab]:
    """Built-in views from (name, label, count); each has its own filter line and keeps nothing of the old one."""
    return [Tab(label, count, f"?view={name}" if name else "?", current == name) for name, label, count in labels]


def counts(request: SignedIn) -> Counts:
    """The counts of the request's person; their version is read once for a request."""
    kept: Counts | None = getattr(request, "counts", None)
    if kept is None:
        kept = Counts(request.user)
        request.counts = kept  # type: ignore[attr-defined]  # read here alone
    return kept


def view_counts(request: SignedIn, kind: str, rows: QuerySet[Any, Any], views: Mapping[str, Q]) -> dict[str, int]:
    """How many of `rows` each built-in view has, and all of them under "": one query, kept for a short while."""

    def count() -> dict[str, int]:
        found = rows.aggregate(all=Count("pk"), **{f"n{place}": Count("pk", filter=q) for place, q in enumerate(views.values())})
        return {"": found["all"], **{name: found[f"n{place}"] for place, name in enumerate(views)}}

    return counts(request).of((kind, "views"), count)


def answer(
    request: SignedIn,
    page: Page,
    rows: QuerySet[Any, Any],
    *,
    context: Mapping[str, Any],
    total: int | None = None,
    counted: Callable[[], int] | None = None,
) -> HttpResponseBase:
    """The page, or with ?format=csv|xlsx|json all rows of the same query with the columns of the export.

    `total` is the number of `rows` before the filter line, where it is known; `counted` says it after, for a page that counts more at once.
    """
    if "pick" in request.GET:
        return redirect(request.path + address(request, q=facets.picked(request.GET.get("q", ""), request.GET.getlist("pick"))))
    query, scene = parse_query(request.GET.get("q", ""), keys=keys_of(page.conditions)), Scene(*moment(), request.user)
    shown = _facets(request, page, rows, scene)
    if "facet" in request.GET and getattr(request, "htmx", False):
        return render(request, "hygiene/_facet.html", {"facet": next((facet for facet in shown if facet.is_open), None)})
    rows, notes = narrow(rows, query, page.conditions, scene)
    paged = PagedRows(rows, _counted(request, page, query, counted or rows.count, total))
    table, choices = _table(request, page, paged, query, scene)
    if request.GET.get("format") in exporting.TYPES:
        return _export(request, page, table, rows, notes)
    return _laid_out(request, page, table, scene, {"notes": notes, "facets": shown, "column_choices": choices, **context})


def _table(request: SignedIn, page: Page, paged: PagedRows, query: Query, scene: Scene) -> tuple[List, list[tuple[str, str, bool]]]:
    """The table with the columns that are asked for, and every column that may be."""
    table = page.table(paged, policy=scene.policy, now=scene.now, user=request.user)
    return table, table.choose(_wanted_columns(request), _pinned(query))


def _export(request: SignedIn, page: Page, table: List, rows: QuerySet[Any, Any], notes: Sequence[str]) -> HttpResponseBase:
    """A file cannot say what of the filter line was left out, so there is none unless all of the line is understood."""
    if notes:
        return exporting.refusal(request, request.GET["format"], notes)
    columns = table.exported() if request.GET.get("columns") == "visible" else None
    return exporting.response(request, page.kind, page.title, rows, request.GET["format"], columns=columns)


def _laid_out(request: SignedIn, page: Page, table: List, scene: Scene, said: Mapping[str, Any]) -> HttpResponseBase:
    """One page of the rows with what stands around them: exports, words, controls, and what a list without rows says."""
    RequestConfig(request, paginate={"per_page": _page_size(request), "silent": True}).configure(table)
    exports = exporting.links(partial(address, request), has_columns=bool(page.table.fixed))
    around: dict[str, Any] = {"exports": exports, **_words(page, table), **_controls(request)}
    if not len(table.rows):
        when_well = page.empty.get(request.GET.get("view", ""), f"There is no {page.noun} here.")
        names_silent = bool(said.get("names_silent"))
        around |= emptiness.words(page.kind, request.GET.get("q", ""), scene, when_well=when_well, names_silent=names_silent)
    return render(request, page.template, {"page": page, "table": table, "now": scene.now, "policy": scene.policy, **around, **said})


def _words(page: Page, table: Any) -> dict[str, str]:
    words = ", ".join(f"{key}:" for key in keys_of(page.conditions))
    return {"count_words": plural(table.paginator.count, page.noun, page.many), "filter_words": words}


def _facets(request: SignedIn, page: Page, rows: QuerySet[Any, Any], scene: Scene) -> list[Facet]:
    line = facets.Line(request.GET.get("q", ""), page.conditions, scene, partial(address, request), rows, partial(_remembered, request))
    opened, find = request.GET.get("facet", ""), request.GET.get("find", "")
    return [facets.build(kind, line, is_open=kind.key == opened, find=find) for kind in page.facets]


def _counted(request: SignedIn, page: Page, query: Query, count: Callable[[], int], total: int | None) -> Callable[[], int]:
    """How many rows there are: what the tab says where the filter line is empty, else counted, and kept for a short while."""
    if total is not None and not query.terms:
        return lambda: total
    name = (page.kind, request.path, request.GET.get("view", ""), request.GET.get("q", ""), request.user.pk)
    return lambda: counts(request).of(name, count)


def _remembered(request: SignedIn, name: str, make: Callable[[], facets.Counted]) -> facets.Counted:
    """A facet's counts, kept for a short while."""
    return counts(request).of(("facet", request.path, request.GET.get("view", ""), name, request.user.pk), make)


def _controls(request: SignedIn) -> dict[str, Any]:
    """What the parts around the table need: filter line, exports, saved views, page sizes."""
    return {
        "saved_views": saved_views.entries(request),
        "view_parts": saved_views.parts(request),
        "filter_text": request.GET.get("q", ""),
        "kept": kept_of(request),
        "usual_columns": address(request, cols=""),
        "page_sizes": sorted(PAGE_SIZES),
        "large_export": background_exports.LARGE,
        "density_link": saved_views.density_link(request, partial(address, request)),
    }


def _wanted_columns(request: HttpRequest) -> list[str]:
    """The columns asked for in the address; none for the usual ones."""
    return [name for name in kept_of(request).get("cols", "").split(",") if name]


def _pinned(query: Query) -> set[str]:
    """Keys of the filter line that fix one value."""
    return {term.key for term in query.terms if len(term.values) == 1 and "*" not in term.values[0] and not term.is_negated}


def _page_size(request: HttpRequest) -> int:
    word = request.GET.get("per_page", "")
    return int(word) if word.isdigit() and int(word) in PAGE_SIZES else PAGE_SIZES[0]
