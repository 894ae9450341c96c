"""The port's protocols: one assumed session in one AWS account. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from accounts.gateway.details import (
    ListedCertificate,
    ListedSshKey,
    ListedUser,
    OrganizationAccount,
    OrganizationFacts,
    PasswordPolicy,
    ServiceCredential,
    UserDetails,
)
from accounts.gateway.evidence import ServiceUse, TrailPage
from accounts.gateway.facts import (
    AccountSummary,
    CallerIdentity,
    CredentialReport,
    KeyLastUse,
    ListedKey,
    ReportState,
    VirtualMfaDevice,
)


class Gateway(Protocol):
    """One assumed session in one AWS account. Every method may raise any `AwsError`; none retries a write."""

    @property
    def account_id(self) -> str:
        """The 12-digit number of the account that the session is for."""

    @property
    def calls(self) -> int:
        """How many requests this session has sent, retries and the AssumeRole included."""

    def take_turn(self) -> None:
        """Open the session and wait for the account's pace, so that the next write is sent without waiting."""

    def caller_identity(self) -> CallerIdentity:
        """sts:GetCallerIdentity of the assumed session."""

    def generate_credential_report(self) -> ReportState:
        """iam:GenerateCredentialReport, once."""

    def get_credential_report(self) -> CredentialReport:
        """iam:GetCredentialReport. Raises ReportNotReady when there is none to get."""

    def account_summary(self) -> AccountSummary:
        """iam:GetAccountSummary."""

    def virtual_mfa_devices(self) -> tuple[VirtualMfaDevice, ...]:
        """iam:ListVirtualMFADevices with AssignmentStatus=Assigned, all pages."""

    def list_access_keys(self, user_name: str) -> tuple[ListedKey, ...]:
        """iam:ListAccessKeys of one user, all pages, in no promised order. Raises NoSuchEntity when the user is gone."""

    def list_mfa_devices(self, user_name: str) -> tuple[str, ...]:
        """Serial numbers by iam:ListMFADevices of one user, of every kind, all pages. Raises NoSuchEntity when the user is gone."""

    def access_key_last_used(self, access_key_id: str) -> KeyLastUse:
        """iam:GetAccessKeyLastUsed."""

    def update_access_key(self, user_name: str, access_key_id: str, *, active: bool) -> str:
        """iam:UpdateAccessKey, one attempt on the wire. Returns the AWS request id."""

    def delete_access_key(self, user_name: str, access_key_id: str) -> str:
        """iam:DeleteAccessKey, one attempt on the wire. Returns the AWS request id."""

    @property
    def worker_identity(self) -> CallerIdentity | None:
        """Who the worker itself is before it assumes anything, where that is known without a call; None otherwise."""

    @property
    def worker_access_key_id(self) -> str:
        """The id of the long-term key (AKIA…) that the worker signs with; empty when it uses temporary credentials."""

    def list_users(self) -> tuple[ListedUser, ...]:
        """iam:ListUsers, all pages of up to 1,000."""

    def authorization_details(self) -> Iterator[UserDetails]:
        """iam:GetAccountAuthorizationDetails: every user with tags, groups and the policies that act on it; all pages."""

    def password_policy(self) -> PasswordPolicy | None:
        """iam:GetAccountPasswordPolicy; None when the account has set none (NoSuchEntity)."""

    def service_credentials(self) -> tuple[ServiceCredential, ...]:
        """iam:ListServiceSpecificCredentials with AllUsers, all pages."""

    def list_ssh_keys(self, user_name: str) -> tuple[ListedSshKey, ...]:
        """iam:ListSSHPublicKeys of one user, all pages. Raises NoSuchEntity."""

    def list_signing_certificates(self, user_name: str) -> tuple[ListedCertificate, ...]:
        """iam:ListSigningCertificates of one user, all pages. Raises NoSuchEntity."""

    def organization(self) -> OrganizationFacts:
        """organizations:DescribeOrganization, and iam:ListOrganizationsFeatures in a management or delegated account."""

    def organization_accounts(self) -> Iterator[OrganizationAccount]:
        """organizations:ListAccounts, all pages (some may be empty), with unit paths and tags where these may be read."""

    def get_user(self, user_name: str) -> ListedUser:
        """iam:GetUser: its birth and last sign-in as AWS has them now. Raises NoSuchEntity."""

    def has_login_profile(self, user_name: str) -> bool:
        """iam:GetLoginProfile; NoSuchEntity is no."""

    def delete_login_profile(self, user_name: str) -> str:
        """iam:DeleteLoginProfile, one attempt on the wire. Returns the AWS request id."""

    def update_signing_certificate(self, user_name: str, certificate_id: str, *, active: bool) -> str:
        """iam:UpdateSigningCertificate, one attempt. Returns the AWS request id."""

    def delete_signing_certificate(self, user_name: str, certificate_id: str) -> str:
        """iam:DeleteSigningCertificate, one attempt. Returns the AWS request id."""

    def trail_events(self, *, region: str, access_key_id: str = "", user_name: str = "", most: int = 50) -> TrailPage:
        """cloudtrail:LookupEvents in one Region by exactly one of key id and user name: newest first, at most `most`, 2 calls a second."""

    def service_uses(self, user_arn: str) -> tuple[ServiceUse, ...]:
        """iam:GenerateServiceLastAccessedDetails, then its details in the same session; services with a use only."""
