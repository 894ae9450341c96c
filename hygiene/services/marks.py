"""Worst severity and failing rules on rows of principals and keys, for lists. Exempt and unknown verdicts leave no mark."""

from __future__ import annotations

from collections.abc import Iterable

from hygiene.domain.verdicts import Outcome, Verdict
from hygiene.models import AccessKey, Principal
from hygiene.services.holders import Holder


def mark_worst(held: Iterable[Holder], verdicts: Iterable[Verdict]) -> list[Principal | AccessKey]:
    """Worst severity and failing rules on the rows themselves; returns the rows whose mark is new."""
    of_key: dict[int | None, list[Verdict]] = {}
    of_principal: dict[int | None, list[Verdict]] = {}
    for verdict in verdicts:
        if verdict.outcome is Outcome.FAIL:
            of_principal.setdefault(verdict.principal_ref, []).append(verdict)
            of_key.setdefault(verdict.key_ref, []).append(verdict)
    marked: list[Principal | AccessKey] = []
    for holder in held:
        of_all = of_principal.get(holder.principal.pk, [])
        if _mark(holder.principal, of_all):
            marked.append(holder.principal)
        of_root_key = [verdict for verdict in of_all if verdict.rule == "root.key_present"] if holder.principal.is_root else None
        marked += [key for key in holder.keys if _mark(key, of_key.get(key.pk, []) if of_root_key is None else of_root_key)]
    return marked


def _mark(row: Principal | AccessKey, verdicts: list[Verdict]) -> bool:
    worst = sorted(verdicts, key=lambda verdict: (-verdict.severity, verdict.rule)) if len(verdicts) > 1 else verdicts
    severity, rules = int(worst[0].severity) if worst else 0, list(dict.fromkeys(verdict.rule for verdict in worst))
    if (row.severity, row.failing_rules) == (severity, rules):
        return False
    row.severity, row.failing_rules = severity, rules
    return True
