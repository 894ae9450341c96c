"""Policy: the rules as they hold for one account and, inside it, for one user. Pure; resolved once at the edge.

A profile (`domain.profiles`) gives every rule its numbers; overrides change single values. Of several overrides of one value the
last of these wins: the installation, a class of users, a tag (of several, the last by name), the account.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum

from hygiene.domain.facts import UserClass
from hygiene.domain.profiles import PROFILES, RuleSetting
from hygiene.domain.verdicts import Severity

DELETE_WAIT_DAYS = 14  # between disable and delete
IN_USE_DAYS = 90  # a key used within it asks for more before it is disabled


class Scope(StrEnum):
    """Where an override holds. Of several that apply to one value, the one that stands last here wins."""

    INSTALLATION = "installation"
    USER_CLASS = "user_class"
    TAG = "tag"
    ACCOUNT = "account"


PRECEDENCE = {scope: place for place, scope in enumerate(Scope)}


@dataclass(frozen=True, slots=True)
class Override:
    """One value of one rule at one place. `name`: "is_on" (0 or 1), "severity" (a Severity), or a number of the rule.

    `target`: "human" or "machine", "name" or "name=value" of a tag, the account's number, or "". `label`: the account's name.
    """

    scope: Scope
    target: str
    rule: str
    name: str
    value: int
    label: str = ""

    @property
    def where(self) -> str:
        """The place in words."""
        return {
            Scope.INSTALLATION: "installation",
            Scope.USER_CLASS: f"{self.target} users",
            Scope.TAG: f"tag {self.target}",
            Scope.ACCOUNT: f"account {self.label or self.target}",
        }[self.scope]


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules as they hold for one account. `overrides`: those that hold in all of it; `narrower`: those of some of its users."""

    profile: str
    rules: Mapping[str, RuleSetting]
    overrides: tuple[Override, ...] = ()
    narrower: tuple[Override, ...] = ()
    _known: dict[tuple[Override, ...], Policy] = field(default_factory=dict, compare=False, repr=False)

    def is_on(self, rule: str) -> bool:
        """Whether the rule is judged at all."""
        return rule in self.rules and self.rules[rule].is_on

    def number(self, rule: str, name: str = "days") -> int:
        """A number of the rule; KeyError when the rule has none of this name."""
        return self.rules[rule].numbers[name]

    def severity(self, rule: str) -> Severity:
        """Severity of a failure before any rule of its own raises it."""
        return self.rules[rule].severity

    @property
    def stale_after(self) -> timedelta:
        """Age of the newest report beyond which an account is not reporting."""
        return timedelta(hours=self.number("account.stale", "hours"))

    def for_principal(self, user_class: UserClass | None, tags: Mapping[str, str] | None) -> Policy:
        """The rules for one user of the account, by its class and tags; None for what is not known. The policy itself without overrides."""
        fitting = tuple(override for override in self.narrower if _fits(override, user_class, tags or {}))
        if not fitting:
            return self
        if fitting not in self._known:
            self._known[fitting] = _build(self.profile, (*self.overrides, *fitting), ())
        return self._known[fitting]


def resolve(
    profile: str = "default",
    overrides: Iterable[Override] = (),
    *,
    account_id: str | None = None,
    account_tags: Mapping[str, str] | None = None,
) -> Policy:
    """The policy of a named profile, with the overrides that concern one account. KeyError for a profile that does not exist.

    Without an account only overrides of the installation and of some users hold.
    """
    whole, narrower = [], []
    for override in overrides:
        if _holds(override, account_id, account_tags or {}):
            whole.append(override)
        elif override.scope in (Scope.USER_CLASS, Scope.TAG):
            narrower.append(override)
    return _build(profile, whole, narrower)


def _holds(override: Override, account_id: str | None, account_tags: Mapping[str, str]) -> bool:
    """Whether the override holds for everything in the account."""
    if override.scope is Scope.TAG:
        return _has(account_tags, override.target)
    return override.scope is Scope.INSTALLATION or (override.scope is Scope.ACCOUNT and override.target == account_id)


def _build(profile: str, overrides: Iterable[Override], narrower: Iterable[Override]) -> Policy:
    ordered = sorted(overrides, key=lambda override: (PRECEDENCE[override.scope], override.target))
    rules = dict(PROFILES[profile])
    for override in ordered:
        if override.rule in rules:
            rules[override.rule] = _changed(rules[override.rule], override)
    return Policy(profile, rules, tuple(ordered), tuple(narrower))


def _changed(setting: RuleSetting, override: Override) -> RuleSetting:
    """The setting with one value changed; an override of a number that the rule does not have changes nothing."""
    places = {**setting.places, override.name: override.where}
    if override.name == "is_on":
        return replace(setting, is_on=bool(override.value), places=places)
    if override.name == "severity":
        return replace(setting, severity=Severity(override.value), places=places)
    if override.name in setting.numbers:
        return replace(setting, numbers={**setting.numbers, override.name: override.value}, places=places)
    return setting


def _fits(override: Override, user_class: UserClass | None, tags: Mapping[str, str]) -> bool:
    if override.scope is Scope.USER_CLASS:
        return user_class is not None and override.target == user_class.value
    return _has(tags, override.target)


def _has(tags: Mapping[str, str], wanted: str) -> bool:
    """Whether the tag "name" is there, or has the value of "name=value"."""
    name, has_value, value = wanted.partition("=")
    return name in tags and (not has_value or tags[name] == value)
