"""Users with everything that acts on them: ListUsers and GetAccountAuthorizationDetails, groups and policies resolved."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from accounts.aws.connection import IAM, Connection, needed, utc
from accounts.gateway import AttachedPolicy, ListedUser, UserDetails

FILTER = ["User", "Group", "LocalManagedPolicy", "AWSManagedPolicy"]


class DetailCalls(Connection):
    """Reads of all users."""

    def list_users(self) -> tuple[ListedUser, ...]:
        """iam:ListUsers, all pages of up to 1,000."""
        return tuple(_user(entry, "ListUsers") for page in self.pages("list_users", "ListUsers") for entry in page.get("Users") or [])

    def get_user(self, user_name: str) -> ListedUser:
        """iam:GetUser."""
        return _user(needed(self.call(IAM, "get_user", "GetUser", UserName=user_name), "User", "GetUser"), "GetUser")

    def authorization_details(self) -> Iterator[UserDetails]:
        """iam:GetAccountAuthorizationDetails, all pages; groups and documents may come on any page, so users are told after the last."""
        found = _Found()
        for page in self.pages("get_account_authorization_details", "GetAccountAuthorizationDetails", Filter=FILTER):
            found.add(page)
        return (_details(entry, found) for entry in found.users)


@dataclass
class _Found:
    """What all pages brought: raw users, groups by name, default documents of managed policies by ARN."""

    users: list[dict[str, Any]] = field(default_factory=list)
    groups: dict[str, dict[str, Any]] = field(default_factory=dict)
    documents: dict[str, dict[str, Any] | None] = field(default_factory=dict)

    def add(self, page: dict[str, Any]) -> None:
        """Take in one page."""
        self.users += page.get("UserDetailList") or []
        self.groups |= {str(entry.get("GroupName", "")): entry for entry in page.get("GroupDetailList") or []}
        self.documents |= {str(entry.get("Arn", "")): _default(entry) for entry in page.get("Policies") or []}

    def attached(self, entries: Iterable[dict[str, Any]] | None, via: str) -> Iterator[AttachedPolicy]:
        """Managed policies with their documents."""
        for entry in entries or []:
            arn = str(entry.get("PolicyArn", ""))
            yield AttachedPolicy(str(entry.get("PolicyName", "")), arn, via, self.documents.get(arn))


def _details(entry: dict[str, Any], found: _Found) -> UserDetails:
    groups = tuple(str(name) for name in entry.get("GroupList") or [])
    policies = [*found.attached(entry.get("AttachedManagedPolicies"), "user"), *_inline(entry.get("UserPolicyList"), "inline")]
    for name in groups:
        group = found.groups.get(name, {})
        policies += [
            *found.attached(group.get("AttachedManagedPolicies"), f"group {name}"),
            *_inline(group.get("GroupPolicyList"), f"group {name}"),
        ]
    return UserDetails(
        user=_user(entry, "GetAccountAuthorizationDetails"),
        tags={str(tag.get("Key", "")): str(tag.get("Value", "")) for tag in entry.get("Tags") or []},
        groups=groups,
        policies=tuple(policies),
        boundary_arn=str((entry.get("PermissionsBoundary") or {}).get("PermissionsBoundaryArn", "")),
    )


def _inline(entries: Iterable[dict[str, Any]] | None, via: str) -> Iterator[AttachedPolicy]:
    for entry in entries or []:
        yield AttachedPolicy(str(entry.get("PolicyName", "")), "", via, document_of(entry.get("PolicyDocument")))


def _default(policy: dict[str, Any]) -> dict[str, Any] | None:
    """The document of the default version, by its flag or by DefaultVersionId."""
    for version in policy.get("PolicyVersionList") or []:
        if version.get("IsDefaultVersion") or version.get("VersionId") == policy.get("DefaultVersionId"):
            return document_of(version.get("Document"))
    return None


def document_of(value: Any) -> dict[str, Any] | None:
    """A policy document, which botocore has parsed or left URL-encoded; None for what is no policy."""
    if isinstance(value, str):
        try:
            value = json.loads(unquote(value))
        except ValueError:
            return None
    return dict(value) if isinstance(value, dict) else None


def _user(entry: dict[str, Any], operation: str) -> ListedUser:
    return ListedUser(
        user_name=str(needed(entry, "UserName", operation)),
        user_id=str(needed(entry, "UserId", operation)),
        arn=str(needed(entry, "Arn", operation)),
        path=str(entry.get("Path") or "/"),
        created_at=utc(entry.get("CreateDate")),
        password_last_used_at=utc(entry.get("PasswordLastUsed")),
    )
