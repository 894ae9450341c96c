"""What AWS did not tell is unknown on every page, and never the good value that stands for "nothing there"."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Account
from hygiene.models import AccessKey, Principal
from tests.factories import poll, register
from tests.fakes import FakeAwsAccount

pytestmark = pytest.mark.django_db
NUMBER = "204811779021"


def world_of(*, columns: int | None = None) -> tuple[Account, FakeAwsAccount]:
    """One user with a key; `columns` keeps only so many of the report's, and the two that tell that there is a key."""
    world = FakeAwsAccount(NUMBER, now=timezone.now().replace(microsecond=0) - timedelta(hours=2))
    world.user("ann")
    world.key("ann", created_at=world.now - timedelta(days=400))
    if columns is not None:
        kept = [line.split(",")[:columns] + line.split(",")[8:10] for line in world.report_bytes().decode().splitlines()]
        world.report_override = "\n".join(",".join(cells) for cells in kept).encode()
    account = register(NUMBER, "data-lake", now=world.now)
    poll(account, world)
    return account, world


@pytest.fixture
def text_of(client_for: Callable[[User], Client], viewer: User) -> Callable[[str], str]:
    """A page as words, one space between any two."""
    client = client_for(viewer)

    def read(address: str) -> str:
        return " ".join(re.sub(r"<[^>]*>", " ", client.get(address).content.decode()).split())

    return read


def test_a_report_without_these_columns_leaves_a_user_unknown(text_of: Callable[[str], str]) -> None:
    world_of(columns=3)
    address = reverse("user", args=[Principal.objects.get(name="ann").uuid])
    for page in (text_of(address), text_of(reverse("users"))):
        assert "none on record" not in page
        assert "no change on record" not in page
    facts = text_of(address).partition("Facts")[2]
    assert "Password unknown not read" in facts
    assert "Last sign-in unknown, not read" in facts
    assert "MFA unknown not read" in facts


def test_a_key_whose_use_was_not_read_is_not_called_unused(text_of: Callable[[str], str]) -> None:
    world_of(columns=3)
    key = AccessKey.objects.get()
    facts = text_of(reverse("key", args=[key.uuid])).partition("Facts")[2]
    assert "Last used unknown, not read" in facts


def test_the_root_user_of_such_a_report_is_unknown_too(text_of: Callable[[str], str]) -> None:
    world_of(columns=3)
    assert "Last sign-in unknown, not read" in text_of(reverse("root-user", args=[NUMBER]))


def test_the_root_user_of_an_account_never_read_is_unknown(text_of: Callable[[str], str]) -> None:
    register(NUMBER, "data-lake", now=timezone.now())
    assert "Last sign-in unknown, not read" in text_of(reverse("root-user", args=[NUMBER]))


def test_a_whole_report_tells_what_is_not_there(text_of: Callable[[str], str]) -> None:
    world_of()
    facts = text_of(reverse("user", args=[Principal.objects.get(name="ann").uuid])).partition("Facts")[2]
    assert "Password none no console access" in facts
    assert "Last sign-in n/a, no console password" in facts
    assert "MFA n/a no console password" in facts
    key = text_of(reverse("key", args=[AccessKey.objects.get().uuid])).partition("Facts")[2]
    assert "Last used never, no use since created" in key


def test_a_password_without_a_date_of_change_is_not_said_to_open_nothing(text_of: Callable[[str], str]) -> None:
    world_of()
    Principal.objects.filter(name="ann").update(password_state="enabled", password_last_changed_at=None)
    listed = text_of(reverse("users"))
    assert "yes last change not known" in listed
    assert "no console access" not in listed
