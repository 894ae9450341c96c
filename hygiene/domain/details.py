"""Facts beside keys and reports that rules judge: policies of a user, its other credentials, the account's password policy. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class PolicyFacts:
    """A policy that acts on a user. `via`: "user" (attached to it), "inline" (embedded in it), or "group NAME"."""

    name: str
    arn: str = ""  # empty for an inline policy
    via: str = "user"


@dataclass(frozen=True, slots=True)
class SshKeyFacts:
    """One SSH public key of a user. `uploaded_at` None: age unknown."""

    key_id: str
    is_active: bool
    uploaded_at: datetime | None


@dataclass(frozen=True, slots=True)
class ServiceCredentialFacts:
    """One service-specific credential. `service` such as "bedrock.amazonaws.com"; `expires_at` None: it never expires."""

    credential_id: str
    service: str
    is_active: bool
    created_at: datetime | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PasswordPolicyFacts:
    """The account's password policy. `is_set` False: AWS says that there is none. A number None: not enforced."""

    is_set: bool
    minimum_length: int | None = None
    reuse_prevention: int | None = None
