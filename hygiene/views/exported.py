"""The export of selected keys, exports that a worker makes, and their files."""

from __future__ import annotations

from copy import copy
from uuid import UUID

from django.http import HttpResponseBadRequest, HttpResponseBase, QueryDict, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.urls import resolve, reverse
from django.views.decorators.http import require_POST, require_safe

from hygiene.models import AccessKey, ExportJob, ExportState
from hygiene.services import background_exports
from hygiene.views import exporting, saved_views
from hygiene.views.access import SignedIn, requires
from hygiene.views.chosen import chosen_keys
from hygiene.views.keys import matching

MOST_KEYS = 1000


@require_POST
@requires("hygiene.view_inventory")
def keys_export(request: SignedIn) -> HttpResponseBase:
    """The ticked keys, or all that match, in the posted `format`; changes nothing, it is a POST since it names many keys."""
    style = request.POST.get("format", "")
    if style not in exporting.TYPES:
        return HttpResponseBadRequest("The format must be csv, json or xlsx.")
    if request.POST.get("all") == "1":
        rows = matching(request, text=request.POST.get("q", ""), view=request.POST.get("view", ""))
    else:
        rows = AccessKey.objects.filter(pk__in=[key.pk for key in chosen_keys(request, most=MOST_KEYS)])
    return exporting.response(request, "keys", "Access keys", rows.order_by("-severity", "pk"), style)


@require_POST
@requires("hygiene.view_inventory", "accounts.see_own_audit", "accounts.see_audit")
def export_new(request: SignedIn) -> HttpResponseBase:
    """Have a worker make the export that the posted `address` of the list `page` would answer; the queue has the file then.

    The list's own view selects the rows, with its permissions and the person's scope.
    """
    page, asked = request.POST.get("page", ""), QueryDict(request.POST.get("address", "").lstrip("?"))
    if page not in saved_views.PAGES or asked.get("format") not in exporting.TYPES or "pick" in asked:
        return HttpResponseBadRequest("That is not the export of a list.")
    inner = copy(request)
    inner.method, inner.path, inner.GET = "GET", reverse(page), asked
    inner.resolver_match = resolve(inner.path)
    inner.in_background = True  # type: ignore[attr-defined]  # read by `exporting`
    answer: HttpResponseBase = inner.resolver_match.func(inner)
    return answer


@require_safe
@requires("hygiene.view_inventory", "accounts.see_own_audit", "accounts.see_audit")
def export_file(request: SignedIn, uuid: UUID) -> HttpResponseBase:
    """The file of one's own export; 404 when it is not ready, or let go."""
    job = get_object_or_404(ExportJob, uuid=uuid, user=request.user, state=ExportState.DONE)
    answer = StreamingHttpResponse(background_exports.pieces(job), content_type=exporting.TYPES[job.style])
    answer["Content-Disposition"] = f'attachment; filename="{job.kind}-{job.requested_at:%Y-%m-%d}.{job.style}"'
    return answer
