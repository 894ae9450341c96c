"""What a form over the list of keys names: ticked keys, or all that the filter line and the view select now."""

from __future__ import annotations

from uuid import UUID

from django.core.exceptions import BadRequest
from django.http import Http404, QueryDict

from hygiene.models import AccessKey
from hygiene.views.access import SignedIn
from hygiene.views.keys import matching


def chosen_keys(request: SignedIn, *, most: int) -> list[AccessKey]:
    """The keys named by ?key=… (or posted), or by `all=1` with `q` and `view`; worst first, with account and principal.

    Raises Http404 for a key that is not there for the person or when nothing is named, BadRequest for more than `most`.
    """
    asked = request.POST if request.method == "POST" else request.GET
    if asked.get("all") == "1":
        rows = matching(request, text=asked.get("q", ""), view=asked.get("view", ""))
    else:
        rows = AccessKey.objects.visible_to(request.user).filter(uuid__in=_named(asked), principal__is_root=False)
    found = list(rows.select_related("account", "principal").order_by("-severity", "pk")[: most + 1])
    if not found or (asked.get("all") != "1" and len(found) != len(_named(asked))):
        raise Http404("Something of what was chosen is not there.")
    if len(found) > most:
        raise BadRequest(f"More than {most:,} keys match, which is the most that can be done at once. Narrow the filter.")
    return found


def _named(asked: QueryDict) -> set[UUID]:
    try:
        return {UUID(word) for word in asked.getlist("key")}
    except ValueError as error:
        raise Http404("There is no such key.") from error
