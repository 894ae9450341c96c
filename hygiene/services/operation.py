"""What an action on one kind of credential is made of: the executor knows operations, never actions. The table is `services.operations`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from accounts.gateway import AwsError
from hygiene.domain.policy import Policy
from hygiene.models import Action, Remediation
from hygiene.services.permissions import Refusal


class Live(Protocol):
    """What AWS shows of the credential now."""

    @property
    def status(self) -> str:
        """AWS's word for it, or the operation's own word for "not there"."""

    def as_json(self) -> dict[str, Any]:
        """For the row and the audit log: JSON types only, with "status" among them."""


class Observe(Protocol):
    """Writes what AWS showed to our own rows, with findings and counts that follow. No call; inside the outcome's transaction."""

    def __call__(self, remediation: Remediation, live: Any, *, is_ours: bool, policy: Policy, now: datetime) -> None:
        """`is_ours`: what is shown is the doing of this remediation, and is written so in the timeline."""


def unreadable(error: AwsError) -> Refusal:
    """AWS could not be read before the change."""
    return Refusal(f"unreadable:{error.code}"[:48], f"Not changed, because AWS could not be read first: {error.sentence}")


@dataclass(frozen=True, slots=True)
class SecondCall:
    """A call that follows once AWS shows what the first one did. `send` is one attempt on the wire; the rest are sentences of its ends."""

    call: str  # the IAM action, such as iam:DeleteVirtualMFADevice
    is_needed: Callable[[Remediation], bool]
    send: Callable[[Any, Remediation], str]
    done: str
    gone: str  # AWS no longer knew it
    left: str  # it was not made, or AWS said no; why follows
    unknown: str  # AWS did not answer


@dataclass(frozen=True, slots=True)
class Operation:
    """One action. `look` and `read` raise AwsError when AWS cannot be read; `send` is the one attempt on the wire."""

    action: Action
    call: str  # the IAM action that changes, such as iam:UpdateAccessKey
    reads: tuple[str, ...]  # IAM actions of its readings
    wanted: str  # the status that AWS shows when it is done
    done: str  # "Disabled"
    noun: str  # "this key"
    look: Callable[[Any, Remediation], Live]  # everything that `judge` compares
    read: Callable[[Any, Remediation], Live]  # enough to tell the status
    send: Callable[[Any, Remediation], str]  # returns the AWS request id
    judge: Callable[[Remediation, Any, datetime], Refusal | None]  # the first difference from what the person saw
    observe: Observe
    removes: bool = False  # gone is what is wanted: NoSuchEntity is a success
    second: SecondCall | None = None
    looks_again: bool = False  # the user's keys are listed once more a minute later
    explain: Callable[[AwsError], Refusal] = unreadable  # what an error of AWS before or at the call means

    def is_done(self, live: Live) -> bool:
        """Whether AWS shows what was wanted."""
        return live.status == self.wanted
