"""What a list without rows says: that its accounts do not report, that nothing was read yet, or what it means when all is well."""

from __future__ import annotations

from typing import Any

from hygiene.domain.query import Query, parse_query
from hygiene.filters import ACCOUNTS, Scene, narrow
from hygiene.models import AccountStatus
from hygiene.services import untold

CHOOSERS = ("account", "ou", "tag")  # words of the filter line that choose accounts
READ = ("keys", "users", "findings")  # lists whose rows come from the accounts' reports


def words(kind: str, text: str, scene: Scene, *, when_well: str, names_silent: bool = False) -> dict[str, Any]:
    """For the template `_empty`. `text`: the filter line. `names_silent`: name every account that should report and does not."""
    has_data = AccountStatus.objects.visible_to(scene.user).filter(report_generated_at__isnull=False).exists()
    return {"empty_words": when_well, "has_data": has_data, "silent": _silent(kind, text, scene, names_silent=names_silent)}


def _silent(kind: str, text: str, scene: Scene, *, names_silent: bool) -> list[untold.Silent]:
    """Of the accounts chosen by the filter line those that do not report; without such words all, if none reports."""
    if kind not in READ:
        return []
    accounts, now, policy = untold.visible_accounts(scene.user), scene.now, scene.policy
    chosen = [term for term in parse_query(text, keys=CHOOSERS).terms if term.key]
    if chosen:
        found, _ = narrow(accounts, Query(tuple(chosen)), ACCOUNTS, scene)
        return untold.silent_accounts(found, policy=policy, now=now)
    if not names_silent and untold.is_any_reporting(scene.user, policy=policy, now=now):
        return []
    return [entry for entry in untold.silent_accounts(accounts, policy=policy, now=now) if entry.should_report]
