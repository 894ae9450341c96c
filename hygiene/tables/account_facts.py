"""Columns of a row's account that lists show when asked for."""

from __future__ import annotations

from typing import Any, ClassVar

import django_tables2 as tables

from accounts.models import Account
from hygiene.tables.base import List


class AccountFacts(List):
    """What is known of the account that a row belongs to."""

    pinned: ClassVar = {"account": "account", "environment": "env", "unit": "ou"}
    environment = tables.Column("Environment", empty_values=(), visible=False, orderable=False)
    unit = tables.Column("Organizational unit", empty_values=(), visible=False, orderable=False)
    tags = tables.Column("Tags of the account", empty_values=(), visible=False, orderable=False)

    def account_of(self, record: Any) -> Account | None:
        """The account of a row; None where a row has none."""
        return record if isinstance(record, Account) else record.account

    def render_environment(self, record: Any) -> str:
        """What the account is for, or that it is not said."""
        account = self.account_of(record)
        return account.environment or "none" if account else "all"

    def render_unit(self, record: Any) -> str:
        """Its place in the organization."""
        account = self.account_of(record)
        return account.organizational_unit or "none" if account else "all"

    def render_tags(self, record: Any) -> str:
        """Its tags as they are kept here."""
        account = self.account_of(record)
        if account is None:
            return "all"
        return ", ".join(f"{name}={value}" for name, value in sorted(account.tags.items())) or "none"
