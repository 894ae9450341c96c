"""What one person's digest says: the same counts as the pages, and the change since the last digest that this person was sent.

Accounts that do not report now, or did not then, are left out of the change and named. Nothing outside the person's scope counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth.models import User
from django.urls import reverse

from accounts.models import Account
from hygiene.domain.facts import KeyStatus
from hygiene.domain.policy import Policy
from hygiene.domain.states import STATE_WORDS
from hygiene.domain.verdicts import Severity
from hygiene.domain.wording import day, key_sentence, number, plural, short_key_id
from hygiene.models import SUCCESS_STATES, AccessKey, Finding, Principal, Remediation
from hygiene.services.live_keys import last_use
from hygiene.services.overview import Overview, Site, overview
from hygiene.services.permissions import days_left
from hygiene.services.posture import no_mfa, reporting

MOST_LINES = 10
COMPARED = ("root_keys", "never_used", "unused_90", "over_age", "no_mfa")
NAMES = {
    "root_keys": "Root keys",
    "never_used": "Active, never used",
    "unused_90": "Unused 90+ days",
    "over_age": "Over maximum age",
    "no_mfa": "Console users, no MFA",
}
SOON = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Figure:
    """One number, None when no account reports. `change` in words, "" in a first digest; `delta` None: nothing to compare."""

    name: str
    value: int | None
    delta: int | None
    url: str

    @property
    def change(self) -> str:
        """Fewer, more, no change."""
        if self.delta is None:
            return ""
        return "no change" if self.delta == 0 else f"{number(abs(self.delta))} {'more' if self.delta > 0 else 'fewer'}"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a section."""

    level: str
    title: str
    detail: str
    url: str


@dataclass(frozen=True, slots=True)
class Section:
    """At most ten lines, how many more there are, and where."""

    title: str
    lines: tuple[Line, ...]
    more: int
    url: str
    empty: str


@dataclass(frozen=True, slots=True)
class Digest:
    """One person's digest. `numbers` is what the next one is compared with."""

    week: str
    made_at: datetime
    since: datetime | None
    reporting: int
    expected: int
    figures: tuple[Figure, ...]
    missing: tuple[Line, ...]
    uncompared: tuple[str, ...]
    sections: tuple[Section, ...]
    numbers: Mapping[str, Any]
    new_root_keys: int

    @property
    def has_scope(self) -> bool:
        """Whether the person may see any account at all."""
        return self.expected > 0

    @property
    def is_unchanged(self) -> bool:
        """Whether nothing is different from the last digest."""
        changed = next(section for section in self.sections if section.title.startswith("Changed"))
        return self.since is not None and all(figure.delta == 0 for figure in self.figures) and not changed.lines

    @property
    def headline(self) -> str:
        """The top item."""
        root, never = self.figures[0].value, self.figures[1].value
        if root is None or never is None:
            return "No account is reporting, so nothing is known."
        if root:
            return f"{plural(root, 'root key exists', 'root keys exist')}. Remove {'it' if root == 1 else 'them'} first."
        return (
            f"{plural(never, 'active key was', 'active keys were')} never used."
            if never
            else "No root key, and no key that was never used."
        )

    @property
    def subject(self) -> str:
        """The news first; the week last."""
        unused = self.figures[2]
        week = f"week {int(self.week[-2:])}" if self.week[0].isdigit() else "sent now"
        if unused.value is None:
            return f"[keys] No account is reporting, {week}"
        if self.is_unchanged:
            return f"[keys] No change, {number(unused.value)} unused, {week}"
        change = f" ({unused.change})" if unused.delta else ""
        news = f"{plural(self.new_root_keys, 'new root key')}, " if self.new_root_keys else ""
        return f"[keys] {news}{number(unused.value)} unused{change}, {week}"


def link(name: str, *arguments: object, **query: str) -> str:
    """A full address of a page."""
    address = f"{settings.SITE_ROOT}{reverse(name, args=arguments)}"
    return f"{address}?{urlencode(query)}" if query else address


def compose(user: User, *, week: str, before: Mapping[str, Any] | None, policy: Policy, now: datetime) -> Digest:
    """The digest of `user`. `before` are the numbers of the last one sent to them, None for the first."""
    found = overview(user, policy=policy, now=now)
    current = [site for site in found.sites if site.is_reporting]
    now_numbers = {site.account.account_id: {name: site.counts[name] for name in COMPARED} for site in current}
    then: Mapping[str, Mapping[str, int]] = before["accounts"] if before else {}
    since = datetime.fromisoformat(before["at"]) if before else None
    figures = tuple(_figure(name, found, now_numbers, then if before else None) for name in COMPARED)
    mine = AccessKey.objects.visible_to(user).present().filter(reporting(policy=policy, now=now)).select_related("account", "principal")
    return Digest(
        week=week,
        made_at=now,
        since=since,
        reporting=found.reporting,
        expected=found.expected,
        figures=figures,
        missing=tuple(_missing(site, now) for site in found.silent),
        uncompared=_uncompared(found, now_numbers, then) if before else (),
        sections=(_needs(user, mine, found, policy, now), _changed(user, mine, since, policy, now), _coming(mine, now)),
        numbers={"at": now.isoformat(), "accounts": now_numbers},
        new_root_keys=mine.filter(principal__is_root=True, first_seen_at__gt=since).count() if since else 0,
    )


