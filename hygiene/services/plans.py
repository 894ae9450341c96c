"""Plans: frozen lists of changes that a person is shown before confirming. What was seen then is compared with live AWS later."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db import transaction

from accounts.models import Account
from hygiene.domain.ages import whole_days
from hygiene.domain.facts import UseState
from hygiene.domain.policy import IN_USE_DAYS
from hygiene.domain.wording import relative
from hygiene.models import IRREVERSIBLE, ROOT_ACTIONS, AccessKey, Action, Disposition, Plan, PlanItem, Remediation
from hygiene.services import cautions, protection
from hygiene.services.permissions import Refusal, is_early, is_in_use, why_not, with_actions

if TYPE_CHECKING:
    from django.contrib.auth.models import User

PLAN_LASTS = timedelta(hours=1)
COUNT_TYPED_ABOVE = 25  # keys; a longer plan asks for its count


@transaction.atomic
def make_plan(
    *, keys: Iterable[AccessKey], action: Action, actor: User, now: datetime, query: str = "", is_all_matching: bool = False
) -> Plan:
    """Store what would be done to `keys` and what is known of each now. Changes nothing else; good for an hour and for one use."""
    plan = Plan.objects.create(
        action=action, created_by=actor, created_at=now, expires_at=now + PLAN_LASTS, query=query, is_all_matching=is_all_matching
    )
    rows = list(with_actions(AccessKey.objects.filter(pk__in=[key.pk for key in keys])).order_by("pk"))
    accounts = {key.account_id for key in rows}
    visible = set(Account.objects.visible_to(actor).filter(pk__in=accounts).values_list("pk", flat=True))
    view = _View(actor, now, visible, protection.shield(), {} if action == Action.ENABLE else cautions.of_keys(key.pk for key in rows))
    PlanItem.objects.bulk_create([_item(plan, key, view) for key in rows], batch_size=500)
    return plan


@dataclass(frozen=True, slots=True)
class _View:
    """What is asked once for all keys of a plan."""

    actor: User
    now: datetime
    visible: set[int]
    shield: protection.Shield
    speaking: Mapping[int, set[str]]


def _item(plan: Plan, key: AccessKey, view: _View) -> PlanItem:
    action, now = Action(plan.action), view.now
    refusal = why_not(key, action, user=view.actor, now=now) or under_way(key, now)
    refusal = refusal or view.shield.refusal(key.principal, key.account, key.access_key_id or "")
    if key.account_id not in view.visible:
        refusal = Refusal("not_allowed", "This key's account is not in your scope.")
    disposition = Disposition.IN_USE if action == Action.DISABLE and is_in_use(key, now) else Disposition.WILL_DO
    codes = set(view.speaking.get(key.pk, set())) | ({"early"} if action == Action.DELETE and is_early(key, now) else set())
    return PlanItem(
        plan=plan,
        principal=key.principal,
        key=key,
        disposition=disposition if refusal is None else Disposition.SKIPPED,
        skip_code=refusal.code if refusal else "",
        skip_reason=refusal.sentence if refusal else "",
        cautions=[] if refusal else [{"code": code, "sentence": cautions.SENTENCES[code]} for code in sorted(codes)],
        seen_status=key.status,
        seen_created_at=key.created_at,
        seen_last_used_state=key.last_used_state,
        seen_last_used_at=key.last_used_at,
    )


def counts_as_in_use(state: str, last_used_at: datetime | None, now: datetime) -> bool:
    """As `permissions.is_in_use`, for any credential: used in the last 90 days, or last use not known."""
    if last_used_at is not None:
        return whole_days(last_used_at, now) < IN_USE_DAYS
    return state == UseState.UNKNOWN


def under_way(key: AccessKey, now: datetime) -> Refusal | None:
    """A change of this key that somebody asked for and that is not finished; for a row of `with_actions`."""
    running: list[Remediation] = getattr(key, "open_remediations", [])
    return Refusal("under_way", under_way_sentence(running[0], now)) if running else None


def under_way_sentence(remediation: Remediation, now: datetime) -> str:
    """Who has asked for what, for somebody who asks for the same key."""
    when = relative(remediation.requested_at, now)
    what = f"{remediation.action} this key" if remediation.key_id else remediation.get_action_display().lower()
    return f"{remediation.requested_by_name} asked to {what} {when}; that is not finished yet."


def expected_typing(plan: Plan, items: Iterable[PlanItem], chosen: Iterable[PlanItem] | None = None) -> str:
    """What the person must type; empty when nothing is asked.

    The last 4 characters of one key's ID, the number of several keys, the name of a user whose password or certificate changes, or
    the account number of a root user. `chosen` are the items that will be done by the boxes as they are; without it, all that can be.
    """
    everything, action = list(items), Action(plan.action)
    picked = [item for item in (everything if chosen is None else chosen) if item.disposition != Disposition.SKIPPED]
    if not picked:
        return ""
    if action in ROOT_ACTIONS:
        return picked[0].principal.account.account_id
    is_grave = action in IRREVERSIBLE or any(item.disposition == Disposition.IN_USE for item in picked)
    if len(everything) == 1:
        return _name_to_type(picked[0]) if is_grave else ""
    return str(len(picked)) if is_grave or len(picked) > COUNT_TYPED_ABOVE else ""


def _name_to_type(item: PlanItem) -> str:
    return item.principal.name if item.key is None else (item.key.access_key_id or "")[-4:]


def is_typed(plan: Plan, expected: str, typed: str) -> bool:
    """Whether it is what was asked for, in any case. A count may be grouped; the last 4 digits stand for an account number."""
    word, wanted = typed.strip().upper(), expected.upper()
    if wanted.isdecimal():
        word = word.replace(",", "")
    return word == wanted or (plan.action in ROOT_ACTIONS and word == wanted[-4:])
