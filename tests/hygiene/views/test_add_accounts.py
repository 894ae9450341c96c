"""Accounts → Add accounts…: the draft, the texts, the test, the registering; and the way to an account on its page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Account, AuditEvent, ScopeGrant
from hygiene.models import AccessCheck, AccountDraft, Poll, RequestState
from tests.factories import estate, register

pytestmark = pytest.mark.django_db
ClientFor = Callable[[User], Client]
NUMBER = "505060607070"
ROLE = f"arn:aws:iam::{NUMBER}:role/hygiene-read"
ACT = f"arn:aws:iam::{NUMBER}:role/hygiene-act"
ACCOUNT = {"kind": "account", "access": "read", "partition": "aws", "read_role_arn": ROLE, "name": "new-venture"}
ORGANIZATION = {"kind": "organization", "access": "read", "partition": "aws", "read_role_name": "hygiene-read"}
POSTS = ("account-new-save", "account-new-test", "account-new-add", "account-new-discard")
HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def woken(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Checks and polls whose workers were woken."""
    found: list[Any] = []
    monkeypatch.setattr("hygiene.views.add_accounts.wake", found.append)
    monkeypatch.setattr("hygiene.views.access_checks.wake", found.append)
    monkeypatch.setattr("hygiene.tasks.start_requested_polls.delay", found.append)
    return found


@pytest.fixture
def client(client_for: ClientFor, administrator: User) -> Client:
    return client_for(administrator)


def page(client: Client) -> str:
    return client.get(reverse("account-new")).content.decode()


def passed(**changes: Any) -> None:
    """The worker's answer to the newest check."""
    line = {"part": "read", "name": "assume the read role", "is_ok": True, "is_optional": False, "detail": "", "advice": ""}
    values = {"state": RequestState.DONE, "steps": [line], "finished_at": timezone.now(), **changes}
    AccessCheck.objects.filter(pk=AccessCheck.objects.latest("pk").pk).update(**values)


def test_the_external_id_is_made_once_and_is_in_every_text(client: Client, settings: Settings) -> None:
    settings.WORKER_ARN = "arn:aws:iam::999900001111:role/key-hygiene"
    shown = page(client)
    draft = AccountDraft.objects.get()
    assert len(draft.external_id) == 40
    assert page(client).count(draft.external_id) == shown.count(draft.external_id) >= 7
    for name in ("hygiene-roles.yaml", "hygiene-roles.tf"):
        answer = client.get(reverse("account-new-template", args=[name]))
        assert draft.external_id in answer.content.decode()
        assert settings.WORKER_ARN in answer.content.decode()
        assert answer["Content-Disposition"] == f'attachment; filename="{name}"'
    assert client.get(reverse("account-new-template", args=["x.yaml"])).status_code == 404
    assert "https://console.aws.amazon.com/cloudformation/home" in shown


def test_without_the_workers_identity_the_texts_hold_none_that_aws_would_take(client: Client) -> None:
    shown = page(client)
    assert "The worker's identity is missing." in shown
    assert "arn:aws:iam::C:role/hygiene-worker" in shown


def test_what_was_typed_is_kept_half_wrong_too_and_the_texts_follow(client: Client) -> None:
    typed = {**ACCOUNT, "access": "act", "partition": "aws-cn", "owner_email": "half", "read_role_name": "no name!"}
    answer = client.post(reverse("account-new-save"), typed, headers=HTMX)
    part = answer.content.decode()
    assert "CreateActRole=&#x27;true&#x27;" in part
    assert "console.amazonaws.cn" in part
    assert 'hx-swap-oob="outerMorph"' in part
    assert "<html" not in part
    shown = page(client)
    assert 'value="half"' in shown
    assert "Enter a valid email" not in shown
    assert client.post(reverse("account-new-save"), typed)["Location"] == reverse("account-new")


