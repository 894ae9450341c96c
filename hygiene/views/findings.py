"""Findings, and the page of one rule: what, why, how we tell, and how to fix it."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Max, Min, Q
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from hygiene.domain.policy import Policy
from hygiene.domain.rules import RULES, Rule
from hygiene.domain.verdicts import Severity, Subject
from hygiene.filters import FINDINGS
from hygiene.filters.builtin import FINDING_VIEWS
from hygiene.models import Finding, FindingOutcome
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
    "unknown": "Every rule could be told.",
    "exempt": "Nothing is exempt.",
    "fixed": "Nothing was fixed yet.",
}
PAGE = lists.Page("findings", "Findings", "finding", FindingTable, FINDINGS, "hygiene/findings.html", FACETS, EMPTY)
LABELS = {"open": "Open", "unknown": "Cannot be told", "exempt": "Exempt", "fixed": "Fixed"}


@dataclass(frozen=True, slots=True)
class RuleRow:
    """One rule with its counts in scope."""

    rule: Rule
    is_on: bool
    severity: Severity
    open: int
    unknown: int
    accounts: int


@require_safe
@requires("hygiene.view_inventory")
def finding_list(request: SignedIn) -> HttpResponseBase:
    """Open findings, worst first; or by rule, unknown, exempt, fixed."""
    _, policy = lists.moment()
    wanted = request.GET.get("view", "open")
    current = wanted if wanted in (*FINDING_VIEWS, "rules", "all") else "open"
    rows = Finding.objects.visible_to(request.user)
    counts = lists.view_counts(request, "findings", rows, FINDING_VIEWS)
    labels = [(name, label, counts[name]) for name, label in LABELS.items()]
    context = {
        "tabs": lists.tabs([("rules", "By rule", None), *labels], current=current),
    }
    if current == "rules":
        return render(request, "hygiene/rules.html", {**context, "page": PAGE, "rows": rule_rows(request, policy)})
    rows = rows if current == "all" else rows.filter(FINDING_VIEWS[current])
    found = rows.select_related("account", "principal", "key").order_by("-severity", "rule", "opened_at", "pk")
    return lists.answer(request, PAGE, found, context=context, total=counts["" if current == "all" else current])


def rule_rows(request: SignedIn, policy: Policy) -> list[RuleRow]:
    """Every rule that is on, worst first, with its counts."""
    counted = Finding.objects.visible_to(request.user).open().values("rule")
    failing, unknown = Q(outcome=FindingOutcome.FAIL), Q(outcome=FindingOutcome.UNKNOWN)
    found = counted.annotate(
        open=Count("pk", filter=failing), unknown=Count("pk", filter=unknown), accounts=Count("account", filter=failing, distinct=True)
    )
    counts = lists.counts(request).of("findings by rule", lambda: {row["rule"]: row for row in found})
    empty = {"open": 0, "unknown": 0, "accounts": 0}
    rows = []
    for code, rule in RULES.items():
        row = counts.get(code, empty)
        rows.append(RuleRow(rule, policy.is_on(code), policy.severity(code), row["open"], row["unknown"], row["accounts"]))
    return sorted(rows, key=lambda row: (not row.is_on, -row.severity, row.rule.code))


@require_safe
@requires("hygiene.view_inventory")
def rule_detail(request: SignedIn, code: str) -> HttpResponse:
    """One rule: exact condition, numbers and where they are set, counts, fixes to copy."""
    _, policy = lists.moment()
    if code not in RULES:
        raise Http404("There is no such rule.")
    found = Finding.objects.visible_to(request.user).open().filter(rule=code)
    failing = Q(outcome=FindingOutcome.FAIL)
    counts = found.aggregate(
        open=Count("pk", filter=failing),
        unknown=Count("pk", filter=Q(outcome=FindingOutcome.UNKNOWN)),
        accounts=Count("account", filter=failing, distinct=True),
        worst=Max("severity"),
        since=Min("opened_at", filter=failing),
    )
    context = {
        "rule": RULES[code],
        "setting": policy.rules[code],
        "numbers": {name.replace("_", " "): number for name, number in (policy.rules[code].numbers or {}).items()},
        "counts": counts,
        "examples": found.filter(failing).select_related("account", "principal", "key").order_by("-severity", "opened_at", "pk")[:10],
    }
    return render(request, "hygiene/rule.html", context)
