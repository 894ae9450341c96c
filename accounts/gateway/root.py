"""Root credentials of a member account through central root access (sts:AssumeRoot). Pure.

Deletions there cannot be undone, and a root key can be deleted but not disabled. Every call is made without a user name.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

from accounts.gateway.details import ListedCertificate
from accounts.gateway.facts import KeyLastUse, ListedKey


class RootTask(StrEnum):
    """What a session may do: the name of AWS's task policy. Both need the feature RootCredentialsManagement."""

    AUDIT = "IAMAuditRootUserCredentials"
    DELETE = "IAMDeleteRootUserCredentials"


class RootGateway(Protocol):
    """One AssumeRoot session in one member account, limited by one task policy. Any method may raise any AwsError; none retries a write.

    FeatureOff when central root access is off; AccessDenied when a service control policy or the caller's rights forbid it.
    """

    @property
    def account_id(self) -> str:
        """The member account's number."""

    @property
    def calls(self) -> int:
        """How many API calls this session has sent, AssumeRoot included."""

    def take_turn(self) -> None:
        """Open the session and wait for the account's pace, so that the next write is sent without waiting."""

    def list_access_keys(self) -> tuple[ListedKey, ...]:
        """iam:ListAccessKeys of root; user_name is empty."""

    def access_key_last_used(self, access_key_id: str) -> KeyLastUse:
        """iam:GetAccessKeyLastUsed."""

    def has_login_profile(self) -> bool:
        """iam:GetLoginProfile; NoSuchEntity is no."""

    def list_signing_certificates(self) -> tuple[ListedCertificate, ...]:
        """iam:ListSigningCertificates of root."""

    def list_mfa_devices(self) -> tuple[str, ...]:
        """Serial numbers by iam:ListMFADevices of root."""

    def delete_access_key(self, access_key_id: str) -> str:
        """iam:DeleteAccessKey, one attempt on the wire. Returns the AWS request id."""

    def delete_login_profile(self) -> str:
        """iam:DeleteLoginProfile, one attempt."""

    def delete_signing_certificate(self, certificate_id: str) -> str:
        """iam:DeleteSigningCertificate, one attempt."""

    def deactivate_mfa_device(self, serial_number: str) -> str:
        """iam:DeactivateMFADevice, one attempt."""

    def delete_virtual_mfa_device(self, serial_number: str) -> str:
        """iam:DeleteVirtualMFADevice, one attempt; only after it was deactivated."""
