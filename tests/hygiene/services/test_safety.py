"""What holds changes back: approvals, caps, the breaker, the kill switch and the protected list, against the fake account's own log."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User

from accounts.gateway import AccessDenied
from accounts.models import Account, AuditEvent, ScopeGrant
from hygiene.domain.policy import Policy
from hygiene.models import AccessKey, Action, Alert, Approval, Exemption, Finding, Plan, Poll, Principal, Reason, Remediation, State
from hygiene.services import approvals, change_rules, protection, remediation, runs, second_look, sweeper, switch
from hygiene.services.clock import Clock
from hygiene.services.plans import expected_typing, make_plan
from hygiene.services.refused import Conflict, Invalid, NotAllowed
from tests.fakes import FakeAwsAccount, FakeGateway

pytestmark = pytest.mark.django_db
Confirm = Callable[..., list[Remediation]]
Execute = Callable[[Remediation], Remediation]


@pytest.fixture
def keys(world: FakeAwsAccount, poll: Callable[[], Poll]) -> list[AccessKey]:
    """Eight never-used keys of eight users, polled."""
    for place in range(8):
        world.user(f"ci-{place}")
        world.key(f"ci-{place}", created_at=world.now - timedelta(days=400))
    poll()
    world.log.clear()
    return list(AccessKey.objects.order_by("pk"))


@pytest.fixture
def confirm(operator: User, world: FakeAwsAccount) -> Confirm:
    """Plans and confirms as the operator."""

    def run(keys: list[AccessKey], action: Action = Action.DISABLE, *, actor: User = operator, **said: Any) -> list[Remediation]:
        plan = make_plan(keys=keys, action=action, actor=actor, now=world.now)
        typed = expected_typing(plan, plan.items.select_related("key"))
        return remediation.confirm(plan=plan, actor=actor, now=world.now, **{"reason": "unused", "typed": typed, **said})

    return run


@pytest.fixture
def execute(world: FakeAwsAccount, policy: Policy, clock: Clock) -> Execute:
    def run(row: Remediation) -> Remediation:
        return remediation.execute(row.pk, open_gateway=world.gateway, policy=policy, clock=clock)

    return run


@pytest.fixture
def waiting(keys: list[AccessKey], confirm: Confirm, administrator: User, world: FakeAwsAccount) -> Plan:
    """A disable of one key that needs one approval."""
    change_rules.save({"approvals_disable": 1}, actor=administrator, now=world.now)
    return confirm(keys[:1])[0].plan


def test_a_change_waits_for_a_second_person_and_then_runs(waiting: Plan, approver: User, execute: Execute, world: FakeAwsAccount) -> None:
    row = waiting.remediations.get()
    assert (row.state, execute(row).state, world.log) == (State.AWAITING_APPROVAL, State.AWAITING_APPROVAL, [])
    assert list(approvals.waiting_for(approver)) == [waiting]
    assert approvals.approve(plan=waiting, actor=approver, comment="Agreed.", now=world.now) == [row.pk]
    assert execute(row).state == State.SUCCEEDED
    assert AuditEvent.objects.filter(outcome="approved", actor_name="approver").count() == 1


def test_nobody_decides_on_their_own_request(waiting: Plan, operator: User, person: Callable[..., User], world: FakeAwsAccount) -> None:
    operator.groups.add(*person("approver", username="other").groups.all())
    both = User.objects.get(pk=operator.pk)
    assert not approvals.waiting_for(both).exists()
    with pytest.raises(NotAllowed, match="own request"):
        approvals.approve(plan=waiting, actor=both, now=world.now)


@pytest.mark.parametrize("role", ["viewer", "operator", "administrator", "auditor", None])
def test_only_an_approver_decides(waiting: Plan, person: Callable[..., User], world: FakeAwsAccount, role: str | None) -> None:
    somebody = person(role, username="somebody")
    for decide in (approvals.approve, approvals.deny):
        with pytest.raises(NotAllowed):
            decide(plan=waiting, actor=somebody, comment="x", now=world.now)


def test_an_approver_outside_the_scope_cannot_decide(waiting: Plan, approver: User, world: FakeAwsAccount) -> None:
    other = Account.objects.create(account_id="999988887777", name="other", created_at=world.now, updated_at=world.now)
    ScopeGrant.objects.create(user=approver, account=other)
    assert not approvals.waiting_for(approver).exists()
    with pytest.raises(NotAllowed, match="scope"):
        approvals.approve(plan=waiting, actor=approver, now=world.now)


def test_two_approvals_are_two_people(
    keys: list[AccessKey], confirm: Confirm, administrator: User, approver: User, person: Callable[..., User], world: FakeAwsAccount
) -> None:
    change_rules.save({"approvals_disable": 2}, actor=administrator, now=world.now)
    plan = confirm(keys[:1])[0].plan
    assert approvals.approve(plan=plan, actor=approver, now=world.now) == []
    with pytest.raises(Conflict, match="already"):
        approvals.approve(plan=plan, actor=approver, now=world.now)
    assert len(approvals.approve(plan=plan, actor=person("approver", username="second"), now=world.now)) == 1


def test_a_denial_needs_its_reason_and_ends_the_plan(waiting: Plan, approver: User, world: FakeAwsAccount) -> None:
    with pytest.raises(Invalid):
        approvals.deny(plan=waiting, actor=approver, comment=" ", now=world.now)
    approvals.deny(plan=waiting, actor=approver, comment="It is in use.", now=world.now)
    row = waiting.remediations.get()
    assert (row.state, row.result) == (State.DENIED, "Denied by approver: It is in use.")
    with pytest.raises(Conflict):
        approvals.approve(plan=waiting, actor=approver, now=world.now)


@pytest.mark.parametrize("lost", ["role", "inactive", "scope", "changed", "forged", "own", "lapsed"])
def test_an_approval_is_checked_again_just_before_the_change(
    waiting: Plan, approver: User, operator: User, execute: Execute, world: FakeAwsAccount, lost: str
) -> None:
    row = waiting.remediations.get()
    if lost == "forged":
        Remediation.objects.update(state=State.APPROVED)
        Plan.objects.update(approvals_needed=0)
    else:
        approvals.approve(plan=waiting, actor=approver, now=world.now)
    if lost == "role":
        approver.groups.clear()
    elif lost == "inactive":
        User.objects.filter(pk=approver.pk).update(is_active=False)
    elif lost == "scope":
        other = Account.objects.create(account_id="999988887777", name="other", created_at=world.now, updated_at=world.now)
        ScopeGrant.objects.create(user=approver, account=other)
    elif lost == "changed":
        Remediation.objects.update(seen_last_used_at=world.now)
    elif lost == "own":
        Approval.objects.update(approver=operator)
    elif lost == "lapsed":
        world.now += timedelta(hours=25)
    done = execute(row)
    assert (done.state, done.result_code, world.log) == (State.REFUSED, "not_approved", [])


def test_requests_and_approvals_lapse(waiting: Plan, world: FakeAwsAccount) -> None:
    sweeper.tidy(now=world.now + timedelta(hours=23))
    assert waiting.remediations.get().state == State.AWAITING_APPROVAL
    sweeper.tidy(now=world.now + timedelta(hours=24))
    assert waiting.remediations.get().state == State.EXPIRED


def test_a_request_can_be_cancelled_by_its_person_until_it_is_taken(
    keys: list[AccessKey], confirm: Confirm, operator: User, approver: User, execute: Execute, world: FakeAwsAccount
) -> None:
    first, second = confirm(keys[:1])[0], confirm(keys[1:2])[0]
    with pytest.raises(NotAllowed):
        approvals.cancel(rows=Remediation.objects.filter(pk=first.pk), actor=approver, now=world.now)
    assert approvals.cancel(rows=Remediation.objects.filter(pk=first.pk), actor=operator, now=world.now) == 1
    assert execute(first).state == State.CANCELLED
    execute(second)
    assert approvals.cancel(rows=Remediation.objects.filter(pk=second.pk), actor=operator, now=world.now) == 0


def test_what_waits_for_a_user_that_is_gone_is_cancelled(keys: list[AccessKey], confirm: Confirm, world: FakeAwsAccount) -> None:
    row = confirm(keys[:1])[0]
    Principal.objects.filter(pk=row.principal_id).update(gone_at=world.now)
    sweeper.tidy(now=world.now)
    row.refresh_from_db()
    assert row.state == State.CANCELLED


@pytest.mark.parametrize(
    ("rules", "code"),
    [({"operator_hour_disable": 3}, "capped:operator"), ({"installation_hour_disable": 3}, "capped:installation")],
)
def test_a_cap_makes_a_change_wait_and_say_why(
    keys: list[AccessKey],
    confirm: Confirm,
    execute: Execute,
    administrator: User,
    world: FakeAwsAccount,
    rules: dict[str, int],
    code: str,
) -> None:
    change_rules.save(rules, actor=administrator, now=world.now)
    states = [execute(row).state for row in confirm(keys[:5])]
    assert (states.count(State.SUCCEEDED), world.calls("UpdateAccessKey")) == (3, 3)
    held = Remediation.objects.filter(state=State.REQUESTED, result_code=code)
    assert held.count() == 2
    world.now += timedelta(hours=1, minutes=1)
    assert sorted(sweeper.due(now=world.now)) == sorted(held.values_list("pk", flat=True))
    assert {execute(row).state for row in held} == {State.SUCCEEDED}


def test_more_than_an_account_may_see_needs_a_second_person(
    keys: list[AccessKey], confirm: Confirm, execute: Execute, approver: User, world: FakeAwsAccount
) -> None:
    made = confirm(keys[:6])
    plan = made[0].plan
    assert (plan.approvals_needed, {row.state for row in made}) == (1, {State.AWAITING_APPROVAL})
    assert "more than 5 in 24 hours" in plan.approval_why
    approvals.approve(plan=plan, actor=approver, now=world.now)
    assert {execute(row).state for row in made} == {State.SUCCEEDED}


def test_one_key_more_than_an_account_may_see_in_a_day_needs_a_second_person_too(
    keys: list[AccessKey], confirm: Confirm, execute: Execute, approver: User, world: FakeAwsAccount
) -> None:
    states = [execute(confirm([key])[0]).state for key in keys[:6]]
    assert (states, world.calls("UpdateAccessKey")) == ([State.SUCCEEDED] * 5 + [State.AWAITING_APPROVAL], 5)
    sixth = Remediation.objects.get(state=State.AWAITING_APPROVAL)
    assert sixth.plan.approval_why == "data-lake: 6 changes, more than 5 in 24 hours."
    approvals.approve(plan=sixth.plan, actor=approver, now=world.now)
    assert execute(sixth).state == State.SUCCEEDED


def test_the_account_cap_is_counted_again_when_a_worker_takes_a_change_up(
    keys: list[AccessKey], confirm: Confirm, execute: Execute, administrator: User, world: FakeAwsAccount
) -> None:
    change_rules.save({"account_day_disable": 100}, actor=administrator, now=world.now)
    made = [confirm([key])[0] for key in keys[:6]]
    change_rules.save({"account_day_disable": 5}, actor=administrator, now=world.now)
    states = [execute(row).state for row in made]
    assert (states, world.calls("UpdateAccessKey")) == ([State.SUCCEEDED] * 5 + [State.REQUESTED], 5)
    assert Remediation.objects.get(state=State.REQUESTED).result_code == "capped:account"


def test_a_stop_refuses_what_waits_and_new_requests(
    keys: list[AccessKey], confirm: Confirm, execute: Execute, operator: User, approver: User, world: FakeAwsAccount
) -> None:
    row = confirm(keys[:1])[0]
    switch.stop(actor=operator, reason="Something is wrong.", now=world.now)
    assert (execute(row).result_code, world.log) == ("stopped", [])
    with pytest.raises(Conflict, match="stopped"):
        confirm(keys[1:2])
    with pytest.raises(NotAllowed):
        switch.resume(actor=operator, reason="Fine.", now=world.now)
    switch.resume(actor=approver, reason="Found it.", now=world.now)
    assert execute(confirm(keys[1:2])[0]).state == State.SUCCEEDED
    assert list(AuditEvent.objects.filter(action__startswith="changes.").order_by("sequence").values_list("action", flat=True)) == [
        "changes.stop",
        "changes.resume",
    ]


def test_a_stop_between_the_checks_and_the_call_stops_the_call(
    keys: list[AccessKey], confirm: Confirm, operator: User, policy: Policy, clock: Clock, world: FakeAwsAccount
) -> None:
    class Slow(FakeGateway):
        def access_key_last_used(self, access_key_id: str) -> Any:
            switch.stop(actor=operator, reason="Now.", now=world.now)
            return super().access_key_last_used(access_key_id)

    done = remediation.execute(confirm(keys[:1])[0].pk, open_gateway=lambda *_: Slow(world), policy=policy, clock=clock)
    assert (done.state, done.result_code, world.calls("UpdateAccessKey")) == (State.REFUSED, "stopped", 0)


def test_the_breaker_pauses_everything_until_an_approver_resumes(
    keys: list[AccessKey], confirm: Confirm, execute: Execute, administrator: User, approver: User, world: FakeAwsAccount
) -> None:
    change_rules.save({"account_day_disable": 100}, actor=administrator, now=world.now)
    world.fail("UpdateAccessKey", AccessDenied("No.", operation="UpdateAccessKey", code="AccessDenied"), times=5)
    made = confirm(keys[:6])
    states = [execute(row).state for row in made]
    assert states == [State.FAILED] * 5 + [State.REQUESTED]
    assert (world.calls("UpdateAccessKey"), Alert.objects.get().kind) == (5, "breaker")
    assert AuditEvent.objects.filter(action="changes.pause").count() == 1
    assert switch.resume(actor=approver, reason="The role was mended.", now=world.now) == [made[5].pk]
    assert execute(made[5]).state == State.SUCCEEDED


@pytest.mark.parametrize("how", ["arn", "account", "key", "tag", "builtin"])
def test_what_is_protected_is_left_out_of_plans_and_refused_by_workers(
    keys: list[AccessKey], confirm: Confirm, execute: Execute, administrator: User, world: FakeAwsAccount, how: str
) -> None:
    row = confirm(keys[:1])[0]
    values = {"arn": row.user_arn, "account": row.account.account_id, "key": row.access_key_id, "tag": "team=break-glass"}
    if how == "builtin":
        Principal.objects.filter(pk=row.principal_id).update(tags={"hygiene-protected": "true"})
    else:
        Principal.objects.filter(pk=row.principal_id).update(tags={"team": "break-glass"})
        protection.protect(kind=how, value=values[how], reason="Break glass.", actor=administrator, now=world.now)
    assert (execute(row).result_code, world.log) == ("protected", [])
    with pytest.raises(Conflict, match=r"[Pp]rotected"):
        confirm(keys[:1])


def test_only_an_administrator_edits_the_protected_list(operator: User, approver: User, world: FakeAwsAccount) -> None:
    for somebody in (operator, approver):
        with pytest.raises(NotAllowed):
            protection.protect(kind="key", value="AKIA", reason="Mine.", actor=somebody, now=world.now)


def test_an_exempt_key_asks_for_a_tick_and_a_later_exemption_stops_the_worker(
    keys: list[AccessKey], confirm: Confirm, execute: Execute, world: FakeAwsAccount
) -> None:
    row = confirm(keys[:1])[0]
    assert not Exemption.objects.exists()
    Finding.objects.filter(key__in=keys[:2]).update(outcome="exempt")
    assert (execute(row).result_code, world.log) == ("caution:exempt", [])
    with pytest.raises(Invalid) as error:
        confirm(keys[1:2])
    assert list(error.value.errors) == ["ticked"]
    assert execute(confirm(keys[1:2], ticked=["exempt"])[0]).state == State.SUCCEEDED


def test_an_early_deletion_needs_a_tick_and_a_second_person_and_never_comes_in_the_first_week(
    keys: list[AccessKey], confirm: Confirm, execute: Execute, administrator: User, approver: User, world: FakeAwsAccount
) -> None:
    change_rules.save({"approvals_delete": 0}, actor=administrator, now=world.now)
    execute(confirm(keys[:1])[0])
    world.now += timedelta(days=6)
    with pytest.raises(Conflict, match="Can be deleted in 8 days"):
        confirm(keys[:1], Action.DELETE)
    world.now += timedelta(days=1)
    with pytest.raises(Invalid):
        confirm(keys[:1], Action.DELETE)
    row = confirm(keys[:1], Action.DELETE, ticked=["early"])[0]
    assert (row.is_early, row.state) == (True, State.AWAITING_APPROVAL)
    approvals.approve(plan=row.plan, actor=approver, now=world.now)
    assert execute(row).state == State.SUCCEEDED


def test_a_key_that_nobody_disabled_here_is_deleted_with_a_tick_and_a_second_person_only(
    keys: list[AccessKey], confirm: Confirm, execute: Execute, administrator: User, approver: User, world: FakeAwsAccount, poll: Any
) -> None:
    change_rules.save({"approvals_delete": 0}, actor=administrator, now=world.now)
    world.users["ci-0"].keys[0].status = "Inactive"
    world.now += timedelta(hours=5)
    poll()
    world.now += timedelta(days=30)
    with pytest.raises(Invalid):
        confirm(keys[:1], Action.DELETE)
    row = confirm(keys[:1], Action.DELETE, ticked=["early"])[0]
    assert (row.is_early, row.state) == (True, State.AWAITING_APPROVAL)
    Remediation.objects.filter(pk=row.pk).update(is_early=False, state=State.APPROVED)
    Plan.objects.filter(pk=row.plan_id).update(approvals_needed=0)
    refused = execute(row)
    assert (refused.result_code, world.calls("DeleteAccessKey")) == ("waiting", 0)
    row = confirm(keys[:1], Action.DELETE, ticked=["early"])[0]
    approvals.approve(plan=row.plan, actor=approver, now=world.now)
    assert (execute(row).state, world.calls("DeleteAccessKey")) == (State.SUCCEEDED, 1)


def test_a_key_disabled_as_a_leak_is_enabled_with_a_second_person_only(
    keys: list[AccessKey], confirm: Confirm, execute: Execute, operator: User, world: FakeAwsAccount
) -> None:
    row = execute(confirm(keys[:1], reason=Reason.SUSPECTED_LEAK)[0])
    assert remediation.undo(row, actor=operator, now=world.now).state == State.AWAITING_APPROVAL


def test_nobody_rewrites_the_reason_of_a_disable_to_take_a_leak_back_alone(
    keys: list[AccessKey], confirm: Confirm, execute: Execute, operator: User, world: FakeAwsAccount
) -> None:
    row = execute(confirm(keys[:1], reason=Reason.SUSPECTED_LEAK)[0])
    with pytest.raises(NotAllowed, match="given before it was confirmed"):
        remediation.explain(row, actor=operator, reason="unused", now=world.now)
    row.refresh_from_db()
    assert row.reason == Reason.SUSPECTED_LEAK
    back = remediation.undo(row, actor=operator, now=world.now)
    remediation.explain(back, actor=operator, reason="owner-confirmed", now=world.now)
    assert back.state == State.AWAITING_APPROVAL


def test_a_run_is_taken_back_but_for_keys_that_somebody_else_changed(
    keys: list[AccessKey], confirm: Confirm, execute: Execute, operator: User, world: FakeAwsAccount, poll: Callable[[], Poll]
) -> None:
    made = [execute(row) for row in confirm(keys[:4])]
    world.users["ci-0"].keys[0].status = "Active"
    world.now += timedelta(hours=5)
    poll()
    back = runs.undo_all(made[0].plan, actor=operator, now=world.now)
    assert {row.undo_of_id for row in back} == {row.pk for row in made[1:]}
    assert {execute(row).state for row in back} == {State.SUCCEEDED}
    assert {key.status for user in world.users.values() for key in user.keys} == {"Active"}


def test_what_changed_since_the_plan_is_set_aside_and_the_rest_is_done(
    keys: list[AccessKey], operator: User, world: FakeAwsAccount
) -> None:
    plan = make_plan(keys=keys[:3], action=Action.DISABLE, actor=operator, now=world.now)
    AccessKey.objects.filter(pk=keys[0].pk).update(last_used_at=world.now, last_used_state="used")
    made = remediation.confirm(plan=plan, actor=operator, reason="unused", now=world.now)
    assert [row.key_id for row in made] == [keys[1].pk, keys[2].pk]
    aside = plan.items.get(key=keys[0])
    assert (aside.disposition, aside.skip_code) == ("skipped", "used_since")


def test_a_key_made_after_our_call_is_told_once(
    keys: list[AccessKey], confirm: Confirm, execute: Execute, clock: Clock, world: FakeAwsAccount
) -> None:
    row = execute(confirm(keys[:1])[0])
    assert second_look.due(world.now) == []
    world.now += timedelta(seconds=30)
    world.key("ci-0", created_at=world.now)
    world.now += timedelta(seconds=40)
    assert second_look.due(world.now) == [row.pk]
    for _ in range(2):
        second_look.look_again(row.pk, open_gateway=world.gateway, clock=clock)
    assert (Alert.objects.get().kind, second_look.due(world.now)) == ("new_key_after_disable", [])


def test_a_key_made_after_our_call_is_told_whatever_the_clocks_say(
    keys: list[AccessKey], confirm: Confirm, execute: Execute, clock: Clock, world: FakeAwsAccount
) -> None:
    """AWS's clock is behind ours, so that the new key looks older than our call."""
    world.key("ci-0", created_at=world.now - timedelta(days=3))
    row = execute(confirm(keys[:1])[0])
    world.key("ci-0", created_at=world.now - timedelta(seconds=90))
    world.now += timedelta(seconds=70)
    second_look.look_again(row.pk, open_gateway=world.gateway, clock=clock)
    assert [alert.subject for alert in Alert.objects.all()] == [world.users["ci-0"].keys[2].access_key_id]


def test_hundreds_of_keys_are_planned_and_confirmed_in_few_statements(
    world: FakeAwsAccount, poll: Callable[[], Poll], operator: User, django_assert_max_num_queries: Any
) -> None:
    for place in range(300):
        world.user(f"ci-{place}")
        world.key(f"ci-{place}", created_at=world.now - timedelta(days=400))
    poll()
    keys = list(AccessKey.objects.all())
    with django_assert_max_num_queries(60):
        plan = make_plan(keys=keys, action=Action.DISABLE, actor=operator, now=world.now)
        made = remediation.confirm(plan=plan, actor=operator, reason="unused", typed="300", now=world.now)
    assert (len(made), AuditEvent.objects.filter(outcome="requested").count()) == (300, 300)
