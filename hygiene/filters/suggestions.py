"""What may stand in the filter line at the word that is being typed: keys of the list, and values after a key's colon."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from accounts.models import Account
from hygiene.domain.rules import RULES
from hygiene.filters.conditions import Condition, Known, Scene

MOST = 8
HINTS = {
    "account": "name or number; prod-* for all that begin so",
    "account-owner": "owner of the account",
    "action": "what was done",
    "age": "days, >90 or <=30",
    "by": "who did or accepted it",
    "ends": "days from now, <14",
    "env": "environment of the account",
    "is": "what a row is",
    "last-used": "days ago, or never, not-yet, nodata, unknown",
    "mfa": "on, off, unknown",
    "ou": "unit of the organization",
    "owner": "address, me or none",
    "password": "yes, no, unknown",
    "reason": "why it was asked for",
    "rule": "a rule that fails",
    "sev": "severity, high+ for that and worse",
    "status": "state of a row",
    "tag": "tag of the account, app=lake",
    "user": "name of a user",
}


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One word for the filter line, and a few words on it."""

    word: str
    hint: str


def suggestions(word: str, *, conditions: Mapping[str, Condition], rows: QuerySet[Any, Any], scene: Scene) -> list[Suggestion]:
    """At most eight, for one typed word; a leading dash is kept. Nothing for free text that begins no key. One query for each field."""
    minus, typed = ("-", word[1:]) if word.startswith("-") else ("", word)
    key, has_colon, value = typed.partition(":")
    if not has_colon:
        found = [name for name in conditions if name and typed and name.startswith(typed.lower())]
        return [Suggestion(f"{minus}{name}:", HINTS.get(name, "")) for name in found[:MOST]]
    condition = conditions.get(key.lower())
    if not key or not isinstance(condition, Known):
        return []
    chosen, _, last = value.strip('"').rpartition(",")
    known = [*_fixed(condition, key, last), *_values(condition, last, rows, scene)]
    return [Suggestion(minus + _word(key, chosen, name), hint) for name, hint in dict(reversed(known)).items()][::-1][:MOST]


def _fixed(condition: Known, key: str, typed: str) -> list[tuple[str, str]]:
    words = [word for word in condition.words if typed.lower() in word]
    words.sort(key=lambda word: not word.startswith(typed.lower()))
    return [(word, _title(word) if key == "rule" else "") for word in words]


def _title(word: str) -> str:
    """Plain name of the first rule that a word of `rule:` means."""
    return next((rule.title for code, rule in RULES.items() if code.partition(".")[2].replace("_", "-") == word), "")


def _values(condition: Known, typed: str, rows: QuerySet[Any, Any], scene: Scene) -> list[tuple[str, str]]:
    """Values that the person's own rows have; those of accounts are read from the accounts, which are few."""
    if condition.tags:
        return [(word, "") for word in _tags(scene) if typed.lower() in word.lower()][:MOST]
    fields = [field for field in condition.fields if not field.endswith("account_id")]
    return [found for field in fields for found in _of_field(field, typed, rows, scene)]


def _of_field(field: str, typed: str, rows: QuerySet[Any, Any], scene: Scene) -> list[tuple[str, str]]:
    if field.startswith("account__") or rows.model is Account:
        return _accounts(field.removeprefix("account__"), typed, scene)
    found = rows.order_by().exclude(**{field: ""}).filter(**{f"{field}__istartswith": typed})
    return [(value, "") for value in found.values_list(field, flat=True).distinct()[:MOST] if value]


def _accounts(field: str, typed: str, scene: Scene) -> list[tuple[str, str]]:
    visible = Account.objects.visible_to(scene.user).filter(removed_at__isnull=True).exclude(**{field: ""})
    by_number = field == "name" and typed.isdigit()
    found = visible.filter(**{"account_id__startswith" if by_number else f"{field}__icontains": typed}).order_by(field)
    if field == "name":
        return list(found.values_list("name", "account_id")[:MOST])
    return [(value, "") for value in found.values_list(field, flat=True).distinct()[:MOST]]


def _tags(scene: Scene) -> Iterable[str]:
    maps = Account.objects.visible_to(scene.user).filter(removed_at__isnull=True).exclude(tags={}).values_list("tags", flat=True)
    return sorted({f"{name}={value}" for tags in maps for name, value in tags.items()})


def _word(key: str, chosen: str, value: str) -> str:
    joined = f"{chosen},{value}" if chosen else value
    return f'{key}:"{joined}"' if " " in joined else f"{key}:{joined}"
