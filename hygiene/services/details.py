"""Facts beside the report, read at most once in DETAILS_INTERVAL_HOURS: account settings, users in detail, other credentials.

Each part stands for itself: what AWS refuses is unknown with the missing permission kept and asked for in between (`missing.is_due`), what
fails is asked for by the next poll, and neither touches the report's part. Nothing is written while AWS is asked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.conf import settings

from accounts.gateway import AccessDenied, AwsError, CredentialsExpired, Gateway, Throttled, Unreachable
from hygiene.domain.facts import IN_CHARGE, OrganizationRole, Source
from hygiene.models import AccountStatus, Poll
from hygiene.services import leases, missing, rejudging, user_credentials, user_details
from hygiene.services.clock import Clock
from hygiene.services.timelines import Sighting

LONGEST_BEFORE = timedelta(minutes=6)  # a poll that has run so long leaves the details to the next one
POLICY = "the account's password policy"
PLACE = "the account's place in its organization"
USERS = "tags and owners, groups, policies, administrator rights and AWS's quarantine"
SERVICES = "Bedrock, CodeCommit and other service credentials"
FEATURES = "iam:ListOrganizationsFeatures"
FEATURES_UNKNOWN = "whether central root access is on"
PASSING = (Throttled, Unreachable, CredentialsExpired)  # may well succeed when the next poll asks


@dataclass
class Reading:
    """One refresh in flight. `notes`: sentences for the poll's page.

    `is_changed`: the account's own facts differ, so every verdict may. `changed`: primary keys of users whose facts differ.
    `tells_members`: what verdicts of the organization's member accounts rest on differs.
    """

    poll: Poll
    status: AccountStatus
    gateway: Gateway
    clock: Clock
    notes: list[str] = field(default_factory=list)
    is_changed: bool = False
    changed: set[int] = field(default_factory=set)
    tells_members: bool = False
    has_failed: bool = False

    def sighting(self, source: Source) -> Sighting:
        """For lines of timelines: by this poll, now."""
        return Sighting(self.poll, self.clock.now(), source)

    def part(self, permission: str, unknown: str, read: Callable[[], None], *, read_at: datetime | None = None) -> None:
        """One part, unless it was read within the interval, as after a refresh in which only others failed.

        A refusal is kept as a missing permission, another error is noted; what may pass is asked again by the next poll.
        """
        if read_at is not None and self.clock.now() - read_at < _interval():
            return
        was_missing = missing.is_noted(self.status, permission)
        try:
            read()
        except AccessDenied as error:
            if error.operation == "AssumeRole":
                raise
            missing.note(self.status, permission, unknown, now=self.clock.now())
        except AwsError as error:
            self.has_failed = self.has_failed or isinstance(error, PASSING)
            self.notes.append(f"{permission} failed, so {unknown} is as it was known before: {error.sentence}")
        else:
            missing.clear(self.status, permission)
        self.is_changed = self.is_changed or was_missing is not missing.is_noted(self.status, permission)


def is_due(poll: Poll, status: AccountStatus, clock: Clock) -> bool:
    """Whether the interval is over, or something refused is to be asked again, and the poll has time left for it."""
    now = clock.now()
    is_late = poll.started_at is not None and now - poll.started_at > LONGEST_BEFORE
    return not is_late and (_all_are_due(status, clock) or any(_is_refused(part, poll, status, clock) for part in PARTS))


def _all_are_due(status: AccountStatus, clock: Clock) -> bool:
    return status.details_tried_at is None or clock.now() - status.details_tried_at >= _interval()


def _is_refused(part: Part, poll: Poll, status: AccountStatus, clock: Clock) -> bool:
    """Whether AWS refused a call of this part, and is to be asked again."""
    return any(missing.is_due(status, permission, poll, now=clock.now()) for permission in (part.permission, *part.others))


def _interval() -> timedelta:
    return timedelta(hours=settings.DETAILS_INTERVAL_HOURS)


def refresh(poll: Poll, status: AccountStatus, gateway: Gateway, *, clock: Clock) -> Reading:
    """Read every part once, or between two such readings those that AWS refused.

    Raises LeaseLost; AccessDenied when the role cannot be assumed any more.
    """
    reading = Reading(poll, status, gateway, clock)
    is_whole = _all_are_due(status, clock)
    for part in PARTS:
        if _is_refused(part, poll, status, clock):
            reading.part(part.permission, part.unknown, partial(part.read, reading))
        elif is_whole:
            read_at = getattr(status, part.read_at) if part.read_at else None
            reading.part(part.permission, part.unknown, partial(part.read, reading), read_at=read_at)
    with leases.fenced(poll, now=clock.now(), phase="details"):
        if is_whole and not reading.has_failed:
            status.details_tried_at = clock.now()
        status.save()
        if reading.tells_members:
            rejudging.mark([status.account_id], now=clock.now())
    return reading


def _password_policy(reading: Reading) -> None:
    policy, status = reading.gateway.password_policy(), reading.status
    told = {}
    if policy is not None:
        told = {
            "minimum_length": policy.minimum_length,
            "reuse_prevention": policy.reuse_prevention,
            "max_age_days": policy.max_age_days,
            "requires_symbols": policy.requires_symbols,
            "requires_numbers": policy.requires_numbers,
            "requires_uppercase": policy.requires_uppercase,
            "requires_lowercase": policy.requires_lowercase,
            "allows_change": policy.allows_change,
            "expires_hard": policy.expires_hard,
        }
    reading.is_changed = reading.is_changed or status.password_policy != told
    status.password_policy, status.password_policy_observed_at = told, reading.clock.now()


def _organization(reading: Reading) -> None:
    """Role and features. An account in charge whose features were refused lacks a permission of its own."""
    told, status = reading.gateway.organization(), reading.status
    features = None if told.features is None else sorted(told.features)
    role = OrganizationRole(told.role)
    before = (status.organization_role, status.central_root_features, status.organization_id)
    differs = before != (role, features, told.organization_id)
    reading.is_changed = reading.is_changed or differs
    reading.tells_members = differs and role in IN_CHARGE
    status.organization_role, status.central_root_features, status.organization_id = role, features, told.organization_id
    status.organization_observed_at = reading.clock.now()
    if role in IN_CHARGE and features is None:
        missing.note(status, FEATURES, FEATURES_UNKNOWN, now=reading.clock.now())
    else:
        missing.clear(status, FEATURES)


def _users(reading: Reading) -> None:
    told = list(reading.gateway.authorization_details())
    now = reading.clock.now()
    with leases.fenced(reading.poll, now=now, phase="details"):
        reading.changed |= user_details.record(reading.poll.account, told, poll=reading.poll, now=now)
        reading.status.details_observed_at = now


def _service_credentials(reading: Reading) -> None:
    told = reading.gateway.service_credentials()
    now = reading.clock.now()
    with leases.fenced(reading.poll, now=now, phase="details"):
        reading.changed |= user_credentials.record_service_credentials(
            reading.poll.account, told, seen=Sighting(reading.poll, now, Source.SERVICE_CREDENTIALS)
        )
        reading.status.credentials_observed_at = now


def _certificates(reading: Reading) -> None:
    """Only of users whose report row names a certificate."""
    users = user_credentials.with_certificates(reading.poll.account)
    found = user_credentials.ask(users, reading.gateway.list_signing_certificates, clock=reading.clock)
    if found.answers:
        with leases.fenced(reading.poll, now=reading.clock.now(), phase="details"):
            user_credentials.record_certificates(found.answers, now=reading.clock.now())
    _end(reading, found, "ListSigningCertificates", "the IDs of their certificates are")


def _ssh_keys(reading: Reading) -> None:
    """Of some users at a time: those who can use one at first sight, all others on a slow cycle."""
    now = reading.clock.now()
    is_first = reading.status.details_tried_at is None
    users = user_credentials.due_for_ssh_keys(reading.poll.account, is_first=is_first, now=now)
    found = user_credentials.ask(users, reading.gateway.list_ssh_keys, clock=reading.clock)
    if found.answers:
        with leases.fenced(reading.poll, now=reading.clock.now(), phase="details"):
            seen = Sighting(reading.poll, reading.clock.now(), Source.SSH_KEYS)
            reading.changed |= user_credentials.record_ssh_keys(found.answers, seen=seen)
    _end(reading, found, "ListSSHPublicKeys", "their SSH keys are")


def _end(reading: Reading, found: user_credentials.Asked[Any], operation: str, unknown: str) -> None:
    """Say of whom AWS did not tell, and raise what ended the asking."""
    if note := found.aside.note(operation, unknown):
        reading.notes.append(note)
    if found.error is not None:
        raise found.error


@dataclass(frozen=True, slots=True)
class Part:
    """One part: the call that it needs and what is unknown without, how it is read, the status's field that says when, other calls."""

    permission: str
    unknown: str
    read: Callable[[Reading], None]
    read_at: str = ""
    others: tuple[str, ...] = ()


PARTS = (
    Part("iam:GetAccountPasswordPolicy", POLICY, _password_policy, "password_policy_observed_at"),
    Part("organizations:DescribeOrganization", PLACE, _organization, "organization_observed_at", others=(FEATURES,)),
    Part("iam:GetAccountAuthorizationDetails", USERS, _users, "details_observed_at"),
    Part("iam:ListServiceSpecificCredentials", SERVICES, _service_credentials, "credentials_observed_at"),
    Part("iam:ListSigningCertificates", "ids of signing certificates", _certificates),
    Part("iam:ListSSHPublicKeys", "SSH keys", _ssh_keys),
)
