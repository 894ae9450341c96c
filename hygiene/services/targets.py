"""Credentials beside the access keys of users, as targets of plans: console passwords, signing certificates, root's credentials.

What is known of a user's comes from polls; what is known of root's from the newest look by central root access.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import transaction

from hygiene.domain.facts import KeyStatus, PasswordState, UseState
from hygiene.models import (
    ROOT_ACTIONS,
    SUCCESS_STATES,
    TARGETS,
    Action,
    Disposition,
    Plan,
    PlanItem,
    Principal,
    Remediation,
    RequestState,
    RootInspection,
    TargetKind,
)
from hygiene.services import permissions, protection, root_inspection
from hygiene.services.live_credentials import as_target
from hygiene.services.permissions import Refusal
from hygiene.services.plans import PLAN_LASTS, counts_as_in_use, under_way_sentence

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser, User

LOOK_LASTS = timedelta(hours=1)  # after which root's credentials are to be looked at again before a plan
_OF_ROOT = {
    TargetKind.ACCESS_KEY: Action.DELETE_ROOT_KEY,
    TargetKind.PASSWORD: Action.DELETE_ROOT_PASSWORD,
    TargetKind.CERTIFICATE: Action.DELETE_ROOT_CERTIFICATE,
    TargetKind.MFA_DEVICE: Action.DEACTIVATE_ROOT_MFA,
}


@dataclass(frozen=True, slots=True)
class Target:
    """One credential as it is known here. `name` is its id; empty for a password."""

    principal: Principal
    kind: TargetKind
    name: str = ""
    status: KeyStatus = KeyStatus.ACTIVE
    created_at: datetime | None = None
    last_used_state: UseState = UseState.UNKNOWN
    last_used_at: datetime | None = None

    @property
    def actions(self) -> tuple[Action, ...]:
        """What can be done to it as it is."""
        if self.principal.is_root:
            return (_OF_ROOT[self.kind],)
        if self.kind == TargetKind.PASSWORD:
            return (Action.DELETE_PASSWORD,)
        if self.status == KeyStatus.ACTIVE:
            return (Action.DEACTIVATE_CERTIFICATE,)
        return (Action.ACTIVATE_CERTIFICATE, Action.DELETE_CERTIFICATE)


@dataclass(frozen=True, slots=True)
class Button:
    """One button of a target: pressable, or with the reason why it is not."""

    target: Target
    action: Action
    refusal: Refusal | None
    running: Remediation | None = None


def of_user(user: Principal) -> list[Target]:
    """The user's console password and signing certificates, as polls told them."""
    found = []
    if user.password_state == PasswordState.ENABLED:
        use = (UseState(user.password_last_used_state), user.password_last_used_at)
        found.append(Target(user, TargetKind.PASSWORD, "", KeyStatus.ACTIVE, None, *use))
    return [*found, *_certificates(user)]


def _certificates(user: Principal) -> Iterator[Target]:
    """With their ids where they were listed; else by the moment of their upload."""
    if user.signing_certificates is not None:
        for entry in user.signing_certificates:
            yield _certificate(user, str(entry["id"]), entry["active"], entry.get("uploaded_at"))
        return
    for entry in user.certificates or []:
        born = _moment(entry.get("last_rotated_at"))
        yield _certificate(user, as_target(born) if born else "", entry["active"], entry.get("last_rotated_at"))


def _certificate(user: Principal, name: str, is_active: bool, born: str | None) -> Target:
    return Target(user, TargetKind.CERTIFICATE, name, KeyStatus.ACTIVE if is_active else KeyStatus.INACTIVE, _moment(born))


def of_root(root: Principal, look: RootInspection | None) -> list[Target]:
    """Root's credentials as the newest look found them, without what was removed here since."""
    if look is None or look.state != RequestState.DONE or look.finished_at is None:
        return []
    done = Remediation.objects.filter(principal=root, state__in=SUCCESS_STATES, finished_at__gte=look.finished_at)
    removed = set(done.values_list("target_kind", "target_id"))
    return [target for target in _listed(root, look.result) if (str(target.kind), target.name) not in removed]


def is_all_there(root: Principal, look: RootInspection | None, left: Sequence[Target]) -> bool:
    """Whether nothing of what the look found was removed here since. No query."""
    return look is None or len(left) == sum(1 for _ in _listed(root, look.result))


def _listed(root: Principal, result: dict[str, Any]) -> Iterator[Target]:
    for key in result.get("keys") or []:
        status = KeyStatus.ACTIVE if key["status"] == "Active" else KeyStatus.INACTIVE
        used = _moment(key.get("last_used_at"))
        known = key.get("last_used_state") or UseState.UNKNOWN
        yield Target(root, TargetKind.ACCESS_KEY, str(key["id"]), status, _moment(key.get("created_at")), UseState(known), used)
    if result.get("has_password"):
        yield Target(root, TargetKind.PASSWORD)
    for entry in result.get("certificates") or []:
        yield _certificate(root, str(entry["id"]), entry["status"] == "Active", entry.get("uploaded_at"))
    for serial in result.get("mfa_devices") or []:
        yield Target(root, TargetKind.MFA_DEVICE, str(serial))


