"""Saved views of lists: filter line, built-in view, sort, columns and density under a name; own or shared; one may be the start page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from hygiene.models import Preferences, SavedView
from hygiene.views.access import SignedIn, requires

PAGES = ("keys", "users", "root-users", "accounts", "findings", "queue", "exemptions", "audit")
PARTS = {"q": "query", "view": "view", "sort": "sort", "cols": "columns"}
DENSITIES = ("comfortable", "compact")
LONGEST_QUERY = 1000


@dataclass(frozen=True, slots=True)
class Entry:
    """One saved view as a tab of its list."""

    saved: SavedView
    url: str
    is_current: bool
    is_edited: bool
    is_own: bool


def visible(request: SignedIn) -> QuerySet[SavedView]:
    """One's own and the shared ones."""
    return SavedView.objects.filter(Q(user=request.user) | Q(is_shared=True))


def parts(request: HttpRequest) -> dict[str, str]:
    """What a saved view keeps of the address; never the page number."""
    found = {name: request.GET.get(name, "") for name in PARTS}
    return {**found, "cols": ",".join(filter(None, request.GET.getlist("cols")))}


def entries(request: SignedIn) -> list[Entry]:
    """The saved views of the list that the request shows: mine, then shared. One query. The open one gives the page its density."""
    page = request.resolver_match.url_name if request.resolver_match else ""
    found = sorted(visible(request).filter(page=page), key=lambda saved: (saved.user_id != request.user.pk, saved.name.lower()))
    current = next((saved for saved in found if str(saved.uuid) == request.GET.get("saved")), None)
    density = request.GET.get("density") or (current.density if current else "")
    if density in DENSITIES:
        request.preferences.density = density  # type: ignore[attr-defined]  # for this answer alone, it is not stored
    return [_entry(request, saved, is_current=saved is current) for saved in found]


def _entry(request: SignedIn, saved: SavedView, *, is_current: bool) -> Entry:
    is_edited = parts(request) != _kept(saved) or request.GET.get("density", saved.density) != saved.density
    return Entry(saved, address(saved), is_current, is_edited, saved.user_id == request.user.pk)


def density_link(request: SignedIn, address_with: Callable[..., str]) -> str:
    """Where the other density is shown in a saved view, which keeps its own; empty elsewhere: there it is the person's preference."""
    if not request.GET.get("saved"):
        return ""
    shown: str = request.preferences.density  # type: ignore[attr-defined]  # set by the middleware
    return address_with(density=next(word for word in DENSITIES if word != shown))


def address(saved: SavedView) -> str:
    """Where the view opens."""
    words = {name: value for name, value in {**_kept(saved), "saved": str(saved.uuid)}.items() if value}
    return f"{reverse(saved.page)}?{urlencode(words)}"


def _kept(saved: SavedView) -> dict[str, str]:
    return {name: getattr(saved, field) for name, field in PARTS.items()}


@require_POST
@requires("hygiene.view_inventory")
def save(request: SignedIn) -> HttpResponse:
    """Keep the list as it is shown under a name; a name of one's own that exists is replaced."""
    page, name = request.POST.get("page", ""), request.POST.get("name", "").strip()
    if page not in PAGES or not 0 < len(name) <= 64:
        raise BadRequest("A view needs a name of at most 64 characters.")
    values = {field: request.POST.get(word, "")[:LONGEST_QUERY] for word, field in PARTS.items()}
    values = {**values, "view": values["view"][:32], "sort": values["sort"][:64], "columns": values["columns"][:512]}
    asked = request.POST.get("density", "")
    density = asked if asked in DENSITIES else request.preferences.density  # type: ignore[attr-defined]  # set by the middleware
    kept = {**values, "density": density, "is_shared": request.POST.get("is_shared") == "1"}
    saved, _ = SavedView.objects.update_or_create(
        user=request.user, page=page, name=name, defaults=kept, create_defaults={**kept, "created_at": timezone.now()}
    )
    messages.success(request, f"The view “{name}” is saved.")
    return redirect(address(saved))


@require_POST
@requires("hygiene.view_inventory")
def remove(request: SignedIn, uuid: UUID) -> HttpResponse:
    """Remove one of one's own views; the list stays as it is."""
    saved = get_object_or_404(SavedView, uuid=uuid, user=request.user)
    saved.delete()
    messages.success(request, f"The view “{saved.name}” is removed.")
    return redirect(saved.page)


@require_POST
@requires("hygiene.view_inventory")
def make_start(request: SignedIn, uuid: UUID) -> HttpResponse:
    """Open the product with this view, or with the overview again when it is already the start page."""
    saved = get_object_or_404(visible(request), uuid=uuid)
    stored: Preferences = request.preferences  # type: ignore[attr-defined]  # set by the middleware
    chosen = None if stored.start_view_id == saved.pk else saved
    Preferences.objects.update_or_create(user=request.user, defaults={"start_view": chosen})
    messages.success(request, f"You start with “{saved.name}”." if chosen else "You start with the overview.")
    return redirect(address(saved))


@require_safe
def start(request: SignedIn) -> HttpResponse:
    """After sign-in: the chosen view, else the overview."""
    stored: Preferences = request.preferences  # type: ignore[attr-defined]  # set by the middleware
    chosen = visible(request).filter(pk=stored.start_view_id).first() if stored.start_view_id else None
    return redirect(address(chosen) if chosen else "overview")
