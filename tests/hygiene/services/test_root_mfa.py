"""Removing an MFA device of root takes two calls when the device is virtual: each audited before it, each made at most once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User

from accounts.gateway import AccessDenied, AwsError, NoSuchEntity, OrganizationFacts, RootTask, UnexpectedAwsError, Unreachable
from accounts.models import Account, AuditEvent
from hygiene.domain.policy import Policy
from hygiene.models import Action, Poll, Principal, PrincipalEvent, Remediation, State
from hygiene.services import approvals, remediation, root_inspection, switch, targets
from hygiene.services.arrows import LEASE
from hygiene.services.clock import Clock
from hygiene.services.plans import expected_typing
from tests.fakes import FakeAwsAccount

pytestmark = pytest.mark.django_db
VIRTUAL = "arn:aws:iam::111122223333:mfa/root-account-mfa-device"
FIRST, SECOND = "DeactivateMFADevice", "DeleteVirtualMFADevice"
Execute = Callable[[], Remediation]


@pytest.fixture
def site(world: FakeAwsAccount, poll: Callable[[], Poll]) -> FakeAwsAccount:
    """A root with nothing but MFA."""
    world.root.mfa, world.root_mfa_serials = True, [VIRTUAL]
    world.extras.organization = OrganizationFacts("member")
    poll()
    return world


@pytest.fixture
def ask(
    site: FakeAwsAccount, account: Account, operator: User, approver: User, person: Callable[..., User], clock: Clock
) -> Callable[[], Remediation]:
    """Looks at root, asks for the removal of its device, and two others agree."""

    def run() -> Remediation:
        asked, _ = root_inspection.request(Account.objects.get(pk=account.pk), actor=operator, now=site.now)
        root_inspection.run(asked.pk, open_root=site.root_gateway, clock=clock)
        root = Principal.objects.select_related("account__status").get(is_root=True)
        target = targets.find(root, Action.DEACTIVATE_ROOT_MFA, site.root_mfa_serials[0])
        assert target is not None
        plan = targets.make_plan(target, Action.DEACTIVATE_ROOT_MFA, actor=operator, now=site.now)
        typed = expected_typing(plan, plan.items.select_related("key", "principal__account"))
        (row,) = remediation.confirm(plan=plan, actor=operator, reason="leaver", typed=typed, now=site.now)
        for other in (approver, person("approver", username="second")):
            approvals.approve(plan=plan, actor=other, now=site.now)
        site.log.clear()
        return row

    return run


@pytest.fixture
def execute(site: FakeAwsAccount, ask: Callable[[], Remediation], policy: Policy, clock: Clock) -> Execute:
    """Executes it once, as a worker or the sweeper does; asked for at the first time."""
    asked: list[int] = []

    def gateway(row: Remediation, actions: tuple[str, ...]) -> Any:
        return site.root_gateway(task=RootTask.DELETE if actions else RootTask.AUDIT)

    def run() -> Remediation:
        if not asked:
            asked.append(ask().pk)
        return remediation.execute(asked[0], open_gateway=gateway, policy=policy, clock=clock)

    return run


def calls(site: FakeAwsAccount) -> list[str]:
    return [name for name, _ in site.log if name in (FIRST, SECOND)]


def told() -> list[str]:
    events = AuditEvent.objects.filter(action="mfa_device.deactivate_root_mfa").order_by("sequence")
    return list(events.values_list("outcome", flat=True))


def killed(site: FakeAwsAccount, execute: Execute, call: str, *, after_applying: bool) -> None:
    """The worker dies at a call; its lease runs out."""
    site.fail(call, KeyboardInterrupt(), after_applying=after_applying)  # type: ignore[arg-type]  # what a signal raises
    with pytest.raises(KeyboardInterrupt):
        execute()
    site.now += LEASE + timedelta(seconds=1)


def test_a_virtual_device_is_deactivated_then_deleted_each_with_its_own_audit_row(site: FakeAwsAccount, execute: Execute) -> None:
    row = execute()
    assert (row.state, row.result_code) == (State.SUCCEEDED, "device_deleted")
    assert row.result == "Deactivated: AWS confirmed it. The virtual device was deleted too."
    assert (calls(site), site.root_mfa_serials, site.unassigned_mfa_serials) == ([FIRST, SECOND], [], [])
    assert told()[-6:] == ["checked", "calling", "verifying", "calling", "verifying", "succeeded"]
    second = AuditEvent.objects.filter(outcome="calling").order_by("sequence").last()
    assert second is not None
    assert "iam:DeleteVirtualMFADevice" in second.message
    assert "deactivated and deleted here" in PrincipalEvent.objects.get(kind="deactivate_root_mfa").summary


@pytest.mark.parametrize("serial", ["GAHT12345678", "arn:aws:iam::111122223333:u2f/root-account/key-ABC"])
def test_a_device_that_is_not_virtual_is_only_deactivated(site: FakeAwsAccount, execute: Execute, serial: str) -> None:
    site.root_mfa_serials = [serial]
    row = execute()
    assert (row.state, row.result_code, row.result) == (State.SUCCEEDED, "", "Deactivated: AWS confirmed it.")
    assert calls(site) == [FIRST]


@pytest.mark.parametrize("after_applying", [False, True])
def test_killed_at_the_first_call_it_is_read_and_the_second_is_made_if_the_first_was_applied(
    site: FakeAwsAccount, execute: Execute, after_applying: bool
) -> None:
    killed(site, execute, FIRST, after_applying=after_applying)
    row = execute()
    if after_applying:
        assert (row.state, row.result_code, calls(site)) == (State.SUCCEEDED_OBSERVED, "device_deleted", [FIRST, SECOND])
        assert site.unassigned_mfa_serials == []
    else:
        assert (row.state, calls(site), site.root_mfa_serials) == (State.NOT_APPLIED, [FIRST], [VIRTUAL])


@pytest.mark.parametrize("after_applying", [False, True])
def test_killed_at_the_second_call_it_is_not_made_again_and_the_row_says_so(
    site: FakeAwsAccount, execute: Execute, after_applying: bool
) -> None:
    killed(site, execute, SECOND, after_applying=after_applying)
    row = execute()
    assert (row.state, row.result_code, calls(site)) == (State.SUCCEEDED, "device_unknown", [FIRST, SECOND])
    assert "AWS did not say whether it deleted the virtual device too" in row.result
    assert told()[-2:] == ["unknown", "succeeded"]


def test_a_second_call_without_an_answer_is_not_made_again(site: FakeAwsAccount, execute: Execute) -> None:
    site.fail(SECOND, Unreachable("No answer.", code="ReadTimeout"))
    row = execute()
    assert (row.state, row.result_code, calls(site)) == (State.SUCCEEDED, "device_unknown", [FIRST, SECOND])


def test_a_device_that_is_gone_by_itself_is_deleted(site: FakeAwsAccount, execute: Execute) -> None:
    site.fail(SECOND, NoSuchEntity("There is no such device.", code="NoSuchEntity"))
    row = execute()
    assert (row.state, row.result_code, "already deleted" in row.result) == (State.SUCCEEDED, "device_deleted", True)


def test_a_device_that_aws_still_shows_as_in_use_is_tried_again_within_seconds(site: FakeAwsAccount, execute: Execute) -> None:
    site.fail(SECOND, UnexpectedAwsError("MFA VirtualDevice is in use.", code="DeleteConflict"))
    row = execute()
    assert (row.state, row.result_code, calls(site)) == (State.SUCCEEDED, "device_deleted", [FIRST, SECOND, SECOND])
    assert told().count("calling") == 3


@pytest.mark.parametrize(
    ("error", "times"),
    [(UnexpectedAwsError("MFA VirtualDevice is in use.", code="DeleteConflict"), 3), (AccessDenied("Not you.", code="AccessDenied"), 1)],
)
def test_a_device_that_aws_will_not_delete_is_left_and_the_row_says_why(
    site: FakeAwsAccount, execute: Execute, error: AwsError, times: int
) -> None:
    for _ in range(times):
        site.fail(SECOND, error)
    row = execute()
    assert (row.state, row.result_code, calls(site)) == (State.SUCCEEDED, "device_left", [FIRST, *[SECOND] * times])
    assert (
        f"The virtual device was not deleted; it belongs to nobody and can be deleted in IAM. AWS refused: {error.sentence}" in row.result
    )
    assert told().count("calling") == 1 + times


def test_after_a_stop_between_the_two_calls_the_second_is_not_made(site: FakeAwsAccount, execute: Execute, operator: User) -> None:
    killed(site, execute, FIRST, after_applying=True)
    switch.stop(actor=operator, reason="A leak.", now=site.now)
    row = execute()
    assert (row.state, row.result_code, calls(site)) == (State.SUCCEEDED_OBSERVED, "device_left", [FIRST])
    assert "All changes are stopped" in row.result


def test_a_device_that_somebody_else_took_from_root_first_is_left_alone(site: FakeAwsAccount, execute: Execute) -> None:
    site.fail(FIRST, NoSuchEntity("There is no such device.", code="NoSuchEntity"), after_applying=True)
    row = execute()
    assert (row.state, row.result_code, calls(site)) == (State.SUCCEEDED, "already_deleted", [FIRST])
    assert (row.result, site.unassigned_mfa_serials) == (
        "AWS no longer knew this MFA device of root: it was already deactivated.",
        [VIRTUAL],
    )
