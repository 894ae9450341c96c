"""What one person's digest says: the same counts as the pages, and the change since the last digest that this person was sent.

Accounts that do not report now, or did not then, are left out of the change and named. Nothing outside the person's scope counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from django.contrib.auth.models import User

from hygiene.domain.policy import Policy
from hygiene.domain.states import STATE_WORDS, AccountState
from hygiene.domain.wording import day, number, plural, relative
from hygiene.services.digest_extent import Extent
from hygiene.services.digest_parts import Figure, Line, Section, link, section
from hygiene.services.digest_sections import changed, coming_up, needs_you
from hygiene.services.overview import Overview, Site, overview
from hygiene.services.scope import EVERYTHING, Scope

NAMES = {
    "root_keys": "Root keys",
    "never_used": "Active, never used",
    "unused_90": "Unused 90+ days",
    "no_mfa": "Console users, no MFA",
}
COMPARED = tuple(NAMES)
VIEWS = {
    "root_keys": ("root-users", "key"),
    "never_used": ("keys", "never-used"),
    "unused_90": ("keys", "unused"),
    "no_mfa": ("users", "no-mfa"),
}


@dataclass(frozen=True, slots=True)
class Digest:
    """One person's digest. `numbers` is what the next one is compared with. `zone` is the reader's."""

    label: str
    scope: Scope
    zone: tzinfo
    made_at: datetime
    since: datetime | None
    oldest_data_at: datetime | None
    newest_data_at: datetime | None
    reporting: int
    expected: int
    is_empty: bool
    figures: tuple[Figure, ...]
    missing: Section
    uncompared: tuple[str, ...]
    needs: Section
    changed: Section
    coming: Section
    chosen: Section | None
    numbers: Mapping[str, Any]
    new_root_keys: int

    @property
    def sections(self) -> tuple[Section, ...]:
        """In the order of the mail; the chosen view comes last."""
        return tuple(filter(None, (self.needs, self.changed, self.coming, self.chosen)))

    @property
    def has_scope(self) -> bool:
        """Whether there is anything at all that the person may see and has asked for."""
        return not self.is_empty

    @property
    def is_unchanged(self) -> bool:
        """Whether nothing is different from the last digest."""
        return self.since is not None and all(figure.delta == 0 for figure in self.figures) and not self.changed.lines

    @property
    def headline(self) -> str:
        """The news; in a first digest, what stands."""
        root, never = self.figures[0].value, self.figures[1].value
        if root is None or never is None:
            return "No account is reporting, so nothing is known."
        if news := self._news():
            return " ".join(news)
        if self.is_unchanged and self.since:
            return f"No change since {self.day_of(self.since)}."
        if root:
            return f"{plural(root, 'root key exists', 'root keys exist')}. Remove {'it' if root == 1 else 'them'} first."
        never_used = plural(never, "active key was", "active keys were")
        return f"{never_used} never used." if never else "No root key, and no key that was never used."

    def _news(self) -> list[str]:
        """At most two sentences: new root keys, then what changed in the figures."""
        news = [f"{plural(self.new_root_keys, 'new root key')}."] if self.new_root_keys else []
        _, never, unused, no_mfa = self.figures
        nouns = (
            (unused, "unused key", "unused keys"),
            (never, "never-used key", "never-used keys"),
            (no_mfa, "console user without MFA", "console users without MFA"),
        )
        for figure, one, many in nouns:
            if figure.delta:
                count = abs(figure.delta)
                news.append(f"{number(count)} {'more' if figure.delta > 0 else 'fewer'} {one if count == 1 else many}.")
        return news[:2]

    @property
    def preheader(self) -> str:
        """What a list of mails shows after the subject: the top item."""
        top = next(iter(self.needs.lines), None)
        return f"{top.title}: {top.detail}" if top else self.headline

    @property
    def subject(self) -> str:
        """The news first; the week last."""
        unused = self.figures[2]
        if unused.value is None:
            return f"[keys] No account is reporting, {self.label}"
        if self.is_unchanged:
            return f"[keys] No change, {number(unused.value)} unused, {self.label}"
        change = f" ({unused.change})" if unused.delta else ""
        news = f"{plural(self.new_root_keys, 'new root key')}, " if self.new_root_keys else ""
        return f"[keys] {news}{number(unused.value)} unused{change}, {self.label}"

    @property
    def period(self) -> str:
        """The days that the changes cover, in the reader's time zone; "" in a first digest."""
        if self.since is None:
            return ""
        return f"{self.moment_of(self.since)} to {self.moment_of(self.made_at)}"

    @property
    def data_age(self) -> str:
        """As of when the counts are, from which call."""
        if self.newest_data_at is None or self.oldest_data_at is None:
            return "no credential report of a reporting account"
        newest = f"credential reports of {self.moment_of(self.newest_data_at)}"
        is_spread = self.newest_data_at - self.oldest_data_at > timedelta(hours=1)
        return f"{newest}, the oldest of {self.moment_of(self.oldest_data_at)}" if is_spread else newest

    @property
    def exempt(self) -> int:
        """What exemptions take out of the figures."""
        return sum(figure.exempt for figure in self.figures)

    def day_of(self, moment: datetime) -> str:
        """8 Feb 2021, in the reader's time zone."""
        return day(moment.astimezone(self.zone))

    def moment_of(self, moment: datetime) -> str:
        """Mon 23 Nov 2026 08:00 GMT, in the reader's time zone."""
        local = moment.astimezone(self.zone)
        return f"{local:%a} {day(local)} {local:%H:%M %Z}"


