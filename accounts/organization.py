"""The registry from AWS Organizations: accounts are created and updated as AWS lists them, and never removed: their history stays."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction

from accounts import audit
from accounts.aws.organization import PART_OF, ListedAccount
from accounts.gateway import AccessDenied, OrganizationAccount
from accounts.models import Account, OrganizationState, new_external_id

if TYPE_CHECKING:
    from django.contrib.auth.models import User

READ_ROLE = "hygiene-read"  # of the templates in deploy/aws
_ROLE_NAME = re.compile(r"(?:[\x21-\x7e]+/)?[\w+=,.@-]{1,64}", re.ASCII)
_NUMBER = re.compile(r"[0-9]{12}")


@dataclass(frozen=True, slots=True)
class Roles:
    """Names of the roles in every account, with a path where they have one. Empty: those that exist keep theirs, new ones get the usual.

    `is_for_new`: they are for new accounts only. `management`: ARN of the read role of the account in charge, where it is another one.
    """

    partition: str = "aws"
    read: str = ""
    act: str = ""
    external_id: str = ""
    is_for_new: bool = False
    management: str = ""

    def arn(self, name: str, number: str) -> str:
        """The ARN of a role; empty for no role."""
        return f"arn:{self.partition}:iam::{number}:role/{name.lstrip('/')}" if name else ""

    def read_arn(self, number: str) -> str:
        """The ARN of the read role of a new account."""
        return self.management if number in self.management.split(":") else self.arn(self.read or READ_ROLE, number)


@dataclass
class Synced:
    """What a walk over the organization did, and in sentences what it could not do.

    `refused`: entries that could not be taken. `unread`: accounts whose unit or tags were not read; they keep what was known.
    `not_permitted`: what was read for no account, since a permission is missing. `missing`: accounts that AWS lists no more.
    """

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    refused: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    not_permitted: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    @property
    def problems(self) -> list[str]:
        """What failed about single accounts. A permission that is missing is none: it is optional."""
        return self.refused + self.unread


def is_role_name(name: str) -> bool:
    """Whether AWS allows this as the name of a role, with or without its path."""
    return bool(_ROLE_NAME.fullmatch(name.lstrip("/")))


def state_of(word: str) -> OrganizationState:
    """AWS's word for the state of an account. A word that is not known, or none, is UNKNOWN, which is not polled."""
    return OrganizationState(word) if word in set(OrganizationState.values) - {""} else OrganizationState.UNKNOWN


@transaction.atomic
def record(listed: Sequence[OrganizationAccount], *, roles: Roles, now: datetime, actor: User | None = None) -> Synced:
    """Take in a complete list of the organization's accounts, all in one transaction; one audit event for each that changed.

    The name, state, unit and tags follow AWS; tags that AWS does not have stay. Roles of known accounts change only when `roles`
    names them. An account that is not listed is left as it is and told in `missing`.
    """
    done = Synced()
    good = _good(listed, done)
    _tell_unread(listed, done)
    for_known = Roles(roles.partition) if roles.is_for_new else roles
    known = Account.objects.in_bulk(list(good), field_name="account_id")
    for number, entry in good.items():
        account = known.get(number)
        if account is None:
            _create(entry, roles, now, actor)
            done.created += 1
        elif _update(account, entry, for_known, now, actor):
            done.updated += 1
        else:
            done.unchanged += 1
    others = Account.objects.filter(partition=roles.partition, removed_at=None).exclude(organization_state__in=["", "CLOSED"])
    done.missing = sorted(set(others.values_list("account_id", flat=True)) - set(good))
    return done


def _good(listed: Iterable[OrganizationAccount], done: Synced) -> dict[str, OrganizationAccount]:
    good: dict[str, OrganizationAccount] = {}
    for entry in listed:
        if not _NUMBER.fullmatch(entry.account_id):
            done.refused.append(f"{entry.account_id!r} is no account number")
        elif entry.account_id in good and good[entry.account_id] != entry:
            done.refused.append(f"account {entry.account_id} is listed twice, differently")
        else:
            good[entry.account_id] = entry
    return good


def _tell_unread(listed: Iterable[OrganizationAccount], done: Synced) -> None:
    for entry in listed:
        for error in entry.unread if isinstance(entry, ListedAccount) else ():
            part = PART_OF[error.operation]
            if isinstance(error, AccessDenied):
                done.not_permitted.append(f"{part.capitalize()} were not read: {error.sentence} What was known is kept.")
            else:
                done.unread.append(f"{part} of {_name(entry)} ({entry.account_id}) were not read: {error.sentence}")


def _create(entry: OrganizationAccount, roles: Roles, now: datetime, actor: User | None) -> None:
    values = {
        "name": _name(entry),
        "partition": roles.partition,
        "environment": _environment(entry),
        "organizational_unit": entry.unit_path[:512],
        "organization_state": str(state_of(entry.state)),
        "read_role_arn": roles.read_arn(entry.account_id),
        "act_role_arn": roles.arn(roles.act, entry.account_id),
        "tags": dict(entry.tags),
    }
    external_id = roles.external_id or new_external_id()
    account = Account.objects.create(account_id=entry.account_id, external_id=external_id, created_at=now, updated_at=now, **values)
    audit.record(
        action="account.add",
        outcome="succeeded",
        reason="organization",
        now=now,
        actor=actor,
        account=account,
        target=str(account),
        after=values,
    )


def _update(account: Account, entry: OrganizationAccount, roles: Roles, now: datetime, actor: User | None) -> bool:
    wanted: dict[str, Any] = {
        "name": _name(entry),
        "organization_state": str(state_of(entry.state)),
        "organizational_unit": entry.unit_path[:512] or account.organizational_unit,
        "tags": {**account.tags, **entry.tags},
    }
    if wanted["organization_state"] == OrganizationState.ACTIVE:
        wanted["removed_at"] = None  # removed here, and in use in AWS still: it comes back
    if roles.read:
        wanted["read_role_arn"] = roles.arn(roles.read, entry.account_id)
    if roles.act:
        wanted["act_role_arn"] = roles.arn(roles.act, entry.account_id)
    if roles.external_id:
        wanted["external_id"] = roles.external_id
    changed = {name: value for name, value in wanted.items() if getattr(account, name) != value}
    if not changed:
        return False
    before = {name: getattr(account, name) for name in changed}
    for name, value in changed.items():
        setattr(account, name, value)
    account.updated_at = now
    account.save(update_fields=[*changed, "updated_at"])
    audit.record(
        action="account.change",
        outcome="succeeded",
        reason="organization",
        now=now,
        actor=actor,
        account=account,
        target=str(account),
        before=_shown(before),
        after=_shown(changed),
    )
    return True


def _name(entry: OrganizationAccount) -> str:
    return entry.name.strip()[:128] or entry.account_id


def _environment(entry: OrganizationAccount) -> str:
    """Of a new account, from its tags where they tell."""
    words = {name.lower(): value for name, value in entry.tags.items()}
    return (words.get("environment") or words.get("env") or "")[:64]


def _shown(values: dict[str, Any]) -> dict[str, Any]:
    """Values for the audit log; the external id only as a word."""
    told = {name: value.isoformat() if isinstance(value, datetime) else value for name, value in values.items()}
    return {name: "(set)" if name == "external_id" else value for name, value in told.items()}
