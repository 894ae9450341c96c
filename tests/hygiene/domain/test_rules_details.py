"""The rules whose facts come from beside keys and reports: policies, owners, use in CloudTrail, other credentials."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from hygiene.domain.details import PolicyFacts, ServiceCredentialFacts, SshKeyFacts
from hygiene.domain.facts import DetailFacts, KeyStatus, UsageFacts
from hygiene.domain.policy import Override, Scope, resolve
from hygiene.domain.verdicts import Outcome, Severity
from tests.hygiene.domain.cases import NOW, READ_AT, F, N, P, U, account, ago, details, judge, key, outcomes, used, user

DETAILS = "iam:GetAccountAuthorizationDetails"
ADMIN = details(is_admin=True, admin_via="through group ops", policies=(PolicyFacts("AdministratorAccess", "arn", "group ops"),))
LOST = details(is_admin=None, policies=(PolicyFacts("lost", "arn", "user"),))
NOT_READ = DetailFacts()
POLICIES = {
    "attached": (PolicyFacts("ReadOnlyAccess", "arn", "user"),),
    "inline": (PolicyFacts("mine", "", "inline"),),
    "group": (PolicyFacts("ReadOnlyAccess", "arn", "group ops"),),
    "quarantine": (PolicyFacts("AWSCompromisedKeyQuarantineV4", "arn", "user"),),
    "quarantine of a group": (PolicyFacts("AWSCompromisedKeyQuarantineV4", "arn", "group ops"),),
    "none": (),
}


@pytest.mark.parametrize(
    ("found", "status", "outcome"),
    [
        (ADMIN, KeyStatus.ACTIVE, F),
        (ADMIN, KeyStatus.INACTIVE, N),
        (details(), KeyStatus.ACTIVE, P),
        (LOST, KeyStatus.ACTIVE, U),
        (NOT_READ, KeyStatus.ACTIVE, U),
    ],
)
def test_a_key_of_an_administrator(found: DetailFacts, status: KeyStatus, outcome: Outcome) -> None:
    assert outcomes("key.admin", user(key(status=status), details=found)) == [outcome]


@pytest.mark.parametrize(
    ("rule", "keys", "usual", "raised"),
    [
        ("key.too_old", (key(born=ago(91)),), Severity.MEDIUM, Severity.HIGH),
        ("key.too_old", (key(born=ago(366)),), Severity.HIGH, Severity.CRITICAL),
        ("key.unused", (key(born=ago(91)),), Severity.MEDIUM, Severity.HIGH),
        ("key.rotation_stalled", (key(1, born=ago(400), use=used(1)), key(2, born=ago(20))), Severity.MEDIUM, Severity.HIGH),
        ("key.never_used", (key(born=ago(91)),), Severity.HIGH, Severity.HIGH),
        ("key.unused_90", (key(born=ago(91)),), Severity.MEDIUM, Severity.MEDIUM),
    ],
)
def test_an_administrators_key_counts_one_level_more(rule: str, keys: Any, usual: Severity, raised: Severity) -> None:
    assert judge(rule, user(*keys, details=details()))[0].severity is usual
    assert judge(rule, user(*keys, details=LOST))[0].severity is usual
    assert judge(rule, user(*keys, details=ADMIN))[0].severity is raised


def test_nothing_is_raised_where_the_rule_is_off_or_passes() -> None:
    off = resolve(overrides=[Override(Scope.INSTALLATION, "", "key.admin", "is_on", 0)])
    assert judge("key.too_old", user(key(born=ago(91)), details=ADMIN), policy=off)[0].severity is Severity.MEDIUM
    found = judge("key.too_old", user(key(born=ago(3)), details=ADMIN))[0]
    assert (found.severity, found.explanation) == (Severity.NONE, "The key is 3 days old.")


def test_why_a_failure_was_raised_is_told() -> None:
    found = judge("key.too_old", user(key(born=ago(91)), details=ADMIN))[0]
    assert found.explanation == "The key is 91 days old; the limit is 90. Its user is an administrator, so this counts for more."
    assert ("administrator", "yes") in [(fact.name, fact.value) for fact in found.facts]


@pytest.mark.parametrize(
    ("rule", "failing"),
    [("key.quarantined", {"quarantine"}), ("user.direct_policy", {"attached", "inline", "quarantine"})],
)
def test_policies_on_the_user_itself(rule: str, failing: set[str]) -> None:
    found = {name: outcomes(rule, user(details=details(policies=policies))) for name, policies in POLICIES.items()}
    assert found == {name: [F if name in failing else P] for name in POLICIES}
    assert outcomes(rule, user(details=NOT_READ)) == [U]


@pytest.mark.parametrize(
    ("found", "outcome"),
    [
        (details(owner="ann@example.com", owner_source="tag owner"), P),
        (details(owner="ann@example.com", owner_source="list, ci-*", tags=None), P),
        (details(owner="", owner_source=""), F),
        (details(owner="head@example.com", owner_source="account"), F),
        (details(owner="head@example.com", owner_source="account", tags=None), U),
        (NOT_READ, U),
    ],
)
def test_a_user_without_an_owner(found: DetailFacts, outcome: Outcome) -> None:
    assert outcomes("user.no_owner", user(details=found)) == [outcome]


def usage(*applications: str, places: tuple[str, ...] = (), is_complete: bool = True) -> UsageFacts:
    return UsageFacts(READ_AT, applications, places, is_complete=is_complete)


@pytest.mark.parametrize(
    ("found", "status", "outcome"),
    [
        (usage("Boto3", "Terraform"), KeyStatus.ACTIVE, F),
        (usage("Boto3", "Terraform", is_complete=False), KeyStatus.ACTIVE, F),
        (usage("Boto3"), KeyStatus.ACTIVE, P),
        (usage("Boto3", is_complete=False), KeyStatus.ACTIVE, U),
        (usage(), KeyStatus.ACTIVE, N),
        (None, KeyStatus.ACTIVE, N),
        (usage("Boto3", "Terraform"), KeyStatus.INACTIVE, N),
    ],
)
def test_a_key_that_applications_share(found: UsageFacts | None, status: KeyStatus, outcome: Outcome) -> None:
    assert outcomes("key.shared", user(key(usage=found, status=status))) == [outcome]


@pytest.mark.parametrize(
    ("found", "status", "outcome"),
    [
        (usage("Boto3", places=("AWS Lambda",)), KeyStatus.ACTIVE, F),
        (usage("Boto3", places=("the service cloudformation.amazonaws.com",)), KeyStatus.ACTIVE, N),
        (usage("Boto3"), KeyStatus.ACTIVE, N),
        (None, KeyStatus.ACTIVE, N),
        (usage("Boto3", places=("AWS Lambda",)), KeyStatus.INACTIVE, N),
    ],
)
def test_a_role_would_do_where_the_key_is_used(found: UsageFacts | None, status: KeyStatus, outcome: Outcome) -> None:
    assert outcomes("user.role_would_do", user(key(usage=found, status=status))) == [outcome]


def test_places_of_both_keys_are_named_once() -> None:
    both = (key(1, usage=usage(places=("AWS Lambda", "Amazon EC2"))), key(2, usage=usage(places=("AWS Lambda",))))
    assert "from AWS Lambda, Amazon EC2, where" in judge("user.role_would_do", user(*both))[0].explanation


def ssh(days: float | None, *, is_active: bool = True) -> SshKeyFacts:
    return SshKeyFacts(f"APKA{days}", is_active, None if days is None else ago(days))


@pytest.mark.parametrize(
    ("keys", "outcome"),
    [
        ((ssh(91),), F),
        ((ssh(90),), P),
        ((ssh(None),), U),
        ((ssh(3), ssh(91)), F),
        ((ssh(3), ssh(None)), U),
        ((ssh(900, is_active=False),), N),
        ((), N),
        (None, U),
    ],
)
def test_an_old_ssh_key(keys: tuple[SshKeyFacts, ...] | None, outcome: Outcome) -> None:
    assert outcomes("ssh_key.old", user(details=details(ssh_keys=keys))) == [outcome]


def api_key(ends_in: float | None, *, is_active: bool = True, service: str = "bedrock.amazonaws.com") -> ServiceCredentialFacts:
    return ServiceCredentialFacts(f"ACCA{ends_in}", service, is_active, ago(30), None if ends_in is None else ago(-ends_in))


@pytest.mark.parametrize(
    ("credentials", "outcome", "severity"),
    [
        ((api_key(10),), F, Severity.HIGH),
        ((api_key(None),), F, Severity.CRITICAL),
        ((api_key(10), api_key(None)), F, Severity.CRITICAL),
        ((api_key(-1),), P, Severity.NONE),
        ((api_key(0),), P, Severity.NONE),
        ((api_key(10, is_active=False),), N, Severity.NONE),
        ((api_key(None, service="codecommit.amazonaws.com"),), N, Severity.NONE),
        ((), N, Severity.NONE),
        (None, U, Severity.NONE),
    ],
)
def test_a_bedrock_key_that_lives_long(credentials: Any, outcome: Outcome, severity: Severity) -> None:
    found = judge("service_credential.long_lived", user(details=details(service_credentials=credentials)))[0]
    assert (found.outcome, found.severity) == (outcome, severity)


@pytest.mark.parametrize("rule", ["key.admin", "key.quarantined", "user.direct_policy", "user.no_owner"])
def test_a_missing_permission_is_named(rule: str) -> None:
    facts = user(key(), details=NOT_READ)
    refused = judge(rule, facts, account(missing_permissions=frozenset({DETAILS})))[0]
    assert (refused.outcome, refused.is_pending) == (U, False)
    assert DETAILS in refused.explanation
    assert judge(rule, facts)[0].is_pending


@pytest.mark.parametrize("rule", ["ssh_key.old", "service_credential.long_lived"])
def test_rules_that_are_off_until_collected_are_pending_until_then(rule: str) -> None:
    assert judge(rule, user(details=details(ssh_keys=None, service_credentials=None)))[0].is_pending


@pytest.mark.parametrize("rule", ["key.quarantined", "user.direct_policy", "user.no_owner", "ssh_key.old"])
def test_a_doubtful_report_row_does_not_touch_what_other_calls_told(rule: str) -> None:
    found = details(policies=POLICIES["quarantine"], owner="", owner_source="", ssh_keys=(ssh(900),))
    assert outcomes(rule, user(details=found, has_data_warning=True)) == [F]


def test_expiry_is_to_the_second() -> None:
    lasting = ServiceCredentialFacts("a", "bedrock.amazonaws.com", True, None, NOW + timedelta(seconds=1))
    assert outcomes("service_credential.long_lived", user(details=details(service_credentials=(lasting,)))) == [F]
