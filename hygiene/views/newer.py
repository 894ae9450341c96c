"""Whether a poll brought newer data since a list was read: a list never changes under the pointer, it offers to be read again."""

from __future__ import annotations

from django.core.exceptions import BadRequest
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_safe

from hygiene.models import AccountStatus
from hygiene.views.access import Request, requires


@require_safe
@requires("hygiene.view_inventory")
def newer(request: Request) -> HttpResponse:
    """For ?since=ISO: the line to show, or 204 when no account in scope was polled since. 400 for anything else than a time."""
    try:
        since = parse_datetime(request.GET.get("since", ""))
    except ValueError:
        since = None
    if since is None or since.tzinfo is None:
        raise BadRequest("since must be a time with its zone.")
    if not AccountStatus.objects.visible_to(request.user).filter(last_polled_at__gt=since).exists():
        return HttpResponse(status=204)
    return render(request, "hygiene/_newer.html", {"shown_again": request.htmx.current_url_abs_path or "/"})
