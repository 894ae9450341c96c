"""What a rule is, and the small words its condition is written in. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import NamedTuple

from hygiene.domain.ages import is_in_future, whole_days
from hygiene.domain.facts import AccountFacts, KeyFacts, KeyMatch, LastUse, PrincipalFacts, Source, UseState
from hygiene.domain.guides import GUIDES, Guide
from hygiene.domain.policy import Policy
from hygiene.domain.profiles import DEFAULT
from hygiene.domain.verdicts import FactUsed, Outcome, Severity, Subject

NOT_READ = "a needed fact is unknown"


@dataclass(frozen=True, slots=True)
class Case:
    """What one rule is asked about. A user's or key's case has its principal; only a key's case has a key."""

    account: AccountFacts
    policy: Policy
    now: datetime
    principal: PrincipalFacts | None = None
    key: KeyFacts | None = None

    @property
    def user(self) -> PrincipalFacts:
        """The principal of a case that has one."""
        assert self.principal is not None  # noqa: S101  # the registry calls rules of users and root with a principal
        return self.principal

    @property
    def this_key(self) -> KeyFacts:
        """The key of a case that has one."""
        assert self.key is not None  # noqa: S101  # the registry calls rules of keys with a key
        return self.key

    def days(self, moment: datetime | None) -> int | None:
        """D(moment); None when it is not known or lies in the future beyond clock skew."""
        past = self.past(moment)
        return None if past is None else whole_days(past, self.now)

    def past(self, moment: datetime | None) -> datetime | None:
        """The moment, where an age may be computed from it: None when it is not known or lies in the future beyond clock skew."""
        return None if moment is None or is_in_future(moment, self.now) else moment

    def reported(self, name: str, value: str) -> FactUsed:
        """A fact of the principal's row in the credential report."""
        return FactUsed(name, value, self.user.observed_at, Source.REPORT)


class Judgement(NamedTuple):
    """Answer of a rule's condition. `severity` None: the policy's. `is_pending`: a fact was not collected yet."""

    outcome: Outcome
    explanation: str
    comparison: str = ""
    facts: tuple[FactUsed, ...] = ()
    severity: Severity | None = None
    is_pending: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: what it judges and how. Its words are in `domain.guides`, its numbers in `domain.profiles`; docs/rules.md lists all."""

    code: str
    subject: Subject
    condition: Callable[[Case], Judgement]
    version: int = 1
    guide: Guide = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "guide", GUIDES[self.code])

    @property
    def title(self) -> str:
        """Its plain name."""
        return self.guide.title

    @property
    def severity(self) -> Severity:
        """Severity of a failure in the default profile, before an age raises it."""
        return DEFAULT[self.code].severity


def failed(explanation: str, comparison: str, *facts: FactUsed, severity: Severity | None = None) -> Judgement:
    """The condition for failure holds."""
    return Judgement(Outcome.FAIL, explanation, comparison, facts, severity)


def passed(explanation: str, comparison: str, *facts: FactUsed) -> Judgement:
    """The condition for failure certainly does not hold."""
    return Judgement(Outcome.PASS, explanation, comparison, facts)


def unknown(explanation: str, *facts: FactUsed) -> Judgement:
    """A needed fact could not be read, or is not to be trusted."""
    return Judgement(Outcome.UNKNOWN, explanation, NOT_READ, facts)


def unread(case: Case, permission: str, what: str, *facts: FactUsed) -> Judgement:
    """A fact that was never read: refused by AWS, with the permission that is missing, or not collected yet."""
    if permission in case.account.missing_permissions:
        return unknown(f"The read role may not call {permission}, so {what} is not known.", *facts)
    return pending(f"{permission} was not read yet, so {what} is not known.", *facts)


def pending(explanation: str, *facts: FactUsed) -> Judgement:
    """A fact of a rule that is off until the fact was collected."""
    return Judgement(Outcome.UNKNOWN, explanation, NOT_READ, facts, is_pending=True)


def not_applicable(explanation: str, *facts: FactUsed) -> Judgement:
    """The rule has nothing to say about this subject."""
    return Judgement(Outcome.NOT_APPLICABLE, explanation, "", facts)


def iso(moment: datetime | None) -> str:
    """A time as evidence text, in UTC."""
    return "unknown" if moment is None else moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def ago(days: int) -> str:
    """0 → today, 1 → 1 day ago, 412 → 412 days ago."""
    return "today" if days == 0 else f"{counted(days)} ago"


def counted(days: int) -> str:
    """1 day, 412 days, 1,204 days."""
    return "1 day" if days == 1 else f"{days:,} days"


def status_fact(key: KeyFacts, name: str = "status") -> FactUsed:
    """The key's status as evidence."""
    return FactUsed(name, key.status_raw or key.status, key.status_observed_at, key.status_source)


def born_fact(key: KeyFacts, name: str = "created") -> FactUsed:
    """The key's creation as evidence."""
    return FactUsed(name, iso(key.created_at), key.status_observed_at, key.status_source)


def use_fact(use: LastUse, name: str = "last used") -> FactUsed:
    """A last use as evidence: its time, else the word of its state."""
    return FactUsed(name, iso(use.at) if use.at else use.state, use.observed_at, use.source)


def use_of(key: KeyFacts) -> LastUse:
    """The key's last use; unknown where it is a report slot's that may belong to the other key."""
    use = key.last_use
    if key.match is KeyMatch.AMBIGUOUS and use.source is Source.REPORT:
        return replace(use, state=UseState.UNKNOWN, at=None, region=None, service=None)
    return use


def is_unused(use: LastUse) -> bool:
    """Whether AWS has no record of use, for either reason."""
    return use.state in (UseState.NEVER, UseState.NO_DATA)
