"""Roles and their permissions: create_roles gives each group what `hygiene.people` says, and no more."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.core.management import CommandError, call_command
from pytest_django import Settings

from hygiene.people import ROLES, roles_with

pytestmark = pytest.mark.django_db


def test_every_role_becomes_a_group_with_exactly_its_permissions() -> None:
    Group.objects.all().delete()
    call_command("create_roles", stdout=StringIO())
    call_command("create_roles", stdout=StringIO())
    for role, names in ROLES.items():
        held = Group.objects.get(name=role).permissions.select_related("content_type")
        assert {f"{permission.content_type.app_label}.{permission.codename}" for permission in held} == set(names)


def test_a_role_that_was_changed_by_hand_is_mended() -> None:
    call_command("create_roles", stdout=StringIO())
    viewers = Group.objects.get(name="viewer")
    viewers.permissions.add(Permission.objects.get(codename="request_deletion"))
    call_command("create_roles", stdout=StringIO())
    assert not viewers.permissions.filter(codename="request_deletion").exists()


@pytest.mark.parametrize(
    ("permission", "words"),
    [("hygiene.request_change", "operator"), ("accounts.see_audit", "approver, administrator or auditor"), ("no.such", "of a superuser")],
)
def test_a_refusal_can_name_the_roles_that_would_do(permission: str, words: str) -> None:
    assert roles_with(permission) == words


def test_only_an_operator_may_request_changes(person: Callable[..., User]) -> None:
    assert [role for role in ROLES if person(role).has_perm("hygiene.request_change")] == ["operator"]


def test_a_permission_given_to_one_person_beside_the_roles_counts_for_nothing(person: Callable[..., User]) -> None:
    viewer = person("viewer")
    viewer.user_permissions.add(Permission.objects.get(codename="request_deletion"))
    assert viewer.has_perm("hygiene.view_inventory")
    assert not viewer.has_perm("hygiene.request_deletion")


def test_demo_logins_are_refused_outside_the_demo(settings: Settings) -> None:
    settings.DEMO = False
    call_command("create_roles", stdout=StringIO())
    with pytest.raises(CommandError, match="only in the demo"):
        call_command("create_demo_users", password="x")
    assert not User.objects.exists()


def test_demo_logins_have_one_role_each(settings: Settings) -> None:
    settings.DEMO = True
    call_command("create_roles", stdout=StringIO())
    call_command("create_demo_users", password="a-demo-password", stdout=StringIO())
    assert {user.groups.get().name for user in User.objects.all()} == set(ROLES)
    assert User.objects.get(username="n.adeyemi").check_password("a-demo-password")
