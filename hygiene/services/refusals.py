"""A refusal is part of the record: who tried what, and the sentence with which it was refused."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from accounts import audit
from hygiene.services.refused import Conflict, NotAllowed

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from accounts.models import Account


@contextmanager
def on_record(*, action: str, actor: User, target: str, now: datetime, account: Account | None = None) -> Iterator[None]:
    """Add an audit event when the work inside is refused, and let the refusal pass on. Never inside of a transaction: it would undo it."""
    try:
        yield
    except (NotAllowed, Conflict) as error:
        audit.record(action=action, outcome="refused", now=now, actor=actor, account=account, target=target[:2048], message=str(error))
        raise
