"""Saved views: kept, shared, changed, removed, and as the start page; nobody changes another's."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from hygiene.models import Preferences, SavedView

pytestmark = pytest.mark.django_db
ClientFor = Callable[[User], Client]


def saved_by(client: Client, **changes: str) -> SavedView:
    values = {"page": "keys", "name": "Old ones", "q": "age:>90", "sort": "-age", "cols": "status,region", **changes}
    client.post(reverse("view-save"), values)
    return SavedView.objects.get(name=values["name"])


def test_a_view_keeps_query_sort_and_columns(client_for: ClientFor, viewer: User) -> None:
    client = client_for(viewer)
    saved = saved_by(client)
    assert (saved.query, saved.sort, saved.columns, saved.is_shared) == ("age:>90", "-age", "status,region", False)
    page = client.get(reverse("keys") + f"?saved={saved.uuid}&q=age:>90&sort=-age&cols=status,region").content.decode()
    assert "Old ones" in page
    assert ">edited<" not in page
    assert ">edited<" in client.get(reverse("keys") + f"?saved={saved.uuid}&q=age:>30&sort=-age&cols=status,region").content.decode()


def test_saving_the_same_name_again_replaces_it(client_for: ClientFor, viewer: User) -> None:
    client = client_for(viewer)
    saved_by(client)
    assert saved_by(client, q="age:>365").query == "age:>365"
    assert SavedView.objects.count() == 1


def test_others_see_a_view_only_when_it_is_shared(client_for: ClientFor, viewer: User, operator: User) -> None:
    mine = saved_by(client_for(operator))
    assert "Old ones" not in client_for(viewer).get(reverse("keys")).content.decode()
    saved_by(client_for(operator), is_shared="1")
    assert "Old ones" in client_for(viewer).get(reverse("keys")).content.decode()
    assert "Old ones" not in client_for(viewer).get(reverse("users")).content.decode()
    assert client_for(viewer).post(reverse("view-remove", args=[mine.uuid])).status_code == 404
    assert SavedView.objects.filter(pk=mine.pk).exists()


def test_the_owner_removes_a_view_and_whoever_started_with_it_starts_with_the_overview(client_for: ClientFor, viewer: User) -> None:
    client = client_for(viewer)
    saved = saved_by(client)
    client.post(reverse("view-start", args=[saved.uuid]))
    assert client.get(reverse("start"))["Location"].startswith("/keys/?q=age")
    client.post(reverse("view-remove", args=[saved.uuid]))
    assert Preferences.objects.get(user=viewer).start_view is None
    assert client.get(reverse("start"))["Location"] == "/"


def test_the_start_page_can_be_taken_back(client_for: ClientFor, viewer: User) -> None:
    client = client_for(viewer)
    saved = saved_by(client)
    for expected in ("/keys/", "/"):
        client.post(reverse("view-start", args=[saved.uuid]))
        assert client.get(reverse("start"))["Location"].partition("?")[0] == expected


@pytest.mark.parametrize("changes", [{"page": "nowhere"}, {"name": ""}, {"name": "x" * 65}])
def test_a_view_without_a_page_or_a_name_is_refused(changes: dict[str, str], client_for: ClientFor, viewer: User) -> None:
    assert client_for(viewer).post(reverse("view-save"), {"page": "keys", "name": "a", **changes}).status_code == 400
    assert not SavedView.objects.exists()


def test_who_may_not(client_for: ClientFor, person: Callable[..., User], viewer: User) -> None:
    urls = [reverse("view-save"), *(reverse(name, args=[uuid4()]) for name in ("view-remove", "view-start"))]
    assert [client_for(viewer).get(url).status_code for url in urls] == [405] * 3
    nobody = client_for(person(None))
    assert [nobody.post(url).status_code for url in urls] == [403] * 3
    assert [Client().post(url).status_code for url in urls] == [302] * 3
    assert [client_for(viewer).post(url).status_code for url in urls[1:]] == [404] * 2
