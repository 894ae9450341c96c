"""A plan in the words of its dialog: what is done, to what, how much of it can be taken back, and what must be typed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from hygiene.domain.facts import KeyStatus, LastUse, UseState
from hygiene.domain.wording import day, grouped_account, key_sentence, number, plural, relative, short_key_id
from hygiene.models import IRREVERSIBLE, ROOT_ACTIONS, TARGETS, Action, Disposition, Plan, PlanItem, TargetKind
from hygiene.services import cautions, change_rules, needs
from hygiene.services.advice import Advice
from hygiene.services.boxes import Boxes, chosen, offered
from hygiene.services.cautions import codes_of
from hygiene.services.plans import COUNT_TYPED_ABOVE, expected_typing

MOST_LINES = 1000  # of one group that are shown

FATES = {
    Action.DISABLE: "will be disabled",
    Action.ENABLE: "will be enabled",
    Action.DEACTIVATE_CERTIFICATE: "will be deactivated",
    Action.ACTIVATE_CERTIFICATE: "will be activated",
    Action.DEACTIVATE_ROOT_MFA: "will be deactivated, and deleted if it is a virtual device",
}
NAMES = {TargetKind.CERTIFICATE: "signing certificate", TargetKind.PASSWORD: "console password", TargetKind.MFA_DEVICE: "MFA device"}


@dataclass(frozen=True, slots=True)
class Line:
    """One credential of a group. `words`: its last use and age as they were seen; empty for what has none."""

    item: PlanItem
    words: str
    advice: Advice | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Credentials of a plan that fare alike: how many, why, and what becomes of them."""

    disposition: Disposition
    code: str
    words: str
    fate: str
    items: tuple[PlanItem, ...]
    lines: tuple[Line, ...] = ()

    @property
    def count(self) -> int:
        """How many."""
        return len(self.items)

    @property
    def more(self) -> int:
        """How many have no line."""
        return len(self.items) - len(self.lines)


@dataclass(frozen=True, slots=True)
class Summary:
    """A plan in the words of its dialog. `typed` is what must be typed to confirm; empty when nothing must."""

    plan: Plan
    boxes: Boxes
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
        """Everything in the plan."""
        return tuple(item for group in self.groups for item in group.items)

    @property
    def is_empty(self) -> bool:
        """Whether nothing would be done at all."""
        return all(item.disposition == Disposition.SKIPPED for item in self.items)

    @property
    def is_irreversible(self) -> bool:
        """Whether AWS has no way back."""
        return self.action in IRREVERSIBLE

    @property
    def cautions(self) -> tuple[tuple[str, str, int], ...]:
        """Code, sentence and number of keys of each caution that asks for a tick."""
        counts = Counter(code for item in self.items for code in codes_of(item))
        return tuple((code, cautions.SENTENCES[code], count) for code, count in sorted(counts.items()))

    @property
    def has_boxes(self) -> bool:
        """Whether what would be done depends on boxes."""
        return self.asks_to_include or (len(self.items) > 1 and any(codes_of(item) for item in self.items))

    @property
    def both(self) -> str:
        """The numbers without and with the keys in use, for whom the page cannot follow the boxes; empty without that box."""
        if not self.asks_to_include:
            return ""
        without, together = (len(chosen(self.items, Boxes(is_in, self.boxes.ticked))) for is_in in (False, True))
        return f"{number(without)} without, {number(together)} with the keys in use."

    @property
    def asks_to_include(self) -> bool:
        """Whether keys in use are opted in by a box. One key alone is opted in by typing its last characters."""
        return len(self.items) > 1 and any(item.disposition == Disposition.IN_USE for item in self.items)


def summarize(plan: Plan, *, now: datetime, boxes: Boxes | None = None) -> Summary:
    """The plan as its dialog shows it, with its boxes as they stand: untouched without `boxes`. A few queries for any number of keys.

    Numbers, approvals and what must be typed are those of what would be done; of everything where nothing can be.
    """
    items = list(plan.items.select_related("key__account", "key__principal", "principal__account").order_by("pk"))
    action = Action(plan.action)
    alone = items[0] if len(items) == 1 else None
    boxes = boxes or Boxes.at_first(plan)
    done = offered(items, boxes) if alone else chosen(items, boxes)
    is_empty = all(item.disposition == Disposition.SKIPPED for item in items)
    count = len(items if is_empty else done)
    asked = needs.of_items(action, done, actor_pk=plan.created_by_id, rules=change_rules.load(), now=now)
    return Summary(
        plan,
        boxes,
        groups_of(action, items, now=now, left={item.pk for item in items if not boxes.accepts(item)}, left_fate="only with a tick below"),
        heading_of(alone) if alone else f"{action.label} {plural(count, 'access key')}",
        _whose(alone) if alone else f"You selected {len(items)}. This list is fixed now; new matches are not added.",
        f"{action.label} {plural(count, 'key')}" if items and items[0].key_id else str(action.label),
        expected_typing(plan, items, done),
        _why_typed(action, done),
        asked.sentences if done else (),
    )


