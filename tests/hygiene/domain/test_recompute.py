"""An auditor comes to the same outcome from what is stored of a verdict: facts, numbers, time."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from hygiene.domain.details import PasswordPolicyFacts, PolicyFacts, ServiceCredentialFacts, SshKeyFacts
from hygiene.domain.facts import (
    AccountFacts,
    CertificateFacts,
    DetailFacts,
    KeyFacts,
    KeyMatch,
    KeyStatus,
    LastUse,
    MfaState,
    OrganizationRole,
    PasswordState,
    PrincipalFacts,
    UsageFacts,
    UseState,
)
from hygiene.domain.policy import Policy, resolve
from hygiene.domain.profiles import PROFILES
from hygiene.domain.recompute import CHECKS, CannotRecompute, recompute
from hygiene.domain.rules import RULES, evaluate_account, evaluate_principal
from hygiene.domain.verdicts import FactUsed, Outcome, Verdict
from tests.hygiene.domain.cases import NOW, READ_AT, account, ago, everything_on, judge, key, root, user

DAYS = (0, 1, 2, 6, 7, 8, 13, 14, 15, 29, 30, 31, 44, 45, 46, 89, 90, 91, 365, 366, 4400)
POLICIES = [PolicyFacts("ReadOnlyAccess", "arn", via) for via in ("user", "group ops")] + [
    PolicyFacts("AWSCompromisedKeyQuarantineV3", "arn", "user"),
    PolicyFacts("mine", "", "inline"),
]

REPLACED = (key(1, born=ago(400)), key(2, born=ago(30), use=LastUse(UseState.USED, ago(1))))
STALLED = (key(1, born=ago(400), use=LastUse(UseState.USED, ago(1))), key(2, born=ago(30)))


class World:
    """Random facts that meet the boundaries often."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def one(self, *values: Any) -> Any:
        return self.random.choice(values)

    def some(self, values: list[Any]) -> tuple[Any, ...]:
        return tuple(self.random.sample(values, self.random.randint(0, len(values))))

    def moment(self) -> Any:
        return self.one(None, NOW + timedelta(minutes=6), *(ago(days, microseconds=self.one(0, 1)) for days in self.random.sample(DAYS, 6)))

    def use(self) -> LastUse:
        at = self.moment()
        if at is not None:
            return LastUse(UseState.USED, at)
        return LastUse(self.one(UseState.NEVER, UseState.NO_DATA, UseState.UNKNOWN, UseState.NOT_APPLICABLE))

    def key(self, ref: int) -> KeyFacts:
        status = self.one(KeyStatus.ACTIVE, KeyStatus.ACTIVE, KeyStatus.INACTIVE, KeyStatus.OTHER)
        return KeyFacts(
            ref,
            status,
            self.moment(),
            self.use(),
            status_raw="Expired" if status is KeyStatus.OTHER else self.one("", status.value.capitalize()),
            match=self.one(KeyMatch.EXACT, KeyMatch.EXACT, KeyMatch.AMBIGUOUS, KeyMatch.LIVE_ONLY),
            first_inactive_at=self.moment(),
            has_data_warning=self.one(False, False, False, True),
            usage=self.one(None, self.usage()),
        )

    def usage(self) -> UsageFacts:
        return UsageFacts(
            READ_AT, self.some(["Boto3", "Terraform"]), self.some(["AWS Lambda", "the service x"]), is_complete=self.one(True, False)
        )

    def details(self) -> DetailFacts:
        return DetailFacts(
            tags=self.one(None, {}, {"team": "data"}),
            owner=self.one(None, "", "ann@example.com"),
            owner_source=self.one("", "account", "tag owner"),
            policies=self.one(None, self.some(POLICIES)),
            is_admin=self.one(None, True, False),
            ssh_keys=self.one(None, tuple(SshKeyFacts(str(n), self.one(True, False), self.moment()) for n in range(self.one(0, 1, 2)))),
            service_credentials=self.one(None, self.some([self.credential(n) for n in range(2)])),
        )

    def credential(self, number: int) -> ServiceCredentialFacts:
        service = self.one("bedrock.amazonaws.com", "codecommit.amazonaws.com")
        return ServiceCredentialFacts(str(number), service, self.one(True, False), ago(3), self.one(None, NOW, ago(1), ago(-1)))

    def principal(self, *, is_root: bool) -> PrincipalFacts:
        certificates = tuple(CertificateFacts(n, self.one(True, False), self.moment()) for n in range(self.one(0, 1, 2)))
        return user(
            *self.one(tuple(self.key(ref) for ref in range(self.one(0, 1, 2, 2))), REPLACED, STALLED),
            is_root=is_root,
            password_state=self.one(*PasswordState),
            password_last_use=self.use(),
            password_last_changed_at=self.moment(),
            password_next_rotation_at=self.moment(),
            mfa_state=self.one(*MfaState),
            mfa_kinds=self.one(None, frozenset(self.some(["virtual", "hardware"]))),
            certificates=self.one(None, certificates),
            observed_at=self.one(READ_AT, READ_AT, None),
            keys_known=self.one(True, True, False),
            has_data_warning=self.one(False, False, True),
            details=self.details(),
        )

    def account(self) -> AccountFacts:
        flags = ("root_key_present", "root_mfa_on", "root_password_present", "root_certificate_present", "root_has_virtual_mfa")
        return account(
            **{flag: self.one(None, True, False) for flag in (*flags, "central_root_on")},
            partition=self.one("aws", "aws", "aws-us-gov"),
            is_pollable=self.one(True, True, False),
            newest_report_at=self.one(None, ago(hours=12), ago(hours=12, seconds=1), NOW + timedelta(hours=1)),
            is_reachable=self.one(True, True, True, False),
            last_poll_complete=self.one(True, False),
            password_policy=self.one(
                None, PasswordPolicyFacts(False), PasswordPolicyFacts(True, self.one(None, 13, 14), self.one(None, 23, 24))
            ),
            organization_role=self.one(*OrganizationRole),
            central_root_features=self.one(None, frozenset(), frozenset({"RootSessions", "RootCredentialsManagement"})),
            worker_key_user=self.one(None, "", "arn:aws:iam::111122223333:user/hygiene"),
            missing_permissions=self.one(frozenset(), frozenset({"iam:GetAccountAuthorizationDetails"})),
        )


