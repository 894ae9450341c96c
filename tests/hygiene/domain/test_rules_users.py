"""The rules about one user as a whole: its pair of keys, password, MFA and certificates."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from hygiene.domain.facts import CertificateFacts, KeyFacts, KeyMatch, KeyStatus, LastUse, MfaState, PasswordState, PrincipalFacts, UseState
from hygiene.domain.verdicts import Outcome
from tests.hygiene.domain.cases import (
    NEVER,
    NO_DATA,
    NOW,
    UNKNOWN,
    F,
    N,
    P,
    U,
    account,
    ago,
    console_user,
    judge,
    key,
    outcomes,
    used,
    user,
)

FUTURE, SECOND = NOW + timedelta(minutes=6), timedelta(seconds=1)
OFF = KeyStatus.INACTIVE
ENABLED, NO_PASSWORD, PASSWORD_UNKNOWN = PasswordState.ENABLED, PasswordState.NONE, PasswordState.UNKNOWN


@pytest.mark.parametrize(
    ("facts", "outcome"),
    [
        (user(key(1), key(2)), F),
        (user(key(1), key(2, status=OFF)), P),
        (user(key(1), key(2, status=KeyStatus.OTHER, status_raw="Expired")), P),
        (user(), P),
        (user(key(1), keys_known=False), U),
        (user(key(1), key(2), keys_known=False), F),
        (user(key(1), key(2), has_data_warning=True), U),
    ],
)
def test_two_active_keys(facts: PrincipalFacts, outcome: Outcome) -> None:
    assert outcomes("key.two_active", facts) == [outcome]


@pytest.mark.parametrize(
    ("older", "newer", "outcome"),
    [
        (key(1, born=ago(400), use=used(7)), key(2, born=ago(15)), F),
        (key(1, born=ago(400), use=used(8)), key(2, born=ago(15)), P),
        (key(1, born=ago(400), use=LastUse(UseState.USED, ago(8) + SECOND)), key(2, born=ago(15)), F),
        (key(1, born=ago(400), use=used(7)), key(2, born=ago(14)), P),
        (key(1, born=ago(400), use=UNKNOWN), key(2, born=ago(14)), P),
        (key(1, born=ago(400), use=UNKNOWN), key(2, born=ago(15)), U),
        (key(1, born=ago(400), use=used(7), match=KeyMatch.AMBIGUOUS), key(2, born=ago(15)), U),
        (key(1, born=ago(400), use=LastUse(UseState.USED, FUTURE)), key(2, born=ago(15)), U),
        (key(1, born=ago(400), use=NEVER), key(2, born=ago(15)), P),
        (key(1, born=ago(4400), use=NO_DATA), key(2, born=ago(15)), P),
        (key(1, born=ago(400), use=used(1)), key(2, born=ago(15), use=UNKNOWN), F),
        (key(1, born=None, use=used(1)), key(2, born=ago(15)), U),
        (key(1, born=ago(400), use=used(1)), key(2, born=FUTURE), U),
        (key(1, born=ago(400), use=used(1)), key(2, born=ago(15), status=OFF), N),
        (key(1, born=ago(100), use=used(1)), key(2, born=ago(100), use=used(90)), N),  # one second: neither is the newer
    ],
)
def test_a_rotation_is_stalled_while_the_older_key_is_still_used(older: KeyFacts, newer: KeyFacts, outcome: Outcome) -> None:
    for keys in ((older, newer), (newer, older)):
        assert outcomes("key.rotation_stalled", user(*keys)) == [outcome]


def test_a_stalled_rotation_is_unknown_where_the_second_key_could_not_be_read() -> None:
    assert outcomes("key.rotation_stalled", user(key(), keys_known=False)) == [U]
    assert outcomes("key.rotation_stalled", user(keys_known=False)) == [N]


@pytest.mark.parametrize(
    ("facts", "outcome"),
    [
        (console_user(key()), F),
        (user(key()), P),
        (user(key(), password_state=PASSWORD_UNKNOWN), U),
        (console_user(key(status=OFF)), N),
        (console_user(), N),
        (console_user(keys_known=False), U),
        (user(keys_known=False), P),
        (console_user(key(), keys_known=False), F),
    ],
)
def test_a_key_and_a_password_on_one_user(facts: PrincipalFacts, outcome: Outcome) -> None:
    assert outcomes("key.with_password", facts) == [outcome]


@pytest.mark.parametrize(
    ("state", "mfa", "outcome"),
    [
        (ENABLED, MfaState.OFF, F),
        (ENABLED, MfaState.ON, P),
        (PASSWORD_UNKNOWN, MfaState.ON, P),
        (PASSWORD_UNKNOWN, MfaState.OFF, U),
        (ENABLED, MfaState.UNKNOWN, U),
        (ENABLED, MfaState.NOT_APPLICABLE, U),
        (NO_PASSWORD, MfaState.OFF, N),
        (NO_PASSWORD, MfaState.UNKNOWN, N),
    ],
)
def test_a_console_user_without_mfa(state: PasswordState, mfa: MfaState, outcome: Outcome) -> None:
    assert outcomes("password.no_mfa", console_user(password_state=state, mfa_state=mfa)) == [outcome]


@pytest.mark.parametrize(
    ("use", "changed", "outcome"),
    [
        (used(44), 900, P),
        (used(45), 3, F),
        (NEVER, 44, P),
        (NEVER, 45, F),
        (NO_DATA, 4400, F),
        (NEVER, None, U),
        (UNKNOWN, 900, U),
        (LastUse(UseState.NOT_APPLICABLE), 900, U),
        (LastUse(UseState.USED, FUTURE), 900, U),
    ],
)
def test_a_password_nobody_uses(use: LastUse, changed: int | None, outcome: Outcome) -> None:
    facts = console_user(password_last_use=use, password_last_changed_at=None if changed is None else ago(changed))
    assert outcomes("password.unused", facts) == [outcome]


def test_an_unused_password_needs_a_password() -> None:
    assert outcomes("password.unused", user(password_last_use=used(900))) == [N]
    assert outcomes("password.unused", console_user(password_state=PASSWORD_UNKNOWN, password_last_use=used(900))) == [U]


@pytest.mark.parametrize(
    ("facts", "outcome"),
    [
        (console_user(password_last_changed_at=ago(90)), P),
        (console_user(password_last_changed_at=ago(91)), F),
        (console_user(password_last_changed_at=ago(3), password_next_rotation_at=ago(0, seconds=1)), F),
        (console_user(password_last_changed_at=ago(3), password_next_rotation_at=NOW), P),
        (console_user(password_last_changed_at=None), U),
        (console_user(password_last_changed_at=FUTURE), U),
        (console_user(password_state=PASSWORD_UNKNOWN, password_next_rotation_at=ago(1)), U),
        (user(password_last_changed_at=ago(900)), N),
    ],
)
def test_a_password_over_its_age(facts: PrincipalFacts, outcome: Outcome) -> None:
    assert outcomes("password.too_old", facts) == [outcome]


@pytest.mark.parametrize(
    ("facts", "outcome"),
    [
        (console_user(mfa_kinds=frozenset({"virtual"})), F),
        (console_user(mfa_kinds=frozenset({"virtual", "hardware"})), P),
        (console_user(mfa_kinds=frozenset({"hardware"})), P),
        (console_user(mfa_kinds=frozenset({"virtual", "passkey"})), P),
        (console_user(mfa_kinds=frozenset({"virtual", "other"})), P),
        (console_user(mfa_kinds=frozenset({"virtual", "others unknown"})), U),
        (console_user(mfa_kinds=frozenset()), U),
        (console_user(mfa_kinds=None), U),
        (console_user(mfa_state=MfaState.UNKNOWN, mfa_kinds=frozenset({"virtual"})), U),
        (console_user(password_state=PASSWORD_UNKNOWN, mfa_kinds=frozenset({"virtual"})), U),
        (console_user(mfa_state=MfaState.OFF, mfa_kinds=None), N),
        (console_user(mfa_state=MfaState.NOT_APPLICABLE), N),
        (user(mfa_state=MfaState.ON, mfa_kinds=frozenset({"virtual"})), N),
    ],
)
def test_virtual_mfa_only(facts: PrincipalFacts, outcome: Outcome) -> None:
    assert outcomes("mfa.virtual_only", facts) == [outcome]


@pytest.mark.parametrize(
    ("missing", "words"),
    [
        (frozenset(), "iam:ListMFADevices was not read yet, so whether the user has a passkey, security key or hardware token too"),
        (frozenset({"iam:ListMFADevices"}), "The read role may not call iam:ListMFADevices, so whether the user has a passkey"),
    ],
)
def test_a_user_whose_other_devices_are_unknown_is_told_why(missing: frozenset[str], words: str) -> None:
    facts = console_user(mfa_kinds=frozenset({"virtual", "others unknown"}))
    (told,) = judge("mfa.virtual_only", facts, account(missing_permissions=missing))
    assert (told.outcome, told.is_pending) == (U, not missing)
    assert told.explanation.startswith(words)


def certificate(days: int | None, slot: int = 1, *, is_active: bool = True) -> CertificateFacts:
    return CertificateFacts(slot, is_active, None if days is None else ago(days))


@pytest.mark.parametrize(
    ("certificates", "outcome"),
    [
        ((certificate(91),), F),
        ((certificate(90),), P),
        ((certificate(None),), U),
        ((certificate(90), certificate(91, 2)), F),
        ((certificate(90), certificate(None, 2)), U),
        ((certificate(91), certificate(None, 2)), F),
        ((certificate(900, is_active=False),), N),
        ((), N),
        (None, U),
    ],
)
def test_an_old_signing_certificate(certificates: tuple[CertificateFacts, ...] | None, outcome: Outcome) -> None:
    assert outcomes("certificate.old", user(certificates=certificates)) == [outcome]


def test_sentences_tell_what_was_compared() -> None:
    stalled = judge("key.rotation_stalled", user(key(1, born=ago(400), use=used(0)), key(2, born=ago(1))))[0]
    assert stalled.comparison == "newer created 1 days ago <= 14"
    found = judge("key.rotation_stalled", user(key(1, born=ago(400), use=used(0)), key(2, born=ago(20))))[0]
    assert found.explanation == "The newer key is 20 days old, yet the older one was used today."
    assert judge("password.unused", console_user(password_last_use=used(60)))[0].explanation == "Last sign-in 60 days ago."
    due = judge("password.too_old", console_user(password_last_changed_at=ago(3), password_next_rotation_at=ago(20)))[0]
    assert due.explanation == "The password should have been changed by 3 Nov 2026."


def test_two_keys_of_one_second_are_no_rotation() -> None:
    found = judge("key.rotation_stalled", user(key(1, born=ago(30), use=used(1)), key(2, born=ago(30), use=used(1))))[0]
    assert (found.outcome, found.explanation) == (N, "Both keys were made in the same second: neither replaces the other.")
    assert [fact.name for fact in found.facts] == ["status", "newer key status", "created", "newer key created"]


def test_more_keys_than_aws_allows_are_judged_by_the_two_oldest() -> None:
    keys = [key(place, born=ago(days), use=used(1)) for place, days in enumerate((5, 400, 30))]
    found = judge("key.rotation_stalled", user(*keys))[0]
    assert found.explanation == "The newer key is 30 days old, yet the older one was used 1 day ago."


def test_a_newer_key_made_today_is_young() -> None:
    found = judge("key.rotation_stalled", user(key(1, born=ago(30), use=used(1)), key(2, born=ago(0))))[0]
    assert found.comparison == "newer created 0 days ago <= 14"


def test_the_day_by_which_a_password_should_have_been_changed_is_in_utc() -> None:
    due = datetime(2026, 11, 20, 6, 0, tzinfo=timezone(timedelta(hours=14)))
    found = judge("password.too_old", console_user(password_next_rotation_at=due))[0]
    assert found.explanation == "The password should have been changed by 19 Nov 2026."
