"""People: administrators add them, set roles and scope, deactivate and reactivate them; every change is audited and holds at once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries, DjangoCaptureOnCommitCallbacks

from accounts.models import Account, AuditEvent, ScopeGrant
from hygiene.models import Invitation
from hygiene.people import ROLES
from hygiene.services import people
from hygiene.services.refused import Conflict, Invalid, NotAllowed
from tests.factories import estate

pytestmark = pytest.mark.django_db
As = Callable[[User], Client]
Make = Callable[..., User]
BUDGET = 12


@pytest.fixture(autouse=True)
def woken(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    found: list[int] = []
    monkeypatch.setattr("hygiene.tasks.send_invitation.delay", found.append)
    return found


def given(*roles: str, accounts: str | None = None, reason: str = "") -> dict[str, Any]:
    return {"roles": roles, "sees": "all" if accounts is None else "some", "accounts": accounts or "", "reason": reason}


def events() -> list[tuple[str, str, str]]:
    return list(AuditEvent.objects.order_by("sequence").values_list("action", "actor_name", "target"))


def new(**fields: str) -> dict[str, Any]:
    return {"username": "n.new", "email": "n.new@example.com", "first_name": "Nia", "last_name": "New"} | fields


def test_the_list_says_who_everybody_is(administrator: User, person: Make, client_for: As) -> None:
    narrowed, gone = person("operator", username="nora"), person(None, username="gone", is_active=False)
    User.objects.create_superuser("root-of-all", "root@example.com")
    account, _ = estate(1)
    ScopeGrant.objects.create(user=narrowed, account=account)
    page = client_for(administrator).get(reverse("people")).content.decode()
    for words in (
        "nora@example.com",
        "1 account",
        "Every account",
        "deactivated",
        "superuser",
        "no role",
        "4 people",
        "no link was mailed",
    ):
        assert words in page, words
    assert page.index(">nora<") < page.index(f">{gone.username}<")
    assert reverse("people") in client_for(administrator).get(reverse("settings")).content.decode()


def test_the_list_is_filtered_by_word_and_an_empty_one_says_so(administrator: User, person: Make, client_for: As) -> None:
    person("operator", username="nora", first_name="Nora", last_name="Quill")
    person("viewer", username="omar")
    client = client_for(administrator)
    for words, found in (("quill", "nora"), ("NORA operator", "nora"), ("viewer", "omar")):
        page = client.get(reverse("people"), {"q": words}).content.decode()
        assert ("1 person" in page, f"{found}@example.com" in page) == (True, True), words
    page = client.get(reverse("people"), {"q": "zebra"}).content.decode()
    assert ("Nobody matches “zebra”" in page, "Clear filters" in page) == (True, True)


@pytest.mark.parametrize("count", [3, 300])
def test_the_list_takes_few_queries_at_any_number(
    administrator: User, person: Make, client_for: As, django_assert_max_num_queries: DjangoAssertNumQueries, count: int
) -> None:
    person("viewer")
    account, _ = estate(1)
    made = User.objects.bulk_create(User(username=f"p-{number:03}", email=f"p-{number}@example.com") for number in range(count))
    for user in made:
        user.groups.add(Group.objects.get(name="viewer"))
        ScopeGrant.objects.create(user=user, account=account)
    client = client_for(administrator)
    with django_assert_max_num_queries(BUDGET):
        page = client.get(reverse("people")).content.decode()
    assert (">Next<" in page) == (count == 300)
    with django_assert_max_num_queries(BUDGET + 4):
        client.get(reverse("person", args=[made[0].pk]))


def test_somebody_is_added_with_roles_and_scope_and_without_a_password(
    administrator: User, client_for: As, woken: list[int], django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    account, _ = estate(1)
    said = new() | given("operator", "viewer", accounts=account.account_id, reason="Joins the team.")
    with django_capture_on_commit_callbacks(execute=True):
        answer = client_for(administrator).post(reverse("person-new"), said)
    added = User.objects.get(username="n.new")
    assert answer["Location"] == reverse("person", args=[added.pk])
    assert (added.has_usable_password(), people.roles_given(added)) == (False, ("viewer", "operator"))
    assert list(added.scope_grants.values_list("account__account_id", flat=True)) == [account.account_id]
    event = AuditEvent.objects.get(action="person.add")
    assert (event.actor_name, event.target, event.note) == ("administrator", "n.new", "Joins the team.")
    assert (event.before, event.after) == ({}, {"roles": ["viewer", "operator"], "scope": [account.account_id]})
    assert events()[-1] == ("person.invite", "administrator", "n.new")
    assert (woken, Invitation.objects.get().state) == ([added.pk], "claimed")
    assert "link is about to be mailed" in client_for(administrator).get(answer["Location"]).content.decode()


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        (new(username="ADMINISTRATOR"), "Somebody has this name already."),
        (new(email="Administrator@example.com"), "Somebody has this address already."),
        (new(email="not an address"), "Enter a valid email address."),
        (new(username=""), "Give the name that they sign in with."),
        (new(email=""), "Give the address"),
        (new(username="two words"), "Enter a valid username."),
        (new(roles="emperor"), "emperor is not one of the available choices"),
        (new(sees="some", accounts="999999999999"), "There is no account 999999999999."),
        (new(sees="some", accounts=" "), "Name at least one account"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field_and_nobody_is_added(
    administrator: User, client_for: As, woken: list[int], said: dict[str, Any], sentence: str
) -> None:
    answer = client_for(administrator).post(reverse("person-new"), given("viewer") | said)
    assert (answer.status_code, User.objects.count(), AuditEvent.objects.count(), woken) == (422, 1, 0, [])
    assert sentence in answer.content.decode().replace("&#x27;", "'")


def test_roles_and_scope_are_changed_and_hold_at_once(administrator: User, operator: User, client_for: As) -> None:
    account, _ = estate(2)
    operator.groups.add(Group.objects.create(name="on call"))
    mine, url = client_for(operator), reverse("person", args=[operator.pk])
    other = Account.objects.exclude(pk=account.pk).earliest("name")
    assert mine.get(reverse("account", args=[other.account_id])).status_code == 200
    said = given("viewer", accounts=f"{account.account_id} {account.name}\n", reason="Moved.")
    assert client_for(administrator).post(url, said).status_code == 302
    assert mine.get(reverse("account", args=[other.account_id])).status_code == 404
    assert mine.get(reverse("account", args=[account.account_id])).status_code == 200
    assert mine.post(reverse("poll-now")).status_code == 403
    event = AuditEvent.objects.get(action="person.change")
    assert (event.target, event.note) == ("operator", "Moved.")
    assert event.before == {"roles": ["operator"], "scope": "every account"}
    assert event.after == {"roles": ["viewer"], "scope": [account.account_id]}
    assert operator.groups.filter(name="on call").exists()
    page = client_for(administrator).get(url).content.decode()
    for words in ("Viewer given, operator taken, sees 1 account", account.name, "Moved."):
        assert words in page, words
    assert client_for(administrator).post(url, given("viewer")).status_code == 302
    assert not operator.scope_grants.exists()


def test_saving_what_is_so_already_is_no_change(administrator: User, operator: User, client_for: As) -> None:
    assert client_for(administrator).post(reverse("person", args=[operator.pk]), given("operator")).status_code == 302
    assert AuditEvent.objects.count() == 0


def test_a_scope_is_written_as_numbers_names_units_and_tags(administrator: User, viewer: User, now: datetime) -> None:
    first, _ = estate(2)
    second = Account.objects.exclude(pk=first.pk).earliest("name")
    Account.objects.filter(pk=first.pk).update(organizational_unit="Root/Prod/Data", tags={"app": "lake"})

    def seen(lines: str) -> set[int]:
        people.change(viewer, roles=["viewer"], scope=lines, reason="", actor=administrator, now=now)
        return set(viewer.scope_grants.values_list("account_id", flat=True))

    assert seen("ou:Root/Prod") == {first.pk}
    assert seen(second.name.upper()) == {second.pk}
    assert seen(f"tag:app=lake\n{second.account_id[:4]} {second.account_id[4:8]} {second.account_id[8:]}") == {first.pk, second.pk}
    for lines, sentence in (
        ("ou:Root/Nowhere", "No account is in “ou:Root/Nowhere”."),
        ("tag:", "must look like"),
        ("nowhere", "No account is called “nowhere”."),
    ):
        with pytest.raises(Invalid) as refused:
            seen(f"{first.account_id}\n{lines}")
        assert sentence in refused.value.errors["accounts"]
    Account.objects.filter(pk=second.pk).update(name=first.name)
    with pytest.raises(Invalid, match="2 accounts are called"):
        seen(first.name)
    Account.objects.filter(pk=second.pk).update(removed_at=now)
    assert seen(f"{first.name}\n{second.account_id}") == {first.pk, second.pk}


def test_a_role_that_somebody_gives_to_themselves_has_a_word_of_its_own(administrator: User, person: Make, client_for: As) -> None:
    person("operator", username="somebody")
    client, url = client_for(administrator), reverse("person", args=[administrator.pk])
    assert "This is you." in client.get(url).content.decode()
    assert client.post(url, given("administrator", "operator")).status_code == 302
    event = AuditEvent.objects.get()
    assert (event.action, event.target, event.actor_name) == ("person.grant_self", "administrator", "administrator")
    assert client.post(url, given("administrator")).status_code == 302
    assert events()[-1][0] == "person.change"


@pytest.mark.parametrize(
    ("said", "field"), [(given("viewer"), "roles"), (given("administrator", accounts="ou:Root"), "accounts")], ids=["role", "scope"]
)
def test_the_last_administrator_stays_one(
    administrator: User, person: Make, client_for: As, said: dict[str, Any], field: str, now: datetime
) -> None:
    estate(1)
    Account.objects.update(organizational_unit="Root")
    person("administrator", username="gone", is_active=False)
    narrowed = person("administrator", username="narrowed")
    ScopeGrant.objects.create(user=narrowed, account=Account.objects.earliest("pk"))
    client, url = client_for(administrator), reverse("person", args=[administrator.pk])
    answer = client.post(url, said)
    assert answer.status_code == 422
    assert answer.context["form"].errors[field] == [people.LAST.format("You are")]
    refused = client.post(reverse("person-deactivate", args=[administrator.pk]))
    assert (refused.status_code, "You are the last active administrator" in refused.content.decode()) == (409, True)
    administrator.refresh_from_db()
    assert (administrator.is_active, people.roles_given(administrator), AuditEvent.objects.count()) == (True, ("administrator",), 0)
    with pytest.raises(Conflict):
        people.deactivate(administrator, reason="", actor=administrator, now=now)
    person("administrator", username="second")
    assert client.post(url, said)["Location"] == reverse("settings")


def test_two_administrators_cannot_take_the_role_from_each_other(administrator: User, person: Make, now: datetime) -> None:
    second = person("administrator", username="second")
    assert all(user.has_perm(people.PERMISSION) for user in (administrator, second))  # both decided by what they saw then
    people.change(second, roles=["viewer"], scope=None, reason="", actor=administrator, now=now)
    with pytest.raises(NotAllowed):
        people.change(administrator, roles=["viewer"], scope=None, reason="", actor=second, now=now)
    people.deactivate(second, reason="", actor=administrator, now=now)
    with pytest.raises(NotAllowed, match="role administrator"):
        people.reactivate(second, reason="", actor=User.objects.get(pk=second.pk), now=now)


def test_somebody_deactivated_is_signed_out_for_good(administrator: User, operator: User, client_for: As) -> None:
    mine, client = client_for(operator), client_for(administrator)
    assert mine.get(reverse("overview")).status_code == 200
    assert client.post(reverse("person-deactivate", args=[operator.pk]), {"reason": "Left."}).status_code == 302
    assert mine.get(reverse("overview"))["Location"].startswith("/auth/login/")
    assert client.get(reverse("overview")).status_code == 200
    page = client.get(reverse("person", args=[operator.pk])).content.decode()
    assert ("Deactivated: cannot sign in." in page, "Reactivate operator" in page) == (True, True)
    assert client.post(reverse("person-deactivate", args=[operator.pk])).status_code == 302
    assert client.post(reverse("person-reactivate", args=[operator.pk]), {"reason": "Is back."}).status_code == 302
    assert mine.get(reverse("overview")).status_code == 302
    assert client_for(operator).get(reverse("overview")).status_code == 200
    found = AuditEvent.objects.order_by("sequence").values_list("action", "note", "before", "after")
    assert list(found) == [
        ("person.deactivate", "Left.", {"active": True}, {"active": False}),
        ("person.reactivate", "Is back.", {"active": False}, {"active": True}),
    ]


def test_an_administrator_may_deactivate_themselves_beside_another(administrator: User, person: Make, client_for: As) -> None:
    person("administrator", username="second")
    client = client_for(administrator)
    answer = client.post(reverse("person-deactivate", args=[administrator.pk]))
    assert answer["Location"] == "/auth/login/"
    assert client.get(reverse("overview"))["Location"].startswith("/auth/login/")


def test_a_superuser_is_changed_by_superusers_alone(administrator: User, client_for: As, now: datetime) -> None:
    first, second = (User.objects.create_superuser(name, f"{name}@example.com") for name in ("first", "second"))
    client = client_for(administrator)
    assert "Only a superuser changes a superuser." in client.get(reverse("person", args=[first.pk])).content.decode()
    for name, said in (("person", given("viewer")), ("person-deactivate", {}), ("person-invite", {})):
        assert client.post(reverse(name, args=[first.pk]), said).status_code == 403, name
    assert {action for action, _, _ in events()} == {"access"}
    people.deactivate(first, reason="", actor=second, now=now)
    assert not User.objects.get(pk=first.pk).is_active


@pytest.mark.parametrize("role", ["viewer", "operator", "approver", "auditor", None])
def test_only_an_administrator_manages_people(person: Make, viewer: User, client_for: As, role: str | None) -> None:
    client = client_for(person(role, username="somebody"))
    for name in ("people", "person-new", "person"):
        args = [viewer.pk] if name == "person" else []
        assert client.get(reverse(name, args=args)).status_code == 403
        assert Client().post(reverse(name, args=args)).status_code in (302, 405)
    before = AuditEvent.objects.count()
    for name in ("person", "person-deactivate", "person-reactivate", "person-invite"):
        assert client.post(reverse(name, args=[viewer.pk]), given("administrator")).status_code == 403
        assert Client().post(reverse(name, args=[viewer.pk])).status_code == 302
    assert client.post(reverse("person-new"), new() | given("administrator")).status_code == 403
    assert (User.objects.count(), people.roles_given(viewer), AuditEvent.objects.count() - before) == (2, ("viewer",), 5)
    assert User.objects.get(pk=viewer.pk).is_active


def test_an_administrator_with_a_narrower_scope_manages_nobody(administrator: User, viewer: User, client_for: As, now: datetime) -> None:
    account, _ = estate(1)
    ScopeGrant.objects.create(user=administrator, account=account)
    client = client_for(administrator)
    answer = client.post(reverse("person", args=[administrator.pk]), given(*ROLES))
    assert (answer.status_code, "who see every account" in answer.content.decode()) == (403, True)
    assert (ScopeGrant.objects.count(), events()[-1][0]) == (1, "access")
    with pytest.raises(NotAllowed):
        people.change(viewer, roles=["auditor"], scope=None, reason="", actor=administrator, now=now)


def test_nobody_by_that_number_and_no_get_of_what_changes(administrator: User, viewer: User, client_for: As) -> None:
    client = client_for(administrator)
    assert client.get(reverse("person", args=[999_999])).status_code == 404
    for name in ("person", "person-deactivate", "person-reactivate", "person-invite"):
        assert client.post(reverse(name, args=[999_999]), given("viewer")).status_code == 404
    for name in ("person-deactivate", "person-reactivate", "person-invite"):
        assert client.get(reverse(name, args=[viewer.pk])).status_code == 405
    assert client.put(reverse("person", args=[viewer.pk])).status_code == 405
    assert client.post(reverse("people")).status_code == 405
    assert AuditEvent.objects.count() == 0


def test_roles_that_were_not_made_yet_are_said_so(now: datetime) -> None:
    Group.objects.all().delete()
    first = User.objects.create_superuser("first", "first@example.com")
    with pytest.raises(Invalid, match="create_roles"):
        people.change(first, roles=["viewer"], scope=None, reason="", actor=first, now=now)
    with pytest.raises(Invalid, match="no role emperor"):
        people.change(first, roles=["emperor"], scope=None, reason="", actor=first, now=now)
