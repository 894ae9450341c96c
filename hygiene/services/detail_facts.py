"""Rows → facts beside keys and reports, as rules want them: tags, owner, policies, other credentials, the account's own settings.

Null in a row is "not read", and stays so here.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from accounts.models import Account
from hygiene.domain.details import PasswordPolicyFacts, PolicyFacts, ServiceCredentialFacts, SshKeyFacts
from hygiene.domain.evidence import usage_facts, usage_of
from hygiene.domain.facts import DetailFacts, OrganizationRole, UsageFacts, UserClass
from hygiene.models import AccountStatus, Principal, RequestState, UsageEvidence


def class_of(principal: Principal) -> UserClass | None:
    """The user's class as it is kept once its tags were read; None before, when the password alone decides."""
    return None if principal.tags is None else UserClass(principal.user_class)


def detail_facts(principal: Principal) -> DetailFacts:
    """What was read of one user beside its report row and its keys."""
    policies = principal.policies
    return DetailFacts(
        tags=principal.tags,
        user_class=class_of(principal),
        owner=principal.owner or (None if principal.tags is None else ""),
        owner_source=principal.owner_source,
        groups=None if principal.groups is None else tuple(principal.groups),
        policies=None if policies is None else tuple(PolicyFacts(p["name"], p.get("arn", ""), p.get("via", "user")) for p in policies),
        is_admin=principal.is_admin,
        admin_via=str(principal.reach.get("admin_via", "")) if principal.is_admin and principal.reach else "",
        observed_at=principal.details_observed_at,
        ssh_keys=_ssh_keys(principal.ssh_keys),
        service_credentials=_service_credentials(principal.service_credentials),
        credentials_observed_at=principal.credentials_observed_at,
        service_credentials_observed_at=principal.service_credentials_observed_at,
    )


def _ssh_keys(stored: list[dict[str, Any]] | None) -> tuple[SshKeyFacts, ...] | None:
    return None if stored is None else tuple(SshKeyFacts(e["id"], bool(e["active"]), _moment(e.get("uploaded_at"))) for e in stored)


def _service_credentials(stored: list[dict[str, Any]] | None) -> tuple[ServiceCredentialFacts, ...] | None:
    if stored is None:
        return None
    return tuple(
        ServiceCredentialFacts(
            e["id"], e["service"], str(e["status"]).lower() == "active", _moment(e.get("created_at")), _moment(e.get("expires_at"))
        )
        for e in stored
    )


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def password_policy_facts(status: AccountStatus) -> PasswordPolicyFacts | None:
    """The account's password policy; None when it was not read."""
    stored = status.password_policy
    if stored is None:
        return None
    return PasswordPolicyFacts(bool(stored), stored.get("minimum_length"), stored.get("reuse_prevention"))


def missing_permissions(status: AccountStatus) -> frozenset[str]:
    """Calls that AWS refused to the read role, such as "iam:GetAccountAuthorizationDetails"."""
    return frozenset(str(entry.get("permission", "")) for entry in status.missing_permissions)


def central_root_on(status: AccountStatus) -> bool | None:
    """Whether central root credentials management is on for this member, as its organization's account in charge said; None: not known."""
    if status.organization_role != OrganizationRole.MEMBER or not status.organization_id:
        return None
    others = AccountStatus.objects.filter(organization_id=status.organization_id, central_root_features__isnull=False)
    told = others.exclude(pk=status.pk).order_by("-organization_observed_at").first()
    return None if told is None else "RootCredentialsManagement" in (told.central_root_features or [])


def usage_in(account: Account) -> dict[int, UsageFacts]:
    """What the newest finished look into CloudTrail found of each key of the account that somebody asked about. One query."""
    looks = UsageEvidence.objects.filter(key__account=account, state=RequestState.DONE, finished_at__isnull=False).order_by("finished_at")
    return {look.key_id: usage_facts(usage_of(look.result, looked_at=look.finished_at)) for look in looks if look.finished_at}
