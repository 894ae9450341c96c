"""Root's credentials are listed through central root access before anybody plans to remove them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User

from accounts.gateway import AccessDenied, AwsError, FeatureOff, RootTask, UnexpectedAwsError
from accounts.models import Account, AuditEvent
from hygiene.domain.facts import OrganizationRole
from hygiene.models import AccountStatus, Poll, RequestState, RootInspection
from hygiene.services import looks, root_inspection
from hygiene.services.clock import Clock
from tests.fakes import FakeAwsAccount


@pytest.fixture
def member(account: Account, world: FakeAwsAccount, poll: Callable[[], Poll]) -> Account:
    world.key("root", last_used_at=world.now - timedelta(days=3))
    world.root.password_enabled = True
    poll()
    AccountStatus.objects.filter(account=account).update(organization_role=OrganizationRole.MEMBER)
    world.log.clear()
    return Account.objects.select_related("status").get(pk=account.pk)


def inspect(member: Account, world: FakeAwsAccount, *, actor: User, clock: Clock) -> RootInspection:
    asked, _ = root_inspection.request(member, actor=actor, now=clock.now())
    return root_inspection.run(asked.pk, open_root=lambda _: world.root_gateway(task=RootTask.AUDIT), clock=clock)


def test_everything_that_root_has_is_listed_and_nothing_is_changed(
    member: Account, world: FakeAwsAccount, operator: User, clock: Clock
) -> None:
    done = inspect(member, world, actor=operator, clock=clock)
    assert done.state == RequestState.DONE
    assert [(key["id"], key["status"]) for key in done.result["keys"]] == [(world.root.keys[0].access_key_id, "Active")]
    assert done.result["keys"][0]["use"] == f"last used {(world.now - timedelta(days=3)).date().isoformat()}"
    assert done.result["has_password"] is True
    assert all(name.startswith(("Assume", "List", "Get")) for name, _ in world.log)
    outcomes = AuditEvent.objects.filter(action="root.inspect", correlation_id=done.uuid).order_by("sequence")
    assert list(outcomes.values_list("outcome", flat=True)) == ["requested", "succeeded"]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (FeatureOff("Root credentials management feature is not enabled.", code="AccessDenied"), "Central root access is off."),
        (AccessDenied("explicit deny in a service control policy", code="AccessDenied"), "aws:AssumedRoot"),
        (UnexpectedAwsError("Could not find operation AssumeRoot", code="InvalidAction"), "does not offer central root access"),
    ],
)
def test_each_way_to_fail_is_explained(
    member: Account, world: FakeAwsAccount, operator: User, clock: Clock, error: AwsError, words: str
) -> None:
    world.fail("AssumeRoot", error)
    done = inspect(member, world, actor=operator, clock=clock)
    assert done.state == RequestState.FAILED
    assert words in done.error
    assert done.result == {}


def test_a_list_that_cannot_be_read_is_never_taken_for_nothing_there(
    member: Account, world: FakeAwsAccount, operator: User, clock: Clock
) -> None:
    world.fail("ListMFADevices", AccessDenied("no", code="AccessDenied"))
    done = inspect(member, world, actor=operator, clock=clock)
    assert (done.state, done.result) == (RequestState.FAILED, {})


def test_a_use_that_cannot_be_read_is_not_known(member: Account, world: FakeAwsAccount, operator: User, clock: Clock) -> None:
    world.fail("GetAccessKeyLastUsed", AccessDenied("no", code="AccessDenied"))
    assert inspect(member, world, actor=operator, clock=clock).result["keys"][0]["use"] == "last use not known"


@pytest.mark.parametrize("role", [OrganizationRole.MANAGEMENT, OrganizationRole.NONE])
def test_a_management_or_standalone_account_is_never_asked(member: Account, operator: User, clock: Clock, role: OrganizationRole) -> None:
    member.status.organization_role = role
    with pytest.raises(root_inspection.CannotInspect, match="numbered steps"):
        root_inspection.request(member, actor=operator, now=clock.now())
    assert not RootInspection.objects.exists()


def test_asking_twice_joins_and_a_killed_workers_look_is_taken_up(
    member: Account, world: FakeAwsAccount, operator: User, clock: Clock
) -> None:
    first, is_new = root_inspection.request(member, actor=operator, now=clock.now())
    assert root_inspection.request(member, actor=operator, now=clock.now()) == (first, False)
    assert is_new
    assert looks.claim(RootInspection.objects.get(pk=first.pk), now=clock.now())
    clock.sleep(looks.LEASE.total_seconds())
    assert looks.due(RootInspection, now=clock.now()) == [first.pk]
    done = root_inspection.run(first.pk, open_root=lambda _: world.root_gateway(task=RootTask.AUDIT), clock=clock)
    assert done.state == RequestState.DONE
