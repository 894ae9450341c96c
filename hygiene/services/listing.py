"""The second half of a poll: live ListAccessKeys of users whose report row changed, worst first, in batches."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from operator import attrgetter
from typing import TypeAlias

from django.db.models import F

from accounts.gateway import AccessDenied, Gateway, KeyLastUse, ListedKey, NoSuchEntity, Throttled
from hygiene.domain.facts import KeyMatch
from hygiene.domain.keys import needs_last_use
from hygiene.domain.policy import Policy
from hygiene.domain.report_row import MORE_CREDENTIALS
from hygiene.domain.wording import grouped_account, short_key_id
from hygiene.models import AccessKey, AccountStatus, Poll, Principal
from hygiene.services import findings, holders, key_ids, leases, live_keys, missing
from hygiene.services.asking import LONGEST, Aside, Names, in_batches
from hygiene.services.changes import Changes
from hygiene.services.clock import Clock
from hygiene.services.holders import Holder

logger = logging.getLogger(__name__)
Answer: TypeAlias = tuple[Principal, tuple[ListedKey, ...]]
Keys: TypeAlias = Mapping[int, list[AccessKey]]  # by user
Uses: TypeAlias = Mapping[int, Mapping[str, KeyLastUse]]  # by user, then by key id
LAST_USED = "iam:GetAccessKeyLastUsed"
REFUSED = "The read role may not call iam:ListAccessKeys: key IDs are unknown and no key can be changed here. Add the permission."
JUDGED = attrgetter("status", "status_raw", "created_at", "last_used_state", "last_used_at", "gone_at", "has_data_warning")


@dataclass(frozen=True, slots=True)
class Listing:
    """What came of it: a sentence when listing is not permitted, how many users are left for the next poll, and how many were listed."""

    refusal: str = ""
    left: int = 0
    listed: int = 0
    gaps: tuple[str, ...] = ()  # sentences about users whose keys are not known in full: unlisted, or with ids of another account


def to_list(held: Iterable[Holder]) -> list[Principal]:
    """Users whose slots changed since they were last listed, worst findings first: those that hold a key, or may hold one.

    A report that does not tell whether there is a key, or that names more credentials than it shows, leaves it to the live list.
    """
    users = (holder.principal for holder in held if not holder.principal.is_root and _is_to_list(holder))
    return sorted(users, key=lambda user: (-user.severity, user.pk))


def _is_to_list(holder: Holder) -> bool:
    """A key without its id is a reason, too: as of a user who was renamed when he was listed under the name that he had before."""
    user = holder.principal
    if not user.keys_known or any(key.access_key_id is None for key in holder.keys):
        return True
    return bool((holder.keys or MORE_CREDENTIALS in user.extra) and user.fingerprint != user.listed_fingerprint)


def list_changed_users(
    poll: Poll, status: AccountStatus, gateway: Gateway, users: Sequence[Principal], *, policy: Policy, clock: Clock
) -> Listing:
    """List them at AWS's pace, for at most seven minutes and while AWS does not throttle without end: the next poll goes on with the rest.

    Other errors than a refusal, or than of single users, are raised, after what was answered is kept.
    """
    started_at, done, gaps, aside = clock.now(), 0, list[str](), Aside(allows_refusals=True)
    try:
        for batch in in_batches(users, partial(_listed, gateway=gateway, names=Names(gateway)), clock, aside):
            gaps += _record(poll, status, batch, gateway, policy=policy, clock=clock)
            done += len(batch)
            if clock.now() - started_at > LONGEST:
                break
    except AccessDenied as error:
        if error.operation == "AssumeRole":
            raise
        return Listing(REFUSED, len(users) - done, done, tuple(gaps))
    except Throttled:
        logger.info("AWS throttles account %s: %d users are left to list", poll.account.account_id, len(users) - done)
    if note := aside.note("ListAccessKeys", "the IDs of their keys are"):
        gaps.append(note)
    return Listing("", len(users) - done - len(aside), done, tuple(gaps))


def _listed(user: Principal, *, gateway: Gateway, names: Names) -> tuple[ListedKey, ...]:
    """The user's keys now; none for a user who was deleted since the report.

    Of a user who is gone IAM cannot tell the ARN, so a policy that is scoped to ARNs refuses: that is no missing permission.
    """
    try:
        return gateway.list_access_keys(user.name)
    except NoSuchEntity:
        return ()
    except AccessDenied as error:
        if error.operation != "AssumeRole" and names.lack(user.name):
            return ()
        raise


def _record(poll: Poll, status: AccountStatus, answers: Sequence[Answer], gateway: Gateway, *, policy: Policy, clock: Clock) -> list[str]:
    """Store what was answered. Returns sentences about key ids that another account has."""
    keys = _keys(answers)
    uses = {user.pk: _uses(keys[user.pk], listed, _LastUses(status, gateway, clock)) for user, listed in answers}
    now = clock.now()

    def write(is_again: bool) -> list[str]:
        with leases.fenced(poll, now=now, phase="listing keys"):
            if not is_again:
                return _write(poll, status, answers, keys, uses, policy=policy, now=now)
            stored = _read_again(answers)
            return _write(poll, status, stored, _keys(stored), uses, policy=policy, now=now)

    return key_ids.settled(write)


def _keys(answers: Sequence[Answer]) -> Keys:
    return {holder.principal.pk: holder.keys for holder in holders.of_principals(user for user, _ in answers)}


def _read_again(answers: Sequence[Answer]) -> list[Answer]:
    """The same answers for users as they are stored."""
    users = Principal.objects.in_bulk([user.pk for user, _ in answers])
    return [(users[user.pk], listed) for user, listed in answers]


def _write(
    poll: Poll, status: AccountStatus, answers: Sequence[Answer], keys: Keys, uses: Uses, *, policy: Policy, now: datetime
) -> list[str]:
    users = [user for user, _ in answers]
    known = {key.access_key_id for some in keys.values() for key in some}
    rows = key_ids.rows_of((key for _, listed in answers for key in listed), known)
    changes, judged, foreign = Changes(listed=users), list[int](), list[str]()
    for user, listed in answers:
        before = _judged(user, keys[user.pk], changes)
        live = key_ids.live(listed, rows, account_pk=poll.account_id, uses=uses[user.pk])
        live_keys.apply(user, live, now=now, changes=changes, keys=keys[user.pk], poll=poll)
        if uses[user.pk]:
            live_keys.record_uses([*changes.keys, *changes.new_keys], uses[user.pk], now=now)
        if before != _judged(user, keys[user.pk], changes):
            judged.append(user.pk)
        foreign += [_conflict(user, rows[key.access_key_id]) for key in listed if key.access_key_id in live.foreign]
    changes.write()
    Poll.objects.filter(pk=poll.pk).update(users_listed=F("users_listed") + len(users))
    if judged:
        again = list(Principal.objects.filter(pk__in=judged))
        findings.reevaluate_principals(poll.account, status, again, policy=policy, now=now)
    return foreign


def _conflict(user: Principal, other: AccessKey) -> str:
    where = grouped_account(other.account.account_id)
    return (
        f"Access key {short_key_id(other.access_key_id)} of {user.name} is known in account {where} already. AWS gives an ID only once, "
        "so the key is set aside: check that both accounts are what they are taken for."
    )


def _judged(user: Principal, keys: Sequence[AccessKey], changes: Changes) -> tuple[object, ...]:
    """What verdicts and counts depend on: a list that only gives keys their ids changes none of it."""
    of_keys = [(*JUDGED(key), key.match == KeyMatch.AMBIGUOUS) for key in keys]
    of_user = (user.active_keys, user.inactive_keys, user.ambiguous_slots, user.keys_known)
    return (*of_keys, *of_user, len(changes.new_keys), len(changes.same_keys))


def _uses(keys: Sequence[AccessKey], listed: Sequence[ListedKey], asked: _LastUses) -> dict[str, KeyLastUse]:
    """Live last use of keys that the report cannot tell apart."""
    known = {key.access_key_id for key in keys}
    slots = live_keys.slots_of([key for key in keys if key.access_key_id is None])
    ids = {*needs_last_use(slots, [key for key in listed if key.access_key_id not in known]), *live_keys.tied(keys)}
    return {key_id: use for key_id in sorted(ids) if (use := asked.of(key_id)) is not None}


@dataclass(frozen=True, slots=True)
class _LastUses:
    """GetAccessKeyLastUsed of keys that a live list has just shown; a refusal is kept as a missing permission."""

    status: AccountStatus
    gateway: Gateway
    clock: Clock

    def of(self, key_id: str) -> KeyLastUse | None:
        """None where it may not be read, or the key is gone meanwhile."""
        try:
            use = self.gateway.access_key_last_used(key_id)
        except AccessDenied:
            missing.note(self.status, LAST_USED, "which of two keys of one second was used", now=self.clock.now())
            return None
        except NoSuchEntity:
            return None
        missing.clear(self.status, LAST_USED)
        return use
