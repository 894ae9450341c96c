"""Which kinds of MFA devices a user has, as far as the account's virtual devices and the live summary tell; and who else is to be asked.

A user with MFA and no virtual device has another kind. One with a virtual device may have others too. Where the live summary counts no
more devices in use than IAM users hold virtual ones, nobody has; else each console user in question is asked once, and again only when
MFA, the virtual devices, or the number of other devices in the account changed (`services.mfa_devices`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from accounts.gateway import AccountSummary, VirtualMfaDevice
from hygiene.domain.facts import MfaState, PasswordState
from hygiene.domain.mfa import HARDWARE, UNREAD, VIRTUAL, fingerprint
from hygiene.models import Principal
from hygiene.services.holders import Holder


@dataclass(frozen=True, slots=True)
class Assigned:
    """Serial numbers of virtual devices by the ARN of who holds them; None: they may not be read.

    `others`: devices in use in the account beyond the virtual ones of IAM users, root's included where AWS counts them; None: not known.
    """

    virtual: Mapping[str, Sequence[str]] | None = None
    others: int | None = None

    @classmethod
    def of(cls, devices: Iterable[VirtualMfaDevice] | None, summary: AccountSummary | None) -> Assigned:
        """From what this poll read."""
        if devices is None:
            return cls()
        virtual: dict[str, list[str]] = {}
        for device in devices:
            if device.user_arn:
                virtual.setdefault(device.user_arn, []).append(device.serial_number)
        in_use = summary.mfa_devices_in_use if summary else None
        of_users = sum(len(serials) for arn, serials in virtual.items() if not arn.endswith(":root"))
        return cls(virtual, None if in_use is None else max(in_use - of_users, 0))


def fill(principal: Principal, assigned: Assigned) -> None:
    """Kinds as far as they are known now, by the principal's own MFA state and ARN. The caller writes the row."""
    serials = () if assigned.virtual is None else assigned.virtual.get(principal.arn, ())
    is_known = assigned.virtual is not None and principal.mfa_state == MfaState.ON
    principal.mfa_fingerprint = fingerprint(serials) if is_known and serials and not principal.is_root else ""
    if principal.mfa_state == MfaState.OFF:
        principal.mfa_kinds = []
    elif not is_known:
        principal.mfa_kinds = None
    elif not serials:
        principal.mfa_kinds = [HARDWARE]
    elif principal.is_root or assigned.others == 0:
        principal.mfa_kinds = [VIRTUAL]
    elif principal.mfa_fingerprint == principal.mfa_listed_fingerprint:
        return
    else:
        principal.mfa_kinds = [VIRTUAL, UNREAD]
    principal.mfa_listed_fingerprint, principal.mfa_listed_at, principal.mfa_listed_others = "", None, None


def to_read(held: Iterable[Holder], assigned: Assigned, *, now: datetime) -> list[Principal]:
    """Console users whose other devices are to be read, worst findings first."""
    if assigned.others == 0:
        return []
    users = (holder.principal for holder in held if _is_to_read(holder.principal, assigned, now))
    return sorted(users, key=lambda user: (-user.severity, user.pk))


def _is_to_read(user: Principal, assigned: Assigned, now: datetime) -> bool:
    """The same virtual devices say nothing of a passkey that came or went: the number of such devices in the account does.

    Whose passkey it is it does not tell, so every user in question is asked, but no more often than other details are.
    """
    if user.is_root or user.gone_at is not None or user.password_state != PasswordState.ENABLED or not user.mfa_fingerprint:
        return False
    if user.mfa_fingerprint != user.mfa_listed_fingerprint or user.mfa_listed_at is None:
        return True
    is_old = now - user.mfa_listed_at >= timedelta(hours=settings.DETAILS_INTERVAL_HOURS)
    return is_old and assigned.others is not None and user.mfa_listed_others != assigned.others
