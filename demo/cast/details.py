"""What the cast has beside keys and passwords: owners, groups, policies, SSH and Bedrock keys, password policies; no counted figure."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random

from demo.fake_aws.organization import AwsAccount, AwsUser

TEAMS = ("payments", "web", "orders", "data", "platform")
GROUPS = {
    "Developers": ["ReadOnlyAccess", "AWSCodeCommitPowerUser"],
    "Admins": ["AdministratorAccess"],
    "Uploaders": ["AmazonS3FullAccess"],
    "Readers": ["ReadOnlyAccess"],
    "Pipelines": ["pipelines/deploy-artifacts"],
}
MACHINES = ("Uploaders", "Readers", "Pipelines", "Uploaders")
DIRECT = ("AmazonS3FullAccess", "IAMFullAccess", "pipelines/deploy-artifacts")
NOTES = (
    "CI deploys",
    "nightly export",
    "vendor SFTP bridge, owner: team-orders@example.com",
    "laptop, remove after migration",
    "Grafana data source of team-platform@example.com",
)
STRICT = {"MinimumPasswordLength": 14, "RequireSymbols": True, "RequireNumbers": True, "PasswordReusePrevention": 24, "MaxPasswordAge": 90}
WEAK = {"MinimumPasswordLength": 8, "RequireSymbols": False, "RequireNumbers": True}


def dress(account: AwsAccount, now: datetime) -> None:
    """Give the account and its users believable surroundings, the same at every start."""
    dice = Random(f"details-{account.number}")  # noqa: S311  # invented data, not secrets
    account.groups = {name: list(policies) for name, policies in GROUPS.items()}
    account.password_policy = dice.choice([dict(STRICT), dict(STRICT), dict(WEAK), None])
    for place, user in enumerate(account.users):
        user.user_id = f"AIDA{account.number}{place:05d}"
        _surround(user, dice, now)
    if account.name == "ci-runners" and account.users:
        account.users[0].policies.append("AWSCompromisedKeyQuarantineV2")


def _surround(user: AwsUser, dice: Random, now: datetime) -> None:
    if dice.random() < 0.75:
        team = dice.choice(TEAMS)
        user.tags = {"team": team, "owner": f"team-{team}@example.com"}
    if user.password:
        user.groups = [dice.choice(["Developers"] * 7 + ["Admins"])]
    elif user.keys:
        user.groups = [dice.choice(MACHINES)]
        if dice.random() < 0.15:
            user.policies = [dice.choice(DIRECT)]
    for key in user.keys:
        key.note = dice.choice(NOTES) if dice.random() < 0.3 else ""
    if user.password and dice.random() < 0.06:
        user.ssh_keys = [now - timedelta(days=dice.randint(40, 900))]
    if dice.random() < 0.008:
        born = now - timedelta(days=dice.randint(20, 200))
        user.service_credentials = [("bedrock.amazonaws.com", born, dice.choice([None, born + timedelta(days=365)]))]
