"""The built-in views of lists as conditions, and what a saved view shows in a digest: the same rows as its page."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet

from hygiene.domain.policy import Policy
from hygiene.domain.query import parse_query
from hygiene.domain.verdicts import Severity
from hygiene.filters.conditions import Condition, Scene, keys_of, narrow
from hygiene.filters.lists import FINDINGS, KEYS, USERS
from hygiene.models import AccessKey, Finding, FindingOutcome, Principal, SavedView
from hygiene.services import policies
from hygiene.services.digest_parts import MOST_LINES, Line, Section, link, section
from hygiene.services.digest_sections import key_line
from hygiene.services.permissions import waiting_days
from hygiene.services.posture import console_users, counted, ready_to_delete, reporting

FINDING_VIEWS = {
    "open": Q(resolved_at__isnull=True, outcome=FindingOutcome.FAIL),
    "unknown": Q(resolved_at__isnull=True, outcome=FindingOutcome.UNKNOWN),
    "exempt": Q(resolved_at__isnull=True, outcome=FindingOutcome.EXEMPT),
    "fixed": Q(resolved_at__isnull=False),
}
IN_A_DIGEST = ("keys", "users", "findings")  # lists whose saved views may be a section of a digest


def key_views(policy: Policy, now: datetime) -> dict[str, Q]:
    """Of access keys. Counts cover reporting accounts only, as everywhere."""
    current = reporting(policy=policy, now=now)
    return {
        "action": Q(severity__gt=0) & current,
        "never-used": counted("never_used", policy=policy, now=now) & current,
        "unused": counted("unused_90", policy=policy, now=now) & current,
        "over-age": counted("over_age", policy=policy, now=now) & current,
        "ready": ready_to_delete(now=now, days=waiting_days(policies.current().waiting)) & current,
        "root": Q(principal__is_root=True),
        "no-owner": Q(principal__owner="", account__owner_email="", principal__is_root=False) & current,
    }


def user_views(policy: Policy, now: datetime) -> dict[str, Q]:
    """Of IAM users. Counts cover reporting accounts only."""
    current = reporting(policy=policy, now=now)
    return {
        "action": Q(severity__gt=0) & current,
        "no-mfa": counted("no_mfa", policy=policy, now=now) & current,
        "console": console_users() & current,
        "with-keys": Q(active_keys__gt=0) & current,
    }


def look_at(saved: SavedView, user: User, now: datetime) -> Section:
    """The first rows of a saved view as the person sees them now, worst first, and how many more there are."""
    policy = policies.current().installation
    words = {"q": saved.query, "view": saved.view, "sort": saved.sort, "cols": saved.columns, "saved": str(saved.uuid)}
    url = f"{link(saved.page)}?{urlencode({name: value for name, value in words.items() if value})}"
    scene = Scene(now, policy, user)
    if saved.page == "keys":
        rows = _rows(AccessKey.objects.visible_to(user).present(), saved, KEYS, key_views(policy, now), scene)
        found = rows.select_related("account", "principal").order_by("-severity", "created_at", "pk")[:MOST_LINES]
        lines = [key_line(key, now) for key in found]
    elif saved.page == "users":
        rows = _rows(Principal.objects.visible_to(user).present().users(), saved, USERS, user_views(policy, now), scene)
        lines = [_user_line(row) for row in rows.select_related("account").order_by("-severity", "name", "pk")[:MOST_LINES]]
    else:
        views = {**FINDING_VIEWS, "": FINDING_VIEWS["open"]}
        rows = _rows(Finding.objects.visible_to(user), saved, FINDINGS, views, scene)
        found = rows.select_related("account", "principal", "key").order_by("-severity", "rule", "opened_at", "pk")[:MOST_LINES]
        lines = [_finding_line(row) for row in found]
    return section(saved.name, lines, rows.count(), url, "Nothing matches this view.")


def _rows(
    rows: QuerySet[Any, Any], saved: SavedView, conditions: Mapping[str, Condition], views: Mapping[str, Q], scene: Scene
) -> QuerySet[Any, Any]:
    found, _ = narrow(rows, parse_query(saved.query, keys=keys_of(conditions)), conditions, scene)
    return found.filter(views[saved.view]) if saved.view in views else found


def _user_line(row: Principal) -> Line:
    words = f"password {row.password_state}, MFA {row.mfa_state}, {row.active_keys} active key{'' if row.active_keys == 1 else 's'}"
    return Line(_word(row.severity), f"{row.name} in {row.account.name}", words, link("user", row.uuid))


def _finding_line(row: Finding) -> Line:
    name = row.principal.name if row.principal else "account"
    url = link("key", row.key.uuid) if row.key else link("account", row.account.account_id)
    return Line(_word(row.severity), f"{name} in {row.account.name}", row.explanation, url)


def _word(severity: int) -> str:
    return Severity(severity).word if severity else "ok"
