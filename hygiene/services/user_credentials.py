"""Credentials of users beside keys and passwords: service-specific ones, signing certificates, SSH keys. Asked of few users at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Generic, TypeVar

from django.db.models import F

from accounts.gateway import AwsError, ListedCertificate, ListedSshKey, NoSuchEntity, ServiceCredential
from accounts.models import Account
from hygiene.models import Principal, PrincipalEvent
from hygiene.services import bulk
from hygiene.services.asking import Aside
from hygiene.services.clock import Clock
from hygiene.services.detail_timelines import of_credentials
from hygiene.services.timelines import Sighting

T = TypeVar("T")
LONGEST = timedelta(seconds=45)
MOST_USERS = 200  # asked one by one in one refresh
SSH_CYCLE = timedelta(days=7)
SSH_SERVICES = frozenset({"codecommit", "*"})  # SSH public keys of IAM serve CodeCommit alone


@dataclass
class Asked(Generic[T]):
    """Answers so far, whom AWS did not tell of, and the error that ended the asking."""

    answers: list[tuple[Principal, tuple[T, ...]]] = field(default_factory=list)
    aside: Aside = field(default_factory=Aside)
    error: AwsError | None = None


def ask(users: Iterable[Principal], read: Callable[[str], tuple[T, ...]], *, clock: Clock) -> Asked[T]:
    """One call for each user, for at most 45 seconds. A user who is gone has none; an error that is not one user's ends it.

    What was answered before an error is kept.
    """
    asked: Asked[T] = Asked()
    since = clock.now()
    for user in users:
        if clock.now() - since > LONGEST:
            break
        try:
            asked.answers.append((user, read(user.name)))
        except NoSuchEntity:
            asked.answers.append((user, ()))
        except AwsError as error:
            if asked.aside.takes(user, error):
                continue
            asked.error = error
            break
        asked.aside.answered()
    asked.error = asked.error or asked.aside.of_all()
    return asked


def _users(account: Account) -> Any:
    return Principal.objects.present().users().filter(account=account)


def record_service_credentials(account: Account, told: Sequence[ServiceCredential], *, seen: Sighting) -> set[int]:
    """Of all users in one answer; a user without any has an empty list, which is not "not read". Returns whose verdicts may differ."""
    of_user: dict[str, list[dict[str, Any]]] = {}
    for one in sorted(told, key=lambda one: one.credential_id):
        entry = {"id": one.credential_id, "service": one.service, "status": one.status}
        of_user.setdefault(one.user_name, []).append(entry | {"created_at": _iso(one.created_at), "expires_at": _iso(one.expires_at)})
    changed, judged = [], set()
    lines: list[PrincipalEvent] = []
    for user in _users(account).only("name", "service_credentials"):
        listed = of_user.get(user.name, [])
        if user.service_credentials != listed:
            if user.service_credentials or listed:
                judged.add(user.pk)
            lines += of_credentials(user, "Service credential", user.service_credentials, listed, seen=seen)
            user.service_credentials = listed
            changed.append(user)
    bulk.update(Principal, [user.__dict__ for user in changed], ["service_credentials"])
    bulk.insert(PrincipalEvent, [line.__dict__ for line in lines])
    _users(account).update(service_credentials_observed_at=seen.at)
    return judged


def with_certificates(account: Account) -> list[Principal]:
    """Users whose report row names a signing certificate, worst first."""
    holders = _users(account).exclude(certificates=[]).exclude(certificates__isnull=True)
    return list(holders.order_by("-severity", "pk")[:MOST_USERS])


def record_certificates(answers: Sequence[tuple[Principal, tuple[ListedCertificate, ...]]], *, now: datetime) -> None:
    """Ids, status and upload time."""
    for user, listed in answers:
        user.signing_certificates = [
            {"id": one.certificate_id, "active": one.status == "Active", "uploaded_at": _iso(one.uploaded_at)} for one in listed
        ]
        user.signing_certificates_observed_at = now
    bulk.update(Principal, [user.__dict__ for user, _ in answers], ["signing_certificates", "signing_certificates_observed_at"])


def due_for_ssh_keys(account: Account, *, is_first: bool, now: datetime) -> list[Principal]:
    """Users to ask for SSH keys: who may use CodeCommit before the others, never asked before asked long ago, worst first.

    The first refresh of an account asks only those who can use such a key, so that many users do not hold it up.
    """
    due = _users(account).exclude(credentials_observed_at__gt=now - SSH_CYCLE)
    rows = due.order_by(F("credentials_observed_at").asc(nulls_first=True), "-severity", "pk")
    users: list[Principal] = []
    others: list[Principal] = []
    for user in rows.only("name", "reach", "ssh_keys"):
        (users if _can_use(user) else others).append(user)
    return list(islice([*users, *([] if is_first else others)], MOST_USERS))


def _can_use(user: Principal) -> bool:
    return user.reach is None or user.reach.get("is_admin") is not False or not SSH_SERVICES.isdisjoint(user.reach.get("services", ()))


def record_ssh_keys(answers: Sequence[tuple[Principal, tuple[ListedSshKey, ...]]], *, seen: Sighting) -> set[int]:
    """Write what was answered. Returns users of whom verdicts may differ."""
    judged = set()
    lines: list[PrincipalEvent] = []
    for user, listed in answers:
        entries = [{"id": one.key_id, "active": one.status == "Active", "uploaded_at": _iso(one.uploaded_at)} for one in listed]
        if user.ssh_keys != entries and (user.ssh_keys or entries):
            judged.add(user.pk)
            lines += of_credentials(user, "SSH key", user.ssh_keys, entries, seen=seen)
        user.ssh_keys, user.credentials_observed_at = entries, seen.at
    bulk.update(Principal, [user.__dict__ for user, _ in answers], ["ssh_keys", "credentials_observed_at"])
    bulk.insert(PrincipalEvent, [line.__dict__ for line in lines])
    return judged


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
