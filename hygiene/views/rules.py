"""The rules: all of them with their counts, and one of them in plain words, with its numbers, where these are set, and how to fix it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Max, Min, Q, QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from hygiene.domain.policy import Policy
from hygiene.domain.profiles import PROFILES, TITLES, RuleSetting
from hygiene.domain.rules import OF_READING, RULES, Rule
from hygiene.models import Finding, FindingOutcome
from hygiene.services import policies, untold
from hygiene.services.policy_changes import numbers_words, value_words, visible_overrides, words_of
from hygiene.views import lists, rule_trend
from hygiene.views.access import SignedIn, requires

FAILING, UNKNOWN = Q(outcome=FindingOutcome.FAIL), Q(outcome=FindingOutcome.UNKNOWN)
AGGREGATES = {
    "open": Count("pk", filter=FAILING),
    "unknown": Count("pk", filter=UNKNOWN),
    "accounts": Count("account", filter=FAILING, distinct=True),
}


@dataclass(frozen=True, slots=True)
class RuleRow:
    """One rule with its numbers and its counts in scope."""

    rule: Rule
    setting: RuleSetting
    numbers: str
    open: int
    unknown: int
    accounts: int
    silent: int  # accounts that do not report, beside those that `unknown` counts in


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
    silent = _silent(request, policy)
    counted = Finding.objects.visible_to(request.user).open().values("rule")
    told = Count("account", filter=UNKNOWN & Q(account__in=silent), distinct=True)  # silent ones that `unknown` counts in
    found: Any = counted.annotate(**AGGREGATES, told_silent=told)
    counts = lists.counts(request).of(("findings by rule", *silent), lambda: {row["rule"]: row for row in found})
    empty = {"open": 0, "unknown": 0, "accounts": 0, "told_silent": 0}
    rows = []
    for code, rule in RULES.items():
        row, setting = counts.get(code, empty), policy.rules[code]
        beside = len(silent) - row["told_silent"] if setting.is_on and code not in OF_READING else 0
        rows.append(RuleRow(rule, setting, numbers_words(setting.numbers), row["open"], row["unknown"], row["accounts"], beside))
    return sorted(rows, key=lambda row: (not row.setting.is_on, -row.setting.severity, row.rule.code))


def _silent(request: SignedIn, policy: Policy) -> list[int]:
    """The accounts that should report and do not. One query."""
    found = untold.silent_accounts(untold.visible_accounts(request.user), policy=policy, now=timezone.now())
    return [entry.account.pk for entry in found if entry.should_report]


@require_safe
@requires("hygiene.view_inventory")
def rule_detail(request: SignedIn, code: str) -> HttpResponse:
    """One rule: why, exact condition, numbers and where they are set, counts, and fixes to copy."""
    now, policy = lists.moment()
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
        "untold": untold.of_rule(code, request.user, policy=policy, now=now),
        "examples": found.filter(outcome=FindingOutcome.FAIL)
        .select_related("account", "principal", "key")
        .order_by("-severity", "opened_at", "pk")[:10],
    }
    return render(request, "hygiene/rule.html", context | rule_trend.panel(request, code, now=now))


def _counts(found: QuerySet[Finding]) -> dict[str, Any]:
    return found.aggregate(**AGGREGATES, worst=Max("severity"), since=Min("opened_at", filter=FAILING))


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
