"""Findings, and the page of one rule: what, why, how we tell, and how to fix it."""

from __future__ import annotations

from django.http import HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.http import require_safe

from hygiene.domain.verdicts import Subject
from hygiene.filters import FINDINGS
from hygiene.filters.builtin import FINDING_VIEWS
from hygiene.models import Finding
from hygiene.tables import FindingTable
from hygiene.views import lists
from hygiene.views.access import SignedIn, requires
from hygiene.views.facets import FacetKind, rule_facet

FACETS = (
    rule_facet("Rule", *Subject),
    FacetKind(
        "Severity",
        "sev",
        {"critical": "Critical", "high": "High", "high+": "High and worse", "medium": "Medium", "low": "Low"},
        is_single=True,
    ),
    FacetKind("Account", "account", values="account__account_id", names="account__name"),
)
EMPTY = {
    "": "No rule fails.",
    "open": "No rule fails.",
    "unknown": "Every rule could be told in the accounts that are polled.",
    "exempt": "Nothing is exempt.",
    "fixed": "Nothing was fixed yet.",
}
PAGE = lists.Page("findings", "Findings", "finding", FindingTable, FINDINGS, "hygiene/findings.html", FACETS, EMPTY)
LABELS = {"open": "Open", "unknown": "Cannot be told", "exempt": "Exempt", "fixed": "Fixed"}


@require_safe
@requires("hygiene.view_inventory")
def finding_list(request: SignedIn) -> HttpResponseBase:
    """Open findings, worst first; or by rule, unknown, exempt, fixed."""
    wanted = request.GET.get("view", "open")
    if wanted == "rules":
        return redirect("rules")
    current = wanted if wanted in (*FINDING_VIEWS, "all") else "open"
    rows = Finding.objects.visible_to(request.user)
    counts = lists.view_counts(request, "findings", rows, FINDING_VIEWS)
    labels = [(name, label, counts[name]) for name, label in LABELS.items()]
    context = {"tabs": lists.tabs([("rules", "By rule", None), *labels], current=current), "names_silent": current == "unknown"}
    rows = rows if current == "all" else rows.filter(FINDING_VIEWS[current])
    found = rows.select_related("account", "principal", "key", "exemption").order_by("-severity", "rule", "opened_at", "pk")
    return lists.answer(request, PAGE, found, context=context, total=counts["" if current == "all" else current])
