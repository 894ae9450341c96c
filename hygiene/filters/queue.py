"""Which words the filter line of the queue knows, and its built-in views."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db.models import Q

from hygiene.domain.query import Term
from hygiene.filters.conditions import Condition, Known, Scene, ages, matches, one_of, tags, unit, words
from hygiene.models import OPEN_STATES, RUNNING_STATES, SUCCESS_STATES, WAITING_STATES, Action, Reason, State
from hygiene.services import approvals
from hygiene.services.scope import EVERYTHING, accounts_of
from hygiene.services.work import failed_changes

BAD_STATES = (State.FAILED, State.NEEDS_HUMAN, State.NOT_APPLIED)
NOT_DONE = (State.REFUSED, State.DENIED, State.CANCELLED, State.EXPIRED)
SCHEDULED = Q(state__in=WAITING_STATES, plan__run_at__isnull=False)
STATUSES = {
    "approval": Q(state=State.AWAITING_APPROVAL),
    "waiting": Q(state__in=WAITING_STATES),
    "scheduled": SCHEDULED,
    "running": Q(state__in=RUNNING_STATES),
    "succeeded": Q(state__in=SUCCESS_STATES),
    "failed": Q(state__in=BAD_STATES),
    "refused": Q(state__in=NOT_DONE),
    **{state.value.replace("_", "-"): Q(state=state) for state in (*NOT_DONE[1:], *BAD_STATES[1:])},
}


def queue_views(user: User) -> dict[str, Q]:
    """What is under way, what waits for this person's decision, for its day, for AWS; what ended."""
    return {
        "open": Q(state__in=OPEN_STATES),
        "me": Q(state=State.AWAITING_APPROVAL, plan__in=approvals.waiting_for(user).order_by()),
        "scheduled": SCHEDULED,
        "running": Q(state__in=RUNNING_STATES),
        "done": ~Q(state__in=OPEN_STATES),
    }


def _by(term: Term, scene: Scene) -> Q:
    """`by:me` or a login, with * for any part."""
    return matches("requested_by_name")(
        Term("by", tuple(scene.user.get_username() if value.lower() == "me" else value for value in term.values)), scene
    )


CHANGES: dict[str, Condition] = {
    "": words("user_name", "access_key_id", "target_id", "account__name", "account__account_id", "requested_by_name", "ticket", "note"),
    "account": matches("account__name", "account__account_id"),
    "action": one_of("action", {action.value.replace("_", "-"): action.value for action in Action}),
    "age": ages("requested_at"),
    "by": Known(_by, ("me",), ("requested_by_name",)),
    "env": matches("account__environment"),
    "ou": unit("account__organizational_unit"),
    "is": one_of(
        "pk",
        {
            "mine": lambda scene: Q(requested_by=scene.user),
            "undo": lambda scene: Q(undo_of__isnull=False),
            "untried": lambda scene: Q(pk__in=failed_changes(accounts_of(EVERYTHING, scene.user), now=scene.now)),
            "early": lambda scene: Q(is_early=True),
        },
    ),
    "key": matches("access_key_id"),
    "reason": one_of("reason", {reason.value: reason.value for reason in Reason}),
    "status": one_of("state", {word: (lambda scene, q=q: q) for word, q in STATUSES.items()}),
    "tag": tags("account__tags"),
    "ticket": matches("ticket"),
    "user": matches("user_name"),
}
