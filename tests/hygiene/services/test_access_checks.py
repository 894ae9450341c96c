"""Checks of access, step by step, over the fake gateway: what works, what fails with its fix, and what becomes of the row."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from accounts.gateway import AccessDenied, AwsError, CredentialsExpired, Gateway, OrganizationAccount, Purpose, RootGateway, Throttled
from accounts.models import Account, AuditEvent, ScopeGrant
from hygiene import access_tasks
from hygiene.models import AccessCheck, CheckPart, RequestState
from hygiene.services import access_checks, looks
from hygiene.services.clock import Clock
from tests.fakes import FakeAwsAccount, FakeGateway

ORGANIZATION = {
    "partition": "aws",
    "read_role_name": "hygiene-read",
    "act_role_name": "",
    "management_role_arn": "",
    "external_id": "ours",
}


class FakeDoors:
    """Ways into worlds in memory; a role is refused without its external id unless `is_open`."""

    def __init__(self, *worlds: FakeAwsAccount, is_open: bool = False) -> None:
        self.worlds = {world.account_id: world for world in worlds}
        self.is_open = is_open
        self.opened: list[tuple[str, Purpose, str, bool]] = []

    def role(self, account: Account, *, purpose: Purpose, user_arn: str = "", is_bare: bool = False) -> Gateway:
        self.opened.append((account.account_id, purpose, user_arn, is_bare))
        if account.account_id not in self.worlds or (is_bare and not self.is_open):
            closed = FakeAwsAccount(account.account_id, now=next(iter(self.worlds.values())).now)
            closed.fail("AssumeRole", AccessDenied("It cannot be assumed.", operation="AssumeRole"), times=9)
            return FakeGateway(closed)
        return self.worlds[account.account_id].gateway()

    def own(self, *, partition: str) -> Gateway:
        return next(iter(self.worlds.values())).gateway()

    def root(self, account: Account) -> RootGateway:
        return self.worlds[account.account_id].root_gateway()


def asked(account: Account, actor: User, clock: Clock) -> AccessCheck:
    return access_checks.request(access_checks.spec_of(account), actor=actor, now=clock.now(), account=account)[0]


def finished(check: AccessCheck, doors: FakeDoors, clock: Clock) -> AccessCheck:
    """Every part, as the queues' workers do them one after the other."""
    while check.is_open:
        check = access_checks.run(check.pk, check.part, doors=doors, clock=clock)
    return check


def of_organization(spec: dict[str, Any], actor: User, doors: FakeDoors, clock: Clock) -> AccessCheck:
    return finished(access_checks.request(spec, actor=actor, now=clock.now())[0], doors, clock)


