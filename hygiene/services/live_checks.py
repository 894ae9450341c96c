"""What live AWS says of a key just before it is changed, and whether that is what the person saw. A read that fails is never "unused"."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol, runtime_checkable

from accounts.gateway import CallerIdentity, Gateway, KeyLastUse, ListedKey, NoSuchEntity
from hygiene.domain.facts import KeyStatus, UseState
from hygiene.domain.keys import key_status
from hygiene.domain.wording import relative
from hygiene.models import ROOT_ACTIONS, Action, Remediation
from hygiene.services import cautions, change_rules, consent, permissions, protection, root_inspection, switch
from hygiene.services.permissions import DISABLE_SETTLES, Refusal

DELETED = "Deleted"  # beside AWS's own words Active, Inactive, Expired: the key is not listed
WANTED = {Action.DISABLE: "Inactive", Action.ENABLE: "Active", Action.DELETE: DELETED}


@runtime_checkable
class KnowsWorker(Protocol):
    """A gateway that can tell who the worker itself is, before it assumes a role."""

    @property
    def worker_access_key_id(self) -> str:
        """The id of the worker's own long-term key; empty when it uses none."""

    @property
    def worker_identity(self) -> CallerIdentity | None:
        """Who the worker is, where that is known without a call."""


def _is_own(gateway: KnowsWorker, remediation: Remediation) -> bool:
    identity = gateway.worker_identity
    same_user = identity is not None and identity.arn == remediation.user_arn
    return same_user or gateway.worker_access_key_id == remediation.access_key_id


@dataclass(frozen=True, slots=True)
class LiveKey:
    """Answers of ListAccessKeys and GetAccessKeyLastUsed. `last_use` is None when the key is not listed."""

    listed: tuple[ListedKey, ...]
    key: ListedKey | None
    last_use: KeyLastUse | None = None
    is_workers_own: bool = False

    @property
    def status(self) -> str:
        """AWS's word, or DELETED."""
        return DELETED if self.key is None else self.key.status

    def as_json(self) -> dict[str, Any]:
        """For the row and the audit log."""
        used = self.last_use.last_used_at if self.last_use else None
        born = self.key.created_at if self.key else None
        times = {"created_at": born, "last_used_at": used}
        listed = sorted(key.access_key_id for key in self.listed)
        return {"status": self.status, "listed": listed} | {name: moment.isoformat() if moment else None for name, moment in times.items()}


def read_keys(gateway: Gateway, remediation: Remediation) -> LiveKey:
    """ListAccessKeys. A user that is gone has no keys. Raises AwsError when AWS cannot be read."""
    try:
        listed = gateway.list_access_keys(remediation.user_name)
    except NoSuchEntity:
        listed = ()
    return LiveKey(listed, next((key for key in listed if key.access_key_id == remediation.access_key_id), None))


def look(gateway: Gateway, remediation: Remediation) -> LiveKey:
    """Everything that `judge` compares. Raises AwsError when any of it cannot be read."""
    live = read_keys(gateway, remediation)
    if live.key is None:
        return live
    own = isinstance(gateway, KnowsWorker) and _is_own(gateway, remediation)
    return LiveKey(live.listed, live.key, gateway.access_key_last_used(remediation.access_key_id), own)


def stored_refusal(remediation: Remediation, *, now: datetime) -> Refusal | None:
    """Switches, account, role and scope, approvals, protection and cautions as they are now: they may have changed since."""
    actor, account, action = remediation.requested_by, remediation.account, Action(remediation.action)
    refused = permissions.installation_refusal() or switch.refusal_of(switch.current())
    refused = refused or permissions.account_refusal(account, is_root=action in ROOT_ACTIONS)
    refused = refused or (root_inspection.refusal(account) if action in ROOT_ACTIONS else None)
    refused = refused or permissions.role_refusal(actor, action)
    if refused is None and not permissions.in_scope(actor, account):
        return Refusal("not_allowed", f"{remediation.requested_by_name} may no longer see {account.name}.")
    refused = refused or consent.refusal(remediation, rules=change_rules.load(), now=now)
    refused = refused or protection.shield().refusal(remediation.principal, account, remediation.access_key_id)
    return refused or _of_cautions(remediation, action)


