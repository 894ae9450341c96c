"""Kinds of MFA devices, told from their serial numbers as IAM's ListMFADevices gives them, and what a list of kinds claims. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

VIRTUAL, PASSKEY, HARDWARE, OTHER = "virtual", "passkey", "hardware", "other"
UNREAD = "others unknown"  # stands in a list of kinds for: whether there are devices of other kinds was not read
RESOURCES = (("mfa/", VIRTUAL), ("u2f/", PASSKEY))  # a passkey and a security key have the same form


def kind_of(serial_number: str) -> str:
    """`arn:…:mfa/…` is virtual, `arn:…:u2f/…` a passkey or security key; what is no ARN is a hardware token. Root's have the same forms.

    An ARN of any other form, as of the text messages that AWS once sent, is of none of these kinds.
    """
    if not serial_number.startswith("arn:"):
        return HARDWARE
    resource = serial_number.split(":", 5)[-1]
    return next((kind for begin, kind in RESOURCES if resource.startswith(begin)), OTHER)


def kinds_of(serial_numbers: Iterable[str]) -> list[str]:
    """Each kind once, in alphabetical order."""
    return sorted({kind_of(serial) for serial in serial_numbers})


def fingerprint(virtual: Iterable[str]) -> str:
    """Of a user whose MFA is on and who holds these virtual devices: the same as long as these are the same."""
    return hashlib.sha256("\n".join(["on", *sorted(virtual)]).encode()).hexdigest()
