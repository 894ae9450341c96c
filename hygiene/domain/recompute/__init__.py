"""A verdict's outcome once more, from nothing but what was stored of it: facts, numbers, and the time of judgement. Pure.

Written apart from the rules on purpose: it reads evidence as an auditor does, and a test holds the two against each other. It knows
the rules of version 1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from hygiene.domain.recompute import accounts, keys, users
from hygiene.domain.recompute.evidence import FAIL, PASS, UNKNOWN, CannotRecompute, Evidence
from hygiene.domain.verdicts import FactUsed, Outcome

EVALUATED = "evaluated at"
CHECKS: Mapping[str, Callable[[Evidence], Outcome]] = {**accounts.CHECKS, **keys.CHECKS, **users.CHECKS}


def recompute(rule: str, version: int, numbers: Mapping[str, int], facts: Iterable[FactUsed], *, evaluated_at: datetime) -> Outcome:
    """The outcome that follows from the evidence. `exempt` is a failure that somebody accepted, so it comes out as fail.

    Raises CannotRecompute for a rule or version that is not known, and for evidence that lacks a fact.
    """
    if version != 1 or rule not in CHECKS:
        raise CannotRecompute(f"Version {version} of {rule} is not known here.")
    evidence = Evidence(tuple(facts), numbers, evaluated_at)
    if rule != "account.unreachable" and evidence.has("readable") and evidence["readable"] == "no":
        return UNKNOWN
    outcome = CHECKS[rule](evidence)
    is_doubtful = evidence.has("report row") and outcome in (PASS, FAIL)
    return UNKNOWN if is_doubtful else outcome


__all__ = ["CHECKS", "EVALUATED", "CannotRecompute", "recompute"]
