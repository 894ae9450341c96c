"""What to do first: worst first, and within a level what breaks least first. Each step has its reason and one button."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.urls import reverse

from hygiene.domain.states import STATE_WORDS, AccountState
from hygiene.domain.wording import plural, relative, used_when
from hygiene.services.overview import Overview, Site
from hygiene.services.scope import Scope
from hygiene.services.work import Work

MOST_ROOTS = 3
MOST_SILENT = 2


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do next. `action` "disable" or "delete": the button opens a plan of all keys of `view`; else it is a link."""

    level: str
    title: str
    reason: str
    button: str
    url: str
    action: str = ""
    view: str = ""


def next_steps(found: Overview, work: Work, *, scope: Scope, may_disable: bool, may_delete: bool, now: datetime) -> list[Step]:
    """All steps, worst first."""
    steps = [*_roots(found, now), *_waiting(work, now)]
    if found.totals["never_used"]:
        title = f"{plural(found.totals['never_used'], 'active key was', 'active keys were')} never used"
        reason = "No use recorded since creation. Lowest risk to disable."
        steps.append(_of_keys("high", title, reason, "never-used", "disable", scope, may_act=may_disable))
    if found.totals["no_mfa"]:
        title = f"{plural(found.totals['no_mfa'], 'console user has', 'console users have')} no MFA"
        url = address("users", "no-mfa", scope)
        steps.append(Step("high", title, "A password alone opens the console.", "See users", url))
    if found.ready:
        title = f"{plural(found.ready, 'disabled key is', 'disabled keys are')} ready to delete"
        reason = f"Disabled for {plural(found.wait_days, 'day')} or more: past the waiting period."
        steps.append(_of_keys("medium", title, reason, "ready", "delete", scope, may_act=may_delete))
    if work.ending:
        title = f"{plural(work.ending, 'exemption')} will end soon"
        reason = f"The first on {work.next_end_at:%-d %b %Y}. What it covers counts again then." if work.next_end_at else ""
        steps.append(Step("low", title, reason, "Review", f"{reverse('exemptions')}?view=ending"))
    if found.silent:
        title = f"{plural(len(found.silent), 'account')} not reporting"
        steps.append(Step("unknown", title, _silent_words(found.silent, now), "See errors", address("accounts", "silent", scope)))
    return steps


def address(name: str, view: str, scope: Scope, words: str = "") -> str:
    """A list that shows exactly what a number of the page counts."""
    query = {"view": view, "q": " ".join(filter(None, [words, scope.filter_words]))}
    return f"{reverse(name)}?{urlencode({name: value for name, value in query.items() if value})}"


def _of_keys(level: str, title: str, reason: str, view: str, action: str, scope: Scope, *, may_act: bool) -> Step:
    if may_act:
        return Step(level, title, reason, f"{action.capitalize()}…", address("keys", view, scope), action, view)
    return Step(level, title, reason, "See keys", address("keys", view, scope))


def _roots(found: Overview, now: datetime) -> list[Step]:
    return [_root(site, now) for site in found.rooted[:MOST_ROOTS]]


def _root(site: Site, now: datetime) -> Step:
    count = site.counts["root_keys"]
    title = f"{'Root key' if count == 1 else f'{count} root keys'} in {site.account.name}"
    born = (
        f"{'Created' if count == 1 else 'The newest was created'} {relative(site.root_created_at, now)}"
        if site.root_created_at
        else "Seen live"
    )
    unused = "last use unknown" if site.root_unread or not site.root_created_at else "no use on record"
    used = used_when(site.root_used_at, now) if site.root_used_at else unused
    reason = f"{born}, {used}. No policy limits what it can do."
    return Step("critical", title, reason, "Open root key", reverse("root-user", args=[site.account.account_id]))


def _waiting(work: Work, now: datetime) -> list[Step]:
    steps = []
    if work.approvals:
        title = f"{plural(work.approvals, 'request waits', 'requests wait')} for your approval"
        reason = f"The oldest was asked for {relative(work.oldest_asked_at, now)}." if work.oldest_asked_at else "Others have asked."
        steps.append(Step("queue", title, reason, "Review", f"{reverse('queue')}?view=me"))
    if work.failed:
        title = f"{plural(work.failed, 'change')} failed or {'needs' if work.failed == 1 else 'need'} a person"
        steps.append(
            Step(
                "high",
                title,
                "Nobody has tried again yet. The queue says why.",
                "Open queue",
                f"{reverse('queue')}?view=done&q=status:failed",
            )
        )
    return steps


def _silent_words(sites: tuple[Site, ...], now: datetime) -> str:
    words = "; ".join(_silence(site, now) for site in sites[:MOST_SILENT])
    rest = f"; and {len(sites) - MOST_SILENT} more" if len(sites) > MOST_SILENT else ""
    return f"{words}{rest}. Their numbers are unknown, not zero."


def _silence(site: Site, now: datetime) -> str:
    """`sandbox-07: access lost 3 days ago`; an account without any report yet is called so."""
    since = site.status.failing_since if site.status else None
    state = "no report yet, tried first" if site.state is AccountState.NEVER_POLLED and since else STATE_WORDS[site.state]
    return f"{site.account.name}: {state}{f' {relative(since, now)}' if since else ''}"
