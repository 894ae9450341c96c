"""What every request of a signed-in person needs: their preferences, and their time zone for the times shown."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails

from hygiene.models import Preferences
from hygiene.people import THEMES

Answer = Callable[[HttpRequest], HttpResponseBase]


def of_cookie(request: HttpRequest) -> Preferences:
    """Preferences of somebody who is not signed in: the theme of a cookie."""
    theme = request.COOKIES.get("theme", "auto")
    return Preferences(theme=theme if theme in THEMES else "auto")


class SignInAgainMiddleware:
    """A session that ended while a page was open: the sign-in replaces the whole page, not a part of it, and leads back to the page."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Turn a redirect to the sign-in, which htmx would follow into a part of the page, into one of the browser."""
        response = self.get_response(request)
        htmx = HtmxDetails(request)
        sign_in = reverse(settings.LOGIN_URL)
        if not htmx or response.status_code != 302 or not response.headers["Location"].startswith(sign_in):
            return response
        page = htmx.current_url_abs_path or "/"
        return HttpResponseClientRedirect(f"{sign_in}?{urlencode({'next': page})}")


class NoNulMiddleware:
    """Refuses what holds a NUL character, which no name in AWS has and PostgreSQL cannot store or look for."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """BadRequest with a sentence; else the answer."""
        fields = [request.GET, *([request.POST] if request.method == "POST" else [])]
        words = [word for field in fields for name, values in field.lists() for word in (name, *values)]
        if any("\0" in word for word in (request.path_info, *words) if isinstance(word, str)):
            raise BadRequest("The address or the form holds a character that no name has (NUL).")
        return self.get_response(request)


class PreferencesMiddleware:
    """Sets `request.preferences`, and the current time zone to the person's. One query for a signed-in person."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Load, answer, and leave the thread's time zone as it was."""
        found = of_cookie(request)
        if request.user.is_authenticated:
            found = Preferences.objects.filter(pk=request.user.pk).first() or Preferences(user=request.user)
        request.preferences = found  # type: ignore[attr-defined]  # read by the shell and the settings page
        with timezone.override(ZoneInfo(found.time_zone)):
            return self.get_response(request)
