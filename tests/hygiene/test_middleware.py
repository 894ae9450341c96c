"""A session that ended while a page was open."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

pytestmark = pytest.mark.django_db


def test_a_part_of_a_page_asked_for_after_the_session_sends_the_browser_to_the_sign_in_and_back() -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/keys/?view=action"}
    answer = Client().get(reverse("keys"), headers=headers)
    assert answer.status_code == 200
    assert answer.headers["HX-Redirect"] == "/auth/login/?next=%2Fkeys%2F%3Fview%3Daction"


def test_a_page_elsewhere_is_not_led_back_to() -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": "https://elsewhere.example/keys/"}
    assert Client().get(reverse("keys"), headers=headers).headers["HX-Redirect"] == "/auth/login/?next=%2F"


@pytest.mark.parametrize(
    "address",
    [
        "/keys/?q=%00",
        "/keys/?q=a%00b&format=json",
        "/users/?q=user:%00",
        "/accounts/%00/",
        "/root-users/%00/",
        "/search/?q=%00",
        "/audit/?a%00=1",
    ],
)
def test_a_nul_in_an_address_is_refused_with_a_sentence(client_for: Callable[[User], Client], viewer: User, address: str) -> None:
    answer = client_for(viewer).get(address)
    assert answer.status_code == 400
    assert "a character that no name has" in answer.content.decode()


def test_a_nul_in_a_form_is_refused(client_for: Callable[[User], Client], operator: User) -> None:
    assert client_for(operator).post(reverse("plan-new"), {"action": "dis\0able"}).status_code == 400


def test_a_whole_page_is_redirected_as_usual() -> None:
    assert Client().get(reverse("keys"))["Location"] == "/auth/login/?next=/keys/"