def again(verdict: Verdict) -> Outcome:
    """From evidence that went through JSON."""
    facts = json.loads(json.dumps([[fact.name, fact.value, fact.source] for fact in verdict.facts]))
    numbers = json.loads(json.dumps(dict(verdict.numbers)))
    assert verdict.evaluated_at is not None
    stored = [FactUsed(name, value, source=source) for name, value, source in facts]
    return recompute(verdict.rule, verdict.version, numbers, stored, evaluated_at=verdict.evaluated_at)


def policies() -> list[Policy]:
    return [everything_on(resolve(profile)) for profile in PROFILES]


def test_every_verdict_of_every_rule_is_recomputed_from_its_evidence() -> None:
    seen: set[tuple[str, Outcome]] = set()
    for seed in range(700):
        world = World(seed)
        policy, of = world.one(*policies()), world.account()
        verdicts = evaluate_account(of, policy=policy, now=NOW)
        verdicts += evaluate_principal(world.principal(is_root=seed % 3 == 0), of, policy=policy, now=NOW)
        for verdict in verdicts:
            assert again(verdict) is verdict.outcome, (seed, verdict)
            seen.add((verdict.rule, verdict.outcome))
    never_pass = {"user.role_would_do", "tool.long_term_key"}  # nothing that was seen proves that no role would do
    for rule in RULES:
        assert (rule, Outcome.FAIL) in seen
        assert (rule, Outcome.PASS) in seen or rule in never_pass


def test_every_rule_is_known_to_the_auditor() -> None:
    assert set(CHECKS) == set(RULES)


def test_another_version_of_a_rule_and_missing_facts_are_refused() -> None:
    found = judge("key.too_old", user(key(born=ago(412))))[0]
    with pytest.raises(CannotRecompute, match=r"Version 2 of key\.too_old"):
        again(replace(found, version=2))
    with pytest.raises(CannotRecompute, match="no fact “created”"):
        again(replace(found, facts=found.facts[:1]))
    with pytest.raises(CannotRecompute, match=r"key\.unheard_of"):
        again(replace(found, rule="key.unheard_of"))


def test_evidence_tells_value_time_and_source_of_every_fact() -> None:
    found = judge("key.unused", user(key(born=ago(412), status_raw="Active")))[0]
    assert [(fact.name, fact.value, fact.observed_at, fact.source) for fact in found.facts] == [
        ("status", "Active", READ_AT, "credential report"),
        ("created", "2025-10-07T08:00:00Z", READ_AT, "credential report"),
        ("last used", "never", None, "credential report"),
    ]
    assert (found.version, found.profile, dict(found.numbers), found.set_in) == (
        1,
        "default",
        {"days": 45, "high_over": 365},
        "profile default",
    )


def test_a_changed_number_changes_the_recomputed_outcome() -> None:
    found = judge("key.too_old", user(key(born=ago(412))))[0]
    assert again(replace(found, numbers={"days": 412})) is Outcome.PASS


@pytest.mark.parametrize("partition", ["aws", "aws-us-gov"])
@pytest.mark.parametrize(
    "use",
    [
        LastUse(UseState.UNKNOWN),
        LastUse(UseState.NOT_APPLICABLE),
        LastUse(UseState.NEVER),
        LastUse(UseState.USED, ago(0)),
        LastUse(UseState.USED, ago(40)),
    ],
)
def test_whether_root_can_sign_in_decides_what_its_sign_ins_tell(partition: str, use: LastUse) -> None:
    found = judge("root.used", root(password_last_use=use), account(partition=partition))[0]
    assert again(found) is found.outcome
    if partition == "aws-us-gov" and use.state is UseState.UNKNOWN:
        assert found.outcome is Outcome.PASS
    if partition == "aws" and use.state is UseState.UNKNOWN:
        assert found.outcome is Outcome.UNKNOWN


def test_root_is_recomputed_too() -> None:
    assert again(judge("root.key_present", root(key()), account(root_key_present=True))[0]) is Outcome.FAIL
