"""Kinds of conditions that terms of the filter line stand for. The grammar is `hygiene.domain.query`; each list picks its own."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef, Q, QuerySet

from hygiene.domain.policy import Policy
from hygiene.domain.query import Query, Term, days, why_not_days
from hygiene.domain.rules import RULES
from hygiene.domain.verdicts import Severity, Subject
from hygiene.models import Finding


class MeansNothing(Exception):
    """A term's value is not understood; the message is the note under the field."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What conditions may depend on."""

    now: datetime
    policy: Policy
    user: User


RULE_WORDS = tuple(sorted({code.partition(".")[2].replace("_", "-") for code in RULES}))
Condition = Callable[[Term, Scene], Q]


@dataclass(frozen=True, slots=True)
class Known:
    """A condition that can tell what may stand after its key: fixed `words`, values of `fields`, or `tags`, a field of them."""

    condition: Condition
    words: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    tags: str = ""

    def __call__(self, term: Term, scene: Scene) -> Q:
        """The condition itself."""
        return self.condition(term, scene)


def narrow(
    rows: QuerySet[Any, Any], query: Query, conditions: Mapping[str, Condition], scene: Scene
) -> tuple[QuerySet[Any, Any], list[str]]:
    """The rows that all terms select, and a note for each term that was left out."""
    notes = list(query.notes)
    for term in query.terms:
        try:
            condition = conditions[term.key](term, scene)
        except MeansNothing as error:
            notes.append(str(error))
            continue
        notes += _off(term, scene) if term.key == "rule" else []
        rows = rows.exclude(condition) if term.is_negated else rows.filter(condition)
    return rows, notes


def _off(term: Term, scene: Scene) -> list[str]:
    """A note for each word of `rule:` whose rules are all off: that it finds nothing does not mean that all is well."""
    words = {value: rule_codes(value) for value in term.values}
    off = [value for value, codes in words.items() if codes and not any(scene.policy.is_on(code) for code in codes)]
    return [f"“rule:{value}” is off in this profile, so it finds something only where an override turns it on." for value in off]


def _any(conditions: list[Q]) -> Q:
    found = Q(pk__in=[])
    for condition in conditions:
        found |= condition
    return found


def words(*fields: str) -> Condition:
    """Free text: any of the fields contains it. Account numbers may be typed in groups."""

    def condition(term: Term, scene: Scene) -> Q:
        value = term.values[0]
        digits = value.replace(" ", "").replace("-", "")
        text = digits if digits.isdigit() and len(digits) == 12 else value
        return _any([Q(**{f"{field}__icontains": text}) for field in fields])

    return condition


def matches(*fields: str) -> Condition:
    """`key:value` or `key:prod-*`, without regard to case; `none` selects what is empty."""

    def condition(term: Term, scene: Scene) -> Q:
        return _any([_match(field, value) for field in fields for value in term.values])

    return Known(condition, fields=fields)


def _match(field: str, value: str) -> Q:
    if "*" not in value:
        return Q(**{field: ""}) if value.lower() == "none" else Q(**{f"{field}__iexact": value})
    pattern = ".*".join(re.escape(part) for part in value.split("*"))
    return Q(**{f"{field}__iregex": f"^{pattern}$"})


def owner(prefix: str) -> Condition:
    """`owner:none|me|value`: the user's own owner, else the account's."""

    def condition(term: Term, scene: Scene) -> Q:
        found = []
        for value in term.values:
            wanted = {"none": "", "me": scene.user.email or scene.user.get_username()}.get(value.lower(), value)
            own, fallback = Q(**{f"{prefix}owner__iexact": wanted}), Q(account__owner_email__iexact=wanted)
            found.append(own & fallback if not wanted else own | Q(**{f"{prefix}owner": ""}) & fallback)
        return _any(found)

    return Known(condition, ("me", "none"), (f"{prefix}owner", "account__owner_email"))


def account_owner(field: str) -> Condition:
    """`account-owner:none|me|address`: of the account itself, whoever owns the user."""

    def condition(term: Term, scene: Scene) -> Q:
        words = {"none": "", "me": scene.user.email or scene.user.get_username()}
        return _any([Q(**{f"{field}__iexact": words.get(value.lower(), value)}) for value in term.values])

    return Known(condition, ("me", "none"), (field,))


def unit(field: str) -> Condition:
    """`ou:Root/Workloads`: accounts of an organizational unit and of those below it."""

    def condition(term: Term, scene: Scene) -> Q:
        return _any([Q(**{f"{field}__iexact": value}) | Q(**{f"{field}__istartswith": f"{value}/"}) for value in term.values])

    return Known(condition, fields=(field,))


