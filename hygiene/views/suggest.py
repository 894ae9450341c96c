"""Suggestions for the filter line of every list: one call for the word that is being typed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.models import Account, AuditEvent
from hygiene.filters import ACCOUNTS, AUDIT, CHANGES, EXEMPTIONS, FINDINGS, KEYS, USERS, Scene
from hygiene.filters.conditions import Condition
from hygiene.filters.suggestions import suggestions
from hygiene.models import AccessKey, Exemption, Finding, Principal, Remediation
from hygiene.views import lists
from hygiene.views.access import SignedIn, requires

Rows = Callable[[User], QuerySet[Any, Any]]
LONGEST = 200
PAGES: Mapping[str, tuple[Mapping[str, Condition], Rows]] = {
    "keys": (KEYS, lambda user: AccessKey.objects.visible_to(user).present()),
    "users": (USERS, lambda user: Principal.objects.visible_to(user).present().users()),
    "accounts": (ACCOUNTS, lambda user: Account.objects.visible_to(user).filter(removed_at__isnull=True)),
    "root-users": (ACCOUNTS, lambda user: Account.objects.visible_to(user).filter(removed_at__isnull=True)),
    "findings": (FINDINGS, lambda user: Finding.objects.visible_to(user)),
    "queue": (CHANGES, lambda user: Remediation.objects.visible_to(user)),
    "exemptions": (EXEMPTIONS, lambda user: Exemption.objects.visible_to(user)),
    "audit": (AUDIT, lambda user: AuditEvent.objects.visible_to(user)),
}


@require_safe
@requires("hygiene.view_inventory")
def suggest(request: SignedIn) -> HttpResponse:
    """Options for ?page=…&word=…; 404 for a page that has no filter line."""
    if request.GET.get("page") not in PAGES:
        raise Http404("There is no such list.")
    conditions, rows = PAGES[request.GET["page"]]
    now, policy = lists.moment()
    found = suggestions(
        request.GET.get("word", "")[:LONGEST], conditions=conditions, rows=rows(request.user), scene=Scene(now, policy, request.user)
    )
    return render(request, "hygiene/_suggestions.html", {"suggestions": found})
