"""GetAccountAuthorizationDetails → tags, groups, policies and what they reach, key descriptions, owners. Few statements for any size."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from accounts.gateway import UserDetails
from accounts.models import Account
from hygiene.domain.facts import Source
from hygiene.domain.keys import second_of
from hygiene.domain.owners import descriptions
from hygiene.domain.reach import reach_of
from hygiene.models import AccessKey, Poll, Principal, PrincipalEvent
from hygiene.services import bulk, owners
from hygiene.services.detail_timelines import of_rights
from hygiene.services.timelines import Sighting

CHUNK = 500
FIELDS = (
    *("user_id", "tags", "groups", "policies", "reach", "is_admin", "quarantine_policy", "boundary_arn"),
    *("owner", "owner_source", "user_class", "details_observed_at"),
)


def record(account: Account, told: Sequence[UserDetails], *, poll: Poll, now: datetime) -> set[int]:
    """Write what was told of users that the report knows. Returns those of whom anything but the time differs.

    A user made since the report, or made again, is not taken for its namesake: ARN and creation time must be the row's. Runs in the
    caller's transaction.
    """
    of_user = {(details.user.arn, second_of(details.user.created_at)): details for details in told}
    chain = owners.chain(account)
    changed: list[Principal] = []
    lines: list[PrincipalEvent] = []
    seen: list[int] = []
    for user in (
        Principal.objects.present().users().filter(account=account).only("arn", "name", "created_at", "password_state", "is_root", *FIELDS)
    ):
        details = of_user.get((user.arn, user.created_at))
        if details is None:
            continue
        before = _state(user)
        _fill(user, details)
        owners.settle(user, chain)
        if before != _state(user):
            user.details_observed_at = now
            changed.append(user)
            lines += of_rights(user, before, seen=Sighting(poll, now, Source.DETAILS))
        else:
            seen.append(user.pk)
    bulk.update(Principal, [user.__dict__ for user in changed], FIELDS)
    bulk.insert(PrincipalEvent, [line.__dict__ for line in lines])
    for start in range(0, len(seen), CHUNK):
        Principal.objects.filter(pk__in=seen[start : start + CHUNK]).update(details_observed_at=now)
    _describe_keys(account, told)
    return {user.pk for user in changed}


def _state(user: Principal) -> dict[str, Any]:
    return {name: getattr(user, name) for name in FIELDS if name != "details_observed_at"}


def _fill(user: Principal, details: UserDetails) -> None:
    reach = reach_of(details)
    user.user_id = details.user.user_id or user.user_id
    user.tags, user.groups = dict(details.tags), list(details.groups)
    user.policies = [{"name": policy.name, "arn": policy.arn, "via": policy.via} for policy in details.policies]
    user.reach = {
        "services": list(reach.services),
        "reading": sorted(reach.reading),
        "is_admin": reach.is_admin,
        "admin_via": reach.admin_via,
        "summary": reach.summary,
        "is_complete": reach.is_complete,
    }
    user.is_admin, user.quarantine_policy, user.boundary_arn = reach.is_admin, reach.quarantine, details.boundary_arn


def _describe_keys(account: Account, told: Sequence[UserDetails]) -> None:
    """What the console calls a key's description is the user's tag named after the key's id."""
    words: dict[str, str] = {}
    for details in told:
        words |= descriptions(details.tags)
    changed = []
    for key in AccessKey.objects.present().filter(account=account, access_key_id__isnull=False).only("access_key_id", "description"):
        text = words.get(str(key.access_key_id), "")[:256]
        if key.description != text:
            key.description = text
            changed.append(key)
    bulk.update(AccessKey, [key.__dict__ for key in changed], ["description"])
