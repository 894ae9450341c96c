"""Plan, confirm, enable: what each role gets, what a dialog says, and that pressing twice asks once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from accounts.models import Account, AuditEvent, ScopeGrant
from hygiene.domain.facts import KeyMatch, KeyStatus, UseState
from hygiene.models import AccessKey, AccountStatus, Action, Plan, PollOutcome, Principal, Reason, Remediation, State
from hygiene.services.plans import make_plan

pytestmark = pytest.mark.django_db
KEY_ID = "AKIAEXAMPLEKEY00EGXD"


@pytest.fixture
def key() -> AccessKey:
    """A never-used key of s3-sync in an account that allows changes."""
    now = timezone.now()
    account = Account.objects.create(
        account_id="204811779021",
        name="data-lake",
        act_role_arn="arn:aws:iam::204811779021:role/act",
        allows_remediation=True,
        created_at=now,
        updated_at=now,
    )
    AccountStatus.objects.create(
        account=account, next_poll_at=now, report_generated_at=now, report_is_complete=True, last_outcome=PollOutcome.COMPLETE
    )
    arn = "arn:aws:iam::204811779021:user/s3-sync"
    principal = Principal.objects.create(account=account, arn=arn, name="s3-sync", first_seen_at=now, last_seen_at=now)
    return AccessKey.objects.create(
        account=account,
        principal=principal,
        access_key_id=KEY_ID,
        match=KeyMatch.EXACT,
        status=KeyStatus.ACTIVE,
        status_observed_at=now,
        created_at=now - timedelta(days=400),
        last_used_state=UseState.NEVER,
        first_seen_at=now,
    )


@pytest.fixture
def woken(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Remediations that a worker was woken for."""
    found: list[int] = []
    monkeypatch.setattr("hygiene.tasks.execute_remediation.delay", found.append)
    return found


@pytest.fixture
def as_operator(operator: User, client_for: Callable[[User], Client]) -> Client:
    return client_for(operator)


@pytest.fixture
def plan(key: AccessKey, operator: User) -> Plan:
    return make_plan(keys=[key], action=Action.DISABLE, actor=operator, now=timezone.now())


def ask(client: Client, key: AccessKey, action: str = "disable") -> int:
    return client.post(reverse("plan-new"), {"key": str(key.uuid), "action": action}).status_code


def dialog(client: Client, key: AccessKey, action: str = "disable") -> str:
    said = {"key": str(key.uuid), "action": action}
    return client.post(reverse("plan-new"), said, headers={"HX-Request": "true"}).content.decode()


def test_the_button_makes_a_plan_and_shows_its_page(key: AccessKey, as_operator: Client) -> None:
    answer = as_operator.post(reverse("plan-new"), {"key": str(key.uuid), "action": "disable"}, follow=True)
    plan = Plan.objects.get()
    assert answer.redirect_chain == [(reverse("plan", args=[plan.uuid]), 302)]
    assert "Written to the audit log as operator" in answer.content.decode()
    assert not Remediation.objects.exists()


def test_htmx_gets_the_dialog_with_the_evidence(key: AccessKey, as_operator: Client) -> None:
    answer = as_operator.post(reverse("plan-new"), {"key": str(key.uuid), "action": "disable"}, headers={"HX-Request": "true"})
    page = answer.content.decode()
    assert "<dialog" in page
    assert "<html" not in page
    for words in ("Disable AKIA…EGXD", "never used", "will be disabled", "You can undo this.", "Disable 1 key", "data-cancel"):
        assert words in page
    assert "to confirm" not in page


def test_a_key_in_use_asks_for_its_last_characters(key: AccessKey, as_operator: Client) -> None:
    AccessKey.objects.update(last_used_state=UseState.USED, last_used_at=timezone.now() - timedelta(hours=3), last_used_service="s3")
    page = dialog(as_operator, key, "disable")
    assert "used in the last 90 days, latest 3 h ago (s3)" in page
    assert "Type EGXD to confirm" in page


def test_a_key_whose_last_use_is_not_known_is_told_apart_from_one_in_use(key: AccessKey, as_operator: Client) -> None:
    AccessKey.objects.update(last_used_state=UseState.UNKNOWN)
    page = dialog(as_operator, key, "disable")
    assert "last use not known" in page
    assert "never used" not in page
    other = AccessKey.objects.get()
    other.pk, other.uuid, other.access_key_id = None, uuid4(), KEY_ID.replace("AKIA", "AKIB")
    other.last_used_state, other.last_used_at = UseState.USED, timezone.now() - timedelta(hours=3)
    other.save()
    said = {"key": [str(row.uuid) for row in AccessKey.objects.all()], "action": "disable"}
    page = as_operator.post(reverse("plan-new"), said, headers={"HX-Request": "true"}).content.decode()
    assert "used in the last 90 days, latest 3 h ago; of 1 the last use is not known" in page


