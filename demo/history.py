"""The posture of the half year before the demo began, as the ages of its keys and users imply it: trends have something to show."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from demo.fake_aws.organization import AwsAccount, AwsKey, Organization

if TYPE_CHECKING:
    from hygiene.models import DailyPosture

DAYS = 182
SECONDS = 86_400


def write_history(organization: Organization, *, now: datetime) -> None:
    """One row for each account that reports and each day before today; days that are there stay. Needs Django set up and migrated."""
    from accounts.models import Account
    from hygiene.models import DailyPosture

    known = {account.account_id: account.pk for account in Account.objects.all()}
    rows = [row for account in organization.accounts if account.reports for row in _days(account, known[account.number], now, DailyPosture)]
    DailyPosture.objects.bulk_create(rows, ignore_conflicts=True, batch_size=500)


def _days(account: AwsAccount, pk: int, now: datetime, row: type[DailyPosture]) -> Iterator[DailyPosture]:
    for back in range(1, DAYS + 1):
        moment = now - timedelta(days=back)
        yield row(account_id=pk, day=moment.date(), measured_at=moment, **counts(account, moment))


def counts(account: AwsAccount, moment: datetime) -> dict[str, int]:
    """What a poll would have counted then, of the keys and users that still exist."""
    users = [user for user in account.users if user.created_at <= moment]
    keys = [key for user in users for key in user.keys if key.status == "Active" and key.created_at <= moment]
    console = [user for user in users if user.password]
    never = [key for key in keys if key.last_used_at is None]
    return {
        "users": len(users),
        "console_users": len(console),
        "no_mfa": sum(1 for user in console if not user.mfa),
        "active_keys": len(keys),
        "root_keys": sum(1 for key in account.root.keys if key.created_at <= moment),
        "never_used": len(never),
        "unused_45": sum(1 for key in keys if _idle(key, moment) >= 45),
        "unused_90": sum(1 for key in keys if _idle(key, moment) >= 90),
        "over_age": sum(1 for key in keys if _whole_days(key.created_at, moment) > 90),
    }


def _idle(key: AwsKey, moment: datetime) -> int:
    """Whole days without use then; a key that was used later counts as used on that day too."""
    last = key.last_used_at or key.created_at
    return max(0, _whole_days(last, moment))


def _whole_days(since: datetime, moment: datetime) -> int:
    return int((moment - since).total_seconds() // SECONDS)
