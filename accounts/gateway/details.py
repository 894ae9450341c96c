"""What AWS tells of users, groups, policies and other credentials, the account's password policy and its organization. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class ListedUser:
    """One entry of ListUsers (or of GetAccountAuthorizationDetails): the UserId tells a rename from a user made anew."""

    user_name: str
    user_id: str
    arn: str
    path: str
    created_at: datetime | None
    password_last_used_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class AttachedPolicy:
    """A policy that acts on a user. `via`: "user" (attached), "inline" (inline on the user), or "group NAME".

    `document` is the default version as AWS gives it, URL-decoded and parsed; None when it did not come or cannot be parsed.
    """

    name: str
    arn: str  # empty for an inline policy
    via: str
    document: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class UserDetails:
    """One user of GetAccountAuthorizationDetails with everything that acts on it, groups resolved. `boundary_arn` "" is none."""

    user: ListedUser
    tags: dict[str, str] = field(default_factory=dict)
    groups: tuple[str, ...] = ()
    policies: tuple[AttachedPolicy, ...] = ()
    boundary_arn: str = ""


@dataclass(frozen=True, slots=True)
class PasswordPolicy:
    """Answer of GetAccountPasswordPolicy; a number that AWS left out is None, which is "not enforced"."""

    minimum_length: int | None = None
    reuse_prevention: int | None = None
    max_age_days: int | None = None
    requires_symbols: bool = False
    requires_numbers: bool = False
    requires_uppercase: bool = False
    requires_lowercase: bool = False
    allows_change: bool = False
    expires_hard: bool = False


@dataclass(frozen=True, slots=True)
class ListedCertificate:
    """One entry of ListSigningCertificates. `status` is AWS's word. The certificate's body is not kept."""

    certificate_id: str
    status: str
    uploaded_at: datetime | None


@dataclass(frozen=True, slots=True)
class ListedSshKey:
    """One entry of ListSSHPublicKeys."""

    key_id: str
    status: str
    uploaded_at: datetime | None


@dataclass(frozen=True, slots=True)
class ServiceCredential:
    """One entry of ListServiceSpecificCredentials. `expires_at` None: it never expires."""

    user_name: str
    credential_id: str
    service: str  # "bedrock.amazonaws.com"
    status: str
    created_at: datetime | None
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class OrganizationFacts:
    """What the account is to its organization, by DescribeOrganization, and by ListOrganizationsFeatures where the account may ask.

    `role`: management, delegated, member, none or unknown. `features` None: not known (always so in a member account).
    """

    role: str
    organization_id: str = ""
    management_account_id: str = ""
    features: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class OrganizationAccount:
    """One entry of organizations:ListAccounts with its place. `state` is AWS's word, from State, else Status, else ""."""

    account_id: str
    name: str
    email: str
    state: str
    arn: str = ""
    unit_path: str = ""  # names of organizational units from the root down, "Workloads/Prod"
    tags: dict[str, str] = field(default_factory=dict)
