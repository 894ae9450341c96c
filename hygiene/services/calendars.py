"""When campaigns may act in an account: its change windows, and the freeze days of the installation."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db import transaction

from accounts import audit
from accounts.models import Account
from hygiene.domain.windows import Calendar, Freeze, parse_windows
from hygiene.people import roles_with
from hygiene.services.caps import Wait
from hygiene.services.change_rules import ChangeRules
from hygiene.services.refused import Invalid, NotAllowed

if TYPE_CHECKING:
    from django.contrib.auth.models import User

WINDOW = "window"
LOOK_AGAIN = timedelta(days=1)


def calendar_of(account: Account, rules: ChangeRules) -> Calendar:
    """The account's. ValueError for a stored window that does not hold any more."""
    return Calendar(parse_windows(account.change_window), tuple(Freeze(day, day) for day in rules.freeze_days))


def wait_of(account: Account, *, rules: ChangeRules, now: datetime) -> Wait | None:
    """A closed window or a freeze day as a reason to wait. A window that cannot be read is closed."""
    try:
        calendar = calendar_of(account, rules)
    except ValueError as error:
        return Wait(WINDOW, f"Waits: {error}", now + LOOK_AGAIN)
    closed = calendar.why_closed(now)
    return Wait(WINDOW, f"Waits: {closed}", calendar.next_open(now) or now + LOOK_AGAIN) if closed else None


def next_open(account: Account, moment: datetime, *, rules: ChangeRules) -> datetime | None:
    """When a campaign that is due at `moment` may act in the account; None when that cannot be told."""
    try:
        return calendar_of(account, rules).next_open(moment)
    except ValueError:
        return None


@transaction.atomic
def set_window(account: Account, text: str, *, actor: User, now: datetime) -> None:
    """Keep the account's change windows; none for an empty text. Raises NotAllowed, or Invalid with what a window looks like."""
    if not (actor.is_active and actor.has_perm("accounts.manage_accounts")):
        raise NotAllowed(f"This needs the role {roles_with('accounts.manage_accounts')}.")
    wanted = "; ".join(" ".join(part.split()) for part in text.split(";") if part.strip())
    try:
        parse_windows(wanted)
    except ValueError as error:
        raise Invalid({"change_window": str(error)}) from error
    longest = Account._meta.get_field("change_window").max_length or 0
    if len(wanted) > longest:
        raise Invalid({"change_window": f"At most {longest} characters."})
    before, account.change_window, account.updated_at = account.change_window, wanted, now
    account.save(update_fields=["change_window", "updated_at"])
    audit.record(
        action="account.change_window",
        outcome="succeeded",
        now=now,
        actor=actor,
        account=account,
        target=str(account),
        before={"change_window": before},
        after={"change_window": wanted},
    )
