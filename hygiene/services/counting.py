"""Counts that pages show beside their rows, kept in this process for a short while: the same data is not counted twice in a row.

A count is used again as long as nothing changed that it can depend on. What the product did itself (its audit log, scopes, accounts) is
seen at once. What polls found is seen as soon as counting is cheap for its size: a count that took a tenth of a second may stay two
seconds behind the polls, and none more than five minutes. Rows are never kept, only numbers.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from django.conf import settings
from django.db.models import Count, Max, QuerySet, Subquery, Sum

from accounts.models import Account, AuditEvent, ScopeGrant
from hygiene.models import AccessKey, AccountStatus, Finding, KeyEvent, Principal

if TYPE_CHECKING:
    from django.contrib.auth.models import User

T = TypeVar("T")
SHARE = 20  # a count is kept at least this many times as long as it took: counting costs at most a twentieth of the time
LONGEST = 300.0  # seconds that the dearest count may be behind the polls
MOST = 400  # numbers that one process keeps


@dataclass(frozen=True, slots=True)
class Version:
    """What counts depend on: our own doings, and what polls wrote."""

    own: tuple[Any, ...]
    polled: tuple[Any, ...]
    is_narrow: bool  # the person has grants, which narrow the scope


@dataclass(frozen=True, slots=True)
class _Kept:
    version: Version
    value: Any
    made_at: float
    cost: float


_kept: dict[Hashable, _Kept] = {}


class Counts:
    """The counts of one person during one request. Without any narrowing grant people share them."""

    def __init__(self, user: User) -> None:
        self.user = user

    @cached_property
    def version(self) -> Version:
        """The data's version now; one query that reads the accounts' own counts and the newest rows."""
        return version(self.user)

    @property
    def scope(self) -> Hashable:
        """Whose counts these are: everybody's who sees every account, else the person's own."""
        is_narrow = not self.user.has_perm("accounts.see_every_account") and self.version.is_narrow
        return self.user.pk if is_narrow else "every account"

    def of(self, name: Hashable, make: Callable[[], T]) -> T:
        """The kept value of `name`, or what `make` says now. `name` must hold all that the value depends on beside data and scope."""
        longest = settings.COUNTS_KEPT_SECONDS
        if not longest:
            return make()
        found, now = _kept.get((self.scope, name)), time.monotonic()
        if found is not None and self._is_current(found, now - found.made_at, longest):
            value: T = found.value
            return value
        value = make()
        if len(_kept) >= MOST:
            _kept.clear()
        _kept[(self.scope, name)] = _Kept(self.version, value, now, time.monotonic() - now)
        return value

    def _is_current(self, kept: _Kept, age: float, longest: float) -> bool:
        patience = min(kept.cost * SHARE, LONGEST)
        if age > max(longest, patience) or kept.version.own != self.version.own:
            return False
        return kept.version.polled == self.version.polled or age < patience


def version(user: User) -> Version:
    """The version of the data for `user`: equal as long as no count of theirs can have changed. One query, at any number of keys."""
    grants = ScopeGrant.objects.filter(user_id=user.pk).order_by()
    found = AccountStatus.objects.aggregate(
        statuses=Count("pk"),
        polled=Max("last_polled_at"),
        report=Max("report_generated_at"),
        findings_open=Sum("findings_open"),
        users=Sum("users"),
        active_keys=Sum("active_keys"),
        key=_newest(AccessKey.objects.all()),
        principal=_newest(Principal.objects.all()),
        finding=_newest(Finding.objects.all()),
        event=_newest(KeyEvent.objects.all()),
        audit=_newest(AuditEvent.objects.all()),
        account=_newest(Account.objects.all(), "updated_at"),
        accounts=_newest(Account.objects.all()),
        grants=Max(Subquery(grants.values("user_id").annotate(count=Count("pk")).values("count"))),
        grant=_newest(grants),
    )
    is_narrow = bool(found["grants"])
    own = tuple(found.pop(name) for name in ("audit", "account", "accounts", "grants", "grant"))
    return Version(own, tuple(found.values()), is_narrow)


def _newest(rows: QuerySet[Any], field: str = "pk") -> Max:
    return Max(Subquery(rows.order_by(f"-{field}").values(field)[:1]))


def forget() -> None:
    """Let go of everything that is kept."""
    _kept.clear()
