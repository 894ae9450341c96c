"""Fills the demo's registry through the product's own commands and services, as an administrator would."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from demo.fake_aws.organization import AwsAccount, Organization
from demo.history import write_history

COLUMNS = ("account_id", "name", "read_role_arn", "act_role_arn", "external_id", "partition", "environment", "owner_email", "tags")


def rows_of(organization: Organization) -> list[dict[str, Any]]:
    """The accounts with the columns of `import_accounts`."""
    return [_row(account) for account in organization.accounts]


def _row(account: AwsAccount) -> dict[str, Any]:
    values = (
        account.number,
        account.name,
        account.role_arn(account.read_role),
        account.role_arn(account.act_role),
        account.external_id,
        account.partition,
        account.environment,
        account.owner_email,
        account.tags,
    )
    return dict(zip(COLUMNS, values, strict=True))


def seed(organization: Organization, *, password: str) -> None:
    """Roles, logins, accounts; which accounts may be changed; which is paused; the half year before. Needs Django set up and migrated."""
    from django.contrib.auth.models import User
    from django.core.management import call_command
    from django.utils import timezone

    from accounts.models import Account
    from accounts.services import set_allows_remediation, set_polled

    call_command("create_roles", verbosity=0)
    call_command("create_demo_users", password=password, verbosity=0)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "accounts.json"
        path.write_text(json.dumps([{**row, "tags": _tags(row["tags"])} for row in rows_of(organization)]))
        call_command("import_accounts", str(path), verbosity=0)
    administrator, now = User.objects.get(username="a.moreau"), timezone.now()
    by_number = {account.number: account for account in organization.accounts}
    for account in Account.objects.all():
        wanted = by_number[account.account_id]
        if wanted.allows_changes and not account.allows_remediation:
            set_allows_remediation(account, allows=True, actor=administrator, now=now)
        if not wanted.is_polled and account.is_polled:
            set_polled(account, is_polled=False, actor=administrator, now=now)
    write_history(organization, now=now)


def _tags(tags: dict[str, str]) -> str:
    return ";".join(f"{name}={value}" for name, value in tags.items())


__all__: Sequence[str] = ["rows_of", "seed"]
