"""The rules: all of them with their counts, and one of them in plain words, with its numbers, where these are set, and how to fix it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Max, Min, Q, QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from hygiene.domain.policy import Policy
from hygiene.domain.profiles import PROFILES, TITLES, RuleSetting
from hygiene.domain.rules import RULES, Rule
from hygiene.models import Finding, FindingOutcome
from hygiene.services import policies
from hygiene.services.policy_changes import numbers_words, value_words, visible_overrides, words_of
from hygiene.views import lists
from hygiene.views.access import SignedIn, requires


@dataclass(frozen=True, slots=True)
class RuleRow:
    """One rule with its numbers and its counts in scope."""

    rule: Rule
    setting: RuleSetting
    numbers: str
    open: int
    unknown: int
    accounts: int


@require_safe
@requires("hygiene.view_inventory")
def rule_list(request: SignedIn) -> HttpResponse:
    """Every rule, worst first, with its limit, where that is set, and its counts."""
    _, policy = lists.moment()
    book = policies.current()
    context = {"rows": rule_rows(request, policy), "profile": TITLES[book.profile], "is_chosen": book.is_chosen}
    return render(request, "hygiene/rules.html", context)


def rule_rows(request: SignedIn, policy: Policy) -> list[RuleRow]:
    """Every rule, those that are on and weigh most first, with its counts."""
    counted = Finding.objects.visible_to(request.user).open().values("rule")
    failing, unknown = Q(outcome=FindingOutcome.FAIL), Q(outcome=FindingOutcome.UNKNOWN)
    found = counted.annotate(
        open=Count("pk", filter=failing), unknown=Count("pk", filter=unknown), accounts=Count("account", filter=failing, distinct=True)
    )
    counts = lists.counts(request).of("findings by rule", lambda: {row["rule"]: row for row in found})
    empty = {"open": 0, "unknown": 0, "accounts": 0}
    rows = []
    for code, rule in RULES.items():
        row, setting = counts.get(code, empty), policy.rules[code]
        rows.append(RuleRow(rule, setting, numbers_words(setting.numbers), row["open"], row["unknown"], row["accounts"]))
    return sorted(rows, key=lambda row: (not row.setting.is_on, -row.setting.severity, row.rule.code))


@require_safe
@requires("hygiene.view_inventory")
def rule_detail(request: SignedIn, code: str) -> HttpResponse:
    """One rule: why, exact condition, numbers and where they are set, counts, and fixes to copy."""
    _, policy = lists.moment()
    if code not in RULES:
        raise Http404("There is no such rule.")
    found = Finding.objects.visible_to(request.user).open().filter(rule=code)
    setting = policy.rules[code]
    context = {
        "rule": RULES[code],
        "setting": setting,
        "numbers": [(words_of(name), number, setting.where(name)) for name, number in setting.numbers.items()],
        "state_set_in": setting.where("is_on"),
        "severity_set_in": setting.where("severity"),
        "overrides": [
            (words_of(row.name), value_words(row.name, row.value), row) for row in visible_overrides(request.user).filter(rule=code)
        ],
        "profiles": _profiles(code),
        "counts": _counts(found),
        "examples": found.filter(outcome=FindingOutcome.FAIL)
        .select_related("account", "principal", "key")
        .order_by("-severity", "opened_at", "pk")[:10],
    }
    return render(request, "hygiene/rule.html", context)


def _counts(found: QuerySet[Finding]) -> dict[str, Any]:
    failing = Q(outcome=FindingOutcome.FAIL)
    return found.aggregate(
        open=Count("pk", filter=failing),
        unknown=Count("pk", filter=Q(outcome=FindingOutcome.UNKNOWN)),
        accounts=Count("account", filter=failing, distinct=True),
        worst=Max("severity"),
        since=Min("opened_at", filter=failing),
    )


def _profiles(code: str) -> list[dict[str, Any]]:
    """The rule in each profile: its id there, whether it is on, its numbers."""
    return [
        {
            "title": TITLES[name],
            "setting": profile[code],
            "numbers": numbers_words(profile[code].numbers),
        }
        for name, profile in PROFILES.items()
    ]


@require_safe
@requires("hygiene.view_inventory")
def old_rule_address(request: SignedIn, code: str) -> HttpResponse:
    """Where rules were found before."""
    return redirect("rule", code, permanent=True)
