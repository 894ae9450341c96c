"""Kinds of MFA devices by their serial numbers."""

from __future__ import annotations

from hashlib import sha256

import pytest

from hygiene.domain.mfa import HARDWARE, OTHER, PASSKEY, VIRTUAL, fingerprint, kind_of, kinds_of

NUMBER = "111122223333"


@pytest.mark.parametrize(
    ("serial", "kind"),
    [
        (f"arn:aws:iam::{NUMBER}:mfa/ana", VIRTUAL),
        (f"arn:aws:iam::{NUMBER}:mfa/path/of/u2f/ana", VIRTUAL),
        (f"arn:aws:iam::{NUMBER}:mfa/root-account-mfa-device", VIRTUAL),
        (f"arn:aws-us-gov:iam::{NUMBER}:mfa/ana", VIRTUAL),
        (f"arn:aws:iam::{NUMBER}:u2f/user/ana/phone-ABCDEFGH", PASSKEY),
        (f"arn:aws:iam::{NUMBER}:u2f/root-account/key-ABCDEFGH", PASSKEY),
        (f"arn:aws:iam::{NUMBER}:u2f/user/mfa/mfa-ABCDEFGH", PASSKEY),
        (f"arn:aws-cn:iam::{NUMBER}:u2f/user/ana/phone-ABCDEFGH", PASSKEY),
        (f"arn:aws:iam::{NUMBER}:u2f/user/a:mfa/b:mfa/c", PASSKEY),
        ("GAHT12345678", HARDWARE),
        ("SPNB:mfa/12345", HARDWARE),
        (f"arn:aws:iam::{NUMBER}:sms-mfa/ana", OTHER),
        ("arn:", OTHER),
    ],
)
def test_the_kind_is_in_the_serial_number(serial: str, kind: str) -> None:
    assert kind_of(serial) == kind


def test_each_kind_is_named_once() -> None:
    assert kinds_of(["GAHT1", f"arn:aws:iam::{NUMBER}:mfa/a", "GAHT2"]) == [HARDWARE, VIRTUAL]
    assert kinds_of([]) == []


def test_the_fingerprint_follows_the_set_of_virtual_devices() -> None:
    assert fingerprint(["b", "a"]) == fingerprint(["a", "b"]) == sha256(b"on\na\nb").hexdigest()
    assert len({fingerprint(["a"]), fingerprint(["b"]), fingerprint(["a", "b"])}) == 3
