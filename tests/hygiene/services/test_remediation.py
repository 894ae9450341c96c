"""Plan → confirm → run against the fake account: what is refused, what is called once, how lost answers settle."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from pytest_django import Settings

from accounts import audit
from accounts.gateway import AccessDenied, KeyLastUse, ListedKey, Unreachable
from accounts.models import Account, AuditEvent, AuditIsAppendOnly, ScopeGrant
from hygiene import tasks
from hygiene.domain.facts import KeyStatus
from hygiene.domain.policy import Policy
from hygiene.models import AccessKey, Action, Finding, KeyEvent, Poll, Remediation, State
from hygiene.services import approvals, remediation, sweeper
from hygiene.services.clock import Clock
from hygiene.services.plans import make_plan
from tests.fakes import FakeAwsAccount, FakeGateway, FakeKey

pytestmark = pytest.mark.django_db
LOST = Unreachable("No answer from AWS.", operation="UpdateAccessKey", code="ReadTimeout")


@pytest.fixture
def key(world: FakeAwsAccount, poll: Callable[[], Poll]) -> FakeKey:
    """A never-used key of the user ci, polled."""
    world.user("ci")
    made = world.key("ci", created_at=world.now - timedelta(days=400))
    poll()
    world.log.clear()
    return made


@pytest.fixture
def ask(operator: User, approver: User, world: FakeAwsAccount) -> Callable[..., Remediation]:
    """Plans and confirms as the operator; where it takes a second person, the approver agrees."""

    def run(action: Action = Action.DISABLE, *, actor: User = operator, **said: str) -> Remediation:
        key_row = AccessKey.objects.get(access_key_id__isnull=False)
        plan = make_plan(keys=[key_row], action=action, actor=actor, now=world.now)
        words: dict[str, Any] = {"reason": "unused", "typed": (key_row.access_key_id or "")[-4:], **said}
        row = remediation.confirm(plan=plan, actor=actor, now=world.now, **words)[0]
        if row.state == State.AWAITING_APPROVAL:
            approvals.approve(plan=plan, actor=approver, now=world.now)
        return row

    return run


@pytest.fixture
def execute(world: FakeAwsAccount, policy: Policy, clock: Clock) -> Callable[[Remediation], Remediation]:
    def run(row: Remediation) -> Remediation:
        remediation.execute(row.pk, open_gateway=world.gateway, policy=policy, clock=clock)
        return Remediation.objects.get(pk=row.pk)

    return run


Ask = Callable[..., Remediation]
Execute = Callable[[Remediation], Remediation]


def outcomes() -> list[str]:
    return list(AuditEvent.objects.order_by("pk").values_list("outcome", flat=True))


def test_a_disable_changes_one_key_once_and_is_audited_before_and_after(
    key: FakeKey, ask: Ask, execute: Execute, world: FakeAwsAccount
) -> None:
    row = execute(ask())
    assert (row.state, key.status, world.calls("UpdateAccessKey")) == (State.SUCCEEDED, "Inactive", 1)
    assert outcomes() == ["requested", "claimed", "checked", "calling", "verifying", "succeeded"]
    last = AuditEvent.objects.last()
    assert last is not None
    assert (last.before["status"], last.after["status"], last.aws_request_id) == ("Active", "Inactive", row.aws_request_id)
    shown = AccessKey.objects.get()
    assert (shown.status, shown.disabled_here_at is not None) == (KeyStatus.INACTIVE, True)
    assert not Finding.objects.open().filter(rule="key.never_used").exists()
    assert KeyEvent.objects.filter(remediation=row, summary="Disabled here by operator").exists()


def test_undo_enables_it_again(key: FakeKey, ask: Ask, execute: Execute, operator: User, world: FakeAwsAccount) -> None:
    row = execute(ask())
    back = execute(remediation.undo(row, actor=operator, now=world.now))
    assert (back.state, back.undo_of_id, key.status) == (State.SUCCEEDED, row.pk, "Active")


def test_a_delete_waits_for_the_days_after_the_disable(
    key: FakeKey, ask: Ask, execute: Execute, world: FakeAwsAccount, poll: Callable[[], Poll]
) -> None:
    execute(ask())
    with pytest.raises(remediation.Conflict):
        ask(Action.DELETE)
    world.now += timedelta(days=14)
    row = execute(ask(Action.DELETE))
    assert (row.state, world.users["ci"].keys) == (State.SUCCEEDED, [])
    assert AccessKey.objects.get().gone_at is not None


def test_a_delete_of_an_active_key_is_not_planned(key: FakeKey, operator: User, world: FakeAwsAccount) -> None:
    row = AccessKey.objects.select_related("account__status", "principal").get()
    item = make_plan(keys=[row], action=Action.DELETE, actor=operator, now=world.now).items.get()
    assert (item.disposition, item.skip_code) == ("skipped", "not_inactive")


def test_a_key_used_since_the_person_looked_is_left_alone(key: FakeKey, ask: Ask, execute: Execute, world: FakeAwsAccount) -> None:
    row = ask()
    key.last_used_at = world.now - timedelta(minutes=2)
    done = execute(row)
    assert (done.state, done.result_code, key.status) == (State.REFUSED, "used_since", "Active")
    assert done.result.startswith("Used 2 min ago, since you looked.")
    assert AccessKey.objects.get().last_used_at == key.last_used_at


@pytest.mark.parametrize("operation", ["ListAccessKeys", "GetAccessKeyLastUsed", "AssumeRole"])
def test_a_read_that_fails_is_never_taken_for_unused(
    key: FakeKey, ask: Ask, execute: Execute, world: FakeAwsAccount, operation: str
) -> None:
    world.fail(operation, AccessDenied("No permission.", operation=operation, code="AccessDenied"))
    done = execute(ask())
    assert (done.state, world.calls("UpdateAccessKey"), key.status) == (State.REFUSED, 0, "Active")


def test_a_key_changed_elsewhere_is_left_alone(key: FakeKey, ask: Ask, execute: Execute, world: FakeAwsAccount) -> None:
    row = ask()
    key.status = "Inactive"
    assert (execute(row).result_code, world.calls("UpdateAccessKey")) == ("already", 0)


def test_a_key_made_at_another_time_is_another_key(key: FakeKey, ask: Ask, execute: Execute, world: FakeAwsAccount) -> None:
    row = ask()
    key.created_at += timedelta(seconds=1)
    assert (execute(row).result_code, world.calls("UpdateAccessKey")) == ("created_differs", 0)


@pytest.mark.parametrize("change", ["switch", "account", "role", "inactive", "scope"])
def test_rights_are_checked_again_at_the_moment_of_the_change(
    key: FakeKey, ask: Ask, execute: Execute, world: FakeAwsAccount, settings: Settings, operator: User, change: str
) -> None:
    row = ask()
    if change == "switch":
        settings.REMEDIATION_ENABLED = False
    elif change == "account":
        Account.objects.update(allows_remediation=False)
    elif change == "role":
        operator.groups.clear()
    elif change == "inactive":
        User.objects.update(is_active=False)
    else:
        other = Account.objects.create(account_id="999988887777", name="other", created_at=world.now, updated_at=world.now)
        ScopeGrant.objects.create(user=operator, account=other)
    assert (execute(row).state, world.log) == (State.REFUSED, [])


def test_an_answer_of_aws_that_refuses_is_a_failure(key: FakeKey, ask: Ask, execute: Execute, world: FakeAwsAccount) -> None:
    world.fail("UpdateAccessKey", AccessDenied("No permission.", operation="UpdateAccessKey", code="AccessDenied", request_id="r-1"))
    done = execute(ask())
    assert (done.state, done.aws_request_id, key.status) == (State.FAILED, "r-1", "Active")


def test_applied_but_the_answer_lost_is_settled_by_reading(key: FakeKey, ask: Ask, execute: Execute, world: FakeAwsAccount) -> None:
    world.fail("UpdateAccessKey", LOST, after_applying=True)
    done = execute(ask())
    assert (done.state, world.calls("UpdateAccessKey"), key.status) == (State.SUCCEEDED_OBSERVED, 1, "Inactive")


def test_not_applied_and_the_answer_lost_is_not_called_again(key: FakeKey, ask: Ask, execute: Execute, world: FakeAwsAccount) -> None:
    world.fail("UpdateAccessKey", LOST)
    done = execute(ask())
    assert (done.state, world.calls("UpdateAccessKey"), key.status) == (State.NOT_APPLIED, 1, "Active")


def test_a_delete_whose_answer_is_lost_is_never_sent_twice(key: FakeKey, ask: Ask, execute: Execute, world: FakeAwsAccount) -> None:
    execute(ask())
    world.now += timedelta(days=15)
    world.fail("DeleteAccessKey", LOST, after_applying=True)
    done = execute(ask(Action.DELETE))
    assert (done.state, world.calls("DeleteAccessKey")) == (State.SUCCEEDED_OBSERVED, 1)


def test_a_delete_of_a_key_already_gone_is_a_success_that_says_so(key: FakeKey, ask: Ask, execute: Execute, world: FakeAwsAccount) -> None:
    execute(ask())
    world.now += timedelta(days=15)
    row = ask(Action.DELETE)
    world.users["ci"].keys.clear()
    done = execute(row)
    assert (done.state, done.result) == (
        State.SUCCEEDED_OBSERVED,
        "AWS no longer lists this key: it was already deleted. No call was made.",
    )


class Blind(FakeGateway):
    """The look before the call works; every look after it fails."""

    looks = 0

    def list_access_keys(self, user_name: str) -> tuple[ListedKey, ...]:
        self.looks += 1
        if self.looks > 1:
            raise LOST
        return super().list_access_keys(user_name)


def test_an_outcome_that_cannot_be_read_asks_for_a_person(
    key: FakeKey, ask: Ask, execute: Execute, world: FakeAwsAccount, policy: Policy, clock: Clock
) -> None:
    row, blind = ask(), Blind(world)
    world.fail("UpdateAccessKey", LOST)
    assert remediation.execute(row.pk, open_gateway=lambda *_: blind, policy=policy, clock=clock).state == State.UNKNOWN
    assert (sweeper.due(now=world.now), sweeper.due(now=world.now + timedelta(seconds=10))) == ([], [row.pk])
    world.now += timedelta(minutes=16)
    world.fail("ListAccessKeys", LOST)
    assert (execute(row).state, world.calls("UpdateAccessKey")) == (State.NEEDS_HUMAN, 1)


def test_an_outcome_that_cannot_be_read_because_the_act_role_is_gone_asks_for_a_person(
    key: FakeKey, ask: Ask, execute: Execute, world: FakeAwsAccount, account: Account, policy: Policy, clock: Clock
) -> None:
    row, blind = ask(), Blind(world)
    world.fail("UpdateAccessKey", LOST)
    remediation.execute(row.pk, open_gateway=lambda *_: blind, policy=policy, clock=clock)
    Account.objects.update(act_role_arn="")

    def run() -> Remediation:
        return remediation.execute(row.pk, open_gateway=tasks.gateway_of, policy=policy, clock=clock)

    world.now += timedelta(seconds=10)
    assert run().state == State.UNKNOWN
    world.now += timedelta(minutes=16)
    assert (run().state, world.calls("UpdateAccessKey")) == (State.NEEDS_HUMAN, 1)


def test_a_use_after_the_request_of_a_key_whose_last_use_was_not_known_is_refused(
    key: FakeKey, ask: Ask, execute: Execute, world: FakeAwsAccount
) -> None:
    AccessKey.objects.update(last_used_state="unknown", last_used_at=None)
    key.last_used_at = world.now - timedelta(minutes=5)
    row = ask(typed=key.access_key_id[-4:])
    key.last_used_at = world.now + timedelta(minutes=2)
    world.now += timedelta(minutes=4)
    done = execute(row)
    assert (done.state, done.result_code, world.calls("UpdateAccessKey")) == (State.REFUSED, "used_since", 0)
    assert done.result == "Used 2 min ago, since this was asked for. Nothing was changed."


def test_a_worker_that_died_before_the_call_is_replaced(key: FakeKey, ask: Ask, execute: Execute, world: FakeAwsAccount) -> None:
    row = ask()
    Remediation.objects.update(state=State.CHECKED, lease_expires_at=world.now + timedelta(seconds=75))
    assert execute(row).state == State.CHECKED
    world.now += timedelta(seconds=90)
    assert sweeper.due(now=world.now) == [row.pk]
    assert (execute(row).state, world.calls("UpdateAccessKey")) == (State.SUCCEEDED, 1)


@pytest.mark.parametrize(("applied", "state"), [(True, State.SUCCEEDED_OBSERVED), (False, State.NOT_APPLIED)])
def test_a_worker_that_died_around_the_call_is_settled_by_reading(
    key: FakeKey, ask: Ask, execute: Execute, world: FakeAwsAccount, applied: bool, state: State
) -> None:
    row = ask()
    Remediation.objects.update(state=State.CALLING, called_at=world.now, lease_expires_at=world.now + timedelta(seconds=75))
    key.status = "Inactive" if applied else "Active"
    world.now += timedelta(seconds=90)
    assert (execute(row).state, world.calls("UpdateAccessKey")) == (state, 0)


def test_the_late_write_of_a_zombie_changes_nothing(key: FakeKey, ask: Ask, world: FakeAwsAccount, policy: Policy, clock: Clock) -> None:
    row = ask()

    class Slow(FakeGateway):
        def access_key_last_used(self, access_key_id: str) -> KeyLastUse:
            Remediation.objects.update(lease_token=None)
            return super().access_key_last_used(access_key_id)

    done = remediation.execute(row.pk, open_gateway=lambda *_: Slow(world), policy=policy, clock=clock)
    assert done.state == State.CLAIMED
    assert world.calls("UpdateAccessKey") == 0


def test_without_an_audit_event_there_is_no_call(
    key: FakeKey, ask: Ask, execute: Execute, world: FakeAwsAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = ask()

    original = audit.record

    def full(*, outcome: str, **rest: Any) -> AuditEvent:
        if outcome == "calling":
            raise OSError("the disk is full")
        return original(outcome=outcome, **rest)

    monkeypatch.setattr("accounts.audit.record", full)
    with pytest.raises(OSError, match="disk"):
        execute(row)
    assert (world.calls("UpdateAccessKey"), Remediation.objects.get().state) == (0, State.CHECKED)


def test_the_same_plan_confirmed_twice_is_one_remediation(key: FakeKey, operator: User, world: FakeAwsAccount) -> None:
    row = AccessKey.objects.select_related("account__status", "principal").get()
    plan = make_plan(keys=[row], action=Action.DISABLE, actor=operator, now=world.now)
    said: dict[str, Any] = {"plan": plan, "actor": operator, "reason": "unused", "now": world.now}
    assert remediation.confirm(**said) == remediation.confirm(**said)
    assert Remediation.objects.count() == 1


@pytest.mark.parametrize(
    ("said", "field"),
    [({"reason": ""}, "reason"), ({"reason": "other"}, "note"), ({"reason": "because"}, "reason")],
)
def test_a_confirmation_needs_its_reason(key: FakeKey, ask: Ask, said: dict[str, str], field: str) -> None:
    with pytest.raises(remediation.Invalid) as error:
        ask(**said)
    assert (list(error.value.errors), Remediation.objects.count()) == ([field], 0)


def test_a_key_in_use_asks_for_its_last_characters(key: FakeKey, ask: Ask, world: FakeAwsAccount) -> None:
    AccessKey.objects.update(last_used_state="used", last_used_at=world.now - timedelta(days=3))
    with pytest.raises(remediation.Invalid, match="to confirm"):
        ask(typed="WRON")
    assert ask().state == State.REQUESTED


@pytest.mark.parametrize("role", ["viewer", "administrator", "auditor", None])
def test_only_an_operator_can_confirm(key: FakeKey, ask: Ask, person: Callable[..., User], role: str | None) -> None:
    with pytest.raises((remediation.NotAllowed, remediation.Conflict)):
        ask(actor=person(role, username="somebody"))
    assert not Remediation.objects.exists()


def test_an_audit_event_can_be_neither_changed_nor_deleted(key: FakeKey, ask: Ask) -> None:
    ask()
    event = AuditEvent.objects.get()
    event.outcome = "nothing"
    for attempt in (event.save, event.delete, AuditEvent.objects.all().delete, lambda: AuditEvent.objects.update(outcome="x")):
        with pytest.raises(AuditIsAppendOnly):
            attempt()
