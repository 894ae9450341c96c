"""Who may open a view: signed in, with the permission. Scope is the querysets' matter (`visible_to`)."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, NoReturn

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone
from django_htmx.middleware import HtmxDetails

from accounts import audit
from hygiene.people import roles_with

View = Callable[..., HttpResponseBase]


class SignedIn(HttpRequest):
    """A request of somebody who is signed in."""

    user: User


class Request(SignedIn):
    """A request of somebody who is signed in, which may come from htmx."""

    htmx: HtmxDetails


def refuse(request: HttpRequest, sentence: str) -> NoReturn:
    """Answer 403 with the sentence. A refused POST is an audit event."""
    if request.method == "POST" and request.user.is_authenticated:
        target = f"POST {request.path}"[:2048]
        audit.record(action="access", outcome="refused", now=timezone.now(), actor=request.user, target=target, message=sentence)
    raise PermissionDenied(sentence)


def requires(*permissions: str) -> Callable[[View], View]:
    """Answer 403 with the roles that would do unless the signed-in person has one of `permissions` (``app.codename``).

    Sign-in itself is asked for by `LoginRequiredMiddleware`. A refused POST is an audit event.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not any(request.user.has_perm(permission) for permission in permissions):
                refuse(request, f"This needs the role {roles_with(*permissions)}.")
            return view(request, *args, **kwargs)

        return guarded

    return decorate
