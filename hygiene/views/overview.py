"""The overview: what is wrong, what to do next, and where."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.models import AuditEvent
from hygiene.domain.policy import DELETE_WAIT_DAYS, Policy
from hygiene.domain.states import STATE_WORDS, AccountState
from hygiene.domain.wording import plural, relative
from hygiene.people import roles_with
from hygiene.services.overview import Overview, Site
from hygiene.services.overview import overview as compose
from hygiene.views import lists
from hygiene.views.access import SignedIn, requires
from hygiene.views.charts import age_chart, trend_chart

MOST_SITES = 8
MOST_TASKS = 6


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of the strip, with its base, its change in a week, and the rows behind it."""

    name: str
    level: str
    value: int | None
    base: str
    url: str
    change: str
    tone: str


@dataclass(frozen=True, slots=True)
class Task:
    """One thing to do next: worst first, safest first within a level."""

    level: str
    title: str
    reason: str
    button: str
    url: str


@dataclass(frozen=True, slots=True)
class Cell:
    """One count of the grid, linked to the rows behind it."""

    text: str
    level: str
    url: str


@require_safe
@requires("hygiene.view_inventory")
def overview_page(request: SignedIn) -> HttpResponse:
    """Everything at a glance; the same counts as the lists."""
    now, policy = lists.moment()
    found = lists.counts(request).of("overview", lambda: compose(request.user, policy=policy, now=now))
    worst = [site for site in found.sites if _needs_attention(site)][:MOST_SITES]
    context = {
        "found": found,
        "figures": _figures(found, policy),
        "tasks": _tasks(found, now)[:MOST_TASKS],
        "ages": age_chart(found.bars),
        "trend": trend_chart(found.points),
        "grid": [(site, _cells(site, policy, now)) for site in worst],
        "recent": AuditEvent.objects.visible_to(request.user).order_by("-occurred_at", "-pk")[:6],
        "poll_roles": roles_with("hygiene.poll_now"),
        "limit": policy.number("key.too_old"),
        "now": now,
    }
    return render(request, "hygiene/overview.html", context)


def _figures(found: Overview, policy: Policy) -> list[Figure]:
    totals, keys, old = found.totals, reverse("keys"), policy.number("key.too_old")
    of_keys = f"of {plural(totals['active_keys'], 'key')}"
    rows = (
        ("root_keys", "Root access keys", "critical", f"in {plural(found.root_accounts, 'account')}", f"{reverse('root-users')}?view=key"),
        ("never_used", "Active, never used", "high", of_keys, f"{keys}?view=never-used"),
        ("unused_90", "Active, unused 90+ days", "high", of_keys, f"{keys}?view=unused"),
        ("over_age", f"Active, over {old} days old", "medium", of_keys, f"{keys}?view=over-age"),
        ("no_mfa", "Console users, no MFA", "high", f"of {plural(totals['console_users'], 'user')}", f"{reverse('users')}?view=no-mfa"),
    )
    return [
        Figure(label, level if totals[name] else "ok", totals[name], base, url, *_change(found.changes.get(name)))
        if found.reporting
        else Figure(label, "unknown", None, "no account reports", url, "", "")
        for name, label, level, base, url in rows
    ]


def _change(change: int | None) -> tuple[str, str]:
    """Words and tone; fewer is better."""
    if change is None:
        return "no week to compare with yet", ""
    if change == 0:
        return "no change in 7 days", ""
    return (f"{change:,} more in 7 days", "is-worse") if change > 0 else (f"{-change:,} fewer in 7 days", "is-better")


def _tasks(found: Overview, now: datetime) -> list[Task]:
    tasks = _root_tasks(found)
    keys, totals = reverse("keys"), found.totals
    if totals["never_used"]:
        title = f"{plural(totals['never_used'], 'active key was', 'active keys were')} never used"
        tasks.append(Task("high", title, "No use recorded since creation. Lowest risk to disable.", "See keys", f"{keys}?view=never-used"))
    if totals["no_mfa"]:
        title = f"{plural(totals['no_mfa'], 'console user has', 'console users have')} no MFA"
        tasks.append(Task("high", title, "A password alone opens the console.", "See users", f"{reverse('users')}?view=no-mfa"))
    if found.ready:
        title = f"{plural(found.ready, 'disabled key is', 'disabled keys are')} ready to delete"
        tasks.append(
            Task(
                "medium", title, f"Disabled for {DELETE_WAIT_DAYS} days or more. Past the waiting period.", "See keys", f"{keys}?view=ready"
            )
        )
    if found.silent:
        title = f"{plural(len(found.silent), 'account')} not reporting"
        tasks.append(Task("unknown", title, _silent_words(found.silent, now), "See errors", f"{reverse('accounts')}?view=silent"))
    return tasks


def _root_tasks(found: Overview) -> list[Task]:
    return [
        Task(
            "critical",
            f"Root key in {site.account.name}",
            _root_words(site),
            "Root steps",
            reverse("root-user", args=[site.account.account_id]),
        )
        for site in found.rooted[:3]
    ]


def _root_words(site: Site) -> str:
    count = plural(site.counts["root_keys"], "key")
    return f"{count} of the root user: no policy limits what it can do. Follow the numbered steps."


def _silent_words(sites: tuple[Site, ...], now: datetime) -> str:
    first = sites[0]
    since = first.status.failing_since if first.status else None
    words = f"{first.account.name}: {STATE_WORDS[first.state]}{f' since {relative(since, now)}' if since else ''}"
    return words if len(sites) == 1 else f"{words}; and {len(sites) - 1} more. Their numbers are unknown, not zero."


def _needs_attention(site: Site) -> bool:
    return bool(any(site.weight)) and site.state not in (AccountState.PAUSED, AccountState.SUSPENDED)


def _cells(site: Site, policy: Policy, now: datetime) -> list[Cell]:
    """Root key, user MFA, never used, unused 90+, over age, data age."""
    number, keys = site.account.account_id, reverse("keys")
    generated = site.status.report_generated_at if site.status else None
    age = Cell(
        relative(generated, now) if generated else "never", "" if site.is_reporting else "critical", reverse("account", args=[number])
    )
    if not site.is_reporting:
        return [*(Cell("?", "unknown", reverse("account", args=[number])) for _ in range(5)), age]
    counts = site.counts
    rows: list[tuple[Any, ...]] = [
        (counts["root_keys"], "critical", reverse("root-user", args=[number])),
        (counts["no_mfa"], "high", f"{reverse('users')}?view=no-mfa&q=account:{number}"),
        (counts["never_used"], "high", f"{keys}?view=never-used&q=account:{number}"),
        (counts["unused_90"], "high", f"{keys}?view=unused&q=account:{number}"),
        (counts["over_age"], "medium", f"{keys}?view=over-age&q=account:{number}"),
    ]
    return [*(Cell(f"{count:,}", level if count else "", url) for count, level, url in rows), age]
