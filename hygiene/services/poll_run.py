"""One poll in flight: what it works with, and what it has learnt so far. Used by the modules that are its parts."""

from __future__ import annotations

from dataclasses import dataclass, field

from accounts.gateway import AccountSummary, Gateway, VirtualMfaDevice
from accounts.models import Account
from hygiene.domain.policy import Policy
from hygiene.models import AccountStatus, Poll
from hygiene.services.clock import Clock
from hygiene.services.holders import Holder
from hygiene.services.mfa_kinds import Assigned


@dataclass
class Run:
    """One poll in flight."""

    poll: Poll
    account: Account
    status: AccountStatus
    gateway: Gateway
    policy: Policy
    clock: Clock
    summary: AccountSummary | None = None
    devices: tuple[VirtualMfaDevice, ...] | None = None
    assigned: Assigned = field(default_factory=Assigned)
    users_digest: str = ""  # of the report; see services.identity
    held: list[Holder] = field(default_factory=list)  # who is in the account, once the report is recorded
    notes: list[str] = field(default_factory=list)
    has_failed: bool = False  # AWS failed to answer GetAccountSummary this time
    goes_on: bool = False
    is_counted: bool = False  # the account's figures follow from everything that this poll wrote