def test_a_test_is_a_row_that_a_worker_is_woken_for(client: Client, woken: list[Any], django_capture_on_commit_callbacks: Any) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        answer = client.post(reverse("account-new-test"), ACCOUNT)
    assert answer["Location"] == f"{reverse('account-new')}#test"
    check = AccessCheck.objects.get()
    assert woken == [check]
    assert check.spec["account_id"] == NUMBER
    assert check.spec["external_id"] == AccountDraft.objects.get().external_id
    shown = page(client)
    assert "Waiting for a worker" in shown
    assert 'http-equiv="refresh"' in shown
    part = client.get(f"{reverse('account-new')}?part=test", headers=HTMX).content.decode()
    assert 'hx-trigger="every 2s"' in part
    client.post(reverse("account-new-test"), ACCOUNT)
    assert AccessCheck.objects.count() == 1


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"read_role_arn": "nonsense"}, "Paste the role&#x27;s ARN"),
        ({"read_role_arn": "arn:aws-none:iam::505060607070:role/x"}, "Paste the role&#x27;s ARN"),
        ({"access": "act"}, "Paste the act role&#x27;s ARN"),
        ({"access": "act", "act_role_arn": "arn:aws:iam::111122223333:role/x"}, "This is no role in account 505060607070"),
        ({"owner_email": "nobody"}, "valid email"),
        ({"tags": "lake"}, "is not a tag"),
        ({"worker_arn": "me"}, "Give the ARN of a role or user"),
        ({"read_role_name": "a b"}, "up to 64 letters"),
        ({**ORGANIZATION, "management_role_arn": "arn:aws-cn:iam::505060607070:role/x"}, "in this partition"),
    ],
)
def test_a_form_that_is_not_right_is_shown_again_and_nothing_happens(client: Client, wrong: dict[str, str], words: str) -> None:
    for name in ("account-new-test", "account-new-add"):
        answer = client.post(reverse(name), {**ACCOUNT, **wrong})
        assert answer.status_code == 422
        assert words in answer.content.decode()
    assert not AccessCheck.objects.exists()
    assert not Account.objects.exists()


def test_a_tested_account_is_registered_with_its_external_id_and_polled_at_once(
    client: Client, woken: list[Any], django_capture_on_commit_callbacks: Any
) -> None:
    values = {**ACCOUNT, "access": "act", "act_role_arn": ACT, "environment": "prod", "owner_email": "v@example.com", "tags": "team=v"}
    client.post(reverse("account-new-test"), values)
    passed()
    assert "Add account" in page(client)
    external_id = AccountDraft.objects.get().external_id
    with django_capture_on_commit_callbacks(execute=True):
        answer = client.post(reverse("account-new-add"), values)
    assert answer["Location"] == reverse("account", args=[NUMBER])
    account = Account.objects.get()
    assert (account.name, account.external_id, account.read_role_arn, account.act_role_arn) == ("new-venture", external_id, ROLE, ACT)
    assert (account.environment, account.owner_email, account.tags) == ("prod", "v@example.com", {"team": "v"})
    assert not account.allows_remediation
    event = AuditEvent.objects.get(action="account.add")
    assert (event.account_number, event.note, event.after["external_id"]) == (NUMBER, "", "(set)")
    assert woken[-1] == Poll.objects.get(account=account).request_id
    assert not AccountDraft.objects.exists()
    shown = client.get(answer["Location"]).content.decode()
    assert "Every step that must work does." in shown
    assert "is added and is being polled." in shown


def test_an_account_can_be_added_without_a_passed_test_and_that_is_said(client: Client) -> None:
    client.post(reverse("account-new-test"), {**ACCOUNT, "read_role_arn": ROLE.replace("read", "other")})
    passed()
    shown = page(client)
    client.post(reverse("account-new-save"), ACCOUNT)
    assert "Changed since the last test" in page(client)
    assert "Add account<" in shown
    client.post(reverse("account-new-add"), ACCOUNT)
    assert AuditEvent.objects.get(action="account.add").note == "Added without a passed test."
    assert "No test of its roles has passed" in client.get(reverse("account", args=[NUMBER])).content.decode()


def test_an_account_that_is_registered_stays_as_it_is(client: Client, now: Any) -> None:
    register(NUMBER, "older", now=now)
    answer = client.post(reverse("account-new-add"), ACCOUNT)
    assert answer.status_code == 409
    assert "is registered already" in answer.content.decode()
    assert Account.objects.get().name == "older"
    assert "older" in page(client)


