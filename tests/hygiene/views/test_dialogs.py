"""Asking owners and exempting open as dialogs over the page, and are pages of their own without scripts."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from hygiene.models import AccessKey, Exemption, OwnerNotice, Principal
from tests.factories import estate

pytestmark = pytest.mark.django_db
ClientFor = Callable[[User], Client]
HTMX = {"HX-Request": "true", "HX-Target": "dialog"}


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> AccessKey:
    monkeypatch.setattr("hygiene.tasks.send_owner_notices.delay", lambda *_: None)
    estate(5)
    return AccessKey.objects.select_related("principal").get(principal__name="user-0000")


@pytest.mark.parametrize("name", ["owners-ask", "exemption-new"])
def test_a_link_opens_a_dialog_for_htmx_and_a_page_for_everybody_else(
    name: str, client_for: ClientFor, administrator: User, operator: User, key: AccessKey
) -> None:
    client = client_for(operator if name == "owners-ask" else administrator)
    dialog, page = (client.get(reverse(name), {"key": str(key.uuid)}, headers=headers) for headers in (HTMX, {}))
    assert dialog.content.decode().lstrip().startswith("<dialog")
    assert "data-cancel" in dialog.content.decode()
    assert "<h1" in page.content.decode()
    assert '<dialog class="dialog" aria-labelledby="dialog-heading"' not in page.content.decode()
    assert all("HX-Request" in answer.headers["Vary"] for answer in (dialog, page))


def test_asking_from_the_dialog_says_what_was_sent_and_stays_on_the_page(client_for: ClientFor, operator: User, key: AccessKey) -> None:
    client, keys = client_for(operator), [str(key.uuid)]
    dialog = client.post(reverse("owners-ask"), {"key": keys}, headers=HTMX).content.decode()
    assert "Ask 1 owner" in dialog
    answer = client.post(reverse("owners-ask"), {"key": keys, "ask": "1"}, headers=HTMX)
    assert (answer.status_code, OwnerNotice.objects.count()) == (200, 1)
    assert 'hx-swap-oob="beforeend:#toasts"' in answer.content.decode()
    assert "1 mail to owners, about 1 key." in answer.content.decode()


def test_exempting_from_the_dialog_shows_errors_in_it_and_then_the_page_anew(
    client_for: ClientFor, administrator: User, key: AccessKey
) -> None:
    client, url, said = client_for(administrator), reverse("exemption-new"), {"key": str(key.uuid), "save": "1"}
    wrong = client.post(url, said, headers=HTMX)
    assert wrong.status_code == 422
    assert wrong.content.decode().lstrip().startswith("<dialog")
    assert "Choose what is accepted, or every rule." in wrong.content.decode()
    assert Exemption.objects.count() == 0
    terms = {"is_every_rule": "on", "reason": "a device", "accepted_by": "olga", "ends_on": "2026-12-31"}
    answer = client.post(url, {**said, **terms}, headers=HTMX)
    assert answer.headers["HX-Refresh"] == "true"
    assert Exemption.objects.count() == 1
    assert "The exemption holds until" in client.get(reverse("keys")).content.decode()


def test_the_button_says_verb_and_count(client_for: ClientFor, administrator: User, key: AccessKey) -> None:
    client, url = client_for(administrator), reverse("exemption-new")
    keys = [str(row.uuid) for row in AccessKey.objects.filter(principal__is_root=False)[:3]]
    assert "Exempt 3 keys</button>" in client.get(url, {"key": keys}, headers=HTMX).content.decode()
    assert "Exempt 1 user</button>" in client.get(url, {"user": str(key.principal.uuid)}, headers=HTMX).content.decode()
    assert "Exempt 2 items</button>" in client.get(url, {"user": str(key.principal.uuid), "key": keys[:1]}).content.decode()


def menu(client: Client, user: str) -> str:
    html = client.get(reverse("users"), {"q": f"user:{user}"}).content.decode()
    return html.partition('<details class="facet row-menu">')[2].partition("</details>")[0]


def test_the_menu_of_a_user_acts_on_its_keys_asks_the_owner_and_exempts(
    client_for: ClientFor, operator: User, administrator: User, viewer: User, key: AccessKey
) -> None:
    found = menu(client_for(operator), "user-0000")
    assert "Disable its key…" in found
    assert f'name="key" value="{key.uuid}"' in found
    assert f'href="{reverse("owners-ask")}?key={key.uuid}"' in found
    assert "Exempt…" not in found
    exempts = menu(client_for(administrator), "user-0000")
    assert f'href="{reverse("exemption-new")}?user={key.principal.uuid}"' in exempts
    looks = menu(client_for(viewer), "user-0000")
    assert [word for word in ("Disable", "Ask owner", "Exempt") if word in looks] == []
    assert "Open this user" in looks


def test_the_menu_says_why_a_key_cannot_be_deleted_yet_and_offers_nothing_without_keys(
    client_for: ClientFor, operator: User, key: AccessKey
) -> None:
    client = client_for(operator)
    both = menu(client, "user-0004")
    assert "Disable its key…" in both
    assert "Delete its key…" in both
    none = menu(client, "user-0003")
    assert not AccessKey.objects.filter(principal=Principal.objects.get(name="user-0003")).exists()
    assert [word for word in ("Disable", "Delete", "Ask owner") if word in none] == []


def test_two_keys_of_a_user_go_into_one_plan(client_for: ClientFor, operator: User, key: AccessKey) -> None:
    AccessKey.objects.filter(principal__name="user-0001").update(principal=key.principal)
    client = client_for(operator)
    found = menu(client, "user-0000")
    assert "Disable its 2 keys…" in found
    keys = [part[:36] for part in found.split('name="key" value="')[1:]]
    answer = client.post(reverse("plan-new"), {"key": keys, "action": "disable"}, headers=HTMX)
    assert "Disable 2" in answer.content.decode()
