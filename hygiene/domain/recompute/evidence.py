"""Stored evidence as an auditor reads it: words and times by name, and ages at the time of judgement. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from hygiene.domain.ages import is_in_future, whole_days
from hygiene.domain.verdicts import FactUsed, Outcome

FAIL, PASS, UNKNOWN, NOT_APPLICABLE = Outcome.FAIL, Outcome.PASS, Outcome.UNKNOWN, Outcome.NOT_APPLICABLE
NO_USE = ("never", "no_data")


class CannotRecompute(Exception):
    """The stored evidence is of a rule or a version that is not known here, or lacks a fact."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Stored facts in order; several may have one name."""

    facts: tuple[FactUsed, ...]
    numbers: Mapping[str, int]
    now: datetime

    def all(self, name: str) -> list[str]:
        """Values of the facts whose name starts with `name`."""
        return [fact.value for fact in self.facts if fact.name.startswith(name)]

    def has(self, name: str) -> bool:
        """Whether there is such a fact."""
        return any(fact.name == name for fact in self.facts)

    def __getitem__(self, name: str) -> str:
        for fact in self.facts:
            if fact.name == name:
                return fact.value
        raise CannotRecompute(f"The evidence has no fact “{name}”.")

    def is_active(self, name: str = "status") -> bool:
        """Whether the key is active."""
        return self[name].lower() == "active"

    def moment(self, name: str) -> datetime | None:
        """A time; None for a word."""
        return read_time(self[name])

    def days(self, name: str) -> int | None:
        """Whole days since a time; None for a word, and for a time in the future."""
        return self.age(self[name])

    def age(self, value: str) -> int | None:
        """Whole days since the time that a value names."""
        moment = read_time(value)
        return None if moment is None or is_in_future(moment, self.now) else whole_days(moment, self.now)


def read_time(value: str) -> datetime | None:
    """A time; None for a word."""
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        return None


def over(age: int | None, limit: int) -> Outcome:
    """Fails beyond the limit."""
    return UNKNOWN if age is None else (FAIL if age > limit else PASS)


def at_least(age: int | None, limit: int) -> Outcome:
    """Fails from the limit on."""
    return UNKNOWN if age is None else (FAIL if age >= limit else PASS)


def oldest(evidence: Evidence, name: str) -> Outcome:
    """Of several things one that is over the limit fails; one whose age is not known makes the rest unknown."""
    outcomes = [over(evidence.age(value), evidence.numbers["days"]) for value in evidence.all(name)]
    return next((outcome for outcome in (FAIL, UNKNOWN, PASS) if outcome in outcomes), NOT_APPLICABLE)
