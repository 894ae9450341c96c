"""An access key id belongs to one account for ever, also after the key is gone: the database refuses it to a second one.

What AWS lists against that is set aside (`live_keys`). When two accounts are recorded at the same moment, the second looks once more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from django.db import IntegrityError, OperationalError, transaction

from accounts.gateway import KeyLastUse, ListedKey
from hygiene.models import AccessKey
from hygiene.services.live_keys import Live

T = TypeVar("T")
MOST_TRIES = 4
DEADLOCK = "40P01"  # two accounts with several ids in common, which they take in opposite order


def settled(write: Callable[[bool], T], *, tries: int = MOST_TRIES) -> T:
    """`write(is_again)` in a transaction: once more when another account took one of its ids after it looked for them."""
    try:
        with transaction.atomic():
            return write(tries < MOST_TRIES)
    except IntegrityError:
        if tries <= 1:
            raise
    except OperationalError as error:
        if tries <= 1 or getattr(error.__cause__, "sqlstate", "") != DEADLOCK:
            raise
    return settled(write, tries=tries - 1)


def rows_of(listed: Iterable[ListedKey], known: set[str | None]) -> dict[str, AccessKey]:
    """Rows of listed keys that are not among the `known` ones: gone ones, another user's, or another account's, with their accounts."""
    ids = {key.access_key_id for key in listed} - known
    rows = AccessKey.objects.filter(access_key_id__in=ids).select_related("account") if ids else ()
    return {str(row.access_key_id): row for row in rows}


def live(listed: Sequence[ListedKey], rows: Mapping[str, AccessKey], *, account_pk: int, uses: Mapping[str, KeyLastUse]) -> Live:
    """What AWS listed of one user of this account, with the `rows` that have these ids elsewhere."""
    own = {key_id: row for key_id, row in rows.items() if row.account_id == account_pk}
    return Live(tuple(listed), uses, own, frozenset(rows.keys() - own.keys()))
