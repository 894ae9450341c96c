"""Pages of runs, decisions and the switch: what each button does, and what is said when it cannot."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Account, AuditEvent, ScopeGrant
from hygiene.models import AccessKey, Action, ChangeSwitch, Plan, Remediation, State
from hygiene.services import change_rules, remediation
from hygiene.services.plans import make_plan
from tests.factories import estate

pytestmark = pytest.mark.django_db
As = Callable[[User], Client]


@pytest.fixture
def woken(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    found: list[int] = []
    monkeypatch.setattr("hygiene.tasks.execute_remediation.delay", found.append)
    return found


@pytest.fixture
def plan(operator: User, administrator: User, woken: list[int]) -> Plan:
    """A disable that waits for one approval."""
    estate(5)
    now = timezone.now()
    change_rules.save({"approvals_disable": 1}, actor=administrator, now=now)
    keys = list(AccessKey.objects.filter(status="active", last_used_state="never", principal__is_root=False))
    made = make_plan(keys=keys[:1], action=Action.DISABLE, actor=operator, now=now)
    remediation.confirm(plan=made, actor=operator, reason="unused", note="Nobody uses it.", now=now)
    return made


def test_the_approver_finds_the_plan_and_sees_the_same_list(plan: Plan, approver: User, client_for: As) -> None:
    client = client_for(approver)
    assert reverse("run", args=[plan.uuid]) in client.get(reverse("queue")).content.decode()
    page = client.get(reverse("run", args=[plan.uuid])).content.decode()
    for words in ("Approve 1 change", "Nobody uses it.", plan.remediations.get().user_name):
        assert words in page


@pytest.mark.parametrize("page", ["overview", "keys"])
def test_the_queue_in_the_navigation_counts_what_waits_for_me(
    page: str, plan: Plan, approver: User, operator: User, client_for: As
) -> None:
    badge = '<span class="count">1<span class="sr"> change waiting for you</span></span>'
    assert badge in client_for(approver).get(reverse(page)).content.decode()
    assert "waiting for you" not in client_for(operator).get(reverse(page)).content.decode()


def test_an_approval_by_the_button_lets_it_run(plan: Plan, approver: User, client_for: As) -> None:
    answer = client_for(approver).post(reverse("run-approve", args=[plan.uuid]), {"comment": "Fine."})
    assert (answer.status_code, plan.remediations.get().state) == (302, State.APPROVED)
    again = client_for(approver).post(reverse("run-approve", args=[plan.uuid]))
    assert (again.status_code, "does not wait" in again.content.decode()) == (409, True)


def test_a_denial_without_a_comment_is_redrawn(plan: Plan, approver: User, client_for: As) -> None:
    client = client_for(approver)
    assert client.post(reverse("run-deny", args=[plan.uuid])).status_code == 422
    assert client.post(reverse("run-deny", args=[plan.uuid]), {"comment": "No."}).status_code == 302
    assert plan.remediations.get().state == State.DENIED


def test_the_person_who_asked_gets_no_decision_but_may_cancel(plan: Plan, operator: User, client_for: As) -> None:
    client = client_for(operator)
    assert "Approve" not in client.get(reverse("run", args=[plan.uuid])).content.decode()
    assert client.post(reverse("run-approve", args=[plan.uuid])).status_code == 403
    assert client.post(reverse("run-cancel", args=[plan.uuid])).status_code == 302
    assert plan.remediations.get().state == State.CANCELLED


def refusals() -> list[tuple[str, str, str]]:
    rows = AuditEvent.objects.filter(outcome="refused").order_by("sequence")
    return list(rows.values_list("actor_name", "action", "message"))


def test_every_refusal_is_on_record(plan: Plan, operator: User, approver: User, viewer: User, client_for: As) -> None:
    approve = reverse("run-approve", args=[plan.uuid])
    assert client_for(viewer).post(approve).status_code == 403
    operator.groups.add(*approver.groups.all())
    assert client_for(User.objects.get(pk=operator.pk)).post(approve).status_code == 403
    assert client_for(approver).post(approve).status_code == 302
    assert client_for(approver).post(approve).status_code == 409
    assert client_for(operator).post(reverse("run-undo", args=[plan.uuid])).status_code == 409
    assert refusals() == [
        ("viewer", "access", "This needs the role approver."),
        ("operator", "plan.approve", "Nobody decides on their own request. Ask somebody else with the role approver."),
        ("approver", "plan.approve", "This plan does not wait for an approval any more."),
        ("operator", "plan.undo", "Nothing of this run can be taken back: no key is still as the run left it."),
    ]


def test_a_refused_confirmation_is_on_record(plan: Plan, operator: User, client_for: As) -> None:
    later = make_plan(keys=[AccessKey.objects.get(remediations__plan=plan)], action=Action.DISABLE, actor=operator, now=timezone.now())
    client_for(operator).post(reverse("changes-stop"), {"reason": "A leak."})
    assert client_for(operator).post(reverse("plan-confirm", args=[later.uuid]), {"reason": "unused"}).status_code == 409
    ((name, action, message),) = refusals()
    assert (name, action) == ("operator", "key.disable")
    assert message.startswith("Nothing was done. All changes are stopped")


def test_a_run_outside_the_scope_is_not_there(plan: Plan, approver: User, client_for: As) -> None:
    ScopeGrant.objects.create(user=approver, account=Account.objects.get(name="sandbox-07"))
    assert client_for(approver).get(reverse("run", args=[plan.uuid])).status_code == 404
    assert client_for(approver).post(reverse("run-approve", args=[plan.uuid])).status_code == 404
    assert Remediation.objects.get().state == State.AWAITING_APPROVAL


def test_an_undo_of_nothing_is_a_conflict(plan: Plan, operator: User, client_for: As) -> None:
    assert client_for(operator).post(reverse("run-undo", args=[plan.uuid])).status_code == 409
    assert client_for(operator).post(reverse("run-retry", args=[plan.uuid])).status_code == 409


def test_stopping_needs_a_reason_and_letting_go_on_the_role(operator: User, approver: User, client_for: As) -> None:
    assert client_for(operator).post(reverse("changes-stop")).status_code == 422
    assert client_for(operator).post(reverse("changes-stop"), {"reason": "A leak."}).status_code == 302
    assert ChangeSwitch.objects.get().is_killed
    assert "Changes are stopped" in client_for(approver).get(reverse("changes-switch")).content.decode()
    assert client_for(operator).post(reverse("changes-resume"), {"reason": "x"}).status_code == 403
    assert client_for(approver).post(reverse("changes-resume"), {"reason": "Found."}).status_code == 302
    assert not ChangeSwitch.objects.get().is_killed
