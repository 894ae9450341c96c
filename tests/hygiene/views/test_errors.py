"""What went wrong is said in place: as a page, as a part for htmx, as a dialog where one was asked for; never a bare status."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from accounts.models import AuditEvent
from hygiene.views import search

pytestmark = pytest.mark.django_db
MISSING = "/keys/00000000-0000-0000-0000-000000000000/"


def test_a_page_says_what_to_do_and_keeps_the_shell(client_for: Callable[[User], Client], viewer: User) -> None:
    client = client_for(viewer)
    missing = client.get(MISSING)
    assert missing.status_code == 404
    assert "not in your scope" in missing.content.decode()
    assert 'aria-label="Main"' in missing.content.decode()
    refused = client.post(reverse("plan-new"), {"action": "disable"})
    assert refused.status_code == 403
    assert "This needs the role operator." in refused.content.decode()
    bad = client.post(reverse("view-save"), {"page": "nowhere"})
    assert bad.status_code == 400
    assert "A view needs a name" in bad.content.decode()


def test_a_part_gets_a_part_and_a_dialog_a_dialog(client_for: Callable[[User], Client], viewer: User) -> None:
    client = client_for(viewer)
    part = client.get(MISSING, headers={"HX-Request": "true", "HX-Current-URL": "http://testserver/keys/"}).content.decode()
    assert "<html" not in part
    assert 'role="alert"' in part
    assert 'href="http://testserver/keys/"' in part
    dialog = client.post(reverse("plan-new"), {"action": "disable"}, headers={"HX-Request": "true", "HX-Target": "div#dialog"})
    assert dialog.status_code == 403
    assert "<dialog" in dialog.content.decode()
    assert "This needs the role operator." in dialog.content.decode()


def test_an_error_of_our_own_names_the_reference_of_the_log(
    client_for: Callable[[User], Client], viewer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> list[object]:
        raise RuntimeError("a bug")

    monkeypatch.setattr(search, "_hits", broken)
    client = client_for(viewer)
    client.raise_request_exception = False
    page = client.get(reverse("search") + "?q=x")
    assert page.status_code == 500
    assert re.search(r"Reference <code>[0-9a-f-]{36}</code>", page.content.decode())
    part = client.get(reverse("search") + "?q=x", headers={"HX-Request": "true"})
    assert part.status_code == 500
    assert "<html" not in part.content.decode()


def test_an_expired_form_says_that_nothing_was_changed(viewer: User) -> None:
    client = Client(enforce_csrf_checks=True)
    assert "This form has expired" in client.post(reverse("account_login"), {"login": "a"}).content.decode()
    client.force_login(viewer, backend="hygiene.sign_in.RolesBackend")
    answer = client.post(reverse("digest-send"))
    assert answer.status_code == 403
    assert "Nothing was changed" in answer.content.decode()
    assert AuditEvent.objects.count() == 0


def test_search_shows_some_of_each_kind_at_most_twelve(client_for: Callable[[User], Client], viewer: User) -> None:
    client = client_for(viewer)
    assert [hit.name for hit in client.get(reverse("search") + "?q=exempt").context["hits"]] == ["Exemptions"]
    assert [hit.kind for hit in client.get(reverse("search") + "?q=e").context["hits"]] == ["page"] * 8
