"""What every list says about itself: that it is empty and why, that newer data is there, how it is looked at."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Account, ScopeGrant
from hygiene.models import AccessKey, AccountStatus, SavedView
from tests.factories import estate

pytestmark = pytest.mark.django_db
ClientFor = Callable[[User], Client]


def test_a_list_that_is_empty_by_its_filter_says_so(client_for: ClientFor, viewer: User) -> None:
    estate(2)
    page = client_for(viewer).get(reverse("keys") + "?view=root&q=user:nobody").content.decode()
    assert "No key matches this filter in this view." in page
    assert 'href="?view=root" data-line="">Clear filters' in page


def test_a_list_that_is_empty_because_all_is_well_says_when_that_was_read(client_for: ClientFor, viewer: User) -> None:
    estate(2)
    AccessKey.objects.filter(principal__is_root=True).delete()
    page = client_for(viewer).get(reverse("keys") + "?view=root").content.decode()
    assert "No account has a root key." in page
    assert "Data from 14 min ago, 1 of 2 accounts not reporting." in page


def test_a_list_that_is_empty_because_nothing_was_read_leads_to_the_accounts(client_for: ClientFor, viewer: User) -> None:
    page = client_for(viewer).get(reverse("keys") + "?view=root").content.decode()
    assert "No account has a root key." not in page
    assert "Nothing was read from AWS yet" in page


def test_newer_data_is_offered_once_a_poll_ended_since(client_for: ClientFor, viewer: User) -> None:
    estate(2)
    client, ended = client_for(viewer), max(filter(None, AccountStatus.objects.values_list("last_polled_at", flat=True)))
    url, headers = reverse("newer"), {"HX-Request": "true", "HX-Current-URL": "http://testserver/keys/?view=action"}
    assert client.get(url, {"since": ended.isoformat()}, headers=headers).status_code == 204
    line = client.get(url, {"since": (ended - timedelta(seconds=1)).isoformat()}, headers=headers).content.decode()
    assert 'Newer data is ready. <a href="/keys/?view=action">Show it</a>' in line


def test_polls_outside_the_scope_are_nobodys_news(client_for: ClientFor, operator: User) -> None:
    estate(2)
    AccountStatus.objects.filter(account__name="data-lake").update(last_polled_at=timezone.now() + timedelta(hours=1))
    ScopeGrant.objects.create(user=operator, account=Account.objects.get(name="sandbox-07"))
    assert client_for(operator).get(reverse("newer"), {"since": timezone.now().isoformat()}).status_code == 204


@pytest.mark.parametrize("since", ["", "yesterday", "2026-11-25T10:00:00", "2026-99-99T10:00:00Z"])
def test_newer_than_what_is_asked_with_a_time(since: str, client_for: ClientFor, viewer: User) -> None:
    assert client_for(viewer).get(reverse("newer"), {"since": since}).status_code == 400


def save(client: Client, **changes: str) -> SavedView:
    client.post(reverse("view-save"), {"page": "keys", "name": "Old", "q": "age:>90", "density": "compact", **changes})
    return SavedView.objects.get(name="Old")


def test_a_saved_view_brings_its_density_and_keeps_it_until_it_is_saved(client_for: ClientFor, viewer: User) -> None:
    client = client_for(viewer)
    saved = save(client)
    address = f"{reverse('keys')}?saved={saved.uuid}&q=age:%3E90"
    assert 'data-density="compact"' in client.get(address).content.decode()
    assert 'data-density="comfortable"' in client.get(reverse("keys")).content.decode()
    changed = client.get(f"{address}&density=comfortable").content.decode()
    assert 'data-density="comfortable"' in changed
    assert ">edited<" in changed


def test_an_edited_view_of_ones_own_is_saved_again_with_one_button_and_a_shared_one_is_only_reset(
    client_for: ClientFor, viewer: User, operator: User
) -> None:
    saved = save(client_for(viewer), is_shared="1")
    address = f"{reverse('keys')}?saved={saved.uuid}&q=age:%3E30"
    own, others = (client_for(person).get(address).content.decode() for person in (viewer, operator))
    assert '<input type="hidden" name="name" value="Old">' in own
    assert '<input type="hidden" name="name" value="Old">' not in others
    assert all(">Reset</a>" in page for page in (own, others))
    assert save(client_for(viewer), q="age:>30").query == "age:>30"
