"""Search: keys by any part of the ID, users, accounts by name or number, and pages. One call, 12 results."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.models import Account
from hygiene.domain.wording import grouped_account, short_key_id
from hygiene.models import AccessKey, Principal
from hygiene.views.access import Request, requires

MOST = 12
EACH = 3
KINDS = ("account", "key", "user", "page")
PAGES = {
    "Overview": "overview",
    "Access keys": "keys",
    "Users": "users",
    "Root users": "root-users",
    "Accounts": "accounts",
    "Findings": "findings",
    "Queue": "queue",
    "Exemptions": "exemptions",
    "Audit log": "audit",
    "Digest": "digest",
    "Settings": "settings",
}


@dataclass(frozen=True, slots=True)
class Hit:
    """One result."""

    kind: str
    name: str
    detail: str
    url: str


@require_safe
@requires("hygiene.view_inventory")
def search(request: Request) -> HttpResponse:
    """The results as a page, or as the list under the search field for htmx."""
    text = request.GET.get("q", "").strip()[:100]
    hits = _hits(request, text) if text else []
    template = "hygiene/_search_results.html" if request.htmx else "hygiene/search.html"
    return render(request, template, {"hits": hits, "search_text": text})


def _hits(request: Request, text: str) -> list[Hit]:
    """Some of each kind, so that many users of one name hide no key and no page."""
    pages = [Hit("page", name, "", reverse(url)) for name, url in PAGES.items() if text.lower() in name.lower()]
    kinds = [_accounts(request, text), _keys(request, text), _users(request, text), pages]
    first = [hit for kind in kinds for hit in kind[:EACH]]
    rest = [hit for kind in kinds for hit in kind[EACH:]]
    return sorted([*first, *rest[: MOST - len(first)]], key=lambda hit: KINDS.index(hit.kind))


def _accounts(request: Request, text: str) -> list[Hit]:
    digits = text.replace(" ", "").replace("-", "")
    matching = Q(name__icontains=text) | Q(account_id__contains=digits) if digits.isdigit() else Q(name__icontains=text)
    found = Account.objects.visible_to(request.user).filter(matching, removed_at__isnull=True).order_by("name")[:MOST]
    return [Hit("account", row.name, grouped_account(row.account_id), reverse("account", args=[row.account_id])) for row in found]


def _keys(request: Request, text: str) -> list[Hit]:
    visible = AccessKey.objects.visible_to(request.user).filter(access_key_id__icontains=text)
    found = visible.select_related("principal", "account").order_by("-severity", "pk")[:MOST]
    return [
        Hit("key", short_key_id(row.access_key_id), f"{row.principal.name}, {row.account.name}", reverse("key", args=[row.uuid]))
        for row in found
    ]


def _users(request: Request, text: str) -> list[Hit]:
    visible = Principal.objects.visible_to(request.user).present().users().filter(name__icontains=text)
    found = visible.select_related("account").order_by("-severity", "name")[:MOST]
    return [Hit("user", row.name, row.account.name, reverse("user", args=[row.uuid])) for row in found]
