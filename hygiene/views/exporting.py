"""Exports as answers: the rows of a list or of a selection as CSV, XLSX or JSON, with what they are of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import chain
from typing import Any

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.db import transaction
from django.db.models import Max, QuerySet
from django.http import HttpResponse, HttpResponseBase, JsonResponse, QueryDict, StreamingHttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from accounts.models import Account
from hygiene.domain.wording import plural
from hygiene.services import background_exports, exports, policies
from hygiene.tasks import make_export
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
    """All rows with all columns of the export, or with some of them.

    With ?about=1 the first line of CSV says query, time and data age; a spreadsheet always says them on a sheet of their own.
    """
    now, policy = timezone.now(), policies.current().installation
    names, about = columns or exports.COLUMNS[kind], _about(request, now)
    if getattr(request, "in_background", False):
        return _in_background(request, kind, title, rows, style, columns=names, about=about, now=now)
    found = exports.rows(kind, policy=policy, now=now, queryset=rows)
    answer: HttpResponseBase
    if style == "xlsx":
        answer = HttpResponse(exports.render_xlsx(found, names, title=title, about=about), content_type=TYPES[style])
    else:
        head = [exports.about_line(about)] if style == "csv" and _asked(request).get("about") else []
        answer = StreamingHttpResponse(chain(head, exports.render(found, names, style)), content_type=TYPES[style])
    answer["Content-Disposition"] = f'attachment; filename="{kind}-{now:%Y-%m-%d}.{style}"'
    return answer


def refusal(request: SignedIn, style: str, notes: Sequence[str]) -> HttpResponse:
    """400 with what is not understood of the filter line: more rows than were asked for must not pass for what was asked for."""
    if getattr(request, "in_background", False):
        raise BadRequest(" ".join(notes))
    if style == "json":
        return JsonResponse({"error": " ".join(notes)}, status=400)
    return HttpResponse("".join(f"{note}\n" for note in notes), status=400, content_type="text/plain; charset=utf-8")


def _in_background(
    request: SignedIn,
    kind: str,
    title: str,
    rows: QuerySet[Any, Any],
    style: str,
    *,
    columns: Sequence[str],
    about: dict[str, str],
    now: datetime,
) -> HttpResponseBase:
    """Freeze the rows for a worker; the file appears in the queue."""
    job = background_exports.request(
        kind=kind, title=title, style=style, columns=columns, about=about, rows=rows, actor=request.user, now=now
    )
    transaction.on_commit(partial(make_export.delay, job.pk), robust=True)
    messages.success(request, f"The export of {plural(job.rows, 'row')} is being made. It appears here when it is ready.")
    return redirect("queue")


def _asked(request: SignedIn) -> QueryDict:
    return request.POST if request.method == "POST" else request.GET


def _about(request: SignedIn, now: datetime) -> dict[str, str]:
    asked = _asked(request)
    return {
        "Query": asked.get("q") or "none",
        "View": asked.get("view") or "all",
        "Made at": f"{now:%Y-%m-%dT%H:%M:%SZ}",
        "Newest data": _newest_data(request),
    }


def _newest_data(request: SignedIn) -> str:
    """When AWS made the newest credential report in the person's scope."""
    newest = Account.objects.visible_to(request.user).filter(removed_at__isnull=True).aggregate(at=Max("status__report_generated_at"))["at"]
    return f"{newest:%Y-%m-%dT%H:%M:%SZ}" if newest else "none read yet"
