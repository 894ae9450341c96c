"""Why a key may or may not be changed by a person, as far as stored facts tell: for buttons, plans and confirmations alike.

Live AWS has the last word just before a change (`services.live_checks`). `offers` makes no query for a row of `with_actions`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db.models import IntegerField, Prefetch, QuerySet, Subquery
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast

from accounts.models import Account, OrganizationState
from hygiene.domain.ages import whole_days
from hygiene.domain.facts import KeyMatch, KeyStatus, UseState
from hygiene.domain.policy import DELETE_WAIT_DAYS, IN_USE_DAYS
from hygiene.domain.wording import is_young, plural, short_key_id
from hygiene.models import ROOT_ACTIONS, AccessKey, Action, InstallationPolicy, PollOutcome, Remediation
from hygiene.people import roles_with

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser, User

DISABLE_SETTLES = timedelta(minutes=15)  # AWS records use in spans of 15 minutes: a use within it may lie before the disable
LEAST_WAIT_DAYS = 7  # no setting goes below it, and no early deletion comes before it
WAITING = Cast(KeyTextTransform("delete_wait_days", "change_rules"), IntegerField())
PERMISSIONS = {
    Action.DISABLE: "hygiene.request_change",
    Action.ENABLE: "hygiene.request_change",
    Action.DELETE: "hygiene.request_deletion",
    Action.DELETE_PASSWORD: "hygiene.request_deletion",
    Action.DEACTIVATE_CERTIFICATE: "hygiene.request_change",
    Action.ACTIVATE_CERTIFICATE: "hygiene.request_change",
    Action.DELETE_CERTIFICATE: "hygiene.request_deletion",
    **dict.fromkeys(ROOT_ACTIONS, "hygiene.request_root_removal"),
}
NEEDED_STATUS = {Action.DISABLE: KeyStatus.ACTIVE, Action.ENABLE: KeyStatus.INACTIVE, Action.DELETE: KeyStatus.INACTIVE}


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why not: a code for programs and tests, and a sentence for people."""

    code: str
    sentence: str


@dataclass(frozen=True, slots=True)
class ActionState:
    """One button of a key: shown, and either pressable or with the reason why it is not."""

    action: Action
    refusal: Refusal | None = None

    @property
    def is_allowed(self) -> bool:
        """Whether the button may be pressed."""
        return self.refusal is None

    @property
    def reason(self) -> str:
        """Why it may not; empty when it may."""
        return "" if self.refusal is None else self.refusal.sentence

    @property
    def label(self) -> str:
        """The verb; a button that opens a dialog ends in an ellipsis."""
        return str(self.action.label) if self.action == Action.ENABLE else f"{self.action.label}…"


@dataclass(frozen=True, slots=True)
class KeyActions:
    """What a row or page offers for one key. While a change is `running` nothing else is offered."""

    key: AccessKey
    running: Remediation | None
    states: tuple[ActionState, ...]


def with_actions(keys: QuerySet[AccessKey]) -> QuerySet[AccessKey]:
    """The rows with everything that `offers` looks at: one query more for any number of rows."""
    under_way = Prefetch("remediations", queryset=Remediation.objects.open().select_related("plan"), to_attr="open_remediations")
    return keys.select_related("account__status", "principal").prefetch_related(under_way).annotate(rule_of_waiting=waiting_rule())


def waiting_rule() -> Subquery:
    """The stored waiting time as a column, for `waiting_days`: it costs no query of its own."""
    return Subquery(InstallationPolicy.objects.order_by("pk").annotate(rule_of_waiting=WAITING).values("rule_of_waiting")[:1])


def offers(key: AccessKey, *, user: User | AnonymousUser, now: datetime) -> KeyActions:
    """The buttons of one key for one person."""
    found: list[Remediation] | None = getattr(key, "open_remediations", None)
    running = next(iter(found), None) if found is not None else key.remediations.open().select_related("plan").first()
    if running is not None or key.gone_at is not None or key.principal.is_root:
        return KeyActions(key, running, ())
    actions = (Action.ENABLE, Action.DELETE) if key.status == KeyStatus.INACTIVE else (Action.DISABLE,)
    return KeyActions(key, None, tuple(action_state(key, action, user=user, now=now) for action in actions))


def action_state(key: AccessKey, action: Action, *, user: User | AnonymousUser, now: datetime) -> ActionState:
    """Whether `user` may ask for `action`; no query when account, its status and principal are loaded."""
    return ActionState(action, why_not(key, action, user=user, now=now))


def why_not(key: AccessKey, action: Action, *, user: User | AnonymousUser, now: datetime) -> Refusal | None:
    """The first reason against the change, or None. Scope is checked by `in_scope`, changes under way by the database."""
    return (
        role_refusal(user, action) or installation_refusal() or _of_kind(key) or account_refusal(key.account) or _of_key(key, action, now)
    )


def role_refusal(user: User | AnonymousUser, action: Action) -> Refusal | None:
    """Somebody without the permission, or whose login was switched off."""
    if user.is_active and user.has_perm(PERMISSIONS[action]):
        return None
    return Refusal("not_allowed", f"This needs the role {roles_with(PERMISSIONS[action])}.")


def in_scope(user: User | AnonymousUser, account: Account) -> bool:
    """Whether the person may see the account at all. One query."""
    return Account.objects.visible_to(user).filter(pk=account.pk).exists()


def installation_refusal() -> Refusal | None:
    """The installation's own switch."""
    if settings.REMEDIATION_ENABLED:
        return None
    return Refusal("switched_off", "Changes are switched off for this installation (REMEDIATION_ENABLED).")


