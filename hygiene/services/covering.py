"""Which verdicts live exemptions cover. A covered failure is exempt: it is counted apart, and not as failing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db.models import Q

from accounts.models import Account
from hygiene.domain.verdicts import Outcome, Verdict
from hygiene.models import Exemption, ExemptionScope, Principal

Place = tuple[int | None, int | None, str]  # principal, key and rule of a verdict


@dataclass(frozen=True, slots=True)
class Coverage:
    """Live exemptions that may cover something in one account, the one that lasts longest first."""

    exemptions: tuple[Exemption, ...]
    account_tags: Mapping[str, str]
    user_tags: Mapping[int, Mapping[str, str]]

    def of(self, verdict: Verdict) -> Exemption | None:
        """The exemption that covers this failure longest."""
        return next((row for row in self.exemptions if self._covers(row, verdict)), None)

    def _covers(self, row: Exemption, verdict: Verdict) -> bool:
        if row.rules and verdict.rule not in row.rules:
            return False
        if row.scope == ExemptionScope.KEY:
            return verdict.key_ref is not None and verdict.key_ref == row.key_id
        if row.scope == ExemptionScope.USER:
            return verdict.principal_ref is not None and verdict.principal_ref == row.principal_id
        if row.scope == ExemptionScope.TAG:
            own = self.user_tags.get(verdict.principal_ref, {}) if verdict.principal_ref is not None else {}
            return _has(own, row.tag) or _has(self.account_tags, row.tag)
        return True


def coverage(account: Account, principals: Sequence[Principal], *, now: datetime) -> Coverage:
    """What holds now for the account and these principals. One query."""
    here = Q(account=account) | Q(account__isnull=True, scope=ExemptionScope.TAG)
    rows = Exemption.objects.live().filter(here, ends_at__gt=now).order_by("-ends_at", "pk")
    return Coverage(tuple(rows), account.tags, {principal.pk: principal.tags or {} for principal in principals})


def apply(verdicts: Iterable[Verdict], covered_by: Coverage) -> tuple[list[Verdict], dict[Place, Exemption]]:
    """The verdicts with covered failures as exempt, and what covers each of these."""
    judged, found = [], {}
    for verdict in verdicts:
        exemption = covered_by.of(verdict) if verdict.outcome is Outcome.FAIL else None
        if exemption is not None:
            found[verdict.principal_ref, verdict.key_ref, verdict.rule] = exemption
        judged.append(verdict if exemption is None else replace(verdict, outcome=Outcome.EXEMPT))
    return judged, found


def _has(tags: Mapping[str, str], wanted: str) -> bool:
    name, has_value, value = wanted.partition("=")
    return name in tags and (not has_value or tags[name] == value)
