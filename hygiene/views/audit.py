"""The audit log: what was done, by whom, why, and what came of it. Nothing here can be edited."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Q
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from accounts.models import AuditEvent
from hygiene.filters import AUDIT
from hygiene.models import Remediation
from hygiene.services import audit_watch
from hygiene.tables import AuditTable
from hygiene.views import lists
from hygiene.views.access import SignedIn, requires
from hygiene.views.facets import FacetKind

FACETS = (
    FacetKind("Result", "result", values="outcome"),
    FacetKind("Action", "action", values="action"),
    FacetKind("Who", "by", values="actor_name"),
)
EMPTY = {
    "": "Nothing was done yet.",
    "changes": "Nothing was changed in AWS yet.",
    "accounts": "No account was changed here yet.",
    "people": "Nobody was added or changed here yet.",
}
PAGE = lists.Page("audit", "Audit log", "entry", AuditTable, AUDIT, "hygiene/audit.html", FACETS, EMPTY, many="entries", is_read=False)
OF_AWS = Q(action__startswith="key.") | Q(action__startswith="password.") | Q(action__startswith="certificate.")
OF_AWS |= Q(action__startswith="mfa_device.")
VIEWS = {
    "changes": ("Changes in AWS", OF_AWS),
    "accounts": ("Accounts", Q(action__startswith="account.")),
    "people": ("People", Q(action__startswith="person.")),
}


@require_safe
@requires("accounts.see_own_audit", "accounts.see_audit")
def audit_list(request: SignedIn) -> HttpResponseBase:
    """Own entries, or all in scope, as the role allows; newest first."""
    rows = AuditEvent.objects.visible_to(request.user)
    current = request.GET.get("view", "") if request.GET.get("view") in VIEWS else ""
    labels: list[tuple[str, str, int | None]] = [(name, label, None) for name, (label, _) in VIEWS.items()]
    context = {
        "tabs": lists.tabs([*labels, ("", "Everything", None)], current=current),
        "sees_all": request.user.has_perm("accounts.see_audit"),
        "verified": audit_watch.last() if request.user.has_perm("accounts.see_audit") else None,
    }
    rows = rows.filter(VIEWS[current][1]) if current else rows
    return lists.answer(request, PAGE, rows.order_by("-occurred_at", "-pk"), context=context)


@require_safe
@requires("accounts.see_own_audit", "accounts.see_audit")
def audit_event(request: SignedIn, uuid: UUID) -> HttpResponse:
    """One entry, with what belongs to the same change."""
    visible = AuditEvent.objects.visible_to(request.user)
    event = get_object_or_404(visible, uuid=uuid)
    related = visible.filter(correlation_id=event.correlation_id).order_by("occurred_at", "pk") if event.correlation_id else [event]
    change = (
        Remediation.objects.visible_to(request.user).filter(correlation_id=event.correlation_id).first() if event.correlation_id else None
    )
    return render(request, "hygiene/audit_event.html", {"event": event, "related": related, "change": change})
