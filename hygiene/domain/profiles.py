"""The profiles: which rules are on, with which numbers, severities and ids of their standard. Data, and nothing else. Pure.

Every profile has every rule, so that a rule that is off keeps its numbers. Sources: CIS Amazon Web Services Foundations Benchmark
1.2, 1.4, 3.0, 5.0, 6.0 and 7.0; AWS Security Hub, "Security Hub CSPM controls for IAM".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from hygiene.domain.verdicts import Severity

LONG_AGO_DAYS = 365
MOST_NAMED = 6  # rules in a sentence; of more, their number is said


@dataclass(frozen=True, slots=True)
class RuleSetting:
    """One rule as it holds somewhere. `numbers` are whole days unless their name says otherwise.

    `set_in` names the place of what no override sets; `places` that of each overridden number, of "is_on" and of "severity".
    `standard`: the ids of the profile's own standard, such as "1.14".
    """

    severity: Severity
    is_on: bool = True
    numbers: Mapping[str, int] = field(default_factory=dict)
    set_in: str = "profile default"
    standard: str = ""
    places: Mapping[str, str] = field(default_factory=dict)

    def where(self, name: str) -> str:
        """Where this number, "is_on" or "severity" was set: "profile CIS 7.0", "account prod-1", "tag team=data"."""
        return self.places.get(name, self.set_in)

    @property
    def origin(self) -> str:
        """Where the numbers were set, in a few words; each place once."""
        if not self.places:
            return self.set_in
        return ", ".join(dict.fromkeys(self.where(name) for name in (self.numbers or ["is_on"])))


def _days(severity: Severity, days: int, *, is_on: bool = True) -> RuleSetting:
    return RuleSetting(severity, is_on, {"days": days})


def _worse_with_age(severity: Severity, days: int, *, is_on: bool = True) -> RuleSetting:
    """`high_over`: more days than this make a failure high."""
    return RuleSetting(severity, is_on, {"days": days, "high_over": LONG_AGO_DAYS})


DEFAULT: Mapping[str, RuleSetting] = {
    "root.key_present": RuleSetting(Severity.CRITICAL),
    "root.password_present": RuleSetting(Severity.HIGH),
    "root.certificate_present": RuleSetting(Severity.CRITICAL),
    "root.no_mfa": RuleSetting(Severity.CRITICAL, numbers={"counts_keys": 1}),  # 0: the password alone is looked at
    "root.virtual_mfa": RuleSetting(Severity.MEDIUM),
    "root.used": _days(Severity.HIGH, 1),
    "org.central_root_off": RuleSetting(Severity.HIGH),
    "key.too_old": _worse_with_age(Severity.MEDIUM, 90),
    "key.unused": _worse_with_age(Severity.MEDIUM, 45),
    "key.unused_90": _worse_with_age(Severity.MEDIUM, 90, is_on=False),
    "key.never_used": _days(Severity.HIGH, 7),
    "key.two_active": RuleSetting(Severity.LOW),
    "key.rotation_stalled": RuleSetting(Severity.MEDIUM, numbers={"newer_older_than": 14, "older_used_within": 7}),
    "key.superseded": RuleSetting(Severity.MEDIUM),
    "key.inactive_left": _days(Severity.LOW, 30),
    "key.with_password": RuleSetting(Severity.LOW),
    "key.created_at_setup": RuleSetting(Severity.MEDIUM),
    "key.admin": RuleSetting(Severity.INFO),
    "key.quarantined": RuleSetting(Severity.CRITICAL),
    "key.status_other": RuleSetting(Severity.INFO),
    "key.shared": RuleSetting(Severity.LOW),
    "password.no_mfa": RuleSetting(Severity.HIGH),
    "password.unused": _days(Severity.MEDIUM, 45),
    "password.too_old": _days(Severity.LOW, 90, is_on=False),
    "mfa.virtual_only": RuleSetting(Severity.INFO),
    "certificate.old": _days(Severity.LOW, 90),
    "ssh_key.old": _days(Severity.LOW, 90),
    "service_credential.long_lived": RuleSetting(Severity.HIGH),
    "user.no_owner": RuleSetting(Severity.LOW),
    "user.direct_policy": RuleSetting(Severity.LOW),
    "user.role_would_do": RuleSetting(Severity.LOW),
    "account.password_policy": RuleSetting(Severity.MEDIUM, numbers={"minimum_length": 14, "reuse_prevention": 24}),
    "account.stale": RuleSetting(Severity.HIGH, numbers={"hours": 12}),
    "account.unreachable": RuleSetting(Severity.HIGH),
    "tool.long_term_key": RuleSetting(Severity.MEDIUM),
    "slot.ambiguous": RuleSetting(Severity.INFO),
}
ALWAYS_ON = frozenset({"account.stale", "account.unreachable", "slot.ambiguous", "key.status_other", "key.quarantined"})  # in any profile
TITLES: Mapping[str, str] = {
    "default": "default",
    "cis-1.2": "CIS 1.2",
    "cis-1.4": "CIS 1.4",
    "cis-3.0": "CIS 3.0",
    "cis-5.0": "CIS 5.0",
    "cis-6.0": "CIS 6.0",
    "cis-7.0": "CIS 7.0",
    "security-hub": "Security Hub",
}
CIS_1_2: Mapping[str, str] = {
    "root.used": "1.1",
    "password.no_mfa": "1.2",
    "key.unused_90": "1.3",
    "password.unused": "1.3",
    "key.too_old": "1.4",
    "account.password_policy": "1.9, 1.10",
    "root.key_present": "1.12",
    "root.no_mfa": "1.13",
    "root.virtual_mfa": "1.14",
    "user.direct_policy": "1.16",
    "key.created_at_setup": "1.21",
}
CIS_1_4: Mapping[str, str] = {
    "root.key_present": "1.4",
    "root.no_mfa": "1.5",
    "root.virtual_mfa": "1.6",
    "root.used": "1.7",
    "account.password_policy": "1.8, 1.9",
    "password.no_mfa": "1.10",
    "key.created_at_setup": "1.11",
    "key.unused": "1.12",
    "password.unused": "1.12",
    "key.two_active": "1.13",
    "key.too_old": "1.14",
    "user.direct_policy": "1.15",
}
CIS_5_0: Mapping[str, str] = {
    "root.key_present": "1.3",
    "root.no_mfa": "1.4",
    "root.virtual_mfa": "1.5",
    "root.used": "1.6",
    "account.password_policy": "1.7, 1.8",
    "password.no_mfa": "1.9",
    "key.created_at_setup": "1.10",
    "key.unused": "1.11",
    "password.unused": "1.11",
    "key.two_active": "1.12",
    "key.too_old": "1.13",
    "user.direct_policy": "1.14",
}
CIS_6_0: Mapping[str, str] = {
    "root.key_present": "2.3",
    "root.no_mfa": "2.4",
    "root.virtual_mfa": "2.5",
    "root.used": "2.6",
    "account.password_policy": "2.7, 2.8",
    "password.no_mfa": "2.9",
    "key.created_at_setup": "2.10",
    "key.unused": "2.11",
    "password.unused": "2.11",
    "key.two_active": "2.12",
    "key.too_old": "2.13",
    "user.direct_policy": "2.14",
}
CIS_7_0: Mapping[str, str] = {
    "org.central_root_off": "2.1.1",
    "root.key_present": "2.4",
    "root.no_mfa": "2.5",
    "root.virtual_mfa": "2.6",
    "root.used": "2.7",
    "account.password_policy": "2.8, 2.9",
    "password.no_mfa": "2.10",
    "key.unused": "2.11",
    "password.unused": "2.11",
    "key.too_old": "2.12",
    "user.direct_policy": "2.13",
}
SECURITY_HUB: Mapping[str, str] = {
    "user.direct_policy": "IAM.2",
    "key.too_old": "IAM.3",
    "root.key_present": "IAM.4",
    "password.no_mfa": "IAM.5",
    "root.virtual_mfa": "IAM.6",
    "key.unused_90": "IAM.8",
    "root.no_mfa": "IAM.9",
    "account.password_policy": "IAM.15, IAM.16",
    "key.unused": "IAM.22",
    "password.unused": "IAM.22",
    "user.no_owner": "IAM.25",
}
PASSWORD_ONLY: Mapping[str, Mapping[str, int]] = {"root.no_mfa": {"counts_keys": 0}}


def _profile(
    name: str,
    standards: Mapping[str, str],
    *,
    severities: Mapping[str, Severity] | None = None,
    numbers: Mapping[str, Mapping[str, int]] | None = None,
) -> Mapping[str, RuleSetting]:
    """The default's rules, on where the standard has them, with the standard's severities and numbers."""
    found = {}
    for code, setting in DEFAULT.items():
        found[code] = replace(
            setting,
            is_on=code in standards or code in ALWAYS_ON,
            severity=(severities or {}).get(code, setting.severity),
            numbers={**setting.numbers, **(numbers or {}).get(code, {})},
            set_in=f"profile {TITLES[name]}",
            standard=standards.get(code, ""),
        )
    return found


TWO_ACTIVE = {"key.two_active": Severity.MEDIUM}
PROFILES: Mapping[str, Mapping[str, RuleSetting]] = {
    "default": DEFAULT,
    "cis-1.2": _profile("cis-1.2", CIS_1_2, numbers={**PASSWORD_ONLY, "password.unused": {"days": 90}}),
    "cis-1.4": _profile("cis-1.4", CIS_1_4, severities=TWO_ACTIVE, numbers=PASSWORD_ONLY),
    "cis-3.0": _profile("cis-3.0", CIS_1_4, severities=TWO_ACTIVE, numbers=PASSWORD_ONLY),
    "cis-5.0": _profile("cis-5.0", CIS_5_0, severities=TWO_ACTIVE, numbers=PASSWORD_ONLY),
    "cis-6.0": _profile("cis-6.0", CIS_6_0, severities=TWO_ACTIVE, numbers=PASSWORD_ONLY),
    "cis-7.0": _profile("cis-7.0", CIS_7_0, numbers=PASSWORD_ONLY),
    "security-hub": _profile("security-hub", SECURITY_HUB, numbers=PASSWORD_ONLY),
}


@dataclass(frozen=True, slots=True)
class Change:
    """One rule whose setting differs between two profiles. `words` say how: "days 45 → 90", "medium → low"."""

    rule: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """What moving from one profile to another does: rules that go off, rules that come on, and rules that stay on but change."""

    before: str
    after: str
    dropped: tuple[str, ...]
    added: tuple[str, ...]
    changed: tuple[Change, ...]

    @property
    def sentence(self) -> str:
        """Such as "Moving from CIS 6.0 to CIS 7.0 drops 2.10 and 2.12, adds 2.1.1." Rules of no standard go by their code."""
        changed = tuple(change.rule for change in self.changed)
        said = {"drops": (self.before, self.dropped), "adds": (self.after, self.added), "changes": (self.after, changed)}
        parts = [f"{verb} {_joined(_ids(profile, codes))}" for verb, (profile, codes) in said.items() if codes]
        old, new = TITLES[self.before], TITLES[self.after]
        move = f"Moving from {old} to {new.removeprefix('CIS ') if old.startswith('CIS ') else new}"
        return f"{move} {', '.join(parts)}." if parts else f"{move} changes no rule."


def _ids(profile: str, codes: tuple[str, ...]) -> list[str]:
    """Ids of the profile's standard in the standard's order, codes of rules where it is none; each once."""
    found = {PROFILES[profile][code].standard or code for code in codes}
    return sorted(found, key=lambda word: ([int(part) for part in re.findall(r"\d+", word)], word))


def difference(before: str, after: str) -> Difference:
    """What differs between two named profiles. KeyError for a name that does not exist."""
    old, new = PROFILES[before], PROFILES[after]
    both = [code for code in old if old[code].is_on and new[code].is_on]
    changed = [Change(code, words) for code in both if (words := _changes(old[code], new[code]))]
    return Difference(
        before,
        after,
        dropped=tuple(code for code in old if old[code].is_on and not new[code].is_on),
        added=tuple(code for code in new if new[code].is_on and not old[code].is_on),
        changed=tuple(changed),
    )


def _changes(old: RuleSetting, new: RuleSetting) -> tuple[str, ...]:
    words = [f"{old.severity.word} → {new.severity.word}"] if old.severity != new.severity else []
    words += [
        f"{name.replace('_', ' ')} {old.numbers[name]} → {value}" for name, value in new.numbers.items() if old.numbers[name] != value
    ]
    return tuple(words)


def _joined(words: list[str]) -> str:
    if len(words) > MOST_NAMED:
        return f"{len(words)} rules"
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
