"""What AWS tells of one account on every poll. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Purpose(StrEnum):
    """Why a session is opened: decides the role assumed and the session policy put on it."""

    POLL = "poll"
    REMEDIATE = "remediate"
    EVIDENCE = "evidence"


class ReportState(StrEnum):
    """Answer of GenerateCredentialReport. AWS's free-text Description is never read."""

    STARTED = "STARTED"
    IN_PROGRESS = "INPROGRESS"
    COMPLETE = "COMPLETE"


@dataclass(frozen=True, slots=True)
class CredentialReport:
    """Bytes of one credential report as AWS served them (CSV, not decoded) and when AWS made it (aware, UTC)."""

    content: bytes
    generated_at: datetime


@dataclass(frozen=True, slots=True)
class ListedKey:
    """One entry of ListAccessKeys. `status` is AWS's word (Active, Inactive, Expired, or one we do not know yet)."""

    user_name: str
    access_key_id: str
    status: str
    created_at: datetime | None


@dataclass(frozen=True, slots=True)
class KeyLastUse:
    """Answer of GetAccessKeyLastUsed. `last_used_at` None means that AWS has no record; "N/A" region and service come as None."""

    user_name: str
    last_used_at: datetime | None
    region: str | None
    service: str | None


@dataclass(frozen=True, slots=True)
class AccountSummary:
    """SummaryMap of GetAccountSummary, live, never cached by AWS. A number that AWS left out is None: unknown, not zero."""

    values: Mapping[str, int] = field(default_factory=dict)

    def _flag(self, name: str) -> bool | None:
        return None if name not in self.values else self.values[name] > 0

    @property
    def root_key_present(self) -> bool | None:
        """Whether the root user has an access key."""
        return self._flag("AccountAccessKeysPresent")

    @property
    def root_mfa_on(self) -> bool | None:
        """Whether the root user has any MFA device."""
        return self._flag("AccountMFAEnabled")

    @property
    def root_password_present(self) -> bool | None:
        """Whether the root user has a password."""
        return self._flag("AccountPasswordPresent")

    @property
    def root_certificate_present(self) -> bool | None:
        """Whether the root user has a signing certificate."""
        return self._flag("AccountSigningCertificatesPresent")

    @property
    def users(self) -> int | None:
        """How many IAM users the account has, used as completeness check of a report."""
        return self.values.get("Users")

    @property
    def mfa_devices_in_use(self) -> int | None:
        """How many MFA devices of any kind are assigned. Whether AWS counts root's is not documented."""
        return self.values.get("MFADevicesInUse")


@dataclass(frozen=True, slots=True)
class VirtualMfaDevice:
    """One assigned entry of ListVirtualMFADevices. Root's entry carries an ARN ending in ``:root`` and no user name."""

    serial_number: str
    user_arn: str | None

    @property
    def belongs_to_root(self) -> bool:
        """Matched by the user's ARN: a device's name says nothing about whose it is."""
        return self.user_arn is not None and self.user_arn.endswith(":root")


@dataclass(frozen=True, slots=True)
class CallerIdentity:
    """Answer of sts:GetCallerIdentity."""

    account_id: str
    arn: str
