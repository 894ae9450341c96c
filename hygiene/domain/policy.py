"""Policy: which rules are on, with which numbers and severities, and where each was set. Pure; resolved once at the edge."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from hygiene.domain.verdicts import Severity


@dataclass(frozen=True, slots=True)
class RuleSetting:
    """One rule in one profile. `numbers` are whole days unless their name says otherwise; `set_in` names the place."""

    severity: Severity
    is_on: bool = True
    numbers: Mapping[str, int] | None = None
    set_in: str = "profile default"


LONG_AGO_DAYS = 365
DELETE_WAIT_DAYS = 14  # between disable and delete
IN_USE_DAYS = 90  # a key used within it asks for more before it is disabled


def _days(severity: Severity, days: int, *, is_on: bool = True) -> RuleSetting:
    return RuleSetting(severity, is_on, {"days": days})


def _worse_with_age(severity: Severity, days: int, *, is_on: bool = True) -> RuleSetting:
    """`high_over`: more days than this make a failure high."""
    return RuleSetting(severity, is_on, {"days": days, "high_over": LONG_AGO_DAYS})


DEFAULT: Mapping[str, RuleSetting] = {
    "root.key_present": RuleSetting(Severity.CRITICAL),
    "root.certificate_present": RuleSetting(Severity.CRITICAL),
    "root.no_mfa": RuleSetting(Severity.CRITICAL),
    "root.virtual_mfa": RuleSetting(Severity.MEDIUM),
    "root.used": _days(Severity.HIGH, 1),
    "key.too_old": _worse_with_age(Severity.MEDIUM, 90),
    "key.unused": _worse_with_age(Severity.MEDIUM, 45),
    "key.unused_90": _worse_with_age(Severity.MEDIUM, 90, is_on=False),
    "key.never_used": _days(Severity.HIGH, 7),
    "key.two_active": RuleSetting(Severity.LOW),
    "key.rotation_stalled": RuleSetting(Severity.MEDIUM, True, {"newer_older_than": 14, "older_used_within": 7}),
    "key.superseded": RuleSetting(Severity.MEDIUM),
    "key.inactive_left": _days(Severity.LOW, 30),
    "key.with_password": RuleSetting(Severity.LOW),
    "key.created_at_setup": RuleSetting(Severity.MEDIUM),
    "key.status_other": RuleSetting(Severity.INFO),
    "password.no_mfa": RuleSetting(Severity.HIGH),
    "password.unused": _days(Severity.MEDIUM, 45),
    "password.too_old": _days(Severity.LOW, 90, is_on=False),
    "mfa.virtual_only": RuleSetting(Severity.INFO),
    "certificate.old": _days(Severity.LOW, 90),
    "account.stale": RuleSetting(Severity.HIGH, True, {"hours": 12}),
    "account.unreachable": RuleSetting(Severity.HIGH),
    "slot.ambiguous": RuleSetting(Severity.INFO),
}
PROFILES: Mapping[str, Mapping[str, RuleSetting]] = {"default": DEFAULT}


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules as they hold for one account."""

    profile: str
    rules: Mapping[str, RuleSetting]

    def is_on(self, rule: str) -> bool:
        """Whether the rule is judged at all."""
        return rule in self.rules and self.rules[rule].is_on

    def number(self, rule: str, name: str = "days") -> int:
        """A number of the rule; KeyError when the rule has none of this name."""
        return dict(self.rules[rule].numbers or {})[name]

    def severity(self, rule: str) -> Severity:
        """Severity of a failure before any rule of its own raises it."""
        return self.rules[rule].severity

    @property
    def stale_after(self) -> timedelta:
        """Age of the newest report beyond which an account is not reporting."""
        return timedelta(hours=self.number("account.stale", "hours"))


def resolve(profile: str = "default") -> Policy:
    """The policy of a named profile. KeyError for a name that does not exist."""
    return Policy(profile, PROFILES[profile])