def test_a_delete_of_an_active_key_says_disable_first(key: AccessKey, as_operator: Client) -> None:
    page = dialog(as_operator, key, "delete")
    assert "Disable first" in page
    assert "Nothing was done." in page
    assert 'type="submit"' not in page


def test_plans_are_made_by_post_only(as_operator: Client) -> None:
    assert as_operator.get(reverse("plan-new")).status_code == 405


@pytest.mark.parametrize("role", ["viewer", "approver", "administrator", "auditor", None])
def test_a_plan_needs_the_operators_role(
    key: AccessKey, person: Callable[..., User], client_for: Callable[[User], Client], role: str | None
) -> None:
    assert ask(client_for(person(role)), key) == 403
    assert not Plan.objects.exists()


def test_a_plan_needs_a_sign_in(key: AccessKey, client: Client) -> None:
    assert ask(client, key) == 302
    assert not Plan.objects.exists()


def test_a_key_outside_the_scope_is_not_there(key: AccessKey, operator: User, as_operator: Client) -> None:
    now = timezone.now()
    other = Account.objects.create(account_id="999988887777", name="other", created_at=now, updated_at=now)
    ScopeGrant.objects.create(user=operator, account=other)
    assert ask(as_operator, key) == 404


@pytest.mark.parametrize("word", ["3f29a458-0346-487c-bab6-df659b6343ac", "not-a-uuid", ""])
def test_a_key_that_does_not_exist_is_not_there(as_operator: Client, word: str) -> None:
    assert as_operator.post(reverse("plan-new"), {"key": word, "action": "disable"}).status_code == 404


def test_an_action_that_does_not_exist_is_refused(key: AccessKey, as_operator: Client) -> None:
    assert ask(as_operator, key, "explode") == 400


def test_confirming_makes_the_remediation_its_audit_event_and_wakes_a_worker(
    plan: Plan, as_operator: Client, woken: list[int], django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        answer = as_operator.post(reverse("plan-confirm", args=[plan.uuid]), {"reason": "unused", "ticket": "SEC-1"})
    row = Remediation.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, reverse("remediation", args=[row.uuid]))
    assert (row.state, row.reason, row.ticket, row.requested_by_name) == (State.REQUESTED, "unused", "SEC-1", "operator")
    event = AuditEvent.objects.get()
    assert (event.action, event.outcome, event.correlation_id) == ("key.disable", "requested", row.correlation_id)
    assert woken == [row.pk]


