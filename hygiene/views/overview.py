"""The overview: what is wrong, what to do next, and where."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.models import Account
from hygiene.domain.policy import Policy
from hygiene.domain.wording import plural
from hygiene.models import KeyEvent
from hygiene.people import roles_with
from hygiene.services.overview import Overview
from hygiene.services.overview import overview as compose
from hygiene.services.scope import EVERYTHING, NotAScope, Scope, accounts_of, choices, scope_of
from hygiene.services.trend import Point, points, until_now
from hygiene.services.work import Work, work_of
from hygiene.views import lists
from hygiene.views.access import SignedIn, requires
from hygiene.views.account_grid import account_grid
from hygiene.views.charts import age_chart, spark, trend_chart
from hygiene.views.first_run import checklist
from hygiene.views.next_steps import address, next_steps

MOST_STEPS = 6
MOST_EVENTS = 6
NOT_NEWS = ("first_seen", "used")


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of the strip, with its base, its change in a week, its line, and the rows behind it."""

    name: str
    level: str
    value: int | None
    base: str
    url: str
    change: str
    tone: str
    line: str


@require_safe
@requires("hygiene.view_inventory")
def overview_page(request: SignedIn) -> HttpResponse:
    """Everything at a glance; the same counts as the lists."""
    now, policy = lists.moment()
    scope, note = _scope(request)
    counted = ("overview", scope.word, scope.owner)
    found = lists.counts(request).of(counted, lambda: compose(request.user, policy=policy, now=now, scope=scope))
    accounts = accounts_of(scope, request.user)
    work = work_of(request.user, accounts, policy=policy, now=now, is_everything=scope.is_everything)
    trend = until_now(points(accounts, now=now), found.totals, accounts=found.reporting, now=now)
    request.shell_counts = {**found.shell, "waiting": work.approvals}  # type: ignore[attr-defined]  # read by context.shell
    rows, needing = account_grid(found.sites, policy=policy, now=now)
    context = {
        "scope_note": note,
        "figures": _figures(found, trend, scope, policy),
        "steps": _steps(request, found, work, scope, now),
        "trend": trend_chart(trend),
        "points": trend,
        "rows": rows,
        "needing": needing,
        "recent": _recent(accounts),
        "limit": policy.number("key.too_old"),
        "now": now,
    }
    return render(request, "hygiene/overview.html", context | _around(request, found, work, scope, now))


def _around(request: SignedIn, found: Overview, work: Work, scope: Scope, now: datetime) -> dict[str, Any]:
    """What stands around the figures: the scope and its links, the banner of stale accounts, the first-run list."""
    return {
        "found": found,
        "work": work,
        "scope": scope,
        "scope_choices": choices(found.everywhere),
        "links": _links(scope),
        "ages": age_chart(found.bars),
        "stale": found.stale_for_long(now),
        "checklist": checklist(request.user, found, work),
        "poll_roles": roles_with("hygiene.poll_now"),
    }


def _scope(request: SignedIn) -> tuple[Scope, str]:
    """The scope of the address, and a sentence if it means none."""
    try:
        return scope_of(request.GET.get("scope", ""), request.user), ""
    except NotAScope as error:
        return EVERYTHING, f"{error} All accounts are shown."


def _steps(request: SignedIn, found: Overview, work: Work, scope: Scope, now: datetime) -> list[Any]:
    user = request.user
    may_disable, may_delete = user.has_perm("hygiene.request_change"), user.has_perm("hygiene.request_deletion")
    return next_steps(found, work, scope=scope, may_disable=may_disable, may_delete=may_delete, now=now)[:MOST_STEPS]


def _links(scope: Scope) -> dict[str, str]:
    return {
        "active": address("keys", "", scope, "status:active -is:root -is:stale-data"),
        "eliminated": address("keys", "", scope, "status:deleted"),
        "exempt": address("findings", "exempt", scope, "-is:stale-data"),
        "accounts": address("accounts", "", scope),
        "silent": address("accounts", "silent", scope),
    }


def _recent(accounts: QuerySet[Account]) -> QuerySet[KeyEvent]:
    """The newest changes of keys, made here or elsewhere."""
    events = KeyEvent.objects.filter(key__account__in=accounts).exclude(kind__in=NOT_NEWS)
    return events.select_related("key__principal", "key__account").order_by("-occurred_at", "-pk")[:MOST_EVENTS]


def _figures(found: Overview, trend: tuple[Point, ...], scope: Scope, policy: Policy) -> list[Figure]:
    totals, old = found.totals, policy.number("key.too_old")
    of_keys, of_users = f"of {plural(totals['active_keys'], 'key')}", f"of {plural(totals['console_users'], 'user')}"
    rows = (
        ("root_keys", "Root access keys", "critical", f"in {plural(found.root_accounts, 'account')}", "root-users", "key"),
        ("never_used", "Active, never used", "high", of_keys, "keys", "never-used"),
        ("unused_90", "Active, unused 90+ days", "high", of_keys, "keys", "unused"),
        ("over_age", f"Active, over {old} days old", "medium", of_keys, "keys", "over-age"),
        ("no_mfa", "Console users, no MFA", "high", of_users, "users", "no-mfa"),
    )
    figures = []
    for name, label, level, base, page, view in rows:
        url = address(page, view, scope)
        if not found.reporting:
            figures.append(Figure(label, "unknown", None, "no account reports", url, "", "", ""))
            continue
        apart = totals[f"exempt_{name}"]
        base = f"{base}, {apart:,} exempt" if apart else base
        words, tone = _change(found.changes.get(name))
        line = spark([point.totals[name] for point in trend])
        figures.append(Figure(label, level if totals[name] else "ok", totals[name], base, url, words, tone, line))
    return figures


def _change(change: int | None) -> tuple[str, str]:
    """Words and tone; fewer is better."""
    if change is None:
        return "no week to compare with yet", ""
    if change == 0:
        return "no change in 7 days", ""
    return (f"{change:,} more in 7 days", "is-worse") if change > 0 else (f"{-change:,} fewer in 7 days", "is-better")