def step(check: AccessCheck, name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(step for step in check.steps if step["name"] == name)
    return found


def test_both_roles_are_tried_with_and_without_the_external_id_each_by_its_worker(
    account: Account, world: FakeAwsAccount, administrator: User, clock: Clock
) -> None:
    world.user("build")
    world.key("build")
    doors, check = FakeDoors(world), asked(account, administrator, clock)
    half = access_checks.run(check.pk, CheckPart.READ, doors=doors, clock=clock)
    assert (half.state, half.part, half.lease_token) == (RequestState.QUEUED, CheckPart.ACT, None)
    assert {purpose for _, purpose, _, _ in doors.opened} == {Purpose.POLL}
    done = finished(half, doors, clock)
    assert done.is_passed, done.failed_steps
    assert [step["part"] for step in done.steps if step["name"] == "refuse without the external id"] == ["read", "act"]
    assert step(done, "read a sample")["detail"] == "1 user; build holds 1 access key"
    assert ("111122223333", Purpose.REMEDIATE, "arn:aws:iam::111122223333:user/build", False) in doors.opened
    assert all(name.startswith(("Assume", "Get", "List", "Generate", "Describe")) for name, _ in world.log)
    events = AuditEvent.objects.filter(action="account.check_access", correlation_id=done.uuid).order_by("sequence")
    assert list(events.values_list("outcome", flat=True)) == ["requested", "succeeded"]


def test_a_part_is_done_once_and_by_its_own_queue(account: Account, world: FakeAwsAccount, administrator: User, clock: Clock) -> None:
    doors, check = FakeDoors(world), asked(account, administrator, clock)
    assert access_checks.run(check.pk, CheckPart.ACT, doors=doors, clock=clock).steps == []
    done = finished(check, doors, clock)
    steps = len(done.steps)
    assert len(access_checks.run(check.pk, CheckPart.READ, doors=doors, clock=clock).steps) == steps


def test_a_second_request_joins_the_first(account: Account, administrator: User, clock: Clock) -> None:
    check = asked(account, administrator, clock)
    again, is_new = access_checks.request(access_checks.spec_of(account), actor=administrator, now=clock.now(), account=account)
    assert (again.pk, is_new) == (check.pk, False)


@pytest.mark.parametrize(
    ("operation", "error", "name", "words"),
    [
        ("AssumeRole", AccessDenied("No.", operation="AssumeRole"), "assume the read role", "trust policy"),
        ("AssumeRole", CredentialsExpired("Expired."), "assume the read role", "Give the worker AWS credentials"),
        ("GetAccountSummary", AccessDenied("No.", operation="GetAccountSummary"), "iam:GetAccountSummary", "Add iam:GetAccountSummary"),
        ("ListVirtualMFADevices", Throttled("Slow."), "iam:ListVirtualMFADevices", "Test again"),
    ],
)
def test_what_fails_says_what_to_do(
    account: Account, world: FakeAwsAccount, administrator: User, clock: Clock, operation: str, error: AwsError, name: str, words: str
) -> None:
    world.fail(operation, error)
    done = finished(asked(account, administrator, clock), FakeDoors(world), clock)
    assert done.state == RequestState.DONE
    assert not done.is_passed
    failed = step(done, name)
    assert not failed["is_ok"]
    assert words in failed["advice"]
    assert name in AuditEvent.objects.get(outcome="failed", correlation_id=done.uuid).message


def test_a_role_that_anybody_may_assume_does_not_pass(account: Account, world: FakeAwsAccount, administrator: User, clock: Clock) -> None:
    done = finished(asked(account, administrator, clock), FakeDoors(world, is_open=True), clock)
    assert "sts:ExternalId" in step(done, "refuse without the external id")["advice"]
    assert not done.is_passed


def test_an_optional_permission_that_is_missing_lets_the_check_pass(
    account: Account, world: FakeAwsAccount, administrator: User, clock: Clock
) -> None:
    world.fail("GetAccountPasswordPolicy", AccessDenied("No.", operation="GetAccountPasswordPolicy"))
    done = finished(asked(account, administrator, clock), FakeDoors(world), clock)
    assert not step(done, "iam:GetAccountPasswordPolicy")["is_ok"]
    assert done.is_passed


def test_a_member_is_also_tried_by_central_root_access(account: Account, world: FakeAwsAccount, administrator: User, clock: Clock) -> None:
    account.organization_state = "ACTIVE"
    done = finished(asked(account, administrator, clock), FakeDoors(world), clock)
    assert [entry["part"] for entry in done.steps][-1] == CheckPart.ROOT


def test_a_check_whose_worker_died_is_taken_up_again_and_given_up_at_last(account: Account, administrator: User, clock: Clock) -> None:
    check = asked(account, administrator, clock)
    assert looks.due(AccessCheck, now=clock.now()) == []
    assert looks.due(AccessCheck, now=clock.now() + timedelta(minutes=2)) == [check.pk]
    assert looks.due(AccessCheck, now=clock.now() + timedelta(minutes=21)) == []
    check.refresh_from_db()
    assert (check.state, check.is_passed) == (RequestState.FAILED, False)


def member(number: str, name: str = "lab") -> OrganizationAccount:
    return OrganizationAccount(number, name, f"{number}@example.com", "ACTIVE", unit_path="Labs")


def test_an_organization_is_listed_and_a_member_is_read(account: Account, world: FakeAwsAccount, administrator: User, clock: Clock) -> None:
    other = FakeAwsAccount("444455556666", now=world.now)
    world.extras.organization_accounts = [member(account.account_id, "data-lake"), member(other.account_id)]
    done = of_organization(ORGANIZATION, administrator, FakeDoors(world, other), clock)
    assert done.is_passed, done.failed_steps
    assert step(done, "organizations:ListAccounts")["detail"] == "2 accounts, 1 of them registered already"
    assert step(done, "assume the read role in lab (444455556666)")["is_ok"]
    assert not Account.objects.filter(account_id="444455556666").exists()


def test_an_organization_that_cannot_be_listed_says_what_to_allow(world: FakeAwsAccount, administrator: User, clock: Clock) -> None:
    world.extras.organization_accounts = []
    done = of_organization(ORGANIZATION, administrator, FakeDoors(world), clock)
    assert step(done, "organizations:ListAccounts")["advice"] == "Is this the management or a delegated account?"
    role = {**ORGANIZATION, "management_role_arn": "arn:aws:iam::999999999999:role/hygiene-read"}
    lost = of_organization(role, administrator, FakeDoors(world), clock)
    assert [entry["name"] for entry in lost.failed_steps] == ["assume the role that lists the organization"]


def test_adding_an_organization_takes_new_accounts_and_leaves_known_ones_as_they_are(
    account: Account, world: FakeAwsAccount, administrator: User, clock: Clock
) -> None:
    before = account.external_id, account.read_role_arn, account.act_role_arn
    world.extras.organization_accounts = [member(account.account_id, "data-lake"), member("444455556666"), member("777788889999", "boss")]
    spec = {**ORGANIZATION, "act_role_name": "hygiene-act", "adds": True}
    done = of_organization(spec, administrator, FakeDoors(world), clock)
    assert step(done, "add accounts")["detail"] == "2 added, 1 registered already"
    account.refresh_from_db()
    assert (account.external_id, account.read_role_arn, account.act_role_arn) == before
    added = Account.objects.get(account_id="444455556666")
    assert (added.external_id, added.read_role_arn) == ("ours", "arn:aws:iam::444455556666:role/hygiene-read")
    assert added.act_role_arn == "arn:aws:iam::444455556666:role/hygiene-act"
    assert not added.allows_remediation
    assert AuditEvent.objects.filter(action="account.add", actor=administrator).count() == 2
    assert AuditEvent.objects.filter(action="account.discover", outcome="succeeded").count() == 1


def test_the_account_in_charge_gets_the_role_that_listed_it(world: FakeAwsAccount, administrator: User, clock: Clock) -> None:
    world.extras.organization_accounts = [member(world.account_id, "boss")]
    Account.objects.all().delete()
    arn = f"arn:aws:iam::{world.account_id}:role/central/reader"
    of_organization({**ORGANIZATION, "management_role_arn": arn, "adds": True}, administrator, FakeDoors(world), clock)
    assert Account.objects.get().read_role_arn == arn


def test_whoever_may_not_any_more_or_sees_some_accounts_only_adds_no_organization(
    account: Account, world: FakeAwsAccount, administrator: User, operator: User, clock: Clock
) -> None:
    world.extras.organization_accounts = [member("444455556666")]
    ScopeGrant.objects.create(user=administrator, account=account)
    spec = {**ORGANIZATION, "adds": True}
    for actor, words in ((administrator, "Your scope is narrowed"), (operator, "may not manage accounts")):
        done = of_organization(spec, actor, FakeDoors(world), clock)
        assert words in step(done, "add accounts")["detail"]
    assert Account.objects.count() == 1


def test_a_list_that_breaks_off_adds_nothing(world: FakeAwsAccount, administrator: User, clock: Clock) -> None:
    world.fail("ListAccounts", Throttled("Slow down."))
    world.extras.organization_accounts = [member("444455556666")]
    done = of_organization({**ORGANIZATION, "adds": True}, administrator, FakeDoors(world), clock)
    assert "Nothing was added. Slow down." in step(done, "organizations:ListAccounts")["detail"]
    assert Account.objects.count() == 1


def test_each_part_goes_to_the_queue_whose_worker_may_do_it(
    account: Account, administrator: User, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[tuple[Any, str]] = []
    monkeypatch.setattr("hygiene.access_tasks.check_access.apply_async", lambda args, queue, **_: sent.append((args, queue)))
    check = asked(account, administrator, clock)
    for part, queue in (("read", "poll"), ("act", "remediate"), ("root", "root"), ("list", "poll"), ("add", "poll")):
        check.part = part
        access_tasks.wake(check)
        assert sent.pop() == ((check.pk, part), queue)
    AccessCheck.objects.update(requested_at=timezone.now() - timedelta(minutes=2))
    access_tasks.wake_checks()
    assert sent == [((check.pk, "read"), "poll")]


def test_the_task_hands_on_to_the_next_part(
    account: Account, world: FakeAwsAccount, administrator: User, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[tuple[Any, str]] = []
    monkeypatch.setattr("hygiene.access_tasks.check_access.apply_async", lambda args, queue, **_: sent.append((args, queue)))
    monkeypatch.setattr("hygiene.access_tasks.AwsDoors", lambda: FakeDoors(world))
    check = asked(account, administrator, clock)
    access_tasks.check_access(check.pk, "read")
    assert sent == [((check.pk, "act"), "remediate")]
    access_tasks.check_access(check.pk, "act")
    check.refresh_from_db()
    assert (check.state, len(sent)) == (RequestState.DONE, 1)
