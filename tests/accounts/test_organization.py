"""The registry follows AWS Organizations, and never forgets an account."""

from __future__ import annotations

import io
from datetime import datetime

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from accounts.aws.organization import ListedAccount
from accounts.gateway import AccessDenied, AwsError, OrganizationAccount, UnexpectedAwsError
from accounts.models import Account, AuditEvent
from accounts.organization import Roles, record
from demo.cast import organization
from demo.fake_aws import start
from tests.fakes import FakeAwsAccount

pytestmark = pytest.mark.django_db
ONE, TWO = "111122223333", "444455556666"


def entry(number: str = ONE, name: str = "payments", state: str = "ACTIVE", **fields: object) -> OrganizationAccount:
    return OrganizationAccount(number, name, f"{number}@example.com", state, **fields)  # type: ignore[arg-type]  # test data


def test_new_accounts_get_roles_places_and_an_external_id_of_their_own(now: datetime) -> None:
    listed = [entry(unit_path="Workloads/Prod", tags={"env": "prod", "team": "pay"}), entry(TWO, "lab", "SUSPENDED")]
    done = record(listed, roles=Roles(act="ops/hygiene-act"), now=now)
    assert (done.created, done.updated, done.unchanged, done.problems) == (2, 0, 0, [])
    one, two = Account.objects.get(account_id=ONE), Account.objects.get(account_id=TWO)
    assert one.read_role_arn == f"arn:aws:iam::{ONE}:role/hygiene-read"
    assert one.act_role_arn == f"arn:aws:iam::{ONE}:role/ops/hygiene-act"
    assert (one.organizational_unit, one.environment, one.tags) == ("Workloads/Prod", "prod", {"env": "prod", "team": "pay"})
    assert one.is_pollable
    assert not two.is_pollable
    assert not one.allows_remediation
    assert one.external_id != two.external_id
    assert AuditEvent.objects.filter(action="account.add", reason="organization").count() == 2


def test_a_second_walk_changes_nothing(now: datetime) -> None:
    record([entry()], roles=Roles(), now=now)
    assert record([entry()], roles=Roles(), now=now).unchanged == 1
    assert AuditEvent.objects.count() == 1


def test_a_rename_keeps_the_account_and_what_people_set(now: datetime) -> None:
    record([entry(tags={"team": "pay"})], roles=Roles(), now=now)
    Account.objects.update(owner_email="pay@example.com", tags={"team": "old", "tier": "1"}, read_role_arn=f"arn:aws:iam::{ONE}:role/ours")
    assert record([entry(name="payments-eu", tags={"team": "pay"})], roles=Roles(), now=now).updated == 1
    account = Account.objects.get()
    assert (account.name, account.owner_email, account.tags) == ("payments-eu", "pay@example.com", {"team": "pay", "tier": "1"})
    assert account.read_role_arn.endswith("role/ours")
    assert AuditEvent.objects.latest("sequence").before["name"] == "payments"


@pytest.mark.parametrize(
    ("word", "stored", "polled"),
    [
        ("ACTIVE", "ACTIVE", True),
        ("SUSPENDED", "SUSPENDED", False),
        ("PENDING_CLOSURE", "PENDING_CLOSURE", False),
        ("CLOSED", "CLOSED", False),
        ("PENDING_ACTIVATION", "PENDING_ACTIVATION", False),
        ("HIBERNATING", "UNKNOWN", False),
        ("", "UNKNOWN", False),
    ],
)
def test_only_an_active_account_is_polled(word: str, stored: str, polled: bool, now: datetime) -> None:
    record([entry(state=word)], roles=Roles(), now=now)
    account = Account.objects.get()
    assert (account.organization_state, account.is_pollable) == (stored, polled)
    assert Account.objects.pollable().exists() is polled


def test_an_account_that_is_listed_no_more_stays_and_is_told(now: datetime) -> None:
    record([entry(), entry(TWO, "lab")], roles=Roles(), now=now)
    assert record([entry()], roles=Roles(), now=now).missing == [TWO]
    assert Account.objects.filter(account_id=TWO).exists()


