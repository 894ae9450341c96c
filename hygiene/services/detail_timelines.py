"""Lines of a user's timeline about what is read beside the report: groups, administrator rights, quarantine, owner, other credentials.

A first reading is no change: lines begin with the second.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hygiene.models import Principal, PrincipalEvent
from hygiene.services.timelines import Sighting, of_user


def of_rights(user: Principal, before: Mapping[str, Any], *, seen: Sighting) -> Iterator[PrincipalEvent]:
    """What the user's fields say now and `before` did not; nothing where policies were not known before."""
    if before["policies"] is None:
        return
    was, now = set(before["groups"] or ()), set(user.groups or ())
    for name in sorted(now - was):
        yield of_user(user, "group_joined", f"Added to group {name}", seen=seen)
    for name in sorted(was - now):
        yield of_user(user, "group_left", f"Removed from group {name}", seen=seen)
    if user.is_admin and not before["is_admin"]:
        via = (user.reach or {}).get("admin_via", "")
        yield of_user(user, "admin", f"Became an administrator {via}".rstrip(), seen=seen)
    elif before["is_admin"] and user.is_admin is False:
        yield of_user(user, "admin_ended", "Is no administrator any more", seen=seen)
    yield from _quarantine(user, str(before["quarantine_policy"]), seen)
    if user.owner != before["owner"]:
        text = f"Owner is {user.owner} now, by {user.owner_source}" if user.owner else f"{before['owner']} is not named as owner any more"
        yield of_user(user, "owner", text, seen=seen)


def _quarantine(user: Principal, before: str, seen: Sighting) -> Iterator[PrincipalEvent]:
    if user.quarantine_policy and not before:
        yield of_user(user, "quarantined", f"AWS attached {user.quarantine_policy}: a key of this user was exposed", seen=seen)
    elif before and not user.quarantine_policy:
        yield of_user(user, "quarantine_ended", f"{before} was taken off", seen=seen)


def of_credentials(
    user: Principal, noun: str, before: Sequence[Mapping[str, Any]] | None, after: Sequence[Mapping[str, Any]], *, seen: Sighting
) -> Iterator[PrincipalEvent]:
    """Credentials that came and went, by their ids; nothing where they were not known before."""
    if before is None:
        return
    was, now = {entry["id"] for entry in before}, {entry["id"] for entry in after}
    for one in sorted(now - was):
        yield of_user(user, "credential_made", f"{noun} {one} was made", seen=seen)
    for one in sorted(was - now):
        yield of_user(user, "credential_gone", f"{noun} {one} is gone", seen=seen)
