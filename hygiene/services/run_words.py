"""A confirmed plan in words: how many of its changes are in which state, and the plan as whoever decides on it sees it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from django.db.models import Count, Q

from hygiene.domain.policy import Policy
from hygiene.models import OPEN_STATES, SUCCESS_STATES, WAITING_STATES, AccessKey, Action, Disposition, Plan, PlanItem, State
from hygiene.services.advice import Advice, for_disabling
from hygiene.services.notices import asked_of, with_answers
from hygiene.services.summaries import Group, groups_of
from hygiene.services.usage_evidence import look_of, with_looks

ENDED = dict.fromkeys(SUCCESS_STATES, "done") | {
    State.FAILED: "failed",
    State.NOT_APPLIED: "not applied",
    State.NEEDS_HUMAN: "in need of a person",
    State.REFUSED: "refused",
    State.DENIED: "denied",
    State.CANCELLED: "cancelled",
    State.EXPIRED: "expired",
}
ORDER = (*dict.fromkeys(ENDED.values()), "running", "awaiting approval", "scheduled", "waiting")


def states(plan: Plan) -> list[tuple[int, str]]:
    """How many changes are in which state, in words; none of zero. One query."""
    day = Q(due_at__gte=plan.run_at, state__in=WAITING_STATES) if plan.run_at else Q(pk=None)
    counts: Counter[str] = Counter()
    for state, total, later in plan.remediations.values_list("state").annotate(n=Count("pk"), later=Count("pk", filter=day)):
        is_asked = state == State.AWAITING_APPROVAL
        counts["scheduled"] += 0 if is_asked else later
        counts[_word(State(state))] += total if is_asked else total - later
    return [(counts[word], word) for word in ORDER if counts[word]]


def _word(state: State) -> str:
    if state == State.AWAITING_APPROVAL:
        return "awaiting approval"
    if state in WAITING_STATES:
        return "waiting"
    return "running" if state in OPEN_STATES else ENDED[state]


def groups(plan: Plan, *, policy: Policy, now: datetime) -> tuple[Group, ...]:
    """The plan as it was frozen, in the groups of its dialog; the line of a key that may be disabled or deleted has its verdict.

    What the person who asked left out is told apart. A few queries for any number of keys.
    """
    items = list(plan.items.select_related("key__account", "key__principal", "principal__account").order_by("pk"))
    made = set(plan.remediations.values_list("principal_id", "key_id"))
    left = {item.pk for item in items if (item.principal_id, item.key_id) not in made}
    found = groups_of(Action(plan.action), items, now=now, left=left, left_fate="left out by who asked")
    if plan.action not in (Action.DISABLE, Action.DELETE):
        return found
    shown = [line.item for group in found if group.disposition != Disposition.SKIPPED for line in group.lines]
    verdicts = _verdicts(shown, policy=policy, now=now)
    return tuple(
        replace(group, lines=tuple(replace(line, advice=verdicts.get(line.item.key_id or 0)) for line in group.lines)) for group in found
    )


def _verdicts(items: list[PlanItem], *, policy: Policy, now: datetime) -> Mapping[int, Advice]:
    """By numbers of keys, from their last use as the plan has it frozen. One query."""
    frozen = {item.key_id: item for item in items}
    rows = AccessKey.objects.filter(pk__in=[item.key_id for item in items]).select_related("account__status", "principal")
    found = {}
    for key in with_answers(with_looks(rows)):
        item = frozen[key.pk]
        if key.last_used_at != item.seen_last_used_at:
            key.last_used_region, key.last_used_service = "", ""
        key.last_used_state, key.last_used_at = item.seen_last_used_state, item.seen_last_used_at
        found[key.pk] = for_disabling(key, usage=look_of(key).usage, policy=policy, now=now, asked=asked_of(key))
    return found
