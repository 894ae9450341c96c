"""The ways to AWS that checks of access need, as a port: tasks hand in the real ones, tests hand in fakes."""

from __future__ import annotations

from typing import Protocol

from accounts.gateway import Gateway, Purpose, RootGateway
from accounts.models import Account


class Doors(Protocol):
    """Sessions that a worker opens for a check. None makes a call yet."""

    def role(self, account: Account, *, purpose: Purpose, user_arn: str = "", is_bare: bool = False) -> Gateway:
        """A session of the account's read or act role; `is_bare`: without the external id."""

    def own(self, *, partition: str) -> Gateway:
        """The worker's own identity."""

    def root(self, account: Account) -> RootGateway:
        """Root of a member account, to read only."""
