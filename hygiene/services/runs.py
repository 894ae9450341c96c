"""A confirmed plan as a run: how far it is, taking all of it back, and trying again what failed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Count, F, Max, Min

from hygiene.domain.facts import KeyStatus
from hygiene.models import OPEN_STATES, SUCCESS_STATES, AccessKey, Action, Plan, Reason, Remediation, State
from hygiene.services import targets
from hygiene.services.caps import HOUR
from hygiene.services.plans import expected_typing, make_plan
from hygiene.services.refused import Conflict
from hygiene.services.remediation import confirm

if TYPE_CHECKING:
    from django.contrib.auth.models import User

FAILED_STATES = (State.FAILED, State.NOT_APPLIED)


@dataclass(frozen=True, slots=True)
class Progress:
    """Counts of a run's changes."""

    total: int
    done: int
    waiting_for_approval: int
    open: int
    failed: int

    @property
    def ended(self) -> int:
        """How many have no next step."""
        return self.total - self.open


def progress(plan: Plan) -> Progress:
    """How far the run is. One query."""
    counts = Counter(plan.remediations.values_list("state", flat=True))
    return Progress(
        total=sum(counts.values()),
        done=sum(counts[state] for state in SUCCESS_STATES),
        waiting_for_approval=counts[State.AWAITING_APPROVAL],
        open=sum(counts[state] for state in OPEN_STATES),
        failed=sum(counts[state] for state in FAILED_STATES),
    )


@dataclass(frozen=True, slots=True)
class Slice:
    """Why part of a run waits: how many changes were made in the last hour, how many wait for what, and when the next may begin."""

    made: int
    waiting: int
    sentence: str
    goes_on_at: datetime


def slices(plan: Plan, *, now: datetime) -> list[Slice]:
    """What holds parts of the run back: caps, the breaker, a closed change window. Two queries."""
    waiting = plan.remediations.filter(state__in=(State.REQUESTED, State.APPROVED)).exclude(result_code="")
    held = list(waiting.values("result_code").annotate(n=Count("pk"), words=Max("result"), at=Min("due_at")).order_by("at"))
    made = plan.remediations.filter(called_at__gt=now - HOUR).count() if held else 0
    return [Slice(made, row["n"], row["words"], row["at"]) for row in held]


def undoable(plan: Plan) -> list[Remediation]:
    """Disables of the run whose keys are still as it left them: disabled, by this product, and there."""
    rows = plan.remediations.filter(action=Action.DISABLE, state__in=SUCCESS_STATES, key__status=KeyStatus.INACTIVE)
    rows = rows.filter(key__gone_at__isnull=True, key__disabled_here_at__gte=F("called_at"))
    return list(rows.select_related("key").order_by("pk"))


@transaction.atomic
def undo_all(plan: Plan, *, actor: User, now: datetime) -> list[Remediation]:
    """Ask for every key that is still as the run left it to be enabled again. Raises NotAllowed or Conflict."""
    rows = {row.key_id: row for row in undoable(plan)}
    keys = [row.this_key for row in rows.values()]
    if not keys:
        raise Conflict("Nothing of this run can be taken back: no key is still as the run left it.")
    back = make_plan(keys=keys, action=Action.ENABLE, actor=actor, now=now)
    Plan.objects.filter(pk=back.pk).update(undo_of=plan)
    typed = expected_typing(back, back.items.select_related("key"))
    made = confirm(plan=back, actor=actor, reason=Reason.UNDO, typed=typed, now=now)
    for row in made:
        row.undo_of = rows[row.key_id]
    Remediation.objects.bulk_update(made, ["undo_of"], batch_size=500)
    return made


def retry_failed(plan: Plan, *, actor: User, now: datetime) -> Plan:
    """A new plan of the changes that failed, to be looked at and confirmed. Raises Conflict when none did."""
    failed = plan.remediations.filter(state__in=FAILED_STATES)
    keys = list(AccessKey.objects.filter(remediations__in=failed))
    other = failed.filter(key=None).select_related("principal__account__status").first()
    if other is not None:
        target = targets.find(other.principal, Action(plan.action), other.target_id)
        if target is None:
            raise Conflict("It is gone by what is known now: there is nothing to try again.")
        return targets.make_plan(target, Action(plan.action), actor=actor, now=now)
    if not keys:
        raise Conflict("Nothing of this run failed.")
    return make_plan(keys=keys, action=Action(plan.action), actor=actor, now=now)
