"""Passwords, certificates and root's credentials: plan, confirm, run, and what is refused, against the fake account's own log."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User

from accounts.gateway import AccessDenied, AwsError, FeatureOff, ListedCertificate, OrganizationFacts, UnexpectedAwsError, Unreachable
from accounts.models import Account, AuditEvent
from hygiene import tasks
from hygiene.domain.policy import Policy
from hygiene.models import (
    ROOT_ACTIONS,
    AccessKey,
    AccountStatus,
    Action,
    Finding,
    Poll,
    Principal,
    PrincipalEvent,
    Remediation,
    RootInspection,
    State,
)
from hygiene.services import approvals, change_rules, remediation, root_inspection, runs, sweeper, targets
from hygiene.services.clock import Clock
from hygiene.services.plans import expected_typing
from hygiene.services.refused import Conflict, Invalid
from tests.fake_root import ROOT
from tests.fakes import FakeAwsAccount

pytestmark = pytest.mark.django_db
Ask = Callable[..., Remediation]
Execute = Callable[[Remediation], Remediation]
MFA = "arn:aws:iam::111122223333:mfa/root"


@pytest.fixture
def site(world: FakeAwsAccount, poll: Callable[[], Poll]) -> FakeAwsAccount:
    """Ana with a password and two certificates, and a root that has everything; polled."""
    born = world.now - timedelta(days=300)
    world.user("ana", created_at=born, password_enabled=True, password_last_used_at=world.now - timedelta(days=120))
    world.users["ana"].password_last_changed_at = born
    world.extras.certificates["ana"] = [ListedCertificate("CERT1", "Active", born), ListedCertificate("CERT2", "Inactive", born)]
    world.extras.certificates[ROOT] = [ListedCertificate("CERTR", "Active", born)]
    world.key("root", created_at=born, last_used_at=world.now - timedelta(days=200))
    world.root.password_enabled = world.root.mfa = True
    world.root_mfa_serials = [MFA]
    world.extras.organization = OrganizationFacts("member")
    poll()
    told = [{"id": one.certificate_id, "active": one.status == "Active", "uploaded_at": born.isoformat()} for one in _of_ana(world)]
    Principal.objects.filter(name="ana").update(signing_certificates=told)
    world.log.clear()
    return world


def _of_ana(world: FakeAwsAccount) -> list[ListedCertificate]:
    return world.extras.certificates["ana"]


@pytest.fixture
def look(site: FakeAwsAccount, account: Account, operator: User, clock: Clock) -> Callable[[], RootInspection]:
    """Looks at root's credentials, as the button does."""

    def run() -> RootInspection:
        asked, _ = root_inspection.request(Account.objects.get(pk=account.pk), actor=operator, now=site.now)
        done = root_inspection.run(asked.pk, open_root=site.root_gateway, clock=clock)
        site.log.clear()
        return done

    return run


@pytest.fixture
def ask(operator: User, approver: User, person: Callable[..., User], site: FakeAwsAccount) -> Ask:
    """Plans and confirms as the operator; as many others agree as it takes."""
    others = [approver, person("approver", username="second")]

    def run(action: Action, name: str = "", *, holder: str = "ana", typed: str | None = None, agree: bool = True) -> Remediation:
        principal = Principal.objects.select_related("account__status").get(name=holder)
        target = targets.find(principal, action, name)
        assert target is not None
        plan = targets.make_plan(target, action, actor=operator, now=site.now)
        wanted = expected_typing(plan, plan.items.select_related("key", "principal__account")) if typed is None else typed
        row = remediation.confirm(plan=plan, actor=operator, reason="leaver", typed=wanted, now=site.now)[0]
        for other in others[: plan.approvals_needed if agree else 0]:
            approvals.approve(plan=plan, actor=other, now=site.now)
        return row

    return run


@pytest.fixture
def execute(site: FakeAwsAccount, policy: Policy, clock: Clock) -> Execute:
    def gateway(row: Remediation, _: tuple[str, ...]) -> Any:
        return site.root_gateway() if row.action in ROOT_ACTIONS else site.gateway()

    return lambda row: remediation.execute(row.pk, open_gateway=gateway, policy=policy, clock=clock)


def ana() -> Principal:
    return Principal.objects.select_related("account__status").get(name="ana")


def root() -> Principal:
    return Principal.objects.select_related("account__status").get(is_root=True)


