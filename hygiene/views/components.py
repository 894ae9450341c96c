"""Every component on one page, for people who change the look. Served in debug only."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from hygiene.domain.verdicts import Severity
from hygiene.views.access import SignedIn


@require_safe
def components(request: SignedIn) -> HttpResponse:
    """The components. 404 outside debug."""
    if not settings.DEBUG:
        raise Http404("There is no such page.")
    return render(request, "hygiene/components.html", {"levels": [level.value for level in Severity]})
