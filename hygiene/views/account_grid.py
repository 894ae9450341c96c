"""Accounts by checks: one row of counts for each account that needs attention, each a filtered link; dashed where unknown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse

from hygiene.domain.policy import Policy
from hygiene.domain.wording import relative
from hygiene.services.overview import Site
from hygiene.services.scope import Scope
from hygiene.views.next_steps import address

MOST_SITES = 8
CHECKS = ("root_keys", "no_mfa", "never_used", "unused_90", "over_age")


@dataclass(frozen=True, slots=True)
class Cell:
    """One count, linked to the rows behind it. `level` "": nothing to do."""

    label: str
    text: str
    level: str
    url: str


@dataclass(frozen=True, slots=True)
class Row:
    """One account."""

    site: Site
    cells: tuple[Cell, ...]


def account_grid(sites: Sequence[Site], *, policy: Policy, now: datetime) -> tuple[list[Row], int]:
    """The first rows, worst first, and how many accounts need attention in all."""
    wanted = [site for site in sites if _needs_attention(site)]
    return [Row(site, _cells(site, policy, now)) for site in wanted[:MOST_SITES]], len(wanted)


def _needs_attention(site: Site) -> bool:
    if site.state in ("paused", "suspended"):
        return False
    return not site.is_reporting or bool(site.is_root_unprotected) or any(site.counts[name] for name in CHECKS)


def _cells(site: Site, policy: Policy, now: datetime) -> tuple[Cell, ...]:
    here, number, counts = Scope(site.account.account_id), site.account.account_id, site.counts
    root = reverse("root-user", args=[number])
    account = reverse("account", args=[number])
    cells = [
        _count(site, "Root key", counts["root_keys"], "critical", root),
        _root_mfa(site, root),
        _count(site, "User MFA", counts["no_mfa"], "high", address("users", "no-mfa", here), base=counts["console_users"]),
        _count(site, "Never used", counts["never_used"], "high", address("keys", "never-used", here)),
        _count(site, "Unused 90+", counts["unused_90"], "high", address("keys", "unused", here)),
        _count(site, f"Over {policy.number('key.too_old')} d", counts["over_age"], "medium", address("keys", "over-age", here)),
    ]
    return (*cells, _data_age(site, account, now))


def _count(site: Site, label: str, count: int, level: str, url: str, *, base: int | None = None) -> Cell:
    if not site.is_reporting:
        return Cell(label, "?", "unknown", url)
    return Cell(label, f"{count:,}" if base is None else f"{count:,} / {base:,}", level if count else "", url)


def _root_mfa(site: Site, url: str) -> Cell:
    unprotected = site.is_root_unprotected
    if not site.is_reporting or unprotected is None:
        return Cell("Root MFA", "?", "unknown", url)
    if unprotected:
        return Cell("Root MFA", "off", "critical", url)
    return Cell("Root MFA", "on" if site.status and site.status.root_mfa_on else "n/a", "", url)


def _data_age(site: Site, url: str, now: datetime) -> Cell:
    newest = site.status.report_generated_at if site.status else None
    words = relative(newest, now).removesuffix(" ago") if newest else "never"
    return Cell("Data age", words, "" if site.is_reporting else "high", url)