def known_of(principal: Principal) -> list[Target]:
    """Everything that is known of the principal. A few queries for root, none for a user."""
    return of_root(principal, root_inspection.newest(principal.account)) if principal.is_root else of_user(principal)


def find(principal: Principal, action: Action, name: str) -> Target | None:
    """The target of an action as it is known now."""
    wanted = TARGETS[action]
    return next((target for target in known_of(principal) if target.kind == wanted and target.name == name), None)


def buttons(targets: Sequence[Target], *, user: User | AnonymousUser, now: datetime) -> list[Button]:
    """What may be done to these credentials of one user or root."""
    if not targets:
        return []
    principal = targets[0].principal
    running = {(row.target_kind, row.target_id): row for row in Remediation.objects.open().filter(principal=principal, key=None)}
    return [
        Button(target, action, why_not(target, action, user=user, now=now), running.get((str(target.kind), target.name)))
        for target in targets
        for action in target.actions
    ]


def why_not(target: Target, action: Action, *, user: User | AnonymousUser, now: datetime) -> Refusal | None:
    """The first reason against the change, or None. Scope is the caller's matter, changes under way `make_plan`'s."""
    account, is_root = target.principal.account, action in ROOT_ACTIONS
    refused = permissions.role_refusal(user, action) or permissions.installation_refusal()
    refused = refused or permissions.account_refusal(account, is_root=is_root)
    refused = refused or (_of_root(target, action, now) if is_root else _of_user(target, action))
    return refused or protection.shield().refusal(target.principal, account, target.name)


def _of_user(target: Target, action: Action) -> Refusal | None:
    if target.principal.gone_at is not None:
        return Refusal("gone", "This user is deleted.")
    if target.kind == TargetKind.CERTIFICATE and not target.name:
        return Refusal("no_id", "The certificate's ID is not known yet: a poll will list it.")
    if action not in target.actions:
        words = "Deactivate first: only an inactive certificate can be deleted."
        return Refusal("not_inactive", words) if action == Action.DELETE_CERTIFICATE else Refusal("already", f"Already {target.status}.")
    return None


def _of_root(target: Target, action: Action, now: datetime) -> Refusal | None:
    account = target.principal.account
    refused = root_inspection.refusal(account)
    if refused is not None:
        return refused
    look = root_inspection.newest(account)
    if look is None or look.finished_at is None or now - look.finished_at > LOOK_LASTS:
        return Refusal("look_first", "Look at root's credentials again: the last look is older than an hour.")
    has_password = any(other.kind == TargetKind.PASSWORD for other in of_root(target.principal, look))
    if action == Action.DEACTIVATE_ROOT_MFA and has_password:
        return Refusal("password_first", "Delete root's password first: a root user with a password keeps its MFA.")
    return None


@transaction.atomic
def make_plan(target: Target, action: Action, *, actor: User, now: datetime) -> Plan:
    """Store what would be done to this one credential, and what is known of it now. As `plans.make_plan`."""
    plan = Plan.objects.create(action=action, created_by=actor, created_at=now, expires_at=now + PLAN_LASTS)
    refusal = why_not(target, action, user=actor, now=now) or under_way(target, now)
    is_in_use = action != Action.ACTIVATE_CERTIFICATE and counts_as_in_use(target.last_used_state, target.last_used_at, now)
    disposition = Disposition.IN_USE if is_in_use else Disposition.WILL_DO
    PlanItem.objects.create(
        plan=plan,
        principal=target.principal,
        target_id=target.name,
        disposition=disposition if refusal is None else Disposition.SKIPPED,
        skip_code=refusal.code if refusal else "",
        skip_reason=refusal.sentence if refusal else "",
        seen_status=target.status,
        seen_created_at=target.created_at,
        seen_last_used_state=target.last_used_state,
        seen_last_used_at=target.last_used_at,
    )
    return plan


def under_way(target: Target, now: datetime) -> Refusal | None:
    """A change of this credential that somebody asked for and that is not finished."""
    rows = Remediation.objects.open().filter(principal=target.principal, target_kind=target.kind, target_id=target.name)
    running = rows.first()
    return Refusal("under_way", under_way_sentence(running, now)) if running else None


def changed_since(plan: Plan, item: PlanItem, *, actor: User, now: datetime) -> Refusal | None:
    """Why what was planned cannot be asked for any more, or None."""
    action = Action(plan.action)
    target = find(item.principal, action, item.target_id)
    if target is None:
        return Refusal("gone", "It is gone by what is known now. Nothing was done.")
    refused = why_not(target, action, user=actor, now=now) or under_way(target, now)
    if refused is None and target.last_used_at != item.seen_last_used_at and action != Action.ACTIVATE_CERTIFICATE:
        refused = Refusal("used_since", "The last use is newer than what this plan shows. Look at it again.")
    return refused


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