def account_refusal(account: Account, *, is_root: bool = False) -> Refusal | None:
    """Read-only here, closed, or not reachable by the last poll. Root's credentials are changed without the act role."""
    if account.removed_at is not None:
        return Refusal("removed", f"{account.name} was removed from Key Hygiene: nothing is changed in it.")
    if not account.act_role_arn and not is_root:
        return Refusal("no_act_role", f"{account.name} has no act role, so it is read-only here.")
    if not account.allows_remediation:
        return Refusal("read_only", f"{account.name} is read-only here: changes are not allowed in this account.")
    if account.organization_state not in (OrganizationState.NONE, OrganizationState.ACTIVE):
        return Refusal("suspended", f"{account.name} is suspended or closed.")
    status = getattr(account, "status", None)
    if status is None or status.report_generated_at is None:
        return Refusal("never_polled", f"{account.name} was never polled.")
    if status.last_outcome == PollOutcome.ACCESS_LOST:
        return Refusal("access_lost", f"{account.name} cannot be reached: {status.error or 'its role is not assumable.'}")
    return None


def _of_kind(key: AccessKey) -> Refusal | None:
    if key.principal.is_root:
        return Refusal("root", "A root key is removed by the root user: follow the steps of its account.")
    if key.gone_at is not None:
        return Refusal("gone", "This key is deleted.")
    return None


def _of_key(key: AccessKey, action: Action, now: datetime) -> Refusal | None:
    if key.access_key_id is None:
        return _without_id(key)
    if key.status == KeyStatus.OTHER:
        return Refusal("status_other", f"AWS shows this key as {key.status_raw or 'neither active nor inactive'}: it is not changed here.")
    if key.status != NEEDED_STATUS[action]:
        return _wrong_status(action)
    return wait_refusal(key, now, is_early=is_early(key, now)) if action == Action.DELETE else None


def _without_id(key: AccessKey) -> Refusal:
    if key.match == KeyMatch.AMBIGUOUS:
        return Refusal("ambiguous", "Two keys of this user cannot be told apart, so neither is changed here.")
    error = getattr(getattr(key.account, "status", None), "list_keys_error", "")
    return Refusal("no_id", f"The key's ID is not known: {error}" if error else "The key's ID is not known yet: a poll will list it.")


def _wrong_status(action: Action) -> Refusal:
    if action == Action.DELETE:
        return Refusal("not_inactive", "Disable first: only a disabled key can be deleted.")
    return Refusal("already", "Already disabled." if action == Action.DISABLE else "Already active.")


def inactive_since(key: AccessKey) -> datetime | None:
    """When the waiting time before a deletion began: our own recorded disable, else the first recorded observation of Inactive.

    AWS does not tell when a key was disabled, so a key disabled elsewhere waits from the day that we saw it.
    """
    return key.disabled_here_at or key.first_inactive_at


def wait_days(key: AccessKey) -> int:
    """The waiting time that the rules ask for. No query for a row of `with_actions`."""
    if hasattr(key, "rule_of_waiting"):
        return waiting_days(key.rule_of_waiting)
    return waiting_days_now()


def waiting_days_now() -> int:
    """Days that a key stays disabled before it may be deleted. One query."""
    return waiting_days(InstallationPolicy.objects.annotate(rule_of_waiting=WAITING).values_list("rule_of_waiting", flat=True).first())


def waiting_days(stored: int | None) -> int:
    """Days that a key stays disabled before it may be deleted, from the column of `waiting_rule`."""
    return max(LEAST_WAIT_DAYS, DELETE_WAIT_DAYS if stored is None else stored)


def days_left(key: AccessKey, now: datetime) -> int:
    """Whole days that a disabled key must still wait before it may be deleted; 0 when the time is over."""
    since, days = inactive_since(key), wait_days(key)
    return days if since is None else max(0, days - whole_days(since, now))


def is_early(key: AccessKey, now: datetime) -> bool:
    """Whether a deletion now needs a tick and a second person, and is never made within the first 7 days.

    It does before the waiting time is over, and for a key that nobody disabled here: AWS does not tell since when that is disabled.
    """
    since = inactive_since(key)
    is_waiting = key.disabled_here_at is None or days_left(key, now) > 0
    return since is not None and is_waiting and whole_days(since, now) >= LEAST_WAIT_DAYS


def wait_refusal(key: AccessKey, now: datetime, *, is_early: bool = False) -> Refusal | None:
    """Against a deletion: not disabled for long enough, or used since it was disabled."""
    left, since = days_left(key, now), inactive_since(key)
    if is_early and since is not None and whole_days(since, now) >= LEAST_WAIT_DAYS:
        left = 0
    elif not left and key.disabled_here_at is None:
        return Refusal("waiting", "Nobody disabled this key here, so its deletion counts as early: that needs a tick and a second person.")
    if left:
        return Refusal("waiting", f"Can be deleted in {plural(left, 'day')}: a key stays disabled for {wait_days(key)} days first.")
    if since is not None and key.last_used_at is not None and key.last_used_at > since + DISABLE_SETTLES:
        return Refusal("used_since", f"{short_key_id(key.access_key_id)} was used after it was disabled: find out who still holds it.")
    return None


def is_in_use(key: AccessKey, now: datetime) -> bool:
    """Used in the last 90 days, or last use not known: such a key asks for a typed confirmation.

    Of a key of less than a day it is not known yet: AWS tells of use hours later.
    """
    if key.last_used_at is not None:
        return whole_days(key.last_used_at, now) < IN_USE_DAYS
    return key.last_used_state == UseState.UNKNOWN or is_young(key.created_at, now)
