"""What is true of an organisation, counted from its data: the oracle for every figure of the pages."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from demo.fake_aws.organization import AwsAccount, AwsKey, Organization

SECONDS = 86_400
TELLING = timedelta(hours=24)  # AWS tells of a use hours later: a younger key may have been used


@dataclass(frozen=True)
class Truth:
    """Counts of one account, or of all that report."""

    users: int
    console_users: int
    no_mfa: int
    active_keys: int
    root_keys: int
    root_accounts: int
    never_used: int
    unused_45: int
    unused_90: int
    over_age: int


def truth(organization: Organization, now: datetime) -> tuple[Truth, dict[str, Truth]]:
    """Totals over the accounts that can be read, and each of them by its number."""
    each = {account.number: _of(account, now) for account in organization.accounts if account.reports}
    return _sum(each.values()), each


def _sum(rows: Iterable[Truth]) -> Truth:
    rows = list(rows)
    return Truth(**{name: sum(getattr(row, name) for row in rows) for name in Truth.__dataclass_fields__})


def _of(account: AwsAccount, now: datetime) -> Truth:
    active = [key for user in account.users for key in user.keys if key.status == "Active"]
    console = [user for user in account.users if user.password]
    return Truth(
        users=len(account.users),
        console_users=len(console),
        no_mfa=sum(1 for user in console if not user.mfa),
        active_keys=len(active),
        root_keys=len(account.root.keys),
        root_accounts=1 if account.root.keys else 0,
        never_used=sum(1 for key in active if key.last_used_at is None and now - key.created_at >= TELLING),
        unused_45=sum(1 for key in active if _idle(key, now) >= 45),
        unused_90=sum(1 for key in active if _idle(key, now) >= 90),
        over_age=sum(1 for key in active if _days(key.created_at, now) > 90),
    )


def _days(moment: datetime, now: datetime) -> int:
    return int((now - moment).total_seconds() // SECONDS)


def _idle(key: AwsKey, now: datetime) -> int:
    """Whole days since the last use, or since birth for a key that was never used. AWS records uses by the minute."""
    return _days(key.last_used_at.replace(second=0) if key.last_used_at else key.created_at, now)
