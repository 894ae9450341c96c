"""The roles as sets of permissions: one place for the command that makes them and the pages that name them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django.contrib.auth.models import User

THEMES = ("auto", "light", "dark")
ROLES: dict[str, tuple[str, ...]] = {
    "viewer": ("hygiene.view_inventory", "accounts.see_own_audit"),
    "operator": (
        "hygiene.view_inventory",
        "hygiene.poll_now",
        "hygiene.request_change",
        "hygiene.request_deletion",
        "hygiene.request_root_removal",
        "hygiene.stop_changes",
        "accounts.see_own_audit",
    ),
    "approver": (
        "hygiene.view_inventory",
        "hygiene.poll_now",
        "hygiene.approve_change",
        "hygiene.stop_changes",
        "hygiene.resume_changes",
        "hygiene.accept_risk",
        "accounts.see_audit",
    ),
    "administrator": (
        "hygiene.view_inventory",
        "hygiene.poll_now",
        "hygiene.accept_risk",
        "hygiene.manage_policy",
        "hygiene.manage_people",
        "hygiene.stop_changes",
        "accounts.manage_accounts",
        "accounts.see_audit",
    ),
    "auditor": ("hygiene.view_inventory", "accounts.see_audit", "accounts.see_every_account"),
}

WORDS = {  # what a permission lets somebody do
    "hygiene.view_inventory": "see what is in scope",
    "hygiene.poll_now": "poll now",
    "hygiene.request_change": "disable and enable keys",
    "hygiene.request_deletion": "ask for deletions",
    "hygiene.request_root_removal": "ask for root credentials to be removed",
    "hygiene.approve_change": "approve the requests of others",
    "hygiene.stop_changes": "stop all changes",
    "hygiene.resume_changes": "let changes go on",
    "hygiene.accept_risk": "make exemptions",
    "hygiene.manage_policy": "set the policy and defaults",
    "hygiene.manage_people": "add people and set their roles and scope",
    "accounts.manage_accounts": "add, pause and change accounts",
    "accounts.see_own_audit": "see one's own audit events",
    "accounts.see_audit": "see the audit log of the scope",
    "accounts.see_every_account": "see every account",
}


def roles_with(*permissions: str) -> str:
    """Names of the roles that have one of `permissions`, as words: "operator", "operator or approver"."""
    names = [role for role, held in ROLES.items() if set(permissions) & set(held)]
    return " or ".join(filter(None, [", ".join(names[:-1]), names[-1] if names else "of a superuser"]))


def roles_of(user: User) -> list[str]:
    """Names of the roles whose permissions the person has all of. No query beyond the permissions themselves."""
    if user.is_superuser:
        return ["superuser"]
    held = user.get_all_permissions()
    return [role for role, permissions in ROLES.items() if set(permissions) <= held and not _is_part(role, held)]


def _is_part(role: str, held: set[str]) -> bool:
    """A smaller role whose permissions another held role has too, such as viewer beside operator."""
    return any(set(ROLES[role]) < set(other) <= held for other in ROLES.values())
