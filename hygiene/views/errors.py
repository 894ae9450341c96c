"""Pages for what went wrong: what failed, what still works, what to do. For htmx a part of the page, or a dialog if it asked for one."""

from __future__ import annotations

from dataclasses import dataclass

import structlog
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string


@dataclass(frozen=True, slots=True)
class Trouble:
    """One kind of error. `sentence` is used where the error says nothing itself."""

    status: int
    title: str
    sentence: str
    advice: str


BAD = Trouble(400, "Bad request", "The request could not be read.", "Nothing was changed. Go back, reload the page and try again.")
REFUSED = Trouble(403, "Not allowed", "You do not have the right for this.", "Nothing was changed. An administrator gives roles.")
MISSING = Trouble(
    404, "Not found", "There is nothing at this address, or it is not in your scope.", "Look for it with the field at the top."
)
EXPIRED = Trouble(
    403,
    "This form has expired",
    "You were signed out, or the page was open for too long.",
    "Nothing was changed. Reload the page and send it again.",
)
FAILED = Trouble(
    500,
    "Something failed",
    "This could not be made.",
    "Nothing was changed by it, and other pages work. Try again. If it stays so, give the reference to an administrator: the log has it.",
)


def _answer(request: HttpRequest, trouble: Trouble, sentence: str = "") -> HttpResponse:
    context = {
        "trouble": trouble,
        "sentence": sentence or trouble.sentence,
        "reference": reference(),
        "again": request.headers.get("HX-Current-URL", ""),
    }
    if request.headers.get("HX-Request") == "true":
        is_dialog = request.headers.get("HX-Target", "").endswith("dialog")
        template = "hygiene/_error_dialog.html" if is_dialog else "hygiene/_error.html"
        return HttpResponse(render_to_string(template, context), status=trouble.status)
    user = getattr(request, "user", None)
    if trouble.status == FAILED.status or user is None or not user.is_authenticated:
        return HttpResponse(render_to_string("500.html", context), status=trouble.status)
    return render(request, "error.html", context, status=trouble.status)


def reference() -> str:
    """What the log calls this request; "" outside of one."""
    return str(structlog.contextvars.get_contextvars().get("request_id", ""))


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400, with the sentence of a `BadRequest` of ours."""
    return _answer(request, BAD, _said(exception))


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403, with the missing role where it is known."""
    return _answer(request, REFUSED, _said(exception))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404; it does not tell whether the thing exists for others."""
    return _answer(request, MISSING)


def server_error(request: HttpRequest) -> HttpResponse:
    """500; no query is made, since the database may be what failed."""
    return _answer(request, FAILED)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 of a form whose token is missing or old."""
    return _answer(request, EXPIRED)


def _said(exception: Exception) -> str:
    return str(exception.args[0]) if exception.args and isinstance(exception.args[0], str) else ""
