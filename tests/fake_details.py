"""The fake gateway's answers beside keys and reports: users in detail, other credentials, the organization, evidence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from accounts.gateway import (
    AttachedPolicy,
    CallerIdentity,
    ListedCertificate,
    ListedSshKey,
    ListedUser,
    NoSuchEntity,
    OrganizationAccount,
    OrganizationFacts,
    PasswordPolicy,
    ServiceCredential,
    ServiceUse,
    TrailEvent,
    TrailPage,
    UserDetails,
)

if TYPE_CHECKING:
    from tests.fakes import FakeAwsAccount, FakeUser


@dataclass
class FakeExtras:
    """What an account has beside users and keys; a test fills in what it needs. By user name where it is a dict."""

    password_policy: PasswordPolicy | None = None
    service_credentials: list[ServiceCredential] = field(default_factory=list)
    ssh_keys: dict[str, list[ListedSshKey]] = field(default_factory=dict)
    certificates: dict[str, list[ListedCertificate]] = field(default_factory=dict)
    tags: dict[str, dict[str, str]] = field(default_factory=dict)
    groups: dict[str, tuple[str, ...]] = field(default_factory=dict)
    policies: dict[str, tuple[AttachedPolicy, ...]] = field(default_factory=dict)
    boundaries: dict[str, str] = field(default_factory=dict)
    organization: OrganizationFacts = field(default_factory=lambda: OrganizationFacts("none"))
    organization_accounts: list[OrganizationAccount] = field(default_factory=list)
    events: list[TrailEvent] = field(default_factory=list)
    service_uses: dict[str, tuple[ServiceUse, ...]] = field(default_factory=dict)  # by ARN
    worker: CallerIdentity | None = None
    worker_access_key_id: str = ""


class FakeDetailCalls:
    """Mixed into FakeGateway."""

    world: FakeAwsAccount

    def _begin(self, operation: str, **parameters: Any) -> None:
        raise AssertionError("FakeGateway begins calls")

    def _fault(self, operation: str, *, after_applying: bool) -> None:
        raise AssertionError("FakeGateway has faults")

    def _user(self, name: str) -> FakeUser:
        raise AssertionError("FakeGateway finds users")

    def take_turn(self) -> None:
        """No pace."""

    @property
    def worker_identity(self) -> CallerIdentity | None:
        return self.world.extras.worker

    @property
    def worker_access_key_id(self) -> str:
        return self.world.extras.worker_access_key_id

    def list_users(self) -> tuple[ListedUser, ...]:
        self._begin("ListUsers")
        return tuple(self._listed(user) for user in self.world.users.values())

    def _listed(self, user: FakeUser) -> ListedUser:
        return ListedUser(user.name, user.user_id, self.world.arn(user), user.path, user.created_at, user.password_last_used_at)

    def get_user(self, user_name: str) -> ListedUser:
        self._begin("GetUser", user_name=user_name)
        return self._listed(self._user(user_name))

    def authorization_details(self) -> Iterator[UserDetails]:
        self._begin("GetAccountAuthorizationDetails")
        extras = self.world.extras
        details = [
            UserDetails(
                self._listed(user),
                dict(extras.tags.get(name, {})),
                extras.groups.get(name, ()),
                extras.policies.get(name, ()),
                extras.boundaries.get(name, ""),
            )
            for name, user in self.world.users.items()
        ]
        return iter(details)

    def password_policy(self) -> PasswordPolicy | None:
        self._begin("GetAccountPasswordPolicy")
        return self.world.extras.password_policy

    def service_credentials(self) -> tuple[ServiceCredential, ...]:
        self._begin("ListServiceSpecificCredentials")
        return tuple(self.world.extras.service_credentials)

    def list_ssh_keys(self, user_name: str) -> tuple[ListedSshKey, ...]:
        self._begin("ListSSHPublicKeys", user_name=user_name)
        return tuple(self.world.extras.ssh_keys.get(self._user(user_name).name, []))

    def list_signing_certificates(self, user_name: str) -> tuple[ListedCertificate, ...]:
        self._begin("ListSigningCertificates", user_name=user_name)
        return tuple(self.world.extras.certificates.get(self._user(user_name).name, []))

    def organization(self) -> OrganizationFacts:
        self._begin("DescribeOrganization")
        return self.world.extras.organization

    def organization_accounts(self) -> Iterator[OrganizationAccount]:
        self._begin("ListAccounts")
        return iter(list(self.world.extras.organization_accounts))

    def has_login_profile(self, user_name: str) -> bool:
        self._begin("GetLoginProfile", user_name=user_name)
        user = self.world.users.get(user_name)
        return user is not None and user.password_enabled

    def delete_login_profile(self, user_name: str) -> str:
        self._begin("DeleteLoginProfile", user_name=user_name)
        user = self._user(user_name)
        if not user.password_enabled:
            raise NoSuchEntity("The user has no password.", operation="DeleteLoginProfile", code="NoSuchEntity")
        user.password_enabled = False
        return self._done("DeleteLoginProfile")

    def update_signing_certificate(self, user_name: str, certificate_id: str, *, active: bool) -> str:
        self._begin("UpdateSigningCertificate", user_name=user_name, certificate_id=certificate_id, active=active)
        listed, place = self._certificate(user_name, certificate_id)
        status = "Active" if active else "Inactive"
        listed[place] = ListedCertificate(certificate_id, status, listed[place].uploaded_at)
        return self._done("UpdateSigningCertificate")

    def delete_signing_certificate(self, user_name: str, certificate_id: str) -> str:
        self._begin("DeleteSigningCertificate", user_name=user_name, certificate_id=certificate_id)
        listed, place = self._certificate(user_name, certificate_id)
        del listed[place]
        return self._done("DeleteSigningCertificate")

    def _certificate(self, user_name: str, certificate_id: str) -> tuple[list[ListedCertificate], int]:
        listed = self.world.extras.certificates.get(self._user(user_name).name, [])
        for place, certificate in enumerate(listed):
            if certificate.certificate_id == certificate_id:
                return listed, place
        raise NoSuchEntity("There is no such certificate.", code="NoSuchEntity")

    def _done(self, operation: str) -> str:
        self._fault(operation, after_applying=True)
        return f"request-{len(self.world.log)}"

    def trail_events(self, *, region: str, access_key_id: str = "", user_name: str = "", most: int = 50) -> TrailPage:
        if bool(access_key_id) == bool(user_name):
            raise ValueError("LookupEvents takes exactly one of access_key_id and user_name")
        self._begin("LookupEvents", region=region, access_key_id=access_key_id, user_name=user_name)
        wanted = [
            event
            for event in self.world.extras.events
            if event.region == region and (event.access_key_id == access_key_id if access_key_id else event.user_name == user_name)
        ]
        wanted.sort(key=lambda event: event.occurred_at, reverse=True)
        return TrailPage(tuple(wanted[:most]), is_cut_short=len(wanted) > most)

    def service_uses(self, user_arn: str) -> tuple[ServiceUse, ...]:
        self._begin("GenerateServiceLastAccessedDetails", user_arn=user_arn)
        return tuple(use for use in self.world.extras.service_uses.get(user_arn, ()) if use.last_used_at)
