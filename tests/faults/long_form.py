"""Whether this is the long form (`make faults`), and the figures that a run prints at its end (docs/reliability.md has those of one)."""

from __future__ import annotations

import os
from collections import Counter

FULL = os.environ.get("FAULTS_FULL") == "1"
stopped: Counter[str] = Counter()  # by job and kind: how many workers were killed or frozen
longest: dict[str, float] = {}  # by job: seconds of the shared clock until it was settled, at most


def count(job: str, kind: str) -> None:
    """One more worker was killed or frozen."""
    stopped[f"{job} {kind}"] += 1


def settled(job: str, seconds: float) -> None:
    """So long did it take to settle."""
    longest[job] = max(seconds, longest.get(job, 0.0))


def figures() -> list[str]:
    """Lines for people."""
    counted = [f"{number:6} x {what}" for what, number in sorted(stopped.items())]
    return [*counted, *(f"{seconds:6.0f} s at most until {job} ended" for job, seconds in sorted(longest.items()))]
