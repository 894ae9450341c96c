"""Facets of a list: buttons that write into the filter line, so that there is one truth. Counts are made when one is opened."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from django.db.models import CharField, Count, F, Q, QuerySet, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, Lower, NullIf

from hygiene.domain.query import Query, Term, parse_query, put
from hygiene.domain.rules import RULES
from hygiene.domain.verdicts import Subject
from hygiene.filters import Scene, keys_of, narrow
from hygiene.filters.conditions import Condition, MeansNothing, rule_codes

MOST_CHOICES = 50
Counted: TypeAlias = Mapping[str, tuple[str, int | None]]


@dataclass(frozen=True, slots=True)
class FacetKind:
    """A facet of a list: the key that it writes, and either fixed choices or a field whose values are the choices.

    `names` is a field that says more than the value; `fallback` one that counts where the value is empty. `is_single`: one choice at
    a time, since the values are bounds.
    """

    label: str
    key: str
    choices: Mapping[str, str] = field(default_factory=dict)
    values: str = ""
    names: str = ""
    fallback: str = ""
    is_single: bool = False
    hides_none: bool = False  # choices that no row has are not shown once counted


def rule_facet(label: str, *subjects: Subject) -> FacetKind:
    """A facet of the rules about such subjects, by their plain names."""
    rules = {code.replace("_", "-"): rule.title for code, rule in RULES.items() if rule.subject in subjects}
    return FacetKind(label, "rule", rules, hides_none=True)


@dataclass(frozen=True, slots=True)
class Choice:
    """One entry of a facet; `line` is the filter line with this alone. Without a count it was not counted."""

    value: str
    label: str
    is_on: bool
    line: str
    url: str
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Facet:
    """One button with its choices. `line` is the filter line without this key."""

    kind: FacetKind
    choices: tuple[Choice, ...]
    line: str
    url: str
    counted_url: str
    is_open: bool
    find: str = ""

    @property
    def value(self) -> str:
        """What is applied, for the button."""
        on = [choice.label for choice in self.choices if choice.is_on]
        return ", ".join(on) if len(on) <= 2 else f"{len(on)} chosen"

    @property
    def has_search(self) -> bool:
        """Whether there may be more choices than are shown."""
        return bool(self.kind.values) or len(self.kind.choices) > 12


@dataclass(frozen=True, slots=True)
class Line:
    """The filter line of the request, as facets need it: its text, the addresses of others, and the rows that another text selects."""

    text: str
    conditions: Mapping[str, Condition]
    scene: Scene
    address: Callable[..., str]
    rows: QuerySet[Any, Any]
    remember: Callable[[str, Callable[[], Counted]], Counted]

    def without(self, key: str) -> str:
        """The text without the key's words."""
        return put(self.text, key, ())

    def parsed(self, text: str) -> Query:
        """A text as terms."""
        return parse_query(text, keys=keys_of(self.conditions))


def picked(text: str, picks: list[str]) -> str:
    """The filter line with what a facet's form posted: words `key:value`, several of one key mean or."""
    keys = dict.fromkeys(pick.partition(":")[0] for pick in picks)
    for key in keys:
        text = put(text, key, [pick.partition(":")[2] for pick in picks if pick.startswith(f"{key}:") and pick != f"{key}:"])
    return text


def build(kind: FacetKind, line: Line, *, is_open: bool, find: str = "") -> Facet:
    """A facet as it stands in the filter line; an open one with its counts in the current result."""
    on = [f"{term.operator}{value}" for term in line.parsed(line.text).terms if _is_asked(term, kind.key) for value in term.values]
    found = _counted(kind, line, find) if is_open else {value: (label, None) for value, label in kind.choices.items()}
    shown = {**{value: (kind.choices.get(value, value), 0) for value in on if value not in found}, **found}
    choices = [
        _choice(kind, line, value, label, count, is_on=value in on)
        for value, (label, count) in shown.items()
        if value in on or (find.lower() in f"{label} {value}".lower() and _is_offered(kind, value, count, line.scene))
    ]
    rest = line.without(kind.key)
    return Facet(kind, tuple(choices[:MOST_CHOICES]), rest, line.address(q=rest), line.address(facet=kind.key), is_open, find)


def _is_offered(kind: FacetKind, value: str, count: int | None, scene: Scene) -> bool:
    """A rule that is off is no choice, unless it was found all the same: an override may turn it on."""
    if kind.key == "rule" and not count and all(not scene.policy.is_on(code) for code in rule_codes(value)):
        return False
    return not (kind.hides_none and count == 0)


def _is_asked(term: Term, key: str) -> bool:
    return term.key == key and not term.is_negated


def _choice(kind: FacetKind, line: Line, value: str, label: str, count: int | None, *, is_on: bool) -> Choice:
    alone = put(line.text, kind.key, [value])
    return Choice(value, label, is_on, alone, line.address(q=alone), count)


def _counted(kind: FacetKind, line: Line, find: str) -> Counted:
    """Label and number of rows of each choice in the current result, by the rest of the filter line."""
    rest = line.without(kind.key)
    return line.remember(f"{kind.key} {find} {rest}", lambda: _count(kind, line, rest, find))


def _count(kind: FacetKind, line: Line, rest: str, find: str) -> Counted:
    plain = line.rows.select_related(None).prefetch_related(None).order_by()
    rows, _ = narrow(plain, line.parsed(rest), line.conditions, line.scene)
    if not kind.values:
        found = rows.aggregate(**{f"n{place}": Count("pk", filter=q) for place, q in enumerate(_meanings(kind, line))})
        return {value: (label, found[f"n{place}"]) for place, (value, label) in enumerate(kind.choices.items())}
    rows = rows.annotate(facet_value=_value(kind), facet_name=F(kind.names) if kind.names else _value(kind))
    grouped = rows.filter(Q(facet_value__icontains=find) | Q(facet_name__icontains=find)) if find else rows
    counts = grouped.values("facet_value", "facet_name").annotate(facet_count=Count("pk")).order_by("-facet_count", "facet_name")
    return {row["facet_value"] or "none": (row["facet_name"] or "none", row["facet_count"]) for row in counts[:MOST_CHOICES]}


def _value(kind: FacetKind) -> Combinable:
    """A row's value as the filter takes it: the fallback where it is empty, and then without regard to case."""
    if not kind.fallback:
        return F(kind.values)
    return Lower(Coalesce(NullIf(F(kind.values), Value("")), F(kind.fallback), output_field=CharField()))


def _meanings(kind: FacetKind, line: Line) -> list[Q]:
    found = []
    for value in kind.choices:
        terms = line.parsed(put("", kind.key, [value])).terms
        try:
            found.append(line.conditions[kind.key](terms[0], line.scene))
        except MeansNothing:
            found.append(Q(pk__in=[]))
    return found