def test_whoever_sees_some_accounts_only_sees_what_they_add_and_adds_no_organization(client: Client, administrator: User) -> None:
    account, _ = estate(0)
    ScopeGrant.objects.create(user=administrator, account=account)
    client.post(reverse("account-new-add"), ACCOUNT)
    assert client.get(reverse("account", args=[NUMBER])).status_code == 200
    assert Account.objects.visible_to(administrator).count() == 2
    answer = client.post(reverse("account-new-add"), ORGANIZATION)
    assert answer.status_code == 409
    assert "Your scope is narrowed" in answer.content.decode()
    assert not AccessCheck.objects.exists()


def test_the_scope_of_whoever_sees_everything_is_not_narrowed_by_adding(client: Client, administrator: User) -> None:
    client.post(reverse("account-new-add"), ACCOUNT)
    assert not ScopeGrant.objects.exists()


def test_an_organization_is_added_by_a_worker(client: Client, woken: list[Any], django_capture_on_commit_callbacks: Any) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        client.post(reverse("account-new-add"), ORGANIZATION)
    check = AccessCheck.objects.get()
    assert woken == [check]
    assert (check.part, check.spec["adds"], check.spec["read_role_name"]) == ("add", True, "hygiene-read")
    passed()
    assert "See the accounts" in page(client)
    assert not Account.objects.exists()
    assert AuditEvent.objects.get(action="account.discover").note == "Added without a passed test."


def test_an_organization_whose_test_passed_is_added_without_a_note(client: Client) -> None:
    client.post(reverse("account-new-test"), ORGANIZATION)
    passed()
    assert "Add the organization<" in page(client)
    client.post(reverse("account-new-add"), ORGANIZATION)
    assert AuditEvent.objects.get(action="account.discover").note == ""


def test_beginning_anew_makes_another_external_id(client: Client) -> None:
    page(client)
    before = AccountDraft.objects.get().external_id
    assert client.post(reverse("account-new-discard"))["Location"] == reverse("account-new")
    page(client)
    assert AccountDraft.objects.get().external_id != before


def test_somebody_elses_draft_is_not_seen_tested_added_or_thrown_away(
    client: Client, client_for: ClientFor, person: Callable[..., User]
) -> None:
    client.post(reverse("account-new-save"), ACCOUNT)
    alices = AccountDraft.objects.get()
    bob = client_for(person("administrator", username="bob"))
    assert bob.get(reverse("account-new-template", args=["hygiene-roles.tf"])).status_code == 404
    assert alices.external_id not in page(bob)
    for name in POSTS:
        bob.post(reverse(name), {**ACCOUNT, "name": "bobs"} if name != "account-new-add" else {})
    alices.refresh_from_db()
    assert alices.answers["name"] == "new-venture"
    assert not alices.access_checks.exists()
    assert not Account.objects.exists()


@pytest.mark.parametrize("name", POSTS)
def test_only_administrators_post_and_nothing_is_done_by_a_get(name: str, client: Client, client_for: ClientFor, operator: User) -> None:
    assert client.get(reverse(name)).status_code == 405
    assert client_for(operator).post(reverse(name), ACCOUNT).status_code == 403
    assert Client().post(reverse(name), ACCOUNT)["Location"].startswith("/auth/login/")
    assert not AccountDraft.objects.exists()


def test_the_page_is_not_taken_for_an_account_and_leads_there_from_the_list(client: Client, client_for: ClientFor, viewer: User) -> None:
    assert "<h1>Add accounts</h1>" in page(client) or "Add accounts" in page(client)
    assert reverse("account-new") in client.get(reverse("accounts")).content.decode()
    assert f'href="{reverse("account-new")}"' not in client_for(viewer).get(reverse("accounts")).content.decode()


