"""Settings: the policy in force and where it is set, this installation, and one's own preferences."""

from __future__ import annotations

from zoneinfo import available_timezones

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods, require_POST

from hygiene.domain.profiles import TITLES
from hygiene.domain.rules import RULES
from hygiene.forms import PreferencesForm
from hygiene.models import OwnerMapping, Preferences
from hygiene.people import ROLES, THEMES, WORDS
from hygiene.services import change_rules
from hygiene.services.policy_changes import numbers_words
from hygiene.views import installation, lists, saved_views
from hygiene.views.access import SignedIn, requires

OWNER_WORDS = {"tags": "a tag of the user", "key-description": "the description of a key", "mapping": "the imported list"}
YEAR = 365 * 24 * 3600


@require_http_methods(["GET", "HEAD", "POST"])
@requires("hygiene.view_inventory")
def settings_page(request: SignedIn) -> HttpResponse:
    """Show everything; save one's own preferences."""
    _, policy = lists.moment()
    stored: Preferences = request.preferences  # type: ignore[attr-defined]  # set by the middleware
    form = PreferencesForm(request.POST or None, instance=stored, views=saved_views.visible(request))
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, "Your preferences are saved.")
        return _remember(redirect("settings"), stored.theme)
    rules = [(RULES[code], setting, numbers_words(setting.numbers)) for code, setting in policy.rules.items()]
    context = {
        "form": form,
        "profile_title": TITLES[policy.profile],
        "rules": rules,
        "wait_days": change_rules.load().delete_wait_days,
        "installation": settings,
        "environment": installation.lines() if request.user.has_perm("hygiene.manage_policy") else (),
        "owner_sources": ", ".join(OWNER_WORDS[source] for source in settings.OWNER_SOURCES),
        "owner_entries": OwnerMapping.objects.count(),
        "all_roles": {role: ", ".join(WORDS[name] for name in held) for role, held in ROLES.items()},
        "time_zones": sorted(available_timezones()),
    }
    return render(request, "hygiene/settings.html", context, status=422 if form.errors else 200)


@require_POST
def set_theme(request: SignedIn) -> HttpResponse:
    """The theme button of the top bar and the density button of lists: keep the choice and go back to the page."""
    stored: Preferences = request.preferences  # type: ignore[attr-defined]  # set by the middleware
    wanted, density = request.POST.get("theme", stored.theme), request.POST.get("density", stored.density)
    theme = wanted if wanted in THEMES else "auto"
    density = density if density in ("comfortable", "compact") else "comfortable"
    Preferences.objects.update_or_create(user=request.user, defaults={"theme": theme, "density": density})
    return _remember(redirect(_back(request)), theme)


def _back(request: SignedIn) -> str:
    """The page as it is now: its filter may have changed since it was sent, which the browser's Referer knows and `next` does not."""
    hosts, is_secure = {request.get_host()}, request.is_secure()
    asked = (request.headers.get("Referer", ""), request.POST.get("next", ""))
    return next((url for url in asked if url_has_allowed_host_and_scheme(url, allowed_hosts=hosts, require_https=is_secure)), "/")


def _remember(response: HttpResponse, theme: str) -> HttpResponse:
    """A cookie for the sign-in page, which does not know the person yet."""
    response.set_cookie("theme", theme, max_age=YEAR, samesite="Lax", secure=settings.IS_HTTPS, httponly=True)
    return response
