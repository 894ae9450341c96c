"""What is known of an account beside its credential report, in words: its own settings, its place, and what AWS did not let us read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hygiene.domain.facts import OrganizationRole, Source
from hygiene.models import AccountStatus
from hygiene.services.user_facts import Fact, told

ROLES = {
    OrganizationRole.MANAGEMENT: "management account",
    OrganizationRole.DELEGATED: "delegated administrator of IAM",
    OrganizationRole.MEMBER: "member account",
    OrganizationRole.NONE: "in no organization",
}
FEATURES = {"RootCredentialsManagement": "root credentials management", "RootSessions": "root sessions"}


@dataclass(frozen=True, slots=True)
class Missing:
    """A permission that AWS refused, what is unknown without it, and since when."""

    permission: str
    unknown: str
    since: datetime


def account_facts(status: AccountStatus | None) -> list[Fact]:
    """Password policy, organization, central root access, and when users were read in detail. No query."""
    if status is None:
        return []
    role, features = OrganizationRole(status.organization_role), status.central_root_features
    asked = status.organization_observed_at
    found = [
        told(
            "Password policy",
            None if status.password_policy is None else _policy(status.password_policy),
            Source.PASSWORD_POLICY,
            status.password_policy_observed_at,
            "iam:GetAccountPasswordPolicy",
            status,
            none="none set, so IAM's default holds",
        ),
        told(
            "Organization",
            None if role is OrganizationRole.UNKNOWN else [ROLES[role]],
            "DescribeOrganization",
            asked,
            "organizations:DescribeOrganization",
            status,
        ),
    ]
    if role in (OrganizationRole.MANAGEMENT, OrganizationRole.DELEGATED):
        words = None if features is None else [FEATURES.get(name, name) for name in features]
        found.append(
            told("Central root access", words, Source.ORGANIZATION, asked, "iam:ListOrganizationsFeatures", status, none="switched off")
        )
    read_at = status.details_observed_at
    lines = None if read_at is None else ["tags, groups and policies of all users"]
    return [*found, told("Users in detail", lines, Source.DETAILS, read_at, "iam:GetAccountAuthorizationDetails", status)]


def _policy(stored: Mapping[str, Any]) -> list[str]:
    """Lines of a policy that is set; no line for none."""
    if not stored:
        return []
    kinds = [name for name in ("uppercase", "lowercase", "numbers", "symbols") if stored.get(f"requires_{name}")]
    length, remembered, days = stored.get("minimum_length"), stored.get("reuse_prevention"), stored.get("max_age_days")
    return [
        f"at least {length} characters" if length else "no minimum length",
        f"remembers {remembered} passwords" if remembered else "passwords may be used again",
        f"expires after {days} days" if days else "does not expire",
        f"needs {', '.join(kinds)}" if kinds else "needs no kind of character",
    ]


def missing_permissions(status: AccountStatus | None) -> list[Missing]:
    """What AWS refused, in the order in which it was noticed."""
    entries = status.missing_permissions if status else []
    return [Missing(entry["permission"], entry["unknown"], datetime.fromisoformat(entry["since"])) for entry in entries]