def test_a_broker_that_is_down_loses_nothing(
    plan: Plan, as_operator: Client, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    def down(_: int) -> None:
        raise ConnectionError("no broker")

    monkeypatch.setattr("hygiene.tasks.execute_remediation.delay", down)
    with django_capture_on_commit_callbacks(execute=True):
        assert as_operator.post(reverse("plan-confirm", args=[plan.uuid]), {"reason": "unused"}).status_code == 302
    assert Remediation.objects.get().state == State.REQUESTED


def test_a_second_press_answers_as_the_first_and_creates_nothing(plan: Plan, as_operator: Client, woken: list[int]) -> None:
    address = reverse("plan-confirm", args=[plan.uuid])
    first, second = (as_operator.post(address, {"reason": "unused"}) for _ in range(2))
    assert first["Location"] == second["Location"]
    assert (Remediation.objects.count(), AuditEvent.objects.count()) == (1, 1)
    assert as_operator.get(reverse("plan", args=[plan.uuid]))["Location"] == first["Location"]


def test_htmx_gets_the_row_that_asks_again_every_second(plan: Plan, key: AccessKey, as_operator: Client, woken: list[int]) -> None:
    answer = as_operator.post(reverse("plan-confirm", args=[plan.uuid]), {"reason": "unused"}, headers={"HX-Request": "true"})
    page = answer.content.decode()
    assert f'id="key-action-{key.uuid}"' in page
    assert 'hx-trigger="every 1s"' in page
    assert "disabling…" in page
    assert "<dialog" not in page


@pytest.mark.parametrize(
    ("said", "sentence"),
    [({}, "Choose a reason."), ({"reason": "other"}, "Say what the reason is."), ({"reason": "x" * 99}, "Choose a reason.")],
)
def test_what_is_missing_is_said_beside_its_field(plan: Plan, as_operator: Client, said: dict[str, str], sentence: str) -> None:
    answer = as_operator.post(reverse("plan-confirm", args=[plan.uuid]), said, headers={"HX-Request": "true"})
    assert (answer.status_code, sentence in answer.content.decode()) == (422, True)
    assert not Remediation.objects.exists()


def test_the_wrong_last_characters_are_said_beside_their_field(key: AccessKey, operator: User, as_operator: Client) -> None:
    AccessKey.objects.update(last_used_state=UseState.UNKNOWN)
    plan = make_plan(keys=[key], action=Action.DISABLE, actor=operator, now=timezone.now())
    address = reverse("plan-confirm", args=[plan.uuid])
    answer = as_operator.post(address, {"reason": "suspected-leak", "typed": "WXYZ"}, headers={"HX-Request": "true"})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in page
    assert 'value="WXYZ"' in page
    assert as_operator.post(address, {"reason": "suspected-leak", "typed": " egxd"}).status_code == 302


def test_a_key_that_changed_in_the_meantime_is_a_conflict(plan: Plan, as_operator: Client) -> None:
    AccessKey.objects.update(status=KeyStatus.INACTIVE)
    answer = as_operator.post(reverse("plan-confirm", args=[plan.uuid]), {"reason": "unused"}, headers={"HX-Request": "true"})
    assert (answer.status_code, "Already disabled." in answer.content.decode()) == (409, True)


def test_a_plan_is_good_for_an_hour(plan: Plan, as_operator: Client) -> None:
    Plan.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    answer = as_operator.post(reverse("plan-confirm", args=[plan.uuid]), {"reason": "unused"}, headers={"HX-Request": "true"})
    assert (answer.status_code, "older than an hour" in answer.content.decode()) == (409, True)


def test_two_plans_for_one_key_make_one_change(plan: Plan, key: AccessKey, operator: User, as_operator: Client, woken: list[int]) -> None:
    other = make_plan(keys=[key], action=Action.DISABLE, actor=operator, now=timezone.now())
    as_operator.post(reverse("plan-confirm", args=[plan.uuid]), {"reason": "unused"})
    answer = as_operator.post(reverse("plan-confirm", args=[other.uuid]), {"reason": "unused"}, headers={"HX-Request": "true"})
    assert (answer.status_code, "operator asked to disable this key" in answer.content.decode()) == (409, True)
    assert Remediation.objects.count() == 1
    other.refresh_from_db()
    assert other.confirmed_at is None


def test_confirming_is_a_post(plan: Plan, as_operator: Client) -> None:
    assert as_operator.get(reverse("plan-confirm", args=[plan.uuid])).status_code == 405


def test_nobody_confirms_the_plan_of_somebody_else(plan: Plan, person: Callable[..., User], client_for: Callable[[User], Client]) -> None:
    bob = client_for(person("operator", username="bob"))
    assert bob.post(reverse("plan-confirm", args=[plan.uuid]), {"reason": "unused"}).status_code == 404
    assert bob.get(reverse("plan", args=[plan.uuid])).status_code == 404
    assert not Remediation.objects.exists()


def test_confirming_needs_the_role_still(plan: Plan, operator: User, as_operator: Client) -> None:
    operator.groups.clear()
    assert as_operator.post(reverse("plan-confirm", args=[plan.uuid]), {"reason": "unused"}).status_code == 403


def test_confirming_needs_the_scope_still(plan: Plan, operator: User, as_operator: Client) -> None:
    now = timezone.now()
    other = Account.objects.create(account_id="999988887777", name="other", created_at=now, updated_at=now)
    ScopeGrant.objects.create(user=operator, account=other)
    assert as_operator.post(reverse("plan-confirm", args=[plan.uuid]), {"reason": "unused"}).status_code == 403
    assert not Remediation.objects.exists()


def test_confirming_needs_a_sign_in(plan: Plan, client: Client) -> None:
    assert client.post(reverse("plan-confirm", args=[plan.uuid]), {"reason": "unused"})["Location"].startswith("/auth/login/")


def test_a_plan_that_does_not_exist_is_not_there(as_operator: Client) -> None:
    assert as_operator.post(reverse("plan-confirm", args=[uuid4()]), {"reason": "unused"}).status_code == 404


def test_enabling_is_one_click(key: AccessKey, as_operator: Client, woken: list[int]) -> None:
    AccessKey.objects.update(status=KeyStatus.INACTIVE, first_inactive_at=timezone.now())
    assert ask(as_operator, key, "enable") == 302
    row = Remediation.objects.get()
    assert (row.action, row.reason, row.state) == (Action.ENABLE, Reason.UNDO, State.REQUESTED)


def test_enabling_an_active_key_is_a_conflict(key: AccessKey, as_operator: Client) -> None:
    answer = as_operator.post(reverse("plan-new"), {"key": str(key.uuid), "action": "enable"}, headers={"HX-Request": "true"})
    assert (answer.status_code, "Already active." in answer.content.decode()) == (409, True)
    assert not Plan.objects.exists()


def test_the_global_switch_is_named_in_the_plan(key: AccessKey, as_operator: Client, settings: Settings) -> None:
    settings.REMEDIATION_ENABLED = False
    page = dialog(as_operator, key, "disable")
    assert "Changes are switched off for this installation (REMEDIATION_ENABLED)." in page
