"""The rules about root: the live summary and the report together, and what holds when one of them is missing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from hygiene.domain.facts import (
    AccountFacts,
    CertificateFacts,
    KeyStatus,
    LastUse,
    MfaState,
    OrganizationRole,
    PasswordState,
    PrincipalFacts,
    UseState,
)
from hygiene.domain.policy import resolve
from hygiene.domain.verdicts import Outcome
from tests.hygiene.domain.cases import (
    NEVER,
    NO_DATA,
    NO_PASSWORD,
    NOW,
    UNKNOWN,
    F,
    N,
    P,
    U,
    account,
    ago,
    judge,
    key,
    outcomes,
    root,
    unlive,
    used,
)

OFF = KeyStatus.INACTIVE
NO_ROW = root(observed_at=None)
DOUBTFUL = {"has_data_warning": True}
ROLE = OrganizationRole


@pytest.mark.parametrize(
    ("facts", "of", "outcome"),
    [
        (root(), account(root_key_present=False), P),
        (root(), account(root_key_present=True), F),
        (root(key()), account(root_key_present=True), F),
        (root(key(status=OFF)), account(root_key_present=False), F),
        (root(key(status=OFF)), unlive(), F),
        (root(key()), unlive(), F),
        (root(key()), account(root_key_present=False), P),
        (root(), unlive(), P),
        (root(keys_known=False), unlive(), U),
        (root(keys_known=False), account(root_key_present=False), P),
        (NO_ROW, unlive(), U),
        (NO_ROW, account(root_key_present=True), F),
        (root(**DOUBTFUL), unlive(), U),
    ],
)
def test_a_root_key_fails_active_or_not(facts: PrincipalFacts, of: AccountFacts, outcome: Outcome) -> None:
    assert outcomes("root.key_present", facts, of) == [outcome]


@pytest.mark.parametrize(
    ("certificates", "live", "outcome"),
    [
        ((), False, P),
        ((), True, F),
        ((CertificateFacts(1, False, ago(4000)),), None, F),
        ((), None, P),
        (None, None, U),
        (None, False, P),
    ],
)
def test_a_root_certificate_fails(certificates: Any, live: bool | None, outcome: Outcome) -> None:
    assert outcomes("root.certificate_present", root(certificates=certificates), account(root_certificate_present=live)) == [outcome]


@pytest.mark.parametrize(
    ("mfa", "password", "has_key", "outcome"),
    [
        (True, True, True, P),
        (False, True, False, F),
        (False, False, True, F),
        (False, True, True, F),
        (False, False, False, P),
        (False, None, False, U),
        (False, None, True, F),
        (None, True, False, U),
        (None, False, False, P),
        (True, None, None, P),
    ],
)
def test_root_needs_mfa_when_it_has_a_credential(mfa: bool | None, password: bool | None, has_key: bool | None, outcome: Outcome) -> None:
    of = account(root_mfa_on=mfa, root_password_present=password, root_key_present=has_key)
    facts = root(password_state=PasswordState.UNKNOWN, mfa_state=MfaState.UNKNOWN, keys_known=False)
    assert outcomes("root.no_mfa", facts, of) == [outcome]


def test_root_without_any_credential_passes_and_says_why() -> None:
    found = judge("root.no_mfa", root(), account(root_mfa_on=False, root_password_present=False))[0]
    assert found.outcome is P
    assert "no credentials" in found.explanation


def test_without_a_live_summary_the_report_tells_of_root() -> None:
    assert outcomes("root.no_mfa", root(mfa_state=MfaState.OFF), unlive()) == [F]
    assert outcomes("root.no_mfa", root(mfa_state=MfaState.OFF, password_state=PasswordState.NONE), unlive()) == [P]
    assert outcomes("root.no_mfa", root(key(), mfa_state=MfaState.OFF, password_state=PasswordState.NONE), unlive()) == [F]
    assert outcomes("root.no_mfa", root(key(status=OFF), mfa_state=MfaState.OFF, password_state=PasswordState.NONE), unlive()) == [P]
    assert outcomes("root.no_mfa", root(password_state=PasswordState.UNKNOWN, mfa_state=MfaState.OFF), unlive()) == [U]


def test_an_inactive_root_key_needs_no_mfa_but_one_newer_than_the_report_does() -> None:
    of = account(root_mfa_on=False, root_password_present=False, root_key_present=True)
    assert outcomes("root.no_mfa", root(key(status=OFF)), of) == [P]
    assert outcomes("root.no_mfa", root(), of) == [F]


@pytest.mark.parametrize("profile", ["cis-1.2", "cis-1.4", "cis-3.0", "cis-5.0", "cis-6.0", "cis-7.0", "security-hub"])
def test_standards_look_at_roots_password_only(profile: str) -> None:
    with_key = account(root_mfa_on=False, root_password_present=False, root_key_present=True)
    with_password = account(root_mfa_on=False)
    policy = resolve(profile)
    assert outcomes("root.no_mfa", root(key()), with_key) == [F]
    found = judge("root.no_mfa", root(key()), with_key, policy=policy)[0]
    assert (found.outcome, found.explanation) == (P, "The root user has no password; this profile does not look at its keys here.")
    assert outcomes("root.no_mfa", root(), with_password, policy=policy) == [F]


@pytest.mark.parametrize(
    ("mfa", "virtual", "outcome"),
    [
        (True, True, F),
        (True, False, P),
        (True, None, U),
        (None, True, U),
        (None, False, U),
        (False, False, N),
        (False, None, N),
        (False, True, U),
    ],
)
def test_virtual_mfa_of_root(mfa: bool | None, virtual: bool | None, outcome: Outcome) -> None:
    of = account(root_mfa_on=mfa, root_has_virtual_mfa=virtual)
    assert outcomes("root.virtual_mfa", root(mfa_state=MfaState.UNKNOWN), of) == [outcome]


@pytest.mark.parametrize("rule", ["root.no_mfa", "root.virtual_mfa"])
def test_where_root_cannot_sign_in_only_an_active_key_counts(rule: str) -> None:
    gov = {"partition": "aws-us-gov", "root_mfa_on": rule == "root.virtual_mfa", "root_has_virtual_mfa": True}
    assert outcomes(rule, root(), account(**gov)) == [N]
    assert outcomes(rule, root(key(status=OFF)), account(**gov, root_key_present=None)) == [N]
    assert outcomes(rule, root(key()), account(**gov, root_key_present=True)) == [F]
    assert outcomes(rule, NO_ROW, account(**gov, root_key_present=None)) == [U]


@pytest.mark.parametrize(
    ("facts", "outcome"),
    [
        (root(password_last_use=used(0)), F),
        (root(password_last_use=used(1)), F),
        (root(password_last_use=used(2)), P),
        (root(password_last_use=LastUse(UseState.USED, ago(2) + timedelta(seconds=1))), F),
        (root(key(use=used(1)), password_last_use=used(900)), F),
        (root(key(use=used(2)), key(2, use=used(1), status=OFF), password_last_use=NEVER), F),
        (root(password_last_use=NEVER), P),
        (root(password_last_use=NO_DATA), P),
        (root(password_last_use=NO_PASSWORD), P),
        (root(password_last_use=UNKNOWN), U),
        (root(key(use=UNKNOWN), password_last_use=NEVER), U),
        (root(key(use=UNKNOWN), password_last_use=used(1)), F),
        (root(password_last_use=used(9), keys_known=False), U),
        (root(key(has_data_warning=True, use=used(9)), password_last_use=used(9)), U),
        (root(password_last_use=LastUse(UseState.USED, NOW + timedelta(days=1))), U),
        (NO_ROW, U),
    ],
)
def test_root_was_used_lately(facts: PrincipalFacts, outcome: Outcome) -> None:
    assert outcomes("root.used", facts) == [outcome]


def test_a_sign_in_that_cannot_exist_is_no_gap_in_what_is_known() -> None:
    assert outcomes("root.used", root(password_last_use=UNKNOWN), account(partition="aws-us-gov")) == [P]
    assert outcomes("root.used", root(password_last_use=used(0)), account(partition="aws-us-gov")) == [F]


@pytest.mark.parametrize(
    ("role", "central", "password", "outcome"),
    [
        (ROLE.MEMBER, True, True, F),
        (ROLE.MEMBER, True, False, P),
        (ROLE.MEMBER, True, None, U),
        (ROLE.MEMBER, False, True, N),
        (ROLE.MEMBER, None, True, U),
        (ROLE.MEMBER, None, False, P),
        (ROLE.DELEGATED, True, True, F),
        (ROLE.MANAGEMENT, True, True, N),
        (ROLE.NONE, None, True, N),
        (ROLE.UNKNOWN, None, True, U),
        (ROLE.UNKNOWN, True, False, P),
    ],
)
def test_a_root_password_of_a_member_that_is_managed_centrally(
    role: OrganizationRole, central: bool | None, password: bool | None, outcome: Outcome
) -> None:
    of = account(organization_role=role, central_root_on=central, root_password_present=password)
    assert outcomes("root.password_present", root(password_state=PasswordState.UNKNOWN), of) == [outcome]


def test_a_delegated_account_knows_by_its_own_features_whether_root_is_managed_centrally() -> None:
    delegated = {"organization_role": ROLE.DELEGATED, "central_root_on": None}
    assert outcomes("root.password_present", root(), account(**delegated, central_root_features=frozenset({"RootSessions"}))) == [N]
    on = account(**delegated, central_root_features=frozenset({"RootCredentialsManagement"}))
    assert outcomes("root.password_present", root(), on) == [F]
