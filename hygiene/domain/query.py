"""The grammar of the filter line: text → terms, and a note for each word that means nothing. Pure.

`word`, `key:value`, `-key:value`, `key:a,b` (or), `age:>90`, values in double quotes. What the terms select is the
business of `hygiene.filters`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

KEYS = (
    "account",
    "age",
    "env",
    "is",
    "key",
    "last-used",
    "mfa",
    "owner",
    "password",
    "region",
    "rule",
    "service",
    "sev",
    "state",
    "status",
    "user",
)
_WORD = re.compile(r'(?P<minus>-)?(?:(?P<key>[a-z][a-z-]*):)?(?P<value>"[^"]*"?|\S*)', re.IGNORECASE)
MOST_DAYS = 999_999
_OPERATORS = (">=", "<=", ">", "<", "=")  # the longer first


@dataclass(frozen=True, slots=True)
class Term:
    """One condition. `key` "" is free text. `operator` is "" or one of > >= < <= =; several values mean or."""

    key: str
    values: tuple[str, ...]
    operator: str = ""
    is_negated: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """A parsed filter line: all terms hold together; `notes` are sentences about what was left out."""

    terms: tuple[Term, ...] = ()
    notes: tuple[str, ...] = ()

    def values(self, key: str) -> tuple[str, ...]:
        """Values asked for by `key`, without negated terms."""
        return tuple(value for term in self.terms if term.key == key and not term.is_negated for value in term.values)


def parse_query(text: str, *, keys: tuple[str, ...] = KEYS) -> Query:
    """Read a filter line. Unknown keys and empty values become notes; the rest is kept. Never raises."""
    terms: list[Term] = []
    notes: list[str] = []
    for match in _WORD.finditer(text[:1000]):
        if not match[0]:
            continue
        key, value = (match["key"] or "").lower(), match["value"].strip('"').strip()
        if key and key not in keys:
            if "://" in match[0] or match["value"].startswith(":"):
                terms.append(Term("", (match[0].removeprefix("-"),), is_negated=bool(match["minus"])))
            else:
                notes.append(f"“{key}:” is not a filter here, so it was left out.")
        elif not value:
            notes.append(f"“{match[0]}” has no value, so it was left out.")
        else:
            terms.append(_term(key, value, is_negated=bool(match["minus"])))
    return Query(tuple(terms), tuple(notes))


def _term(key: str, value: str, *, is_negated: bool) -> Term:
    if not key:
        return Term("", (value,), is_negated=is_negated)
    operator = next((sign for sign in _OPERATORS if value.startswith(sign) and value != sign), "")
    rest = value.removeprefix(operator)
    values = tuple(part.strip() for part in rest.split(",") if part.strip()) or (rest,)
    return Term(key, values, operator, is_negated)


def put(text: str, key: str, values: Sequence[str]) -> str:
    """The filter line with `key` asking for `values`, in the place of what it asked for; without values it asks for nothing.

    Negated words stay. Values with a space or a quote are put in quotes.
    """
    kept = [match[0] for match in _WORD.finditer(text) if match[0] and (match["minus"] or not match["key"] or match["key"].lower() != key)]
    joined = ",".join(value.replace('"', "") for value in values)
    word = f'{key}:"{joined}"' if " " in joined else f"{key}:{joined}"
    return " ".join([*kept, word] if joined else kept)


def days(word: str) -> int | None:
    """A whole number of days, "90" or "90d"; None for anything else."""
    digits = word.removesuffix("d")
    return int(digits) if _is_number(digits) and len(digits) < 7 else None


def why_not_days(word: str) -> str:
    """What is wrong with a word that is no number of `days`."""
    return f"is more than {MOST_DAYS} days" if _is_number(word.removesuffix("d")) else "is not a number of days"


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()
