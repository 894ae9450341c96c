"""`python -m demo.stories`: what people did in the demo once its accounts were read, through the product's own services.

A campaign whose owners are warned, a plan that waits for an approver, a change window, and a protected tag.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import django

if TYPE_CHECKING:
    from hygiene.models import AccessKey

OPERATOR, ADMINISTRATOR = "n.adeyemi", "a.moreau"
WINDOW = "mon-fri 09:00-17:00 Europe/London"
TRICKY = "platform-tools"  # its users are for trying out what trips tools up
MOST_IN_ACCOUNT = 2  # below what one person may change in an account and a day
UNUSED = timedelta(days=100)


def tell(*, now: datetime) -> None:
    """Once; keys that somebody is changing already are left out."""
    from django.contrib.auth.models import User

    from hygiene.models import AccessKey, Plan
    from hygiene.services import calendars, caps, change_rules, protection
    from hygiene.services.refused import Invalid

    if Plan.objects.filter(run_at__isnull=False).exists():
        return
    operator, administrator = (User.objects.get(username=name) for name in (OPERATOR, ADMINISTRATOR))
    idle = AccessKey.objects.active().idle_since(now - UNUSED).filter(principal__is_root=False, remediations__isnull=True)
    free = idle.filter(account__allows_remediation=True, access_key_id__isnull=False).select_related("account")
    free = free.exclude(account__name=TRICKY)
    by_account: dict[int, list[AccessKey]] = {}
    for key in free.order_by("-created_at", "pk"):  # the youngest: the worst are left to whoever tries the demo
        by_account.setdefault(key.account_id, []).append(key)
    owned = [rows for rows in by_account.values() if rows[0].account.owner_email]
    warned = [key for rows in owned[:2] for key in rows[:MOST_IN_ACCOUNT]]
    ask(operator, warned, now=now, in_days=10, note="Unused. Their owners are told first.")
    crowded = max((rows for rows in by_account.values() if not rows[0].account.owner_email), key=len, default=[])
    if crowded:
        most = caps.account_caps([crowded[0].account_id], change_rules.DISABLE, change_rules.load())[crowded[0].account_id]
        ask(operator, crowded[: most + 1], now=now, note="Left over from the old system.")
    if owned:
        calendars.set_window(owned[0][0].account, WINDOW, actor=administrator, now=now)
    with suppress(Invalid):  # told before
        protection.protect(kind="tag", value="break-glass=true", reason="Emergency access.", actor=administrator, now=now)


def ask(operator: Any, keys: Sequence[AccessKey], *, now: datetime, note: str, in_days: int = 0) -> None:
    """Plan and confirm a disable as the operator."""
    from hygiene.models import Action
    from hygiene.services import remediation
    from hygiene.services.plans import expected_typing, make_plan
    from hygiene.services.refused import Conflict

    if not keys:
        return
    plan = make_plan(keys=keys, action=Action.DISABLE, actor=operator, now=now)
    typed = expected_typing(plan, plan.items.select_related("key", "principal__account"))
    with suppress(Conflict):  # somebody who signed in was faster
        remediation.confirm(plan=plan, actor=operator, reason="unused", note=note, typed=typed, in_days=in_days, now=now)


def main() -> None:
    """Tell them now."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hygiene.settings")
    django.setup()
    from django.utils import timezone

    tell(now=timezone.now())


if __name__ == "__main__":
    main()
