"""The second half of a poll: live ListAccessKeys of users whose report row changed, worst first, in batches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias

from django.db.models import F

from accounts.gateway import AccessDenied, AwsError, Gateway, KeyLastUse, ListedKey, NoSuchEntity
from hygiene.domain.facts import KeyMatch
from hygiene.domain.keys import needs_last_use
from hygiene.domain.policy import Policy
from hygiene.domain.report_row import MORE_CREDENTIALS
from hygiene.models import AccessKey, AccountStatus, Poll, Principal
from hygiene.services import findings, holders, leases, live_keys
from hygiene.services.changes import Changes
from hygiene.services.clock import Clock
from hygiene.services.holders import Holder

LARGEST = 900  # users of one transaction, below SQLite's limit of parameters
WRITTEN_EVERY = timedelta(seconds=5)  # so that a page is never far behind, and little is asked again after a kill
Answer: TypeAlias = tuple[Principal, tuple[ListedKey, ...]]
REFUSED = "The read role may not call iam:ListAccessKeys: key IDs are unknown and no key can be changed here. Add the permission."
LONGEST = timedelta(minutes=7)  # a worker's task ends after nine minutes; what is left is listed by the next poll


@dataclass(frozen=True, slots=True)
class Listing:
    """What came of it: a sentence when listing is not permitted, how many users are left for the next poll, and how many were listed."""

    refusal: str = ""
    left: int = 0
    listed: int = 0


def to_list(held: Iterable[Holder]) -> list[Principal]:
    """Users whose slots changed since they were last listed, worst findings first: those that hold a key, or may hold one.

    A report that does not tell whether there is a key, or that names more credentials than it shows, leaves it to the live list.
    """
    users = (holder.principal for holder in held if not holder.principal.is_root)
    return sorted((user for user in users if _is_to_list(user)), key=lambda user: (-user.severity, user.pk))


def _is_to_list(user: Principal) -> bool:
    may_hold = user.active_keys or user.inactive_keys or MORE_CREDENTIALS in user.extra
    return not user.keys_known or bool(may_hold and user.fingerprint != user.listed_fingerprint)


def list_changed_users(
    poll: Poll, status: AccountStatus, gateway: Gateway, users: Sequence[Principal], *, policy: Policy, clock: Clock
) -> Listing:
    """List them at AWS's pace, for at most seven minutes. Errors other than a refusal are raised, after what was answered is kept."""
    started_at, done = clock.now(), 0
    try:
        for batch in _batches(users, gateway, clock):
            _record(poll, status, batch, gateway, policy=policy, clock=clock)
            done += len(batch)
            if clock.now() - started_at > LONGEST:
                break
    except AccessDenied:
        return Listing(REFUSED, len(users) - done, done)
    return Listing("", len(users) - done, done)


def _batches(users: Sequence[Principal], gateway: Gateway, clock: Clock) -> Iterator[list[Answer]]:
    """Answers as they come, some seconds' worth at a time."""
    batch: list[Answer] = []
    since = clock.now()
    for user in users:
        try:
            batch.append((user, _listed(user, gateway)))
        except AwsError:
            if batch:
                yield batch
            raise
        if len(batch) == LARGEST or clock.now() - since >= WRITTEN_EVERY:
            yield batch
            batch, since = [], clock.now()
    if batch:
        yield batch


def _listed(user: Principal, gateway: Gateway) -> tuple[ListedKey, ...]:
    """The user's keys now; none for a user who was deleted since the report."""
    try:
        return gateway.list_access_keys(user.name)
    except NoSuchEntity:
        return ()


def _record(poll: Poll, status: AccountStatus, answers: Sequence[Answer], gateway: Gateway, *, policy: Policy, clock: Clock) -> None:
    users = [user for user, _ in answers]
    keys = {holder.principal.pk: holder.keys for holder in holders.of_principals(users)}
    elsewhere = _elsewhere(poll, answers, {key.access_key_id for some in keys.values() for key in some})
    uses = {user.pk: _uses(keys[user.pk], listed, gateway) for user, listed in answers}
    now = clock.now()
    changes, judged = Changes(listed=users), []
    for user, listed in answers:
        before = _judged(user, keys[user.pk], changes)
        live_keys.apply(user, listed, uses=uses[user.pk], now=now, changes=changes, keys=keys[user.pk], poll=poll, elsewhere=elsewhere)
        if uses[user.pk]:
            live_keys.record_uses([*changes.keys, *changes.new_keys], uses[user.pk], now=now)
        if before != _judged(user, keys[user.pk], changes):
            judged.append(user.pk)
    with leases.fenced(poll, now=now, phase="listing keys"):
        changes.write()
        Poll.objects.filter(pk=poll.pk).update(users_listed=F("users_listed") + len(users))
        if judged:
            again = list(Principal.objects.filter(pk__in=judged))
            findings.reevaluate_principals(poll.account, status, again, policy=policy, now=now)


def _elsewhere(poll: Poll, answers: Sequence[Answer], known: set[str | None]) -> dict[str, AccessKey]:
    """Rows of listed keys that are not among the users' present ones: gone ones, or another user's."""
    ids = {key.access_key_id for _, listed in answers for key in listed} - known
    rows = AccessKey.objects.filter(account=poll.account_id, access_key_id__in=ids) if ids else ()
    return {str(row.access_key_id): row for row in rows}


def _judged(user: Principal, keys: Sequence[AccessKey], changes: Changes) -> tuple[object, ...]:
    """What verdicts and counts depend on: a list that only gives keys their ids changes none of it."""
    of_keys = [
        (key.status, key.status_raw, key.created_at, key.last_used_state, key.last_used_at, key.gone_at, key.match == KeyMatch.AMBIGUOUS)
        for key in keys
    ]
    of_user = (user.active_keys, user.inactive_keys, user.ambiguous_slots, user.keys_known)
    return (*of_keys, *of_user, len(changes.new_keys), len(changes.same_keys))


def _uses(keys: Sequence[AccessKey], listed: Sequence[ListedKey], gateway: Gateway) -> dict[str, KeyLastUse]:
    """Live last use of keys that the report cannot tell apart."""
    known = {key.access_key_id for key in keys}
    slots = live_keys.slots_of([key for key in keys if key.access_key_id is None])
    ids = needs_last_use(slots, [key for key in listed if key.access_key_id not in known])
    return {key_id: use for key_id in ids if (use := _use(key_id, gateway)) is not None}


def _use(key_id: str, gateway: Gateway) -> KeyLastUse | None:
    try:
        return gateway.access_key_last_used(key_id)
    except (AccessDenied, NoSuchEntity):
        return None
