"""Owners of users by the installation's chain: read from settings and the imported list, written to rows."""

from __future__ import annotations

from collections.abc import Iterable

from django.conf import settings
from django.db.models import Q

from accounts.models import Account
from hygiene.domain.facts import PasswordState
from hygiene.domain.owners import Chain, Entry
from hygiene.models import OwnerMapping, Principal
from hygiene.services import bulk


def chain(account: Account) -> Chain:
    """The chain as it holds for one account, with its part of the imported list. One query."""
    kept = OwnerMapping.objects.filter(Q(account=account) | Q(account__isnull=True))
    entries = tuple(Entry(row.pattern, row.owner, row.account_id is not None) for row in kept)
    return Chain(tuple(settings.OWNER_SOURCES), tuple(settings.OWNER_TAGS), settings.USER_CLASS_TAG, entries)


def settle(principal: Principal, chain: Chain) -> None:
    """Owner, where it was found, and class of one user, from the row's other fields; the row is not written. Root has neither."""
    if principal.is_root:
        return
    found = chain.owner_of(arn=principal.arn, name=principal.name, tags=principal.tags)
    principal.owner, principal.owner_source = found.name, found.source
    principal.user_class = chain.class_of(PasswordState(principal.password_state), principal.tags)


def settle_all(account: Account) -> list[Principal]:
    """Owners of all users of an account again, after the list or the chain changed. Returns those that changed, written."""
    now_holds, changed = chain(account), []
    for principal in Principal.objects.present().users().filter(account=account):
        before = (principal.owner, principal.owner_source, principal.user_class)
        settle(principal, now_holds)
        if before != (principal.owner, principal.owner_source, principal.user_class):
            changed.append(principal)
    write(changed)
    return changed


def write(principals: Iterable[Principal]) -> None:
    """What `settle` set."""
    bulk.update(Principal, [principal.__dict__ for principal in principals], ["owner", "owner_source", "user_class"])
