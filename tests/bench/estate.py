"""The organisation that is polled, as data: it is served by one process and registered by another."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from demo.fake_aws import AwsAccount, AwsKey, AwsUser, Organization

ACCOUNTS, USERS = 100, 200


def organization(accounts: int = ACCOUNTS, users: int = USERS, *, prefix: str = "2") -> Organization:
    """Accounts whose users all hold a key, each tenth two. Their numbers begin with the digit `prefix`."""
    made = datetime.now(UTC).replace(microsecond=0)
    return Organization([_account(f"{prefix}{number:011d}", users, made) for number in range(accounts)], made)


def _account(number: str, users: int, made: datetime) -> AwsAccount:
    account = AwsAccount(number, f"account-{number[-3:]}", external_id=f"external-{number}")
    for place in range(users):
        keys = [AwsKey(made - timedelta(days=40 + place % 700), last_used_at=made - timedelta(days=place % 300) if place % 4 else None)]
        if place % 10 == 0:
            keys.append(AwsKey(made - timedelta(days=10), "Inactive"))
        account.users.append(AwsUser(f"user-{place:04d}", password=place % 5 == 0, keys=keys))
    return account