def test_the_command_counts_and_refuses_what_is_no_account(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    world = FakeAwsAccount(now=now)
    world.extras.organization_accounts = [entry(), entry("12")]
    monkeypatch.setattr("accounts.management.commands.sync_organization.open_own_gateway", lambda partition: world.gateway())
    out, err = io.StringIO(), io.StringIO()
    with pytest.raises(CommandError) as refused:
        call_command("sync_organization", role_name="hygiene-read", stdout=out, stderr=err)
    assert refused.value.returncode == 1
    assert "1 created" in out.getvalue()
    assert "'12' is no account number" in err.getvalue()


def unread(number: str, name: str, *errors: AwsError) -> ListedAccount:
    return ListedAccount(number, name, "", "ACTIVE", unread=errors)


def test_tags_that_may_not_be_read_are_told_and_stay(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    record([entry(tags={"team": "pay"}, unit_path="Prod")], roles=Roles(), now=now)
    world = FakeAwsAccount(now=now)
    words = "The worker is not permitted to call organizations:ListTagsForResource (AccessDenied)."
    world.extras.organization_accounts = [unread(ONE, "payments", AccessDenied(words, operation="ListTagsForResource")), entry(TWO)]
    monkeypatch.setattr("accounts.management.commands.sync_organization.open_own_gateway", lambda partition: world.gateway())
    out = io.StringIO()
    call_command("sync_organization", stdout=out)
    assert f"Tags were not read: {words} What was known is kept." in out.getvalue()
    account = Account.objects.get(account_id=ONE)
    assert (account.tags, account.organizational_unit) == ({"team": "pay"}, "Prod")


def test_an_account_that_was_not_read_in_full_is_named_after_all_the_rest(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    record([entry(tags={"team": "pay"})], roles=Roles(), now=now)
    world = FakeAwsAccount(now=now)
    gone = UnexpectedAwsError("AWS refused ListTagsForResource: TargetNotFoundException.", operation="ListTagsForResource")
    world.extras.organization_accounts = [unread(ONE, "payments", gone), entry(TWO, "lab", tags={"team": "lab"}), entry("12")]
    monkeypatch.setattr("accounts.management.commands.sync_organization.open_own_gateway", lambda partition: world.gateway())
    out, err = io.StringIO(), io.StringIO()
    with pytest.raises(CommandError, match=r"1 entries were refused.*Tags or units of some accounts were not read") as failed:
        call_command("sync_organization", stdout=out, stderr=err)
    assert failed.value.returncode == 1
    assert "1 created, 0 updated, 1 unchanged" in out.getvalue()
    assert f"tags of payments ({ONE}) were not read: AWS refused ListTagsForResource: TargetNotFoundException." in err.getvalue()
    assert {one.account_id: one.tags for one in Account.objects.all()} == {ONE: {"team": "pay"}, TWO: {"team": "lab"}}


def test_a_number_in_other_digits_is_no_account(now: datetime) -> None:
    assert record([entry("١١١١٢٢٢٢٣٣٣٣")], roles=Roles(), now=now).refused == ["'١١١١٢٢٢٢٣٣٣٣' is no account number"]


def test_an_organization_that_cannot_be_read_changes_nothing(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    world = FakeAwsAccount(now=now)
    world.fail("ListAccounts", AccessDenied("The worker is not permitted."))
    monkeypatch.setattr("accounts.management.commands.sync_organization.open_own_gateway", lambda partition: world.gateway())
    with pytest.raises(CommandError, match=r"Nothing was changed\. The worker is not permitted\."):
        call_command("sync_organization", stdout=io.StringIO())
    assert not Account.objects.exists()


@pytest.mark.parametrize("options", [{"role_name": "bad name"}, {"through": "999999999999"}])
def test_wrong_arguments_are_exit_code_2(options: dict[str, str]) -> None:
    with pytest.raises(CommandError) as refused:
        call_command("sync_organization", **options)
    assert refused.value.returncode == 2


def test_the_demos_organization_comes_over_http(monkeypatch: pytest.MonkeyPatch, settings: Settings, now: datetime) -> None:
    settings.ALLOW_CUSTOM_AWS_ENDPOINT = True
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-a-secret-of-anybody")
    out = io.StringIO()
    with start(organization(now)) as running:
        monkeypatch.setenv("AWS_ENDPOINT_URL", running.url)
        call_command("sync_organization", stdout=out)
        call_command("sync_organization", stdout=out)
    assert "25 accounts: 25 created, 0 updated, 0 unchanged." in out.getvalue()
    assert "25 accounts: 0 created, 0 updated, 25 unchanged." in out.getvalue()
    account = Account.objects.get(name="prod-payments")
    assert (account.organizational_unit, account.environment, account.tags["team"]) == ("Prod", "prod", "team-payments")
