"""What a rule says about a subject: the outcome, how bad, and everything an auditor needs to recompute it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import NamedTuple


class Outcome(StrEnum):
    """Five outcomes. UNKNOWN is never shown or counted as PASS; EXEMPT is set by the findings service, not by a rule."""

    FAIL = "fail"
    PASS = "pass"  # noqa: S105  # not a password
    NOT_APPLICABLE = "not_applicable"
    EXEMPT = "exempt"
    UNKNOWN = "unknown"


class Severity(IntEnum):
    """How bad a failure is; ordered, so that the worst is the largest."""

    NONE = 0
    INFO = 10
    LOW = 20
    MEDIUM = 30
    HIGH = 40
    CRITICAL = 50

    @property
    def word(self) -> str:
        """The word of pages, mails and exports."""
        return self.name.lower()


class Subject(StrEnum):
    """What a rule judges."""

    ACCOUNT = "account"
    ROOT = "root"
    USER = "user"
    KEY = "key"


class FactUsed(NamedTuple):
    """One fact a verdict rests on. `value` is text or an ISO 8601 UTC time; `observed_at` and `source` say where it is from."""

    name: str
    value: str
    observed_at: datetime | None = None
    source: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One rule's judgement of one subject. Refs are the handles of the facts; both None for an account.

    `facts`, `numbers` and `evaluated_at` are all that `domain.recompute` needs to come to the same outcome. `set_in` says where the
    numbers were set. `is_pending`: unknown only because a fact was not collected yet, and nothing is in the way of collecting it.
    """

    rule: str
    version: int
    profile: str
    outcome: Outcome
    severity: Severity
    explanation: str
    principal_ref: int | None = None
    key_ref: int | None = None
    facts: tuple[FactUsed, ...] = ()
    comparison: str = ""
    numbers: Mapping[str, int] = field(default_factory=dict)
    set_in: str = ""
    evaluated_at: datetime | None = None
    is_pending: bool = False
