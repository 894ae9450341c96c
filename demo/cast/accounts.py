"""The accounts of the cast: their roots, their people, and those that cannot be read."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from demo.cast.details import dress
from demo.cast.people import people, tricky
from demo.fake_aws.organization import ANY_FIRST, AwsAccount, AwsKey, AwsUser, Organization

# name, number, environment, owner, how many users, trouble
ACCOUNTS = (
    ("prod-payments", "111122223333", "prod", "team-payments@example.com", 62, ""),
    ("prod-web", "662011453397", "prod", "team-web@example.com", 58, ""),
    ("prod-orders", "730945516208", "prod", "team-orders@example.com", 51, ""),
    ("data-lake", "204811779021", "prod", "team-data@example.com", 74, ""),
    ("analytics-eu", "771433802256", "prod", "team-data@example.com", 47, "throttled"),
    ("ci-runners", "339100427718", "shared", "platform@example.com", 66, ""),
    ("platform-tools", "518820914437", "shared", "platform@example.com", 0, ""),
    ("shared-network", "903371150842", "shared", "platform@example.com", 18, ""),
    ("security-audit", "645509183320", "shared", "security@example.com", 14, ""),
    ("log-archive", "287740391165", "shared", "security@example.com", 9, ""),
    ("legacy-erp", "441288301560", "prod", "", 88, ""),
    ("media-legacy", "550199240083", "prod", "", 71, ""),
    ("warehouse-eu", "816630042279", "prod", "team-orders@example.com", 39, ""),
    ("mobile-backend", "372915508844", "prod", "team-web@example.com", 44, ""),
    ("ml-research", "958204417703", "dev", "team-data@example.com", 52, ""),
    ("staging-web", "126677093351", "staging", "team-web@example.com", 41, ""),
    ("staging-payments", "489931205576", "staging", "team-payments@example.com", 33, ""),
    ("dev-sandbox", "601148872290", "dev", "", 57, ""),
    ("sandbox-07", "734420981155", "dev", "", 30, "no-access"),
    ("media-archive", "215509673384", "prod", "", 26, "no-report"),
    ("batch-west", "867313340029", "prod", "team-orders@example.com", 48, "no-list"),
    ("gov-records", "394427710918", "prod", "public-sector@example.com", 21, ""),
    ("partner-gateway", "572206148837", "prod", "partners@example.com", 29, ""),
    ("new-member-01", "148093365502", "dev", "platform@example.com", 2, ""),
    ("old-lab", "690382217746", "dev", "", 24, ""),
)
SPARE = ("new-venture", "505060607070", "staging", "", 12, "")  # for trying Accounts, Add accounts
MANAGEMENT = "645509183320"  # security-audit
READ_ONLY = {"security-audit", "log-archive", "gov-records"}


def organization(now: datetime) -> Organization:
    """The cast with ages relative to `now`; the same for every call with the same moment."""
    made_at = now.replace(microsecond=0)
    return Organization([_account(row, made_at) for row in ACCOUNTS], made_at, management=MANAGEMENT, spare=[_spare(made_at)])


def _spare(now: datetime) -> AwsAccount:
    """An account that nobody registered yet; its roles trust whatever external id they are first asked with."""
    account = _account(SPARE, now)
    account.external_id = ANY_FIRST
    return account


def _account(row: tuple[str, str, str, str, int, str], now: datetime) -> AwsAccount:
    name, number, environment, owner, count, trouble = row
    dice = random.Random(number)  # noqa: S311  # invented data, not secrets
    account = AwsAccount(
        number,
        name,
        partition="aws-us-gov" if name == "gov-records" else "aws",
        environment=environment,
        owner_email=owner,
        tags={"team": owner.partition("@")[0]} if owner else {},
        external_id=f"demo-{number}",
        act_role="" if name in READ_ONLY else "hygiene-act",
        allows_changes=name not in READ_ONLY,
        is_polled=name != "old-lab",
        trouble=trouble,
        users=tricky(now) if name == "platform-tools" else people(dice, count, now),
    )
    account.root = _root(name, now)
    _give_passkey(account)
    dress(account, now)
    return account


def _give_passkey(account: AwsAccount) -> None:
    """The first user with a virtual device has a passkey too, in every account that has such a user."""
    user = next((user for user in account.users if user.mfa == "virtual"), None)
    if user is not None:
        user.more_mfa = [f"arn:{account.partition}:iam::{account.number}:u2f/user/{user.name}/phone-{account.number[:6]}"]


def _root(name: str, now: datetime) -> AwsUser:
    """Most roots have a password and a hardware key; the others are the stories."""

    def ago(days: float) -> datetime:
        return now - timedelta(days=days)

    root = AwsUser(
        "<root_account>", created_at=ago(2400), password=True, password_changed_at=ago(900), signed_in_at=ago(340), mfa="hardware"
    )
    if name == "prod-payments":
        root.keys = [AwsKey(ago(6.1), last_used_at=ago(2.1), service="iam")]
    elif name == "legacy-erp":
        root.mfa, root.signed_in_at = "", ago(0.4)
        root.keys = [AwsKey(ago(2990), last_used_at=ago(412.3), service="ec2", region="eu-west-1"), AwsKey(ago(3300), status="Inactive")]
        root.certificates = [(True, ago(3100))]
    elif name == "ml-research":
        root.keys = [AwsKey(ago(121.5))]
        root.mfa = "virtual"
    elif name in ("media-legacy", "dev-sandbox", "staging-web"):
        root.mfa = "virtual"
    elif name == "warehouse-eu":
        root.mfa, root.signed_in_at = "", None
    elif name in ("new-member-01", "gov-records", "partner-gateway"):
        root.password, root.password_changed_at, root.signed_in_at, root.mfa = False, None, None, ""
    return root
