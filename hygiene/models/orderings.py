"""Orderings of long lists that an index answers: what the index holds and what the list asks for is written once.

Whether a value is there is an expression of its own: not every database has NULLS LAST in an index.
"""

from __future__ import annotations

from django.db.models import BooleanField, ExpressionWrapper, F, Q
from django.db.models.expressions import OrderBy

from hygiene.domain.facts import UseState

Ordering = tuple[OrderBy, ...]


def worst_first() -> Ordering:
    """Keys: severity, then no use first, then age; a birth that is not known comes last."""
    return F("severity").desc(), _is(Q(last_used_at__isnull=False)), *eldest_first("created_at")


def eldest_first(field: str) -> Ordering:
    """By birth, the eldest first; what is not known comes last."""
    return _is(Q(**{f"{field}__isnull": True})), F(field).asc(), F("id").asc()


def youngest_first(field: str) -> Ordering:
    """By birth, the youngest first; what is not known comes last."""
    return _is(Q(**{f"{field}__isnull": True})), F(field).desc(), F("id").asc()


def latest_first(field: str, state: str) -> Ordering:
    """By use, the latest first: no use on record is the oldest; what is not known comes last."""
    return _is(Q(**{state: UseState.UNKNOWN.value})), _is(Q(**{f"{field}__isnull": True})), F(field).desc(), F("id").asc()


def oldest_first(field: str, state: str) -> Ordering:
    """By use, no use on record first; what is not known comes last."""
    return _is(Q(**{state: UseState.UNKNOWN.value})), _is(Q(**{f"{field}__isnull": False})), F(field).asc(), F("id").asc()


def _is(condition: Q) -> OrderBy:
    """Where the condition does not hold comes first."""
    return OrderBy(ExpressionWrapper(condition, output_field=BooleanField()))
