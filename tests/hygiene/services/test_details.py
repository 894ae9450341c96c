"""Facts beside the report: what is read when, what is unknown without which permission, and what the rules make of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from pytest_django import Settings

from accounts.gateway import (
    AccessDenied,
    AttachedPolicy,
    ListedCertificate,
    ListedSshKey,
    OrganizationFacts,
    PasswordPolicy,
    ServiceCredential,
    Throttled,
)
from hygiene.domain.facts import UserClass
from hygiene.models import AccessKey, AccountStatus, Finding, Poll, PollTrigger, Principal, PrincipalEvent
from hygiene.services import missing
from hygiene.services.findings import account_facts, principal_facts
from tests.fakes import FakeAwsAccount

pytestmark = pytest.mark.django_db
RunPoll = Callable[[], Poll]
ADMIN = AttachedPolicy("AdministratorAccess", "arn:aws:iam::aws:policy/AdministratorAccess", "group ops", {"Statement": []})
S3 = AttachedPolicy(
    "uploads", "", "inline", {"Statement": [{"Effect": "Allow", "Action": ["s3:PutObject"], "Resource": "arn:aws:s3:::uploads/*"}]}
)
CODECOMMIT = AttachedPolicy("code", "", "inline", {"Statement": {"Effect": "Allow", "Action": "codecommit:*", "Resource": "*"}})
DETAIL_CALLS = ("GetAccountAuthorizationDetails", "GetAccountPasswordPolicy", "ListServiceSpecificCredentials", "DescribeOrganization")


def denied(operation: str) -> AccessDenied:
    return AccessDenied("no", operation=operation, code="AccessDenied")


def test_one_answer_tells_tags_groups_policies_reach_owner_and_descriptions(poll: RunPoll, world: FakeAwsAccount) -> None:
    world.user("ci")
    key = world.key("ci")
    world.user("ann", password_enabled=True)
    world.extras.tags = {"ci": {"Owner": "team-web@example.com", key.access_key_id: "CI deploys"}, "ann": {"hygiene-class": "machine"}}
    world.extras.groups = {"ann": ("ops",)}
    world.extras.policies = {"ci": (S3,), "ann": (ADMIN,)}
    world.extras.boundaries = {"ci": "arn:aws:iam::111122223333:policy/limits"}
    poll()
    ci, ann = Principal.objects.get(name="ci"), Principal.objects.get(name="ann")
    assert (ci.owner, ci.owner_source, ci.user_class) == ("team-web@example.com", "tag Owner", UserClass.MACHINE)
    assert ci.policies == [{"name": "uploads", "arn": "", "via": "inline"}]
    assert (ci.is_admin, ci.boundary_arn) == (False, "arn:aws:iam::111122223333:policy/limits")
    assert AccessKey.objects.get().description == "CI deploys"
    assert (ann.groups, ann.is_admin, ann.user_class) == (["ops"], True, UserClass.MACHINE)
    assert ann.reach is not None
    assert ann.reach["summary"] == "Administrator through group ops"
    assert principal_facts(ann, []).details.admin_via == "through group ops"
    assert {world.calls(name) for name in DETAIL_CALLS} == {1}


def test_details_are_read_once_a_day_and_a_poll_in_between_costs_no_call(poll: RunPoll, world: FakeAwsAccount) -> None:
    for place in range(30):
        world.user(f"user-{place}")
        world.extras.policies[f"user-{place}"] = (CODECOMMIT,)
    poll()
    assert world.calls("ListSSHPublicKeys") == 30
    world.log.clear()
    world.now += timedelta(hours=5)
    quiet = poll()
    assert quiet.calls == 6  # AssumeRole, summary, devices, generate twice, get
    world.log.clear()
    world.now += timedelta(hours=20)
    poll()
    assert {world.calls(name) for name in DETAIL_CALLS} == {1}
    assert world.calls("ListSSHPublicKeys") == 0  # on a cycle of a week


def test_the_interval_is_a_setting(poll: RunPoll, world: FakeAwsAccount, settings: Settings) -> None:
    settings.DETAILS_INTERVAL_HOURS = 2.0
    poll()
    world.now += timedelta(hours=5)
    poll()
    assert world.calls("GetAccountAuthorizationDetails") == 2


@pytest.mark.parametrize(
    ("operation", "permission"),
    [
        ("GetAccountAuthorizationDetails", "iam:GetAccountAuthorizationDetails"),
        ("GetAccountPasswordPolicy", "iam:GetAccountPasswordPolicy"),
        ("ListServiceSpecificCredentials", "iam:ListServiceSpecificCredentials"),
        ("ListSSHPublicKeys", "iam:ListSSHPublicKeys"),
        ("ListSigningCertificates", "iam:ListSigningCertificates"),
        ("DescribeOrganization", "organizations:DescribeOrganization"),
    ],
)
def test_what_is_refused_is_unknown_by_name_and_all_else_works(
    poll: RunPoll, world: FakeAwsAccount, operation: str, permission: str
) -> None:
    world.user("ci")
    world.key("ci", created_at=world.now - timedelta(days=400))
    world.extras.policies["ci"] = (CODECOMMIT,)
    content = world.report_bytes().decode()
    world.report_override = content[: content.rindex("false,N/A,false,N/A")].encode() + b"true,2020-02-02T00:00:00Z,false,N/A"
    world.fail(operation, denied(operation), times=9)
    done = poll()
    assert done.outcome == "complete"
    status, user = AccountStatus.objects.get(), Principal.objects.get(name="ci")
    assert [entry["permission"] for entry in status.missing_permissions] == [permission]
    known = {
        "iam:GetAccountAuthorizationDetails": user.policies is not None,
        "iam:GetAccountPasswordPolicy": status.password_policy is not None,
        "iam:ListServiceSpecificCredentials": user.service_credentials is not None,
        "iam:ListSSHPublicKeys": user.ssh_keys is not None,
        "iam:ListSigningCertificates": user.signing_certificates is not None,
        "organizations:DescribeOrganization": status.organization_role != "unknown",
    }
    assert {name for name, is_known in known.items() if not is_known} == {permission}
    assert AccessKey.objects.get().failing_rules
    world.log.clear()
    world.now += timedelta(hours=5)
    assert poll().calls == 7  # the six of every poll, and one for what is refused
    assert world.calls(operation) == 1
    since = AccountStatus.objects.get().missing_permissions[0]["since"]
    assert since == status.missing_permissions[0]["since"]
    world.faults.clear()
    world.now += timedelta(hours=5)
    poll()
    assert AccountStatus.objects.get().missing_permissions == []
    world.log.clear()
    world.now += timedelta(hours=5)
    assert poll().calls == 6


@pytest.mark.parametrize(
    ("trigger", "minutes", "asks"),
    [
        (PollTrigger.SCHEDULE, 5, False),  # soon after the last, to go on with users that are left
        (PollTrigger.SCHEDULE, 60, True),
        (PollTrigger.MANUAL, 5, True),
        (PollTrigger.COMMAND, 5, True),
    ],
)
def test_what_is_refused_is_asked_again_by_polls_an_hour_apart_and_at_once_by_hand(
    world: FakeAwsAccount, trigger: PollTrigger, minutes: int, asks: bool
) -> None:
    status, permission, before = AccountStatus(), "iam:ListUsers", world.now - timedelta(days=3)
    missing.note(status, permission, "who is who", now=before)
    missing.note(status, permission, "who is who", now=world.now)
    started = world.now + timedelta(minutes=minutes)
    row = Poll(trigger=trigger, started_at=started)
    assert missing.is_due(status, permission, row, now=started) is asks
    assert not missing.is_due(status, "iam:ListSSHPublicKeys", row, now=started)
    missing.note(status, permission, "who is who", now=started)
    assert not missing.is_due(status, permission, row, now=started + timedelta(minutes=90))  # once in a poll
    assert [entry["since"] for entry in status.missing_permissions] == [before.isoformat()]


def test_a_throttled_part_keeps_what_was_known_and_is_asked_again_by_the_next_poll(poll: RunPoll, world: FakeAwsAccount) -> None:
    world.user("ci")
    world.fail("GetAccountAuthorizationDetails", Throttled("slow down", code="Throttling"))
    done = poll()
    assert done.outcome == "complete"
    assert any("slow down" in note for note in done.warnings)
    assert AccountStatus.objects.get().password_policy == {}
    world.now += timedelta(hours=5)
    poll()
    assert Principal.objects.get(name="ci").policies == []
    assert [world.calls(name) for name in DETAIL_CALLS] == [2, 1, 1, 1]  # only what failed is asked again


def test_other_credentials_are_listed_and_empty_is_not_unknown(poll: RunPoll, world: FakeAwsAccount) -> None:
    for name in ("ai", "git", "soap"):
        world.user(name)
    born = world.now - timedelta(days=90)
    world.extras.service_credentials = [ServiceCredential("ai", "ACCA1", "bedrock.amazonaws.com", "Active", born)]
    world.extras.policies["git"] = (CODECOMMIT,)
    world.extras.ssh_keys["git"] = [ListedSshKey("APKA1", "Active", born)]
    world.extras.certificates["soap"] = [ListedCertificate("CERT1", "Active", born)]
    text = world.report_bytes().decode().splitlines()
    text[-1] = text[-1].replace("false,N/A,false,N/A", "true,2026-08-25T08:00:00Z,false,N/A")[: len(text[-1]) + 60]
    world.report_override = "\n".join(text).encode()
    poll()
    ai, git, soap = (Principal.objects.get(name=name) for name in ("ai", "git", "soap"))
    assert ai.service_credentials == [
        {"id": "ACCA1", "service": "bedrock.amazonaws.com", "status": "Active", "created_at": born.isoformat(), "expires_at": None}
    ]
    assert git.service_credentials == []
    assert git.ssh_keys == [{"id": "APKA1", "active": True, "uploaded_at": born.isoformat()}]
    assert soap.signing_certificates == [{"id": "CERT1", "active": True, "uploaded_at": born.isoformat()}]
    assert soap.ssh_keys is None  # cannot use one: asked by a later refresh
    assert [parameters["user_name"] for name, parameters in world.log if name == "ListSigningCertificates"] == ["soap"]
    world.now += timedelta(hours=25)
    poll()
    assert Principal.objects.get(name="soap").ssh_keys == []


def test_users_are_asked_one_by_one_for_a_bounded_number(poll: RunPoll, world: FakeAwsAccount, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hygiene.services.user_credentials.MOST_USERS", 5)
    for place in range(12):
        world.user(f"user-{place}")
        world.extras.policies[f"user-{place}"] = (CODECOMMIT,)
    counts = []
    for _ in range(4):
        poll()
        counts.append(world.calls("ListSSHPublicKeys"))
        world.now += timedelta(hours=25)
    assert counts == [5, 10, 12, 12]


def test_the_password_policy_and_the_organization_are_facts_of_the_account(poll: RunPoll, world: FakeAwsAccount) -> None:
    world.extras.password_policy = PasswordPolicy(8, None, requires_numbers=True)
    world.extras.organization = OrganizationFacts("management", "o-1", world.account_id, ("RootCredentialsManagement",))
    poll()
    status = AccountStatus.objects.get()
    facts = account_facts(status.account, status)
    assert facts.password_policy is not None
    assert (facts.password_policy.is_set, facts.password_policy.minimum_length, facts.password_policy.reuse_prevention) == (True, 8, None)
    assert (facts.organization_role, facts.central_root_features) == ("management", frozenset({"RootCredentialsManagement"}))


def test_features_refused_in_an_account_in_charge_are_a_missing_permission(poll: RunPoll, world: FakeAwsAccount) -> None:
    world.extras.organization = OrganizationFacts("management", "o-1", world.account_id, None)
    poll()
    assert [entry["permission"] for entry in AccountStatus.objects.get().missing_permissions] == ["iam:ListOrganizationsFeatures"]
    world.extras.organization = OrganizationFacts("management", "o-1", world.account_id, ())
    world.now += timedelta(hours=5)
    poll()
    status = AccountStatus.objects.get()
    assert (status.missing_permissions, status.central_root_features) == ([], [])
    assert world.calls("DescribeOrganization") == 2
    assert world.calls("GetAccountPasswordPolicy") == 1


def test_a_member_knows_central_root_access_from_the_account_in_charge(poll: RunPoll, world: FakeAwsAccount) -> None:
    world.extras.organization = OrganizationFacts("member", "o-1", "999988887777")
    poll()
    status = AccountStatus.objects.get()
    assert account_facts(status.account, status).central_root_on is None
    other = type(status.account).objects.create(account_id="999988887777", name="management", created_at=world.now, updated_at=world.now)
    AccountStatus.objects.create(
        account=other, next_poll_at=world.now, organization_id="o-1", organization_role="management", central_root_features=[]
    )
    assert account_facts(status.account, status).central_root_on is False


def test_a_worker_that_signs_with_a_users_key_is_told_of(poll: RunPoll, world: FakeAwsAccount) -> None:
    world.user("hygiene")
    world.extras.worker_access_key_id = world.key("hygiene").access_key_id
    poll()
    assert AccountStatus.objects.get().worker_key_user == "arn:aws:iam::111122223333:user/hygiene"


def test_while_ids_are_unknown_the_workers_key_may_be_one_of_them(poll: RunPoll, world: FakeAwsAccount) -> None:
    def said() -> list[str]:
        return list(Finding.objects.open().filter(rule="tool.long_term_key").values_list("outcome", flat=True))

    world.user("hygiene")
    world.extras.worker_access_key_id = world.key("hygiene").access_key_id
    world.fail("ListAccessKeys", AccessDenied("no", operation="ListAccessKeys"), times=9)
    poll()
    assert said() == ["unknown"]
    world.faults.clear()
    world.now += timedelta(minutes=5)
    poll()
    assert said() == ["fail"]
    world.extras.worker_access_key_id = ""
    world.now += timedelta(minutes=5)
    poll()
    assert said() == []


def test_a_user_made_again_is_not_dressed_in_what_is_told_of_its_namesake(poll: RunPoll, world: FakeAwsAccount) -> None:
    world.user("ci")
    world.gateway().generate_credential_report()
    world.now += timedelta(minutes=5)
    world.user("ci", created_at=world.now)
    world.extras.tags["ci"] = {"owner": "new@example.com"}
    poll()
    old = Principal.objects.get(name="ci")
    assert (old.tags, old.owner, old.user_id) == (None, "", "")


def test_changes_of_rights_owner_and_credentials_become_lines_after_the_first_reading(poll: RunPoll, world: FakeAwsAccount) -> None:
    world.user("ann", password_enabled=True)
    world.extras.policies["ann"] = (CODECOMMIT,)
    poll()
    assert not PrincipalEvent.objects.exists()
    quarantine = AttachedPolicy("AWSCompromisedKeyQuarantineV4", "arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantineV4", "user", {})
    world.extras.groups["ann"] = ("ops",)
    world.extras.policies["ann"] = (ADMIN, quarantine)
    world.extras.tags["ann"] = {"owner": "boss@example.com"}
    world.extras.ssh_keys["ann"] = [ListedSshKey("APKA1", "Active", world.now)]
    world.extras.service_credentials = [ServiceCredential("ann", "ACCA1", "bedrock.amazonaws.com", "Active", world.now)]
    world.now += timedelta(days=8)
    poll()
    found = dict(PrincipalEvent.objects.values_list("summary", "source"))
    assert found == {
        "Added to group ops": "GetAccountAuthorizationDetails",
        "Became an administrator through group ops": "GetAccountAuthorizationDetails",
        "AWS attached AWSCompromisedKeyQuarantineV4: a key of this user was exposed": "GetAccountAuthorizationDetails",
        "Owner is boss@example.com now, by tag owner": "GetAccountAuthorizationDetails",
        "Service credential ACCA1 was made": "ListServiceSpecificCredentials",
        "SSH key APKA1 was made": "ListSSHPublicKeys",
    }
    world.extras.groups, world.extras.policies, world.extras.tags = {}, {}, {}
    world.extras.ssh_keys, world.extras.service_credentials = {}, []
    world.now += timedelta(days=8)
    poll()
    kinds = set(PrincipalEvent.objects.values_list("kind", flat=True))
    assert {"group_left", "admin_ended", "quarantine_ended", "owner", "credential_gone"} <= kinds
