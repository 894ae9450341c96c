"""check_access over HTTP: each step of both roles and of central root access, and how to mend what fails."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Account
from demo.fake_aws import Fault, Running, start
from tests.contract.conftest import NUMBER, organization
from tests.factories import register

pytestmark = pytest.mark.django_db


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Iterator[Running]:
    settings.ALLOW_CUSTOM_AWS_ENDPOINT = True
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-a-secret-of-anybody")
    with start(organization()) as running:
        running.world.report_seconds = 0
        monkeypatch.setenv("AWS_ENDPOINT_URL", running.url)
        yield running


@pytest.fixture
def account(aws: Running) -> Account:
    return register(NUMBER, "payments", now=timezone.now(), external_id="ours", organization_state="ACTIVE")


def checked(*numbers: str, role: list[str] | None = None) -> tuple[str, bool]:
    """What it says, and whether all is well."""
    out = io.StringIO()
    try:
        call_command("check_access", *numbers, role=role, stdout=out)
    except CommandError:
        return out.getvalue(), False
    return out.getvalue(), True


def test_an_account_that_is_set_up_well_passes_every_step(account: Account, aws: Running) -> None:
    said, is_well = checked(NUMBER)
    assert is_well, said
    assert "FAIL" not in said
    assert "note" not in said
    assert said.count("ok   refuse without the external id") == 2
    assert "ok   read root's credentials by central root access" in said
    assert not any(entry["action"].startswith(("Update", "Delete", "Create")) for entry in aws.world.log)


@pytest.mark.parametrize(
    ("role", "tried"),
    [
        ("read", "ok   assume the read role"),
        ("act", "ok   assume the act role"),
        ("root", "ok   read root's credentials by central root access"),
    ],
)
def test_a_worker_with_an_identity_of_its_own_tries_its_role_alone(account: Account, aws: Running, role: str, tried: str) -> None:
    said, is_well = checked(NUMBER, role=[role])
    assert is_well
    assert tried in said
    others = {"read": "the act role", "act": "the read role", "root": "assume the"}
    assert others[role] not in said


def test_an_account_without_such_a_role_has_nothing_to_try(account: Account) -> None:
    Account.objects.update(act_role_arn="")
    assert checked(NUMBER, role=["act"]) == (f"{NUMBER} payments\n  nothing to try: the account has no such role\n", True)


def test_a_wrong_external_id_fails_both_roles_with_what_to_check(account: Account) -> None:
    Account.objects.update(external_id="wrong")
    said, is_well = checked()
    assert not is_well
    assert "FAIL assume the read role" in said
    assert "FAIL assume the act role" in said
    assert "its trust policy and the external id" in said


def test_a_role_that_anybody_may_assume_fails(account: Account, aws: Running) -> None:
    aws.world.organization.account(NUMBER).external_id = ""
    Account.objects.update(external_id="")
    said, is_well = checked(NUMBER)
    assert not is_well
    assert "Add the condition sts:ExternalId to the trust policy." in said


def test_a_missing_permission_is_named_and_an_optional_one_is_a_note(account: Account, aws: Running) -> None:
    aws.world.fail(Fault(NUMBER, "GetAccountSummary", times=-1))
    aws.world.fail(Fault(NUMBER, "ListSSHPublicKeys", times=-1))
    said, is_well = checked(NUMBER)
    assert not is_well
    assert "FAIL iam:GetAccountSummary" in said
    assert "Add iam:GetAccountSummary to the role's policy." in said
    assert "note iam:ListSSHPublicKeys" in said


@pytest.mark.parametrize(
    ("policy", "wanted"),
    [
        (
            "because no identity-based policy allows it",
            "the role's policy does not allow it. Add iam:GetAccountSummary to the role's policy.",
        ),
        ("with an explicit deny in a service control policy", "of the organization forbids it. Allow iam:GetAccountSummary there."),
        (
            "because no permissions boundary allows it",
            "the role's permissions boundary does not allow it. Allow iam:GetAccountSummary there.",
        ),
    ],
)
def test_a_refusal_names_the_policy_that_is_to_be_changed_once(account: Account, aws: Running, policy: str, wanted: str) -> None:
    aws.world.fail(
        Fault(NUMBER, "GetAccountSummary", message=f"User: x is not authorized to perform: iam:GetAccountSummary {policy}", times=-1)
    )
    step = next(line for line in checked(NUMBER)[0].splitlines() if "FAIL iam:GetAccountSummary" in line)
    assert wanted in step
    assert "Allow the action there" not in step


def test_a_permission_that_could_not_be_tried_is_not_called_missing(account: Account, aws: Running) -> None:
    aws.world.fail(Fault(NUMBER, "ListAccessKeys", times=-1))
    aws.world.fail(Fault(NUMBER, "DescribeOrganization", times=-1))
    said, is_well = checked(NUMBER)
    assert not is_well
    assert "FAIL iam:ListAccessKeys" in said
    assert "ok   iam:GetAccessKeyLastUsed: not tried: ListAccessKeys was refused before it" in said
    assert "ok   read a sample: not read: ListAccessKeys is refused, as said above" in said
    assert "ok   iam:ListOrganizationsFeatures: not tried: DescribeOrganization was refused before it" in said


def test_features_refused_in_the_account_in_charge_are_a_note(account: Account, aws: Running) -> None:
    assert "ok   iam:ListOrganizationsFeatures" in checked(NUMBER)[0]
    aws.world.organization.management = NUMBER
    aws.world.fail(Fault(NUMBER, "ListOrganizationsFeatures", times=-1))
    said, is_well = checked(NUMBER)
    assert is_well
    assert "note iam:ListOrganizationsFeatures" in said


def test_a_source_identity_that_may_not_be_set_is_a_note(account: Account, aws: Running) -> None:
    aws.world.organization.account(NUMBER).allows_source_identity = False
    said, is_well = checked(NUMBER)
    assert is_well
    assert "note set the source identity" in said


def test_central_root_access_that_is_off_is_a_note(account: Account, aws: Running) -> None:
    aws.world.organization.features = ()
    said, is_well = checked(NUMBER)
    assert is_well
    assert "Central root access is off in this organization." in said


def test_an_account_that_is_not_registered_is_exit_code_2(db: None) -> None:
    with pytest.raises(CommandError) as caught:
        call_command("check_access", "999999999999")
    assert caught.value.returncode == 2
