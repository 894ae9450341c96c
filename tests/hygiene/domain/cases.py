"""Facts for tests of rules: everything is good and known unless a test says otherwise."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hygiene.domain.details import PasswordPolicyFacts
from hygiene.domain.facts import (
    AccountFacts,
    DetailFacts,
    KeyFacts,
    KeyStatus,
    LastUse,
    MfaState,
    OrganizationRole,
    PasswordState,
    PrincipalFacts,
    UseState,
)
from hygiene.domain.policy import Policy, resolve
from hygiene.domain.rules import evaluate_account, evaluate_principal
from hygiene.domain.verdicts import Outcome, Verdict

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
READ_AT = NOW - timedelta(minutes=14)
NEVER, NO_DATA, UNKNOWN = LastUse(UseState.NEVER), LastUse(UseState.NO_DATA), LastUse(UseState.UNKNOWN)
NO_PASSWORD = LastUse(UseState.NOT_APPLICABLE)
F, P, U, N = Outcome.FAIL, Outcome.PASS, Outcome.UNKNOWN, Outcome.NOT_APPLICABLE


def ago(days: float = 0, **more: float) -> datetime:
    """That many days before now."""
    return NOW - timedelta(days=days, **more)


def used(days: float = 0, **more: float) -> LastUse:
    """Last used that long ago."""
    return LastUse(UseState.USED, ago(days, **more), "eu-west-1", "s3", READ_AT)


def key(ref: int = 1, *, born: datetime | None = NOW, use: LastUse = NEVER, status: KeyStatus = KeyStatus.ACTIVE, **more: Any) -> KeyFacts:
    """An active key, made now and never used."""
    return KeyFacts(ref, status, born, use, status_observed_at=READ_AT, **more)


def user(*keys: KeyFacts, **more: Any) -> PrincipalFacts:
    """A user without a password, of whom nothing was read beside the report."""
    values: dict[str, Any] = {
        "ref": 7,
        "is_root": False,
        "arn": "arn:aws:iam::111122223333:user/ada",
        "name": "ada",
        "created_at": ago(900),
        "password_state": PasswordState.NONE,
        "password_last_use": NO_PASSWORD,
        "password_last_changed_at": None,
        "password_next_rotation_at": None,
        "mfa_state": MfaState.OFF,
        "observed_at": READ_AT,
        "keys": keys,
    }
    return PrincipalFacts(**{**values, **more})


def console_user(*keys: KeyFacts, **more: Any) -> PrincipalFacts:
    """A user who signed in today with a password and MFA."""
    values: dict[str, Any] = {
        "password_state": PasswordState.ENABLED,
        "password_last_use": used(0),
        "password_last_changed_at": ago(10),
        "mfa_state": MfaState.ON,
        "mfa_kinds": frozenset({"hardware"}),
    }
    return user(*keys, **{**values, **more})


def root(*keys: KeyFacts, **more: Any) -> PrincipalFacts:
    """A root user with a password, MFA and no use on record."""
    values: dict[str, Any] = {
        "is_root": True,
        "arn": "arn:aws:iam::111122223333:root",
        "name": "<root_account>",
        "password_state": PasswordState.ENABLED,
        "password_last_use": NEVER,
        "mfa_state": MfaState.ON,
    }
    return user(*keys, **{**values, **more})


def account(**more: Any) -> AccountFacts:
    """A member account that was read a moment ago, with live facts of a well-kept root."""
    values: dict[str, Any] = {
        "account_id": "111122223333",
        "partition": "aws",
        "is_pollable": True,
        "newest_report_at": READ_AT,
        "is_reachable": True,
        "last_poll_complete": True,
        "root_key_present": False,
        "root_mfa_on": True,
        "root_password_present": True,
        "root_certificate_present": False,
        "summary_observed_at": READ_AT,
        "root_has_virtual_mfa": False,
        "mfa_devices_observed_at": READ_AT,
        "password_policy": PasswordPolicyFacts(True, 14, 24),
        "organization_role": OrganizationRole.MEMBER,
        "central_root_on": False,
        "worker_key_user": "",
    }
    return AccountFacts(**{**values, **more})


def unlive(**more: Any) -> AccountFacts:
    """An account whose live summary and MFA devices could not be read."""
    live = ("root_key_present", "root_mfa_on", "root_password_present", "root_certificate_present", "root_has_virtual_mfa")
    return account(**{**dict.fromkeys(live), **more})


def details(**more: Any) -> DetailFacts:
    """Details that were read: an owner, no policy, no other credential."""
    values: dict[str, Any] = {
        "tags": {},
        "owner": "team@example.com",
        "owner_source": "tag owner",
        "groups": (),
        "policies": (),
        "is_admin": False,
        "observed_at": READ_AT,
        "ssh_keys": (),
        "service_credentials": (),
        "credentials_observed_at": READ_AT,
    }
    return DetailFacts(**{**values, **more})


def everything_on(policy: Policy | None = None) -> Policy:
    """The policy with every rule on."""
    policy = policy or resolve()
    return Policy(policy.profile, {code: replace(setting, is_on=True) for code, setting in policy.rules.items()})


def judge(
    rule: str, principal: PrincipalFacts | None = None, of: AccountFacts | None = None, *, policy: Policy | None = None
) -> list[Verdict]:
    """Verdicts of one rule, keys in their order."""
    policy, of = policy or everything_on(), of or account()
    found = evaluate_account(of, policy=policy, now=NOW) if principal is None else evaluate_principal(principal, of, policy=policy, now=NOW)
    return [verdict for verdict in found if verdict.rule == rule]


def outcomes(
    rule: str, principal: PrincipalFacts | None = None, of: AccountFacts | None = None, *, policy: Policy | None = None
) -> list[Outcome]:
    """Their outcomes."""
    return [verdict.outcome for verdict in judge(rule, principal, of, policy=policy)]
