"""How changes are governed, for administrators: approvals, waits, caps, breaker and freeze days; and what is never changed here."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from hygiene.domain.windows import freeze_lines
from hygiene.models import Protection, ProtectionKind
from hygiene.services import change_rules, protection
from hygiene.services.refused import Invalid, NotAllowed
from hygiene.views.access import SignedIn, requires

GROUPS = (  # of rules, by the beginning of their names
    ("Approvals", ("approvals_", "approval_hours")),
    ("Waiting", ("delete_wait_days",)),
    ("Caps", ("operator_hour_", "installation_hour_", "account_day_")),
    ("Breaker", ("breaker_",)),
)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("hygiene.manage_policy")
def rules_of_changes(request: SignedIn) -> HttpResponse:
    """Every rule with its value and bounds; a POST keeps those that were given. 422 says which is wrong and keeps nothing."""
    errors: dict[str, str] = {}
    if request.method == "POST":
        try:
            change_rules.save(_given(request), actor=request.user, now=timezone.now())
            messages.success(request, "The rules of changes are saved.")
            return redirect("rules-of-changes")
        except change_rules.Invalid as error:
            errors = error.errors
    context = {"groups": _groups(request, errors), "freeze": _freeze(request), "freeze_error": errors.get("freeze_days", "")}
    return render(request, "hygiene/rules_of_changes.html", context, status=422 if errors else 200)


def _given(request: SignedIn) -> dict[str, Any]:
    given: dict[str, Any] = {limit.name: request.POST[limit.name] for limit in change_rules.LIMITS if limit.name in request.POST}
    if "freeze_days" in request.POST:
        given["freeze_days"] = request.POST["freeze_days"].split()
    return given


def _groups(request: SignedIn, errors: dict[str, str]) -> list[tuple[str, list[dict[str, Any]]]]:
    rules, usual = change_rules.load(), change_rules.ChangeRules()

    def line(limit: change_rules.Limit) -> dict[str, Any]:
        value = request.POST.get(limit.name, getattr(rules, limit.name))
        return {"limit": limit, "value": value, "usual": getattr(usual, limit.name), "error": errors.get(limit.name, "")}

    return [(title, [line(limit) for limit in change_rules.LIMITS if limit.name.startswith(names)]) for title, names in GROUPS]


def _freeze(request: SignedIn) -> str:
    days: tuple[date, ...] = change_rules.load().freeze_days
    return str(request.POST.get("freeze_days", "\n".join(freeze_lines(days))))


@require_http_methods(["GET", "HEAD", "POST"])
@requires("hygiene.manage_policy", "hygiene.approve_change", "accounts.see_every_account")
def protected(request: SignedIn) -> HttpResponse:
    """What is protected, by whom and why; an administrator adds to it. 422 says what is missing."""
    errors: dict[str, str] = {}
    if request.method == "POST":
        said = {name: request.POST.get(name, "")[:2048] for name in ("kind", "value", "reason")}
        try:
            protection.protect(**said, actor=request.user, now=timezone.now())
            messages.success(request, f"{said['value'].strip()} is protected: it is not changed here any more.")
            return redirect("protected")
        except NotAllowed as error:
            raise PermissionDenied(str(error)) from error
        except Invalid as error:
            errors = error.errors
    context = {
        "rows": Protection.objects.order_by("kind", "value"),
        "kinds": ProtectionKind.choices,
        "said": request.POST,
        "errors": errors,
        "can_manage": request.user.has_perm("hygiene.manage_policy"),
        "tag": f"{protection.TAG}={protection.TAG_VALUE}",
    }
    return render(request, "hygiene/protected.html", context, status=422 if errors else 200)


@require_POST
@requires("hygiene.manage_policy")
def unprotect(request: SignedIn, uuid: UUID) -> HttpResponse:
    """Take one off the list."""
    row = get_object_or_404(Protection, uuid=uuid)
    protection.unprotect(row, actor=request.user, now=timezone.now())
    messages.success(request, f"{row.value} is not protected any more.")
    return redirect("protected")
