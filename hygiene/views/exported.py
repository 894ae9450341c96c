"""The export of selected keys."""

from __future__ import annotations

from django.http import HttpResponseBadRequest, HttpResponseBase
from django.views.decorators.http import require_POST

from hygiene.models import AccessKey
from hygiene.views import exporting
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
