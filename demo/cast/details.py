"""What the cast has beside keys and passwords: owners, groups, policies, SSH and Bedrock keys, password policies; no counted figure."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random

from demo.fake_aws.organization import AwsAccount, AwsUser

TEAMS = ("payments", "web", "orders", "data", "platform")
MACHINES = ("AmazonS3FullAccess", "ReadOnlyAccess", "pipelines/deploy-artifacts", "AmazonS3FullAccess", "IAMFullAccess")
NOTES = ("CI deploys", "nightly export", "vendor SFTP bridge", "laptop, remove after migration", "Grafana data source")
STRICT = {"MinimumPasswordLength": 14, "RequireSymbols": True, "RequireNumbers": True, "PasswordReusePrevention": 24, "MaxPasswordAge": 90}
WEAK = {"MinimumPasswordLength": 8, "RequireSymbols": False, "RequireNumbers": True}


def dress(account: AwsAccount, now: datetime) -> None:
    """Give the account and its users believable surroundings, the same at every start."""
    dice = Random(f"details-{account.number}")  # noqa: S311  # invented data, not secrets
    account.groups = {"Developers": ["ReadOnlyAccess"], "Admins": ["AdministratorAccess"]}
    account.password_policy = dice.choice([dict(STRICT), dict(STRICT), dict(WEAK), None])
    for place, user in enumerate(account.users):
        user.user_id = f"AIDA{account.number}{place:05d}"
        _surround(user, dice, now)
    if account.name == "ci-runners" and account.users:
        account.users[0].policies.append("AWSCompromisedKeyQuarantineV2")


def _surround(user: AwsUser, dice: Random, now: datetime) -> None:
    if dice.random() < 0.5:
        team = dice.choice(TEAMS)
        user.tags = {"team": team, "owner": f"team-{team}@example.com"}
    if user.password:
        user.groups = [dice.choice(["Developers", "Developers", "Developers", "Admins"])]
    elif user.keys:
        user.policies = [dice.choice(MACHINES)]
    for key in user.keys:
        key.note = dice.choice(NOTES) if dice.random() < 0.3 else ""
    if dice.random() < 0.04:
        user.ssh_keys = [now - timedelta(days=dice.randint(40, 900))]
    if dice.random() < 0.03:
        born = now - timedelta(days=dice.randint(20, 200))
        user.service_credentials = [("bedrock.amazonaws.com", born, dice.choice([None, born + timedelta(days=365)]))]
