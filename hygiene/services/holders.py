"""Root and users of one account, each with the keys it holds, in memory: read once for a poll, recorded on, judged, and written."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models import QuerySet

from accounts.models import Account
from hygiene.models import AccessKey, Principal


@dataclass(slots=True)
class Holder:
    """One principal and its present keys, oldest row first."""

    principal: Principal
    keys: list[AccessKey] = field(default_factory=list)


def of_account(account: Account) -> list[Holder]:
    """Everybody present in the account. Two queries, joined here: PostgreSQL loops in loops while it has no statistics of a new account."""
    return _joined(Principal.objects.present().filter(account=account), AccessKey.objects.present().filter(account=account))


def of_principals(principals: Iterable[Principal]) -> list[Holder]:
    """These principals, as the caller read them. One query."""
    wanted = list(principals)
    return _joined(wanted, AccessKey.objects.present().filter(principal__in=[principal.pk for principal in wanted]))


def _joined(principals: Iterable[Principal], keys: QuerySet[AccessKey]) -> list[Holder]:
    """The principals with those of the keys that are theirs; keys of anybody else, gone ones for example, are left out."""
    holders = {principal.pk: Holder(principal) for principal in principals}
    for key in keys.order_by("pk"):
        if key.principal_id in holders:
            holders[key.principal_id].keys.append(key)
    return list(holders.values())
