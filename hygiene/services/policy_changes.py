"""Changes of the policy by people: the profile in force, and overrides. Each is checked, stored and in the audit log, or nothing is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Q, QuerySet

from accounts import audit
from accounts.models import Account
from hygiene.domain.facts import UserClass
from hygiene.domain.policy import Override, Scope
from hygiene.domain.profiles import DEFAULT, PROFILES, TITLES
from hygiene.domain.rules import RULES
from hygiene.domain.verdicts import Severity, Subject
from hygiene.models import InstallationPolicy, PolicyOverride
from hygiene.services import policies
from hygiene.services.change_rules import Invalid

if TYPE_CHECKING:
    from django.contrib.auth.models import User

TAG = re.compile(r"[^=]{1,128}(=.{0,256})?", re.DOTALL)
BOUNDS = {  # of numbers by name; days where a name says nothing else
    "hours": (1, 720),
    "high_over": (1, 36_500),
    "counts_keys": (0, 1),
    "minimum_length": (6, 128),
    "reuse_prevention": (1, 24),
    "older_used_within": (0, 3_650),
}
USUAL = (1, 3_650)
PHRASES = {
    "days": "{:,} days",
    "high_over": "high over {:,} days",
    "hours": "{:,} hours",
    "newer_older_than": "newer over {:,} days",
    "older_used_within": "older used within {:,} days",
    "minimum_length": "minimum length {:,}",
    "reuse_prevention": "remembers {:,} passwords",
}
WORDS = {"is_on": "On or off", "severity": "Severity", "days": "Days", "high_over": "High over (days)", "hours": "Hours"}


@dataclass(frozen=True, slots=True)
class Draft:
    """An override as somebody typed it; `account` is one that the person may see."""

    scope: str
    rule: str
    name: str
    value: str
    reason: str = ""
    target: str = ""
    account: Account | None = None


def names_of(rule: str) -> tuple[str, ...]:
    """What an override may change of a rule: whether it is on, its severity, its numbers."""
    return ("is_on", "severity", *DEFAULT[rule].numbers)


def words_of(name: str) -> str:
    """Such a name as a label."""
    return WORDS.get(name, name.replace("_", " ").capitalize())


def numbers_words(numbers: Mapping[str, int]) -> str:
    """The numbers of a rule in one line: "90 days, high over 365 days"."""
    return ", ".join(_phrase(name, number) for name, number in numbers.items())


def _phrase(name: str, number: int) -> str:
    if name == "counts_keys":
        return "keys count too" if number else "password only"
    return PHRASES[name].format(number).replace("1 days", "1 day") if number == 1 else PHRASES[name].format(number)


def value_words(name: str, value: int) -> str:
    """A value as pages and the audit log say it: on, off, medium, 90."""
    if name == "is_on":
        return "on" if value else "off"
    return Severity(value).word if name == "severity" and value in list(Severity) else str(value)


@transaction.atomic
def set_profile(profile: str, *, actor: User, now: datetime, reason: str = "") -> bool:
    """Put a named profile in force for the installation. False when it was already. Raises Invalid for one that does not exist."""
    if profile not in PROFILES:
        raise Invalid({"profile": f"There is no profile {profile or 'without a name'}; there are {', '.join(PROFILES)}."})
    before = policies.load()
    if before.profile == profile and before.is_chosen:
        return False
    row = InstallationPolicy.objects.select_for_update().order_by("pk").first() or InstallationPolicy()
    row.profile, row.set_by, row.set_at = profile, actor, now
    row.save()
    audit.record(
        action="policy.profile",
        outcome="succeeded",
        now=now,
        actor=actor,
        target=f"profile {TITLES[profile]}",
        reason=reason[:2000],
        before={"profile": before.profile},
        after={"profile": profile},
    )
    transaction.on_commit(policies.forget)
    return True


@transaction.atomic
def set_override(draft: Draft, *, actor: User, now: datetime) -> PolicyOverride:
    """Store one value of one rule at one place; it replaces the value that stood there. Raises Invalid, and then stores nothing."""
    errors = check(draft)
    if errors:
        raise Invalid(errors)
    value = _number(draft)
    assert value is not None  # noqa: S101  # it has just been checked
    target = draft.target.strip() if draft.scope in (Scope.TAG, Scope.USER_CLASS) else ""
    place: dict[str, Any] = {"scope": draft.scope, "target": target, "rule": draft.rule, "name": draft.name, "account": draft.account}
    row = PolicyOverride.objects.select_for_update().filter(**place).first() or PolicyOverride(**place)
    before = {} if row.pk is None else {"value": value_words(row.name, row.value)}
    row.value, row.reason, row.set_by_name, row.set_at = value, draft.reason.strip()[:2000], actor.get_username(), now
    row.save()
    _record("policy.override", row, actor=actor, now=now, before=before, after={"value": value_words(row.name, value)})
    return row


@transaction.atomic
def remove_override(row: PolicyOverride, *, actor: User, now: datetime, reason: str = "") -> None:
    """Take an override away: what stands behind it holds again."""
    before = {"value": value_words(row.name, row.value)}
    row.reason = reason.strip()[:2000]
    _record("policy.override_removed", row, actor=actor, now=now, before=before, after={})
    row.delete()


def _record(action: str, row: PolicyOverride, *, actor: User, now: datetime, before: dict[str, Any], after: dict[str, Any]) -> None:
    where = as_override(row).where
    audit.record(
        action=action,
        outcome="succeeded",
        now=now,
        actor=actor,
        account=row.account,
        target=f"{row.rule}, {words_of(row.name).lower()}, {where}",
        reason=row.reason,
        before=before,
        after=after,
    )
    transaction.on_commit(policies.forget)


def visible_overrides(user: User) -> QuerySet[PolicyOverride]:
    """Overrides that a person may see: of accounts in their scope, and of no account."""
    seen = Q(account__isnull=True) | Q(account__in=Account.objects.visible_to(user))
    return PolicyOverride.objects.filter(seen).select_related("account").order_by("rule", "name", "scope", "target", "pk")


def describe(row: PolicyOverride) -> str:
    """Such as "Over maximum age: days 60 for account prod-1"."""
    rule = RULES.get(row.rule)
    where = as_override(row).where
    return f"{rule.title if rule else row.rule}: {words_of(row.name).lower()} {value_words(row.name, row.value)} for {where}"


def as_override(row: PolicyOverride) -> Override:
    """The row as rules read it."""
    target = row.account.account_id if row.account else row.target
    return Override(Scope(row.scope), target, row.rule, row.name, row.value, row.account.name if row.account else "")


def check(draft: Draft) -> dict[str, str]:
    """One sentence for each field that does not hold."""
    if draft.rule not in RULES:
        return {"rule": "Choose a rule."}
    errors = _check_place(draft)
    if draft.name not in names_of(draft.rule):
        errors["name"] = f"{RULES[draft.rule].title} has {_joined(map(words_of, names_of(draft.rule)))} to set."
    elif _number(draft) is None:
        errors["value"] = _range(draft.name)
    if (draft.rule, draft.name) == ("account.stale", "hours") and draft.scope != Scope.INSTALLATION:
        errors["scope"] = "When data is out of date is one number for the whole installation, since every page counts by it."
    if draft.rule in ("account.stale", "account.unreachable") and draft.name == "is_on":
        errors["name"] = "This rule cannot be switched off: silence is the worst failure."
    return errors


def _check_place(draft: Draft) -> dict[str, str]:
    if draft.scope not in tuple(Scope):
        return {"scope": "Choose where it holds."}
    if draft.scope == Scope.ACCOUNT and draft.account is None:
        return {"account": "Choose the account."}
    if draft.scope == Scope.USER_CLASS:
        if draft.target not in tuple(UserClass):
            return {"target": "A class of users is human or machine."}
        if RULES[draft.rule].subject in (Subject.ACCOUNT, Subject.ROOT):
            return {"scope": f"{RULES[draft.rule].title} judges no user, so it has no number for a class of users."}
    if draft.scope == Scope.TAG and not TAG.fullmatch(draft.target.strip()):
        return {"target": "Give a tag as name=value, or as name for any value."}
    return {}


def _number(draft: Draft) -> int | None:
    """The value as it is stored; None when it does not hold."""
    text = draft.value.strip().lower()
    if draft.name == "is_on":
        return {"on": 1, "off": 0, "1": 1, "0": 0}.get(text)
    if draft.name == "severity":
        return {severity.word: severity.value for severity in Severity if severity}.get(text)
    least, most = BOUNDS.get(draft.name, USUAL)
    return int(text) if text.isascii() and text.isdigit() and least <= int(text[:9]) <= most else None


def _range(name: str) -> str:
    if name == "is_on":
        return "Say on or off."
    if name == "severity":
        return f"Choose {_joined(severity.word for severity in Severity if severity)}."
    least, most = BOUNDS.get(name, USUAL)
    return f"A whole number from {least:,} to {most:,}."


def _joined(words: Iterable[str]) -> str:
    found = list(words)
    return " or ".join(filter(None, [", ".join(found[:-1]), found[-1]]))
