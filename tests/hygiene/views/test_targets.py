"""Buttons of passwords, certificates and root's credentials: what each person gets, and the way from the page to the request."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Account, ScopeGrant
from hygiene.models import Action, Plan, Principal, Remediation, RequestState, RootInspection, State
from tests.factories import estate

pytestmark = pytest.mark.django_db
As = Callable[[User], Client]


@pytest.fixture
def woken(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    found: list[tuple[str, int]] = []
    monkeypatch.setattr("hygiene.tasks.execute_remediation.delay", lambda pk: found.append(("remediate", pk)))
    monkeypatch.setattr("hygiene.tasks.execute_root_removal.delay", lambda pk: found.append(("root", pk)))
    return found


@pytest.fixture
def person_with_password(woken: list[tuple[str, int]]) -> Principal:
    estate(5)
    return Principal.objects.get(password_state="enabled", is_root=False)


@pytest.fixture
def root(person_with_password: Principal, operator: User) -> Principal:
    """A root user that was looked at: a key and a password."""
    now = timezone.now()
    result = {"keys": [{"id": "AKIAROOT000000000001", "status": "Active", "created_at": "2024-01-01T00:00:00+00:00"}], "has_password": True}
    times = {"requested_at": now, "finished_at": now}
    account = person_with_password.account
    account.status.organization_role = "member"
    account.status.save()
    RootInspection.objects.create(account=account, requested_by=operator, state=RequestState.DONE, result=result, **times)
    return Principal.objects.get(account=account, is_root=True)


def planned(client: Client, holder: Principal, action: Action, target: str = "") -> int:
    values = {"user": str(holder.uuid), "target": target, "action": str(action)}
    return client.post(reverse("plan-new"), values).status_code


def test_a_password_is_asked_to_be_deleted_from_the_page_of_its_user(
    person_with_password: Principal, operator: User, client_for: As
) -> None:
    client, holder = client_for(operator), person_with_password
    assert "Delete console password…" in client.get(reverse("user", args=[holder.uuid])).content.decode()
    page = client.post(reverse("plan-new"), {"user": str(holder.uuid), "action": "delete_password"}, follow=True).content.decode()
    for words in (
        f"Delete console password of {holder.name}",
        "This cannot be undone.",
        f"Type {holder.name} to confirm",
        "other person agrees",
    ):
        assert words in page
    plan = Plan.objects.get()
    answer = client.post(reverse("plan-confirm", args=[plan.uuid]), {"reason": "leaver", "typed": holder.name})
    row = Remediation.objects.get()
    assert (answer["Location"], row.state) == (reverse("run", args=[plan.uuid]), State.AWAITING_APPROVAL)
    assert (row.target_kind, row.user_name, row.account) == ("password", holder.name, holder.account)
    for name, args in (("run", [plan.uuid]), ("remediation", [row.uuid]), ("queue", []), ("user", [holder.uuid])):
        assert "console password" in client.get(reverse(name, args=args)).content.decode().lower()


def test_a_root_key_is_removed_from_the_page_of_its_account_by_the_worker_of_root(
    root: Principal, operator: User, person: Callable[..., User], client_for: As, woken: list[tuple[str, int]]
) -> None:
    client, number = client_for(operator), root.account.account_id
    page = client.get(reverse("root-user", args=[number])).content.decode()
    for words in ("Delete root access key…", "Delete root password…", "MFA last"):
        assert words in page
    values = {"user": str(root.uuid), "target": "AKIAROOT000000000001", "action": "delete_root_key"}
    page = client.post(reverse("plan-new"), values, follow=True).content.decode()
    for words in (f"Type {number} to confirm", "Runs after 2 other people agree", "Central root access can delete a root key"):
        assert words in page
    plan = Plan.objects.get()
    assert client.post(reverse("plan-confirm", args=[plan.uuid]), {"reason": "unused", "typed": "1"}).status_code == 422
    client.post(reverse("plan-confirm", args=[plan.uuid]), {"reason": "unused", "typed": number})
    for name in ("first", "second"):
        other = client_for(person("approver", username=name))
        assert other.post(reverse("run-approve", args=[plan.uuid])).status_code == 302
    row = Remediation.objects.get()
    assert (row.state, row.access_key_id) == (State.APPROVED, "AKIAROOT000000000001")
    assert "Delete root access key" in client.get(reverse("queue")).content.decode()


def test_a_root_key_is_never_among_the_keys_of_a_plan(root: Principal, operator: User, client_for: As) -> None:
    assert planned(client_for(operator), root, Action.DELETE_PASSWORD) == 404
    assert planned(client_for(operator), root, Action.DELETE_ROOT_KEY, "AKIASOMEBODYELSES") == 404


@pytest.mark.parametrize("role", ["viewer", "approver", "administrator", "auditor", None])
def test_only_an_operator_plans(person_with_password: Principal, person: Callable[..., User], client_for: As, role: str | None) -> None:
    assert planned(client_for(person(role, username="somebody")), person_with_password, Action.DELETE_PASSWORD) == 403
    assert not Plan.objects.exists()


def test_what_is_out_of_scope_or_missing_is_not_there(person_with_password: Principal, operator: User, client_for: As) -> None:
    client = client_for(operator)
    assert planned(client, person_with_password, Action.DELETE_CERTIFICATE, "CERT1") == 404
    assert client.post(reverse("plan-new"), {"user": str(uuid4()), "action": "delete_password"}).status_code == 404
    assert client.post(reverse("plan-new"), {"user": "nobody", "action": "delete_password"}).status_code == 404
    assert Client().post(reverse("plan-new"), {"action": "delete_password"}).status_code == 302
    ScopeGrant.objects.create(user=operator, account=Account.objects.get(name="sandbox-07"))
    assert planned(client, person_with_password, Action.DELETE_PASSWORD) == 404


def test_a_button_that_is_off_says_why(person_with_password: Principal, root: Principal, operator: User, client_for: As) -> None:
    RootInspection.objects.update(finished_at=timezone.now() - timedelta(hours=2))
    Account.objects.update(act_role_arn="")
    page = client_for(operator).get(reverse("user", args=[person_with_password.uuid])).content.decode()
    assert "has no act role, so it is read-only here." in page
    page = client_for(operator).get(reverse("root-user", args=[root.account.account_id])).content.decode()
    assert "the last look is older than an hour" in page