def test_a_password_is_deleted_after_an_approval_and_stays_gone_whatever_an_old_report_says(
    site: FakeAwsAccount, ask: Ask, execute: Execute, poll: Callable[[], Poll]
) -> None:
    assert Finding.objects.open().filter(principal=ana(), rule="password.no_mfa", outcome="fail").exists()
    row = execute(ask(Action.DELETE_PASSWORD))
    assert (row.state, row.result, site.calls("DeleteLoginProfile")) == (State.SUCCEEDED, "Deleted: AWS confirmed it.", 1)
    assert (ana().password_state, site.users["ana"].password_enabled) == ("none", False)
    assert not Finding.objects.open().filter(principal=ana(), rule="password.no_mfa", outcome="fail").exists()
    assert PrincipalEvent.objects.get(kind="password_removed").summary == "Console password deleted here by operator"
    told = AuditEvent.objects.filter(action="password.delete_password").order_by("sequence").values_list("outcome", flat=True)
    assert list(told)[-4:] == ["checked", "calling", "verifying", "succeeded"]
    poll()
    assert ana().password_state == "none"


def test_a_password_that_is_gone_is_done_without_a_call(site: FakeAwsAccount, ask: Ask, execute: Execute) -> None:
    row = ask(Action.DELETE_PASSWORD)
    site.users["ana"].password_enabled = False
    done = execute(row)
    assert (done.state, done.result_code, site.calls("DeleteLoginProfile")) == (State.SUCCEEDED_OBSERVED, "already_deleted", 0)


def test_a_password_used_since_the_person_looked_is_left_alone(site: FakeAwsAccount, ask: Ask, execute: Execute) -> None:
    row = ask(Action.DELETE_PASSWORD)
    site.users["ana"].password_last_used_at = site.now - timedelta(minutes=3)
    done = execute(row)
    assert (done.result_code, site.calls("DeleteLoginProfile")) == ("used_since", 0)
    assert done.result.startswith("Used 3 min ago")


def test_a_user_made_anew_under_the_name_is_another_user(site: FakeAwsAccount, ask: Ask, execute: Execute) -> None:
    row = ask(Action.DELETE_PASSWORD)
    site.users["ana"].created_at = site.now
    assert (execute(row).result_code, site.calls("DeleteLoginProfile")) == ("created_differs", 0)


def test_a_user_that_aws_is_still_busy_with_is_tried_again_later(site: FakeAwsAccount, ask: Ask, execute: Execute) -> None:
    busy = UnexpectedAwsError("Not now.", operation="DeleteLoginProfile", code="EntityTemporarilyUnmodifiable")
    site.fail("DeleteLoginProfile", busy)
    row = execute(ask(Action.DELETE_PASSWORD))
    assert (row.state, row.result_code, row.due_at) == (State.APPROVED, "not_now", site.now + timedelta(minutes=5))
    assert "asks to try again" in row.result
    site.now += timedelta(minutes=5)
    assert sweeper.due(now=site.now) == [row.pk]
    assert (execute(row).state, site.calls("DeleteLoginProfile")) == (State.SUCCEEDED, 2)


def test_a_lost_answer_to_a_deletion_is_read_and_never_sent_again(site: FakeAwsAccount, ask: Ask, execute: Execute) -> None:
    site.fail("DeleteLoginProfile", Unreachable("No answer.", code="ReadTimeout"), after_applying=True)
    row = execute(ask(Action.DELETE_PASSWORD))
    assert (row.state, site.calls("DeleteLoginProfile")) == (State.SUCCEEDED_OBSERVED, 1)


def test_a_certificate_is_deactivated_taken_back_and_deleted(site: FakeAwsAccount, ask: Ask, execute: Execute, operator: User) -> None:
    row = execute(ask(Action.DEACTIVATE_CERTIFICATE, "CERT1"))
    assert (row.state, _of_ana(site)[0].status) == (State.SUCCEEDED, "Inactive")
    assert [entry["active"] for entry in ana().signing_certificates or []] == [False, False]
    row = Remediation.objects.select_related("principal__account__status", "key").get(pk=row.pk)
    assert remediation.is_undoable(row)
    assert execute(remediation.undo(row, actor=operator, now=site.now)).state == State.SUCCEEDED
    assert _of_ana(site)[0].status == "Active"
    row = execute(ask(Action.DELETE_CERTIFICATE, "CERT2"))
    assert (row.state, [one.certificate_id for one in _of_ana(site)]) == (State.SUCCEEDED, ["CERT1"])
    with pytest.raises(Conflict, match="deactivation that was done"):
        remediation.undo(Remediation.objects.select_related("principal").get(pk=row.pk), actor=operator, now=site.now)


