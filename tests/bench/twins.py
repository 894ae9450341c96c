"""Copies of rows where a plain copy is not allowed: an access key id is one account's only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

from hygiene.models import AccessKey

Twin = Callable[..., Any]


def with_own_ids(twin: Twin) -> Twin:
    """`twin`, but copies of keys have ids of their own."""

    def make(row: Any, **values: Any) -> Any:
        if isinstance(row, AccessKey) and row.access_key_id:
            values["access_key_id"] = f"AKIA{uuid4().hex[:16].upper()}"
        return twin(row, **values)

    return make
