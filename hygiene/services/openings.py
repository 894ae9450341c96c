"""When waiting changes of campaigns can be made: not before the day of the campaign, and in the change window of each account."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from accounts.models import Account
from hygiene.models import Plan, Remediation
from hygiene.services import calendars, change_rules


def openings(rows: Iterable[Remediation], *, now: datetime) -> dict[int, datetime | None]:
    """By the pk of each change; None where no window opens. One query; account and plan must be loaded."""
    rules, known = change_rules.load(), dict[tuple[int, datetime], datetime | None]()
    found: dict[int, datetime | None] = {}
    for row in rows:
        account, moment = row.account, max(row.plan.run_at or now, now)
        if (account.pk, moment) not in known:
            known[account.pk, moment] = calendars.next_open(account, moment, rules=rules)
        found[row.pk] = known[account.pk, moment]
    return found


def of_accounts(plan: Plan, *, now: datetime) -> list[tuple[Account, datetime | None]]:
    """Accounts of a campaign that have a window or a freeze day on its day, and when it may act in each. Two queries."""
    rules, begins = change_rules.load(), max(plan.run_at or now, now)
    accounts = Account.objects.filter(remediations__plan=plan).distinct().order_by("name", "pk")
    found = [(account, calendars.next_open(account, begins, rules=rules)) for account in accounts]
    return [(account, moment) for account, moment in found if account.change_window or moment != begins]
