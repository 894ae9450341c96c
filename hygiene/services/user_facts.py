"""A user's facts beside its report row, in words: each with the call that told it and when, and what is missing where it is not known."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hygiene.domain.facts import Source
from hygiene.domain.owners import KEY_ID
from hygiene.domain.wording import day
from hygiene.models import AccountStatus, Principal
from hygiene.services import missing

DETAILS = "iam:GetAccountAuthorizationDetails"
SSH = "iam:ListSSHPublicKeys"
SERVICE = "iam:ListServiceSpecificCredentials"
CERTIFICATES = "iam:ListSigningCertificates"
VIA = {"user": "attached to the user", "inline": "inline"}


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact. `lines` is never empty. `is_known` False: its one line says what is missing. `level`: a glyph's name, or ""."""

    name: str
    lines: Sequence[str]
    source: str
    observed_at: datetime | None
    is_known: bool = True
    level: str = ""


def user_facts(user: Principal, status: AccountStatus | None) -> list[Fact]:
    """Class, groups, policies and their reach, tags, other credentials of an IAM user. No query."""
    return [*_by_details(user, status), *_credentials(user, status)]


def _by_details(user: Principal, status: AccountStatus | None) -> list[Fact]:
    read_at = user.details_observed_at

    def fact(name: str, lines: Iterable[str] | None, *, none: str = "none", level: str = "") -> Fact:
        return told(name, lines, Source.DETAILS, read_at, DETAILS, status, none=none, level=level)

    policies, reach = user.policies, user.reach or {}
    found = [
        fact("Groups", user.groups),
        fact("Policies", None if policies is None else [_policy(policy) for policy in policies]),
        fact("What it can do", None if policies is None else [str(reach.get("summary") or "not known")], level=_admin_level(user)),
    ]
    if user.boundary_arn:
        found.append(fact("Permissions boundary", [user.boundary_arn]))
    if user.quarantine_policy:
        found.append(fact("Quarantine by AWS", [f"{user.quarantine_policy}: AWS saw a key of this user exposed"], level="critical"))
    tags = None if user.tags is None else [f"{key} = {value}" for key, value in sorted(user.tags.items()) if not KEY_ID.fullmatch(key)]
    return [*found, fact("Tags", tags)]


def _admin_level(user: Principal) -> str:
    return "medium" if user.is_admin else ""


def _policy(policy: dict[str, Any]) -> str:
    via = str(policy.get("via", "user"))
    return f"{policy['name']}, {VIA.get(via, f'by {via}')}"


def _credentials(user: Principal, status: AccountStatus | None) -> list[Fact]:
    keys, services = user.ssh_keys, user.service_credentials
    found = [
        told(
            "SSH keys", None if keys is None else [_dated(key) for key in keys], Source.SSH_KEYS, user.credentials_observed_at, SSH, status
        ),
        told(
            "Service credentials",
            None if services is None else [_service(one) for one in services],
            Source.SERVICE_CREDENTIALS,
            user.service_credentials_observed_at,
            SERVICE,
            status,
        ),
    ]
    if user.certificates or user.signing_certificates:
        certificates = user.signing_certificates
        lines = None if certificates is None else [_dated(one) for one in certificates]
        read_at = user.signing_certificates_observed_at
        found.append(told("Signing certificates", lines, "ListSigningCertificates", read_at, CERTIFICATES, status))
    return found


def _dated(entry: dict[str, Any]) -> str:
    born = _day(entry.get("uploaded_at"))
    return f"{entry['id']}, {'active' if entry['active'] else 'inactive'}, uploaded {born or 'at a time not known'}"


def _service(entry: dict[str, Any]) -> str:
    service = str(entry["service"]).removesuffix(".amazonaws.com")
    expires = _day(entry.get("expires_at"))
    ends = f"expires {expires}" if expires else "never expires"
    return (
        f"{service}, {entry['id']}, {str(entry['status']).lower()}, made {_day(entry.get('created_at')) or 'at a time not known'}, {ends}"
    )


def _day(text: str | None) -> str:
    return day(datetime.fromisoformat(text)) if text else ""


def told(
    name: str,
    lines: Iterable[str] | None,
    source: str,
    observed_at: datetime | None,
    permission: str,
    status: AccountStatus | None,
    *,
    none: str = "none",
    level: str = "",
) -> Fact:
    """A fact in lines, `none` for no line; None: not known, with the permission that AWS refused, or that nobody asked yet."""
    if lines is not None:
        return Fact(name, list(lines) or [none], source, observed_at, level=level)
    is_refused = status is not None and missing.is_noted(status, permission)
    return Fact(name, [f"not permitted: {permission}" if is_refused else "not read yet"], source, None, is_known=False)
