"""Random facts that meet the boundaries of rules often: the worlds that evidence and wording of verdicts are tried on."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

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
from hygiene.domain.rules import evaluate_account, evaluate_principal
from hygiene.domain.verdicts import Verdict
from tests.hygiene.domain.cases import NOW, READ_AT, account, ago, everything_on, key, user

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
        self.seed, self.random = seed, random.Random(seed)

    def one(self, *values: Any) -> Any:
        return self.random.choice(values)

    def some(self, values: list[Any]) -> tuple[Any, ...]:
        return tuple(self.random.sample(values, self.random.randint(0, len(values))))

    def moment(self) -> Any:
        return self.one(None, NOW + timedelta(minutes=6), *(ago(days, microseconds=self.one(0, 1)) for days in self.random.sample(DAYS, 6)))

    def use(self) -> LastUse:
        at = self.moment()
        if at is not None:
            return LastUse(UseState.USED, at, observed_at=READ_AT)
        return LastUse(self.one(UseState.NEVER, UseState.NO_DATA, UseState.UNKNOWN, UseState.NOT_APPLICABLE), observed_at=READ_AT)

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

    def kinds(self, found: frozenset[str] | None) -> frozenset[str] | None:
        """Sometimes more kinds, drawn apart, so that nothing else of the world depends on it."""
        more = random.Random(self.seed).choice([(), (), ("passkey",), ("other",), ("others unknown",)])  # invented data
        return found if found is None else found | frozenset(more)

    def usage(self) -> UsageFacts:
        applications, places = self.some(["Boto3", "Terraform"]), self.some(["AWS Lambda", "Amazon ECS", "the service x"])
        return UsageFacts(READ_AT, applications, places, is_complete=self.one(True, False))

    def details(self) -> DetailFacts:
        return DetailFacts(
            observed_at=READ_AT,
            credentials_observed_at=READ_AT,
            service_credentials_observed_at=READ_AT,
            tags=self.one(None, {}, {"team": "data"}),
            owner=self.one(None, "", "ann@example.com"),
            owner_source=self.one("", "account", "tag owner"),
            policies=self.one(None, self.some(POLICIES)),
            is_admin=self.one(None, True, False),
            admin_via=self.one("", "through group ops"),
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
            mfa_kinds_observed_at=READ_AT,
            mfa_kinds=self.kinds(self.one(None, frozenset(self.some(["virtual", "hardware"])))),
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
            failing_since=ago(1),
            password_policy_observed_at=READ_AT,
            organization_observed_at=READ_AT,
            worker_observed_at=READ_AT,
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


POLICIES_OF_PROFILES: list[Policy] = [everything_on(resolve(profile)) for profile in PROFILES]


def verdicts_of(seed: int) -> list[Verdict]:
    """All verdicts of one random account and one random principal in it, root in every third world."""
    world = World(seed)
    policy, of = world.one(*POLICIES_OF_PROFILES), world.account()
    found = evaluate_account(of, policy=policy, now=NOW)
    return found + evaluate_principal(world.principal(is_root=seed % 3 == 0), of, policy=policy, now=NOW)