def test_a_certificate_without_an_id_is_found_by_its_date_or_not_at_all(site: FakeAwsAccount, ask: Ask, execute: Execute) -> None:
    born = _of_ana(site)[0].uploaded_at
    assert born is not None
    reported = [{"slot": 1, "active": True, "last_rotated_at": born.isoformat()}]
    Principal.objects.filter(name="ana").update(signing_certificates=None, certificates=reported)
    (known,) = [target for target in targets.of_user(ana()) if target.kind == "certificate"]
    row = ask(Action.DEACTIVATE_CERTIFICATE, known.name)
    assert (execute(row).result_code, site.calls("UpdateSigningCertificate")) == ("ambiguous", 0)
    del _of_ana(site)[1]
    Principal.objects.filter(name="ana").update(signing_certificates=None, certificates=reported)
    row = execute(ask(Action.DEACTIVATE_CERTIFICATE, known.name))
    assert (row.state, row.live_before["id"], _of_ana(site)[0].status) == (State.SUCCEEDED, "CERT1", "Inactive")
    assert [target.name for target in targets.of_user(ana()) if target.kind == "certificate"] == ["CERT1"]


@pytest.mark.parametrize(("change", "code"), [("gone", "gone"), ("done", "already"), ("date", "created_differs")])
def test_a_certificate_that_is_not_as_it_was_seen_is_left_alone(
    site: FakeAwsAccount, ask: Ask, execute: Execute, change: str, code: str
) -> None:
    row, listed = ask(Action.DEACTIVATE_CERTIFICATE, "CERT1"), _of_ana(site)
    if change == "gone":
        del listed[0]
    else:
        listed[0] = replace(listed[0], **({"status": "Inactive"} if change == "done" else {"uploaded_at": site.now}))
    assert (execute(row).result_code, site.calls("UpdateSigningCertificate")) == (code, 0)


def test_an_active_certificate_is_not_deleted(site: FakeAwsAccount, operator: User) -> None:
    target = next(target for target in targets.of_user(ana()) if target.name == "CERT1")
    item = targets.make_plan(target, Action.DELETE_CERTIFICATE, actor=operator, now=site.now).items.get()
    assert (item.skip_code, item.skip_reason) == ("not_inactive", "Deactivate first: only an inactive certificate can be deleted.")


def test_the_name_of_the_user_is_typed_and_one_credential_has_one_open_change(site: FakeAwsAccount, ask: Ask) -> None:
    with pytest.raises(Invalid, match="Type ana to confirm"):
        ask(Action.DELETE_PASSWORD, typed="bob")
    ask(Action.DELETE_PASSWORD, typed="ANA", agree=False)
    with pytest.raises(Conflict, match="operator asked to delete console password just now"):
        ask(Action.DELETE_PASSWORD)


def test_a_failed_removal_can_be_tried_again(site: FakeAwsAccount, ask: Ask, execute: Execute, operator: User) -> None:
    site.fail("DeleteLoginProfile", AccessDenied("No permission.", operation="DeleteLoginProfile", code="AccessDenied"))
    row = execute(ask(Action.DELETE_PASSWORD))
    assert row.state == State.FAILED
    again = runs.retry_failed(row.plan, actor=operator, now=site.now)
    assert (again.action, again.items.get().disposition) == (Action.DELETE_PASSWORD, "will_do")


def test_root_of_a_member_account_is_emptied_after_two_approvals(
    site: FakeAwsAccount, look: Callable[[], RootInspection], ask: Ask, execute: Execute, administrator: User
) -> None:
    change_rules.save({"operator_hour_root": 9, "installation_hour_root": 9}, actor=administrator, now=site.now)
    look()
    key_id = site.root.keys[0].access_key_id
    assert [str(target.kind) for target in targets.known_of(root())] == ["access_key", "password", "certificate", "mfa_device"]
    row = ask(Action.DELETE_ROOT_KEY, key_id, holder="<root_account>", typed=site.account_id, agree=False)
    assert (row.plan.approvals_needed, execute(row).state, site.log) == (2, State.AWAITING_APPROVAL, [])
    approvals.cancel(rows=Remediation.objects.filter(pk=row.pk), actor=row.requested_by, now=site.now)
    for action, name in (
        (Action.DELETE_ROOT_KEY, key_id),
        (Action.DELETE_ROOT_CERTIFICATE, "CERTR"),
        (Action.DELETE_ROOT_PASSWORD, ""),
        (Action.DEACTIVATE_ROOT_MFA, MFA),
    ):
        assert execute(ask(action, name, holder="<root_account>", typed=site.account_id[-4:])).state == State.SUCCEEDED, action
    assert (site.root.keys, site.root.password_enabled, site.root_mfa_serials, site.extras.certificates[ROOT]) == ([], False, [], [])
    status = AccountStatus.objects.get()
    assert (status.root_key_present, status.root_password_present, status.root_certificate_present, status.root_mfa_on) == (False,) * 4
    assert not AccessKey.objects.present().filter(principal=root()).exists()
    assert not Finding.objects.failing().filter(rule__in=["root.key_present", "root.certificate_present", "root.no_mfa"]).exists()
    assert targets.known_of(root()) == []
    assert look().result["keys"] == []


