"""Plans: frozen lists of changes that a person is shown before confirming. What was seen then is compared with live AWS later."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db import transaction

from accounts.models import Account
from hygiene.domain.wording import plural, relative, short_key_id
from hygiene.models import AccessKey, Action, Disposition, Plan, PlanItem, Remediation
from hygiene.services import caps, cautions, change_rules, protection
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


def codes_of(item: PlanItem) -> set[str]:
    """Codes of the cautions that must be ticked before this is done."""
    return {str(caution["code"]) for caution in item.cautions}


def under_way(key: AccessKey, now: datetime) -> Refusal | None:
    """A change of this key that somebody asked for and that is not finished; for a row of `with_actions`."""
    running: list[Remediation] = getattr(key, "open_remediations", [])
    return Refusal("under_way", under_way_sentence(running[0], now)) if running else None


def under_way_sentence(remediation: Remediation, now: datetime) -> str:
    """Who has asked for what, for somebody who asks for the same key."""
    when = relative(remediation.requested_at, now)
    return f"{remediation.requested_by_name} asked to {remediation.action} this key {when}; that is not finished yet."


@dataclass(frozen=True, slots=True)
class Group:
    """Keys of a plan that fare alike: how many, why, and what becomes of them."""

    disposition: Disposition
    code: str
    words: str
    fate: str
    items: tuple[PlanItem, ...]

    @property
    def count(self) -> int:
        """How many keys."""
        return len(self.items)


@dataclass(frozen=True, slots=True)
class Summary:
    """A plan in the words of its dialog. `typed` is what must be typed to confirm; empty when nothing must."""

    plan: Plan
    groups: tuple[Group, ...]
    heading: str
    lead: str
    button: str
    typed: str
    typed_why: str
    warnings: tuple[str, ...] = ()

    @property
    def action(self) -> Action:
        """What is done."""
        return Action(self.plan.action)

    @property
    def items(self) -> tuple[PlanItem, ...]:
        """All keys of the plan."""
        return tuple(item for group in self.groups for item in group.items)

    @property
    def is_empty(self) -> bool:
        """Whether nothing would be done at all."""
        return all(item.disposition == Disposition.SKIPPED for item in self.items)

    @property
    def cautions(self) -> tuple[tuple[str, str, int], ...]:
        """Code, sentence and number of keys of each caution that asks for a tick."""
        counts = Counter(code for item in self.items for code in codes_of(item))
        return tuple((code, cautions.SENTENCES[code], count) for code, count in sorted(counts.items()))

    @property
    def asks_to_include(self) -> bool:
        """Whether keys in use are opted in by a box. One key alone is opted in by typing its last characters."""
        return len(self.items) > 1 and any(item.disposition == Disposition.IN_USE for item in self.items)


def summarize(plan: Plan, *, now: datetime) -> Summary:
    """The plan as its dialog shows it. Two queries."""
    items = list(plan.items.select_related("key__account", "key__principal").order_by("pk"))
    action = Action(plan.action)
    chosen = [item for item in items if item.disposition != Disposition.SKIPPED]
    count = len(chosen) or len(items)
    heading = (
        f"{action.label} {short_key_id(items[0].this_key.access_key_id)}" if len(items) == 1 else f"{action.label} {count} access keys"
    )
    lead = (
        _whose(items[0].this_key) if len(items) == 1 else f"You selected {len(items)}. This list is fixed now; new matches are not added."
    )
    typed = expected_typing(plan, items)
    return Summary(
        plan,
        _groups(action, items, now),
        heading,
        lead,
        f"{action.label} {plural(count, 'key')}",
        typed,
        _why_typed(action, chosen),
        _warnings(action, len(chosen)),
    )


def _warnings(action: Action, count: int) -> tuple[str, ...]:
    """What the rules will add: approvals, and slices because of hourly caps."""
    rules = change_rules.load()
    needed = rules.approvals(action)
    words = f"Runs after {plural(needed, 'other person agrees', 'other people agree')}." if needed else ""
    return tuple(filter(None, (words, caps.slices(action, count, rules))))


def _whose(key: AccessKey) -> str:
    return f"Key of {key.principal.name} in {key.account.name}."


def expected_typing(plan: Plan, items: Iterable[PlanItem], chosen: Iterable[PlanItem] | None = None) -> str:
    """What the person must type: the last 4 characters of one key's ID, or the number of keys; empty when nothing is asked.

    `chosen` are the items that will be done by the boxes as they are; without it, all that can be.
    """
    everything = list(items)
    picked = [item for item in (everything if chosen is None else chosen) if item.disposition != Disposition.SKIPPED]
    is_grave = plan.action == Action.DELETE or any(item.disposition == Disposition.IN_USE for item in picked)
    if not picked:
        return ""
    if len(everything) == 1:
        return (picked[0].this_key.access_key_id or "")[-4:] if is_grave else ""
    return str(len(picked)) if is_grave or len(picked) > COUNT_TYPED_ABOVE else ""


def _why_typed(action: Action, chosen: list[PlanItem]) -> str:
    in_use = [item for item in chosen if item.disposition == Disposition.IN_USE]
    if action == Action.DELETE:
        return "A deleted key cannot be brought back."
    if len(chosen) == 1:
        known = chosen[0].seen_last_used_at is not None
        return "This key is in use, so the last 4 characters of its ID are asked for." if known else "Its last use is not known."
    return f"{plural(len(in_use), 'of these keys is', 'of these keys are')} in use, so the count is asked for."


def _groups(action: Action, items: list[PlanItem], now: datetime) -> tuple[Group, ...]:
    found: dict[tuple[str, str, str], list[PlanItem]] = {}
    for item in items:
        found.setdefault((item.disposition, item.skip_code, item.skip_reason), []).append(item)
    ordered = sorted(found.items(), key=lambda entry: (Disposition.values.index(entry[0][0]), entry[0][2]))
    return tuple(_group(action, Disposition(disposition), code, rows, now) for (disposition, code, _), rows in ordered)


def _group(action: Action, disposition: Disposition, code: str, items: list[PlanItem], now: datetime) -> Group:
    if disposition == Disposition.SKIPPED:
        return Group(disposition, code, items[0].skip_reason, "skipped", tuple(items))
    done = {Action.DISABLE: "will be disabled", Action.ENABLE: "will be enabled", Action.DELETE: "will be deleted"}[action]
    words = _in_use_words(items, now) if disposition == Disposition.IN_USE else _safe_words(action, items)
    return Group(disposition, code, words, done, tuple(items))


def _safe_words(action: Action, items: list[PlanItem]) -> str:
    if action != Action.DISABLE:
        return "disabled now"
    never = [item for item in items if item.seen_last_used_at is None]
    if len(never) == len(items):
        return "never used"
    return "never used, or no use in 90+ days" if never else "no use in 90+ days"


def _in_use_words(items: list[PlanItem], now: datetime) -> str:
    used = [item for item in items if item.seen_last_used_at is not None]
    if not used:
        return "last use not known"
    latest = max(used, key=lambda item: item.seen_last_used_at or now)
    where = f" ({latest.this_key.last_used_service})" if latest.this_key.last_used_service else ""
    return f"used in the last 90 days, latest {relative(latest.seen_last_used_at or now, now)}{where}"
