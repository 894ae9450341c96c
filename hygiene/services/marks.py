"""Worst severity and failing rules on rows of principals and keys, for lists. Exempt and unknown verdicts leave no mark."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hygiene.domain.verdicts import Outcome, Verdict
from hygiene.models import AccessKey, Principal

CHUNK = 1000  # rows of one statement; SQLite takes fewer, and Django cuts them there


def mark_worst(principals: Sequence[Principal], keys: Sequence[AccessKey], verdicts: Iterable[Verdict], roots: set[int]) -> None:
    """Worst severity and failing rules on the rows themselves, for lists; only rows that differ are written."""
    of_key: dict[int, list[Verdict]] = {}
    of_principal: dict[int, list[Verdict]] = {}
    for verdict in verdicts:
        if verdict.outcome is Outcome.FAIL and verdict.principal_ref is not None:
            of_principal.setdefault(verdict.principal_ref, []).append(verdict)
            if verdict.key_ref is not None:
                of_key.setdefault(verdict.key_ref, []).append(verdict)
    of_root_key = {pk: [verdict for verdict in of_principal.get(pk, []) if verdict.rule == "root.key_present"] for pk in roots}
    _write_marks(Principal, [row for row in principals if _mark(row, of_principal.get(row.pk, []))])
    _write_marks(AccessKey, [row for row in keys if _mark(row, of_root_key.get(row.principal_id, of_key.get(row.pk, [])))])


def _write_marks(model: type[Principal | AccessKey], rows: Iterable[Principal | AccessKey]) -> None:
    """Few statements for any number of rows: one for each mark where there are few marks, else one for each chunk of rows."""
    marked = list(rows)
    groups: dict[tuple[int, tuple[str, ...]], list[int]] = {}
    for row in marked:
        groups.setdefault((row.severity, tuple(row.failing_rules)), []).append(row.pk)
    if len(groups) > len(marked) // CHUNK + 1:
        model.objects.bulk_update(marked, ["severity", "failing_rules"], batch_size=CHUNK)  # type: ignore[arg-type]  # rows of this model
        return
    for (severity, rules), ids in groups.items():
        for start in range(0, len(ids), 900):
            model.objects.filter(pk__in=ids[start : start + 900]).update(severity=severity, failing_rules=list(rules))


def _mark(row: Principal | AccessKey, verdicts: list[Verdict]) -> bool:
    worst = sorted(verdicts, key=lambda verdict: (-verdict.severity, verdict.rule))
    severity, rules = int(worst[0].severity) if worst else 0, list(dict.fromkeys(verdict.rule for verdict in worst))
    if (row.severity, row.failing_rules) == (severity, rules):
        return False
    row.severity, row.failing_rules = severity, rules
    return True