def tags(field: str) -> Condition:
    """`tag:app=lake` or `tag:app`."""

    def condition(term: Term, scene: Scene) -> Q:
        found = []
        for value in term.values:
            name, has_value, wanted = value.partition("=")
            if not re.fullmatch(r"[\w.:/+@-]{1,128}", name) or "__" in name:
                raise MeansNothing(f"“tag:{value}” is not a tag, so it was left out.")
            found.append(Q(**{f"{field}__{name}": wanted}) if has_value else Q(**{f"{field}__has_key": name}))
        return _any(found)

    return Known(condition, tags=field)


def one_of(field: str, meanings: Mapping[str, Any]) -> Condition:
    """`key:word` where each word stands for a value of `field`, or for a condition."""

    def condition(term: Term, scene: Scene) -> Q:
        found = []
        for value in term.values:
            if value.lower() not in meanings:
                raise MeansNothing(f"“{term.key}:{value}” is not known; try {', '.join(meanings)}.")
            meaning = meanings[value.lower()]
            found.append(meaning(scene) if callable(meaning) else Q(**{field: meaning}))
        return _any(found)

    return Known(condition, tuple(meanings))


def ages(field: str, meanings: Mapping[str, Q | Callable[[Scene], Q]] | None = None) -> Condition:
    """`age:>90` in whole days before now, with > >= < <= =; some lists know words too."""

    def condition(term: Term, scene: Scene) -> Q:
        found = []
        for value in term.values:
            number = days(value)
            if number is None and value.lower() not in (meanings or {}):
                raise MeansNothing(f"“{term.key}:{term.operator}{value}” {why_not_days(value)}, so it was left out.")
            meaning = (meanings or {}).get(value.lower(), Q())
            means = meaning(scene) if callable(meaning) else meaning
            found.append(means if number is None else _aged(field, term.operator, number, scene.now))
        return _any(found)

    return Known(condition, (*(meanings or {}), ">90", ">365", "<30", "<=90"))


def _aged(field: str, operator: str, number: int, now: datetime) -> Q:
    """D(x) op N, where D is whole days: D >= N is the same as x <= now - N days."""
    at_least = Q(**{f"{field}__lte": now - timedelta(days=number)})
    above = Q(**{f"{field}__lte": now - timedelta(days=number + 1)})
    known = Q(**{f"{field}__isnull": False})
    return {">": above, ">=": at_least, "<": known & ~at_least, "<=": known & ~above}.get(operator, at_least & ~above)


def severity(field: str) -> Condition:
    """`sev:high`, or `sev:high+` for that and worse."""

    def condition(term: Term, scene: Scene) -> Q:
        found = []
        for value in term.values:
            name = value.removesuffix("+").upper()
            if name not in Severity.__members__:
                raise MeansNothing(f"“sev:{value}” is not known; try critical, high, medium, low or info, with + for worse too.")
            level = Severity[name].value
            found.append(Q(**{f"{field}__gte" if value.endswith("+") or term.operator == ">=" else field: level}))
        return _any(found)

    return Known(condition, ("critical", "high", "high+", "medium", "medium+", "low", "info"))


def rule_codes(value: str) -> list[str]:
    """Codes that a word of `rule:` means: the code, its part after the dot with dashes, or the beginning of a group, `root.*`."""
    wanted = value.lower().replace("-", "_")
    if wanted.endswith(".*"):
        return [code for code in RULES if code.startswith(wanted[:-1])]
    return [code for code in RULES if wanted in (code, code.partition(".")[2])]


def rules(relation: str) -> Condition:
    """`rule:never-used`: rows with an open failing finding of the rule, through `relation` of a finding."""

    def condition(term: Term, scene: Scene) -> Q:
        codes = [code for value in term.values for code in rule_codes(value)]
        if not codes:
            raise MeansNothing(f"“rule:{','.join(term.values)}” is not a rule; the Findings page lists them.")
        return Q(Exists(Finding.objects.failing().filter(rule__in=codes, **{relation: OuterRef("pk")})))

    return Known(condition, RULE_WORDS)


def rules_of_key() -> Condition:
    """`rule:…` of access keys. Rules about the root user have their findings at the user: its keys have them too."""
    of_key = rules("key")

    def condition(term: Term, scene: Scene) -> Q:
        codes = [code for value in term.values for code in rule_codes(value) if RULES[code].subject is Subject.ROOT]
        rooted = Finding.objects.failing().filter(rule__in=codes, principal__is_root=True).values("principal")
        return of_key(term, scene) | Q(principal__is_root=True, principal__in=rooted) if codes else of_key(term, scene)

    return Known(condition, RULE_WORDS)


def keys_of(conditions: Mapping[str, Condition]) -> tuple[str, ...]:
    """Names of the filter line's keys for a list."""
    return tuple(key for key in conditions if key)
