"""A session that ended while a page was open."""

from __future__ import annotations

import pytest
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


def test_a_whole_page_is_redirected_as_usual() -> None:
    assert Client().get(reverse("keys"))["Location"] == "/auth/login/?next=/keys/"