def test_root_keeps_its_mfa_while_it_has_a_password(
    site: FakeAwsAccount, look: Callable[[], RootInspection], ask: Ask, execute: Execute, operator: User
) -> None:
    look()
    target = next(target for target in targets.known_of(root()) if target.kind == "mfa_device")
    item = targets.make_plan(target, Action.DEACTIVATE_ROOT_MFA, actor=operator, now=site.now).items.get()
    assert item.skip_code == "password_first"
    site.root.password_enabled = False
    look()
    row = ask(Action.DEACTIVATE_ROOT_MFA, MFA, holder="<root_account>")
    site.root.password_enabled = True
    done = execute(row)
    assert (done.result_code, site.calls("DeactivateMFADevice")) == ("password_first", 0)


def test_root_is_looked_at_within_the_hour_before(site: FakeAwsAccount, look: Callable[[], RootInspection], operator: User) -> None:
    assert targets.known_of(root()) == []
    look()
    site.now += timedelta(minutes=61)
    target = targets.known_of(root())[0]
    item = targets.make_plan(target, Action.DELETE_ROOT_KEY, actor=operator, now=site.now).items.get()
    assert (item.skip_code, "older than an hour" in item.skip_reason) == ("look_first", True)


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (FeatureOff("Off.", code="AccessDenied"), "feature_off", "turn on root credentials management"),
        (
            AccessDenied("It was refused: a service control policy of the organization forbids it.", code="AccessDenied"),
            "denied_by_policy",
            "aws:AssumedRoot",
        ),
        (AccessDenied("It was refused.", code="AccessDenied"), "root_denied", "may not call sts:AssumeRoot"),
        (UnexpectedAwsError("No such call.", code="InvalidAction"), "not_offered", "does not offer central root access in this partition"),
        (Unreachable("No answer.", code="ConnectTimeout"), "unreadable:ConnectTimeout", "could not be read"),
    ],
)
def test_why_central_root_access_does_not_reach_is_said(
    site: FakeAwsAccount, look: Callable[[], RootInspection], ask: Ask, execute: Execute, error: AwsError, code: str, words: str
) -> None:
    look()
    row = ask(Action.DELETE_ROOT_PASSWORD, holder="<root_account>")
    site.fail("AssumeRoot", error)
    done = execute(row)
    assert (done.state, done.result_code, site.root.password_enabled) == (State.REFUSED, code, True)
    assert words in done.result


@pytest.mark.parametrize(("role", "code"), [("management", "management"), ("none", "standalone")])
def test_root_of_the_management_account_or_of_no_organization_is_never_removed_here(
    site: FakeAwsAccount, look: Callable[[], RootInspection], ask: Ask, execute: Execute, operator: User, role: str, code: str
) -> None:
    look()
    row = ask(Action.DELETE_ROOT_PASSWORD, holder="<root_account>")
    AccountStatus.objects.update(organization_role=role)
    assert (execute(row).result_code, site.log) == (code, [])
    target = next(target for target in targets.known_of(root()) if target.kind == "password")
    assert targets.make_plan(target, Action.DELETE_ROOT_PASSWORD, actor=operator, now=site.now).items.get().skip_code == code


def test_a_root_key_used_since_the_look_is_left_alone(
    site: FakeAwsAccount, look: Callable[[], RootInspection], ask: Ask, execute: Execute
) -> None:
    look()
    row = ask(Action.DELETE_ROOT_KEY, site.root.keys[0].access_key_id, holder="<root_account>")
    site.root.keys[0].last_used_at = site.now - timedelta(minutes=1)
    assert (execute(row).result_code, site.calls("DeleteAccessKey")) == ("used_since", 0)


def test_the_typed_account_number_is_asked_for(site: FakeAwsAccount, look: Callable[[], RootInspection], ask: Ask) -> None:
    look()
    with pytest.raises(Invalid, match="Type 111122223333 to confirm"):
        ask(Action.DELETE_ROOT_PASSWORD, holder="<root_account>", typed="3334")


def test_a_removal_of_root_is_for_the_worker_of_root_alone(
    site: FakeAwsAccount, look: Callable[[], RootInspection], ask: Ask, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    look()
    row, woken = ask(Action.DELETE_ROOT_PASSWORD, holder="<root_account>"), list[int]()
    monkeypatch.setattr(tasks, "gateway_of", site.root_gateway)
    monkeypatch.setattr(tasks, "shared_clock", lambda: clock)
    monkeypatch.setattr("hygiene.tasks.execute_root_removal.delay", woken.append)
    tasks.wake([row.pk])
    tasks.execute_remediation(row.pk)
    assert (woken, Remediation.objects.get().state, site.log) == ([row.pk], State.APPROVED, [])
    tasks.execute_root_removal(row.pk)
    assert Remediation.objects.get().state == State.SUCCEEDED
