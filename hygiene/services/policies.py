"""The policy as it holds: the installation's profile and the overrides that people set, resolved for one account at the edge.

Who changes it is `services.policy_changes`.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db.models import CharField, F, Value
from django.db.models.functions import Coalesce

from accounts.models import Account
from hygiene.domain.facts import PasswordState, UserClass
from hygiene.domain.policy import Override, Policy, Scope, resolve
from hygiene.domain.profiles import PROFILES
from hygiene.models import AccessKey, InstallationPolicy, PolicyOverride, Poll, Principal
from hygiene.services.detail_facts import class_of
from hygiene.services.permissions import WAITING

KEPT_SECONDS = 5.0  # how long pages of another process may still show what held before a change
PROFILE = "profile"  # stands in place of a scope in the one query of `load`


@dataclass(frozen=True, slots=True)
class Book:
    """Everything that decides over the rules' numbers: the profile in force, and all overrides."""

    profile: str
    overrides: tuple[Override, ...] = ()
    is_chosen: bool = False  # by somebody here; else POLICY_PROFILE says it
    waiting: int | None = None  # the stored rule of days between disable and delete, see `permissions.waiting_days`
    _known: dict[Any, Policy] = field(default_factory=dict, compare=False, repr=False)

    @property
    def installation(self) -> Policy:
        """The policy of what is not about one account, such as lists over many."""
        return self._resolve("", {})

    def for_account(self, account: Account) -> Policy:
        """The policy of one account; rules narrow it to each of its users (`Policy.for_principal`)."""
        return self._resolve(account.account_id, account.tags)

    def for_principal(self, principal: Principal) -> Policy:
        """The policy of one user, or of root, whose account is at hand."""
        policy = self.for_account(principal.account)
        if principal.is_root:
            return policy
        by_password = UserClass.MACHINE if principal.password_state == PasswordState.NONE else UserClass.HUMAN
        return policy.for_principal(class_of(principal) or by_password, principal.tags)

    def for_key(self, key: AccessKey) -> Policy:
        """The policy of a key's user, whose account is at hand as the key's."""
        key.principal.account = key.account
        return self.for_principal(key.principal)

    def _resolve(self, account_id: str, tags: dict[str, str]) -> Policy:
        place = (account_id, tuple(sorted(tags.items()))) if self.overrides else ()
        if place not in self._known:
            self._known[place] = resolve(self.profile, self.overrides, account_id=account_id, account_tags=tags)
        return self._known[place]


def load() -> Book:
    """What holds now. One query."""
    profile, waiting, overrides = "", None, []
    for scope, target, number, label, rule, name, value in _rows():
        if scope == PROFILE:
            profile, waiting = rule, value
        else:
            overrides.append(Override(Scope(scope), number or target, rule, name, value, label))
    is_chosen = profile in PROFILES
    return Book(profile if is_chosen else settings.POLICY_PROFILE, tuple(sorted(overrides, key=_by_place)), is_chosen, waiting)


def _by_place(override: Override) -> tuple[str, ...]:
    return (override.rule, override.name, override.scope, override.target)


def _rows() -> Any:
    """Scope, target, the account's number and name, rule, name and value of each override; and profile and waiting days in their place."""
    empty = Value("", output_field=CharField())
    chosen = InstallationPolicy.objects.order_by().annotate(scope=Value(PROFILE, output_field=CharField()), none=empty, waiting=WAITING)
    columns = PolicyOverride.objects.order_by().annotate(
        number=Coalesce(F("account__account_id"), empty), label=Coalesce(F("account__name"), empty)
    )
    of_profile = chosen.values_list("scope", "none", "none", "none", "profile", "none", "waiting")
    return columns.values_list("scope", "target", "number", "label", "rule", "name", "value").union(of_profile, all=True)


_kept: list[tuple[float, Book]] = []


def current() -> Book:
    """What holds, for pages: kept in this process for a few seconds, and no longer than until this process changes it."""
    if not _kept or time.monotonic() - _kept[0][0] > KEPT_SECONDS:
        _kept[:] = [(time.monotonic(), load())]
    return _kept[0][1]


def forget() -> None:
    """Something changed: the next page reads it."""
    _kept.clear()


def for_poll(poll_pk: int) -> Policy:
    """The policy of the account that a queued poll is of."""
    poll = Poll.objects.select_related("account").filter(pk=poll_pk).first()
    return load().installation if poll is None else load().for_account(poll.account)