def heading_of(item: PlanItem) -> str:
    """What is done, to what: "Disable AKIA…EGXD", "Delete console password of ana"."""
    action = Action(item.plan.action)
    if action in ROOT_ACTIONS:
        return f"{action.label} of {item.principal.account.name}"
    return f"{action.label} {short_key_id(item.key.access_key_id)}" if item.key else f"{action.label} of {item.principal.name}"


def _whose(item: PlanItem) -> str:
    account = item.principal.account
    if item.principal.is_root:
        return f"Root user of {account.name}, {grouped_account(account.account_id)}, through central root access."
    noun = "Key" if item.key else NAMES[TARGETS[Action(item.plan.action)]].capitalize()
    return f"{noun} of {item.principal.name} in {account.name}."


def _why_typed(action: Action, done: list[PlanItem]) -> str:
    in_use = [item for item in done if item.disposition == Disposition.IN_USE]
    if action in ROOT_ACTIONS:
        return "Nothing brings it back. The last 4 digits of the account number will do."
    if action == Action.DELETE:
        return "A deleted key cannot be brought back."
    if action in IRREVERSIBLE:
        return "It cannot be brought back, so the name of the user is asked for."
    if action == Action.DEACTIVATE_CERTIFICATE:
        return "AWS keeps no record of the use of certificates, so the name of the user is asked for."
    if len(done) == 1:
        known = done[0].seen_last_used_at is not None
        return "This key is in use, so the last 4 characters of its ID are asked for." if known else "Its last use is not known."
    if not in_use:
        return f"These are more than {COUNT_TYPED_ABOVE} keys, so the count is asked for."
    return f"{plural(len(in_use), 'of these keys is', 'of these keys are')} in use, so the count is asked for."


def groups_of(action: Action, items: Collection[PlanItem], *, now: datetime, left: Collection[int], left_fate: str) -> tuple[Group, ...]:
    """Items that fare alike. Those of `left`, by their numbers, are told apart: what becomes of them is `left_fate`."""
    found: dict[tuple[str, str, str, bool], list[PlanItem]] = {}
    for item in items:
        is_left = item.pk in left and item.disposition != Disposition.SKIPPED
        found.setdefault((item.disposition, item.skip_code, item.skip_reason, is_left), []).append(item)
    ordered = sorted(found.items(), key=lambda entry: (Disposition.values.index(entry[0][0]), *entry[0][2:]))
    fate = FATES.get(action, "will be deleted")
    return tuple(
        _group(action, Disposition(disposition), code, rows, left_fate if is_left else fate, now)
        for (disposition, code, _, is_left), rows in ordered
    )


def _group(action: Action, disposition: Disposition, code: str, items: list[PlanItem], fate: str, now: datetime) -> Group:
    lines = tuple(Line(item, _seen_words(item, now)) for item in items[:MOST_LINES])
    if disposition == Disposition.SKIPPED:
        return Group(disposition, code, items[0].skip_reason, "skipped", tuple(items), lines)
    words = _in_use_words(items, now) if disposition == Disposition.IN_USE else _safe_words(action, items)
    return Group(disposition, code, words, fate, tuple(items), lines)


def _seen_words(item: PlanItem, now: datetime) -> str:
    """Status, last use and age of a key as the plan has them frozen."""
    if item.key is None or not item.seen_status:
        return ""
    status = KeyStatus(item.seen_status)
    is_same = item.key.last_used_at == item.seen_last_used_at
    place = (item.key.last_used_region or None, item.key.last_used_service or None) if is_same else (None, None)
    use = LastUse(UseState(item.seen_last_used_state), item.seen_last_used_at, *place)
    said = key_sentence(status=status, created_at=item.seen_created_at, last_use=use, now=now, status_raw=item.key.status_raw)
    if status is not KeyStatus.INACTIVE:
        return said
    return f"{said}, created {day(item.seen_created_at)}" if item.seen_created_at else f"{said}, age unknown"


def _safe_words(action: Action, items: list[PlanItem]) -> str:
    if TARGETS[action] in NAMES:
        return f"{NAMES[TARGETS[action]]} {items[0].target_id}".strip()
    if action in ROOT_ACTIONS:
        return items[0].target_id
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
    service = latest.key.last_used_service if latest.key else ""
    unknown = len(items) - len(used)
    rest = f"; of {number(unknown)} the last use is not known" if unknown else ""
    return f"used in the last 90 days, latest {relative(latest.seen_last_used_at or now, now)}{f' ({service})' if service else ''}{rest}"