def label_of(week: str, moment: datetime, zone: tzinfo) -> str:
    """What the subject ends with: the week or day that ended before the digest; "sent now" for one asked for by a press."""
    if week.startswith("N"):
        return "sent now"
    before = moment.astimezone(zone) - timedelta(days=1)
    return f"week {before.isocalendar().week}" if "W" in week else f"{before.day} {before:%b}"


def compose(
    user: User,
    *,
    week: str,
    before: Mapping[str, Any] | None,
    policy: Policy,
    now: datetime,
    scope: Scope = EVERYTHING,
    zone: tzinfo = UTC,
    chosen: Section | None = None,
) -> Digest:
    """The digest of `user` within `scope`. `before` are the numbers of the last one sent to them, None for the first."""
    found = overview(user, policy=policy, now=now, scope=scope, by_owner=True)
    numbers = {site.account.account_id: {name: site.counts[name] for name in COMPARED} for site in found.sites if site.is_reporting}
    is_alike = before is not None and bool(before.get("is_mine")) == scope.is_mine
    then: Mapping[str, Mapping[str, int]] = before["accounts"] if before and is_alike else {}
    since = datetime.fromisoformat(before["at"]) if before and is_alike else None
    both = [account for account in numbers if account in then]
    extent = Extent(user, scope, policy, now, zone, since, found, frozenset(both))
    return Digest(
        label=label_of(week, now, zone),
        scope=scope,
        zone=zone,
        made_at=now,
        since=since,
        oldest_data_at=found.reports[0] if found.reports else None,
        newest_data_at=found.reports[1] if found.reports else None,
        reporting=found.reporting,
        expected=found.expected,
        is_empty=_is_empty(found, scope),
        figures=tuple(_figure(name, found, numbers, then, both, scope) for name in COMPARED),
        missing=_missing(found, scope, now),
        uncompared=_uncompared(found, numbers, then) if since else (),
        needs=needs_you(extent),
        changed=changed(extent),
        coming=coming_up(extent),
        chosen=chosen,
        numbers={"at": now.isoformat(), "is_mine": scope.is_mine, "accounts": numbers},
        new_root_keys=extent.new_root_keys(),
    )


def _is_empty(found: Overview, scope: Scope) -> bool:
    """Nothing in the scope at all: no account, or nothing of one's own."""
    owns = any(site.counts["users"] or site.counts["active_keys"] for site in found.sites)
    return not found.expected or (scope.is_mine and not owns)


def _figure(
    name: str,
    found: Overview,
    numbers: Mapping[str, Mapping[str, int]],
    then: Mapping[str, Mapping[str, int]],
    both: list[str],
    scope: Scope,
) -> Figure:
    page, view = VIEWS[name]
    words = "owner:me" if scope.is_mine and page != "root-users" else scope.filter_words
    delta = sum(numbers[account][name] - then[account].get(name, 0) for account in both) if both else None
    value = found.totals[name] if found.reporting else None
    return Figure(NAMES[name], value, delta, link(page, view=view, q=words), found.totals[f"exempt_{name}"] if found.reporting else 0)


def _missing(found: Overview, scope: Scope, now: datetime) -> Section:
    lines = [_silent(site, now) for site in found.silent]
    url = link("accounts", view="silent", q="" if scope.is_mine else scope.filter_words)
    return section("Not reporting", lines, len(lines), url, "Every account reports.")


def _silent(site: Site, now: datetime) -> Line:
    status = site.status
    since = f" since {day(status.failing_since)} ({relative(status.failing_since, now)})" if status and status.failing_since else ""
    state = "no report yet, asked for" if site.state is AccountState.NEVER_POLLED and since else STATE_WORDS[site.state]
    newest = status.report_generated_at if status else None
    last = f"the last report is of {day(newest)} ({relative(newest, now)})" if newest else "no report was ever read"
    error = (status.error if status else "") or last
    return Line("unknown", site.account.name, f"{state}{since}: {error}", link("account", site.account.account_id))


def _uncompared(found: Overview, numbers: Mapping[str, Any], then: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of accounts that are in one of the two digests alone, as far as they are still in scope."""
    known = {site.account.account_id: site.account.name for site in found.sites}
    return tuple(sorted(known[account] for account in set(numbers) ^ set(then) if account in known))


__all__ = ["Digest", "Figure", "Line", "Section", "compose", "label_of", "link"]