def _of_cautions(remediation: Remediation, action: Action) -> Refusal | None:
    if remediation.key_id is None or action not in (Action.DISABLE, Action.DELETE):
        return None
    new = cautions.of_keys([remediation.key_id])[remediation.key_id] - set(remediation.ticked)
    if not new:
        return None
    code = sorted(new)[0]
    return Refusal(f"caution:{code}", f"{cautions.SENTENCES[code]} That was not so when this was confirmed. Nothing was changed.")


def judge(remediation: Remediation, live: LiveKey, now: datetime) -> Refusal | None:
    """The first difference between live AWS and what the person saw, or None. The key must be listed, or it is gone."""
    action = Action(remediation.action)
    if live.key is None or live.last_use is None:
        return Refusal("gone", "AWS no longer lists this key, so there is nothing to change.")
    if live.is_workers_own:
        return protection.OWN_KEY
    refused = _of_identity(remediation, live.key, live.last_use) or _of_status(remediation, live.key.status, action)
    if refused is None and action != Action.ENABLE:
        refused = last_use_refusal(remediation, live.last_use.last_used_at, now)
    if refused is None and action == Action.DELETE:
        refused = _of_waiting(remediation, live.last_use, now)
    return refused


def _of_identity(remediation: Remediation, key: ListedKey, use: KeyLastUse) -> Refusal | None:
    seen, live = remediation.seen_created_at, key.created_at
    if seen is not None and (live is None or _second(seen) != _second(live)):
        return Refusal("created_differs", "AWS gives another creation date for this key than you saw.")
    if use.user_name != remediation.user_name:
        return Refusal("other_user", f"AWS says that this key belongs to {use.user_name or 'nobody'}, not to {remediation.user_name}.")
    return None


def _of_status(remediation: Remediation, word: str, action: Action) -> Refusal | None:
    if key_status(word) == remediation.seen_status:
        return None
    if word == WANTED[action]:
        done = "disabled" if action == Action.DISABLE else "active"
        return Refusal("already", f"Already {done}: somebody changed it since you looked. Nothing was done here.")
    shown = {KeyStatus.ACTIVE: "active", KeyStatus.INACTIVE: "disabled"}.get(key_status(word), word)
    return Refusal("status_changed", f"AWS shows this key as {shown}, which is not what you saw.")


def last_use_refusal(remediation: Remediation, live: datetime | None, now: datetime) -> Refusal | None:
    """Equal to the minute: reports round to it. A last use that was not known was confirmed as in use, up to that moment."""
    seen = remediation.seen_last_used_at
    if remediation.seen_last_used_state == UseState.UNKNOWN:
        if live is None or live <= remediation.requested_at:
            return None
        return Refusal("used_since", f"Used {relative(live, now)}, since this was asked for. Nothing was changed.")
    if _minute(seen) == _minute(live):
        return None
    if live is not None and (seen is None or live > seen):
        return Refusal("used_since", f"Used {relative(live, now)}, since you looked. Nothing was changed.")
    return Refusal("last_use_differs", "AWS gives another last use than you saw. Nothing was changed.")


def _of_waiting(remediation: Remediation, use: KeyLastUse, now: datetime) -> Refusal | None:
    since = permissions.inactive_since(remediation.this_key)
    if since is not None and use.last_used_at is not None and use.last_used_at > since + DISABLE_SETTLES:
        return Refusal("used_since", f"Used {relative(use.last_used_at, now)}, after it was disabled. Nothing was deleted.")
    return permissions.wait_refusal(remediation.this_key, now, is_early=remediation.is_early)


def _second(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(microsecond=0)


def _minute(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.astimezone(UTC).replace(second=0, microsecond=0)