def queries(client: Client, url: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as caught:
        assert client.get(url).status_code == 200
    return len(caught)


def test_the_pages_stay_within_their_queries(client: Client, administrator: User) -> None:
    account, _ = estate(3)
    client.post(reverse("account-new-test"), ACCOUNT)
    passed()
    AccessCheck.objects.update(account=None)
    assert queries(client, reverse("account-new")) <= 12
    few = queries(client, reverse("account", args=[account.account_id]))
    for _ in range(20):
        AccessCheck.objects.create(account=account, state="done", requested_at=timezone.now(), steps=AccessCheck.objects.latest("pk").steps)
    assert queries(client, reverse("account", args=[account.account_id])) == few


def test_check_access_tests_an_account_and_shows_each_line(client_for: ClientFor, operator: User, woken: list[Any]) -> None:
    account, _ = estate(1)
    client, url = client_for(operator), reverse("account-check", args=[account.account_id])
    assert client.post(url)["Location"] == reverse("account", args=[account.account_id])
    part = client.get(reverse("account-access", args=[account.account_id]), headers=HTMX).content.decode()
    assert 'hx-trigger="every 2s"' in part
    bad = {"part": "read", "name": "iam:ListUsers", "is_ok": False, "is_optional": False, "detail": "No.", "advice": "Add iam:ListUsers."}
    passed(steps=[bad])
    shown = client.get(reverse("account", args=[account.account_id])).content.decode()
    assert "1 step failed." in shown
    assert "Add iam:ListUsers." in shown
    assert b"Waiting for a worker" in client.post(url, headers=HTMX).content
    assert client.get(reverse("account-access", args=[account.account_id])).status_code == 302


def test_checks_of_accounts_are_for_those_who_may_poll_and_see_them(client_for: ClientFor, operator: User, viewer: User) -> None:
    account, _ = estate(0)
    url = reverse("account-check", args=[account.account_id])
    assert client_for(viewer).post(url).status_code == 403
    assert client_for(operator).get(url).status_code == 405
    assert client_for(operator).post(reverse("account-check", args=["999999999999"])).status_code == 404
    ScopeGrant.objects.create(user=operator, account=Account.objects.get(name="sandbox-07"))
    assert client_for(operator).post(url).status_code == 404
    assert client_for(operator).get(reverse("account-access", args=[account.account_id])).status_code == 404
    assert not AccessCheck.objects.exists()


def test_the_act_role_is_set_and_cleared_with_an_audit_row(client: Client) -> None:
    account, _ = estate(0)
    url, arn = reverse("account-act-role", args=[account.account_id]), f"arn:aws:iam::{account.account_id}:role/other-act"
    assert client.post(url, {"act_role_arn": f" {arn} "}).status_code == 302
    account.refresh_from_db()
    assert (account.act_role_arn, account.allows_remediation) == (arn, True)
    client.post(url, {"act_role_arn": ""})
    account.refresh_from_db()
    assert (account.act_role_arn, account.allows_remediation) == ("", False)
    events = AuditEvent.objects.filter(action__endswith="_act_role").order_by("sequence")
    assert [(event.action, event.after["act_role_arn"]) for event in events] == [
        ("account.set_act_role", arn),
        ("account.clear_act_role", ""),
    ]


@pytest.mark.parametrize("arn", ["nonsense", "arn:aws:iam::111122223333:role/x", "arn:aws-cn:iam::204811779021:role/x"])
def test_what_is_no_role_of_the_account_is_not_saved(client: Client, arn: str) -> None:
    account, _ = estate(0)
    answer = client.post(reverse("account-act-role", args=[account.account_id]), {"act_role_arn": arn})
    assert answer.status_code == 422
    assert arn in answer.content.decode()
    account.refresh_from_db()
    assert account.act_role_arn.endswith("hygiene-act")


def test_the_act_role_is_for_administrators_who_see_the_account(
    client: Client, client_for: ClientFor, operator: User, administrator: User
) -> None:
    account, _ = estate(0)
    url = reverse("account-act-role", args=[account.account_id])
    assert client.get(url).status_code == 405
    assert client_for(operator).post(url).status_code == 403
    assert client.post(reverse("account-act-role", args=["999999999999"])).status_code == 404
    ScopeGrant.objects.create(user=administrator, account=Account.objects.get(name="sandbox-07"))
    assert client.post(url).status_code == 404
