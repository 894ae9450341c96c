"""The rules about an account: how fresh its data is, its password policy, its organization, and our own identity."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hygiene.domain.details import PasswordPolicyFacts
from hygiene.domain.facts import AccountFacts, OrganizationRole
from hygiene.domain.policy import Override, Scope, resolve
from hygiene.domain.verdicts import Outcome
from tests.hygiene.domain.cases import NOW, F, N, P, U, account, ago, judge, outcomes

ROLE = OrganizationRole
ON, OTHER = frozenset({"RootCredentialsManagement"}), frozenset({"RootSessions"})


@pytest.mark.parametrize(
    ("of", "outcome"),
    [
        (account(newest_report_at=ago(hours=12)), P),
        (account(newest_report_at=ago(hours=12, seconds=1)), F),
        (account(newest_report_at=None), F),
        (account(last_poll_complete=False), F),
        (account(newest_report_at=NOW + timedelta(minutes=5)), P),
        (account(newest_report_at=NOW + timedelta(minutes=6)), U),
        (account(newest_report_at=ago(9), is_pollable=False), N),
        (account(newest_report_at=ago(9), is_reachable=False), F),
    ],
)
def test_silence_is_a_failure(of: AccountFacts, outcome: Outcome) -> None:
    assert outcomes("account.stale", None, of) == [outcome]


def test_an_account_that_cannot_be_read_says_why() -> None:
    found = judge("account.unreachable", None, account(is_reachable=False, error="The role cannot be assumed."))[0]
    assert (found.outcome, found.explanation) == (F, "The role cannot be assumed.")
    assert judge("account.unreachable", None, account(is_reachable=False))[0].explanation == "The account cannot be read."
    assert outcomes("account.unreachable", None, account()) == [P]
    assert outcomes("account.unreachable", None, account(is_reachable=False, is_pollable=False)) == [N]


@pytest.mark.parametrize(
    ("found", "outcome"),
    [
        (PasswordPolicyFacts(True, 14, 24), P),
        (PasswordPolicyFacts(True, 13, 24), F),
        (PasswordPolicyFacts(True, 14, 23), F),
        (PasswordPolicyFacts(True, 14, None), F),
        (PasswordPolicyFacts(True, None, 24), F),
        (PasswordPolicyFacts(False), F),
        (None, U),
    ],
)
def test_a_password_policy_is_long_enough_and_remembers(found: PasswordPolicyFacts | None, outcome: Outcome) -> None:
    assert outcomes("account.password_policy", None, account(password_policy=found)) == [outcome]


def test_no_minimum_and_no_memory_are_less_than_one() -> None:
    one = [Override(Scope.INSTALLATION, "", "account.password_policy", name, 1) for name in ("minimum_length", "reuse_prevention")]
    found = judge("account.password_policy", None, account(password_policy=PasswordPolicyFacts(True)), policy=resolve(overrides=one))[0]
    assert found.comparison == "minimum length none < 1, reuse prevention none < 1"


def test_a_report_from_a_clock_that_is_a_little_ahead_is_new() -> None:
    found = judge("account.stale", None, account(newest_report_at=NOW + timedelta(minutes=2)))[0]
    assert found.comparison == "report 0 h old <= limit 12 h"


def test_what_is_weak_about_a_password_policy_is_told() -> None:
    found = judge("account.password_policy", None, account(password_policy=PasswordPolicyFacts(True, 8, None)))[0]
    assert found.comparison == "minimum length 8 < 14, reuse prevention none < 24"


@pytest.mark.parametrize(
    ("role", "features", "outcome"),
    [
        (ROLE.MANAGEMENT, OTHER, F),
        (ROLE.MANAGEMENT, frozenset(), F),
        (ROLE.DELEGATED, OTHER, F),
        (ROLE.MANAGEMENT, ON | OTHER, P),
        (ROLE.DELEGATED, ON, P),
        (ROLE.MANAGEMENT, None, U),
        (ROLE.UNKNOWN, None, U),
        (ROLE.MEMBER, None, N),
        (ROLE.NONE, None, N),
    ],
)
def test_central_root_management_is_on(role: OrganizationRole, features: frozenset[str] | None, outcome: Outcome) -> None:
    of = account(organization_role=role, central_root_features=features)
    assert outcomes("org.central_root_off", None, of) == [outcome]


@pytest.mark.parametrize(("user", "outcome"), [("arn:aws:iam::111122223333:user/hygiene", F), ("", N), (None, U)])
def test_our_own_long_term_key_is_a_finding(user: str | None, outcome: Outcome) -> None:
    assert outcomes("tool.long_term_key", None, account(worker_key_user=user)) == [outcome]


@pytest.mark.parametrize(
    ("rule", "of", "permission"),
    [
        ("account.password_policy", {"password_policy": None}, "iam:GetAccountPasswordPolicy"),
        ("org.central_root_off", {"organization_role": ROLE.UNKNOWN}, "organizations:DescribeOrganization"),
        ("org.central_root_off", {"organization_role": ROLE.MANAGEMENT}, "iam:ListOrganizationsFeatures"),
    ],
)
def test_a_missing_permission_is_named_and_what_was_not_read_yet_is_pending(rule: str, of: dict[str, object], permission: str) -> None:
    refused = judge(rule, None, account(**of, missing_permissions=frozenset({permission})))[0]
    assert (refused.outcome, refused.is_pending) == (U, False)
    assert f"may not call {permission}" in refused.explanation
    pending = judge(rule, None, account(**of))[0]
    assert (pending.outcome, pending.is_pending) == (U, True)


@pytest.mark.parametrize("rule", ["account.password_policy", "org.central_root_off", "tool.long_term_key"])
def test_an_account_that_cannot_be_read_keeps_no_other_verdict(rule: str) -> None:
    of = account(is_reachable=False, organization_role=ROLE.MANAGEMENT, central_root_features=ON)
    assert outcomes(rule, None, of) == [U]
