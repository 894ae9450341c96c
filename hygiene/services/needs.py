"""What a plan needs before it runs, and how caps spread it over hours: said in its dialog, and held to when it is confirmed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from hygiene.domain.wording import plural
from hygiene.models import TARGETS, Action, PlanItem
from hygiene.services import caps, consent
from hygiene.services.cautions import codes_of
from hygiene.services.change_rules import DELETE, DISABLE, KIND_OF, ROOT, ChangeRules

NAMED = 4  # accounts over their cap that are named; the others are counted
BEFORE = {DISABLE: "a disable", DELETE: "a deletion", ROOT: "root credentials are removed", None: "a credential works again"}


@dataclass(frozen=True, slots=True)
class Needs:
    """So many other people must agree, for the reasons `why`. `slices` says how caps spread the changes; empty: all in one hour."""

    approvals: int
    why: tuple[str, ...]
    slices: str

    @property
    def sentences(self) -> tuple[str, ...]:
        """For the dialog."""
        people = f"Runs after {plural(self.approvals, 'other person agrees', 'other people agree')}. {' '.join(self.why)}"
        return tuple(filter(None, (people if self.approvals else "", self.slices)))


def of_items(action: Action, items: Sequence[PlanItem], *, actor_pk: int, rules: ChangeRules, now: datetime) -> Needs:
    """What these changes need when this person asks for them. Items come with principal and account; a few queries for any number."""
    why: list[str] = []
    leaks = consent.after_leak(map(_target(action), items)) if action in consent.TAKING_BACK else set()
    approvals = rules.approvals(action, after_leak=bool(leaks))
    if leaks:
        why.append(f"{plural(len(leaks), 'of these was', 'of these were')} disabled as a suspected leak.")
    elif approvals:
        why.append(f"The rules ask for {plural(approvals, 'other person', 'other people')} before {BEFORE[KIND_OF.get(action)]}.")
    if any("early" in codes_of(item) for item in items):
        approvals = max(approvals, 1)
        why.append("A deletion before the waiting time after a disable made here is over needs a second person.")
    over = _over(action, items, rules=rules, now=now)
    return Needs(
        max(approvals, 1) if over else approvals,
        (*why, *over),
        _slices(action, len(items), caps.free_now(action, actor_pk, rules=rules, now=now), rules),
    )


def _target(action: Action) -> Callable[[PlanItem], consent.Target]:
    def of(item: PlanItem) -> consent.Target:
        name = item.target_id if item.key is None else item.key.access_key_id or ""
        return item.principal_id, TARGETS[action], name

    return of


def _over(action: Action, items: Sequence[PlanItem], *, rules: ChangeRules, now: datetime) -> list[str]:
    """Accounts that would see more changes in 24 hours than one person may make; the first by name."""
    accounts = {item.principal.account_id: item.principal.account for item in items}
    over = caps.accounts_over(Counter(item.principal.account_id for item in items), action, rules=rules, now=now)
    rows = sorted((accounts[pk].name, total, most) for pk, (total, most) in over.items())
    found = [f"{name}: {plural(total, 'change')}, more than {most} in 24 hours." for name, total, most in rows[:NAMED]]
    left = len(rows) - NAMED
    return [*found, f"And {plural(left, 'account')} more over what one person may change in 24 hours."] if left > 0 else found


def _slices(action: Action, count: int, free: int | None, rules: ChangeRules) -> str:
    """Said where not all of it can be done at once, be it for what was made within the hour."""
    most = caps.an_hour(action, rules)
    if most is None or free is None or count <= free:
        return ""
    hours = max(1, caps.hours(action, count + most - free, rules))
    made = f", and {plural(most - free, 'was', 'were')} made" if free < most else ""
    return f"At most {most} of these changes an hour{made}: the plan runs in slices by itself, over about {plural(hours, 'hour')}."