def _figure(name: str, found: Overview, numbers: Mapping[str, Mapping[str, int]], then: Mapping[str, Mapping[str, int]] | None) -> Figure:
    urls = {
        "root_keys": link("root-users", view="key"),
        "never_used": link("keys", view="never-used"),
        "unused_90": link("keys", view="unused"),
        "over_age": link("keys", view="over-age"),
        "no_mfa": link("users", view="no-mfa"),
    }
    both = [account for account in numbers if account in (then or {})]
    delta = sum(numbers[account][name] - (then or {})[account].get(name, 0) for account in both) if both else None
    return Figure(NAMES[name], found.totals[name] if found.reporting else None, delta, urls[name])


def _missing(site: Site, now: datetime) -> Line:
    since = site.status.failing_since if site.status else None
    when = f" since {day(since)}" if since else ""
    error = (site.status.error if site.status else "") or "no report in time"
    return Line("unknown", site.account.name, f"{STATE_WORDS[site.state]}{when}: {error}", link("account", site.account.account_id))


def _uncompared(found: Overview, numbers: Mapping[str, Any], then: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of accounts that are in one of the two digests alone, as far as they are still in scope."""
    names = {site.account.account_id: site.account.name for site in found.sites}
    return tuple(sorted(names[account] for account in set(numbers) ^ set(then) if account in names))


def _section(title: str, lines: Sequence[Line], total: int, url: str, empty: str) -> Section:
    return Section(title, tuple(lines[:MOST_LINES]), max(0, total - min(len(lines), MOST_LINES)), url, empty)


def _key_line(key: AccessKey, now: datetime) -> Line:
    words = key_sentence(
        status=KeyStatus(key.status), created_at=key.created_at, last_use=last_use(key), now=now, is_root=key.principal.is_root
    )
    title = f"Root key in {key.account.name}" if key.principal.is_root else f"{key.principal.name} in {key.account.name}"
    url = link("root-user", key.account.account_id) if key.principal.is_root else link("key", key.uuid)
    name = "" if key.principal.is_root else f"{short_key_id(key.access_key_id)}: "
    return Line(Severity(key.severity).word, title, f"{name}{words}", url)


def _needs(user: User, keys: Any, found: Overview, policy: Policy, now: datetime) -> Section:
    """Worst first: root and other keys of high severity, then console users without MFA."""
    urgent = keys.filter(severity__gte=Severity.HIGH).order_by("-severity", "created_at", "pk")
    people = Principal.objects.visible_to(user).present().filter(no_mfa(), reporting(policy=policy, now=now)).select_related("account")
    lines = [_key_line(key, now) for key in urgent[:MOST_LINES]]
    lines += [
        Line("high", f"{row.name} in {row.account.name}", "Console user without MFA", link("user", row.uuid))
        for row in people.order_by("name", "pk")[:MOST_LINES]
    ]
    total = urgent.count() + people.count()
    return _section("Needs you", lines, total, link("keys", view="action"), "Nothing of high severity is open.")


def _changed(user: User, keys: Any, since: datetime | None, policy: Policy, now: datetime) -> Section:
    url = link("audit")
    if since is None:
        return Section("Changed this week", (), 0, url, "This is your first digest: changes are shown from the next one on.")
    visible = Account.objects.visible_to(user)
    done = Remediation.objects.filter(account__in=visible, state__in=SUCCESS_STATES, finished_at__gt=since).select_related("account")
    lines = [
        Line(
            "ok",
            f"{row.requested_by_name}: {row.action} {short_key_id(row.access_key_id)}",
            f"{row.user_name} in {row.account.name}",
            link("remediation", row.uuid),
        )
        for row in done.order_by("-finished_at", "-pk")[:MOST_LINES]
    ]
    opened = Finding.objects.failing().filter(account__in=visible, opened_at__gt=since)
    names = {
        "key.never_used": "newly never used for over a week",
        "key.unused": "newly over the limit of unused days",
        "key.too_old": "newly over maximum age",
    }
    for rule, words in names.items():
        count = opened.filter(rule=rule).count()
        if count:
            lines.append(Line("medium", plural(count, "key"), words, link("findings", q=f"rule:{rule}", sort="opened")))
    gaps = opened.filter(rule="password.no_mfa").count()
    if gaps:
        lines.append(Line("high", plural(gaps, "console user"), "newly without MFA", link("users", view="no-mfa")))
    fresh = keys.filter(created_at__gt=since, principal__is_root=False).count()
    if fresh:
        lines.append(Line("low", plural(fresh, "new key"), "created since then", link("keys", q=f"age:<={(now - since).days}")))
    return _section("Changed this week", lines, done.count() + len(lines) - min(done.count(), MOST_LINES), url, "Nothing changed.")


def _coming(keys: Any, now: datetime) -> Section:
    """Disabled keys that may be deleted now or within a week."""
    disabled = keys.filter(status=KeyStatus.INACTIVE, principal__is_root=False).order_by("disabled_here_at", "first_inactive_at", "pk")
    soon = [(days_left(key, now), key) for key in disabled]
    ready = sorted(((left, key) for left, key in soon if left <= SOON.days), key=lambda pair: (pair[0], pair[1].pk))
    lines = [
        Line(
            "low",
            f"{key.principal.name} in {key.account.name}",
            f"{short_key_id(key.access_key_id)}: " + ("ready to delete" if not left else "can be deleted in " + plural(left, "day")),
            link("key", key.uuid),
        )
        for left, key in ready[:MOST_LINES]
    ]
    return _section("Coming up", lines, len(ready), link("keys", view="ready"), "No disabled key becomes ready to delete this week.")


__all__ = ["Digest", "Figure", "Line", "Section", "compose", "link"]
