"""The button that looks into CloudTrail, its panel, and the rotation guide on a key's page."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from accounts.models import AuditEvent
from hygiene.models import AccessKey, RequestState, UsageEvidence
from tests.factories import estate

pytestmark = pytest.mark.django_db


@pytest.fixture
def woken(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    pks: list[int] = []
    monkeypatch.setattr("hygiene.tasks.look_into_trail.delay", pks.append)
    return pks


@pytest.fixture
def key() -> AccessKey:
    estate(5)
    return AccessKey.objects.select_related("principal").get(principal__name="user-0000")


def test_pressing_the_button_asks_a_worker_once(
    key: AccessKey,
    operator: User,
    client_for: Callable[[User], Client],
    woken: list[int],
    django_capture_on_commit_callbacks: Callable[..., object],
) -> None:
    client = client_for(operator)
    for _ in range(2):
        with django_capture_on_commit_callbacks(execute=True):  # type: ignore[attr-defined]  # a context manager
            answer = client.post(reverse("evidence-new", args=[key.uuid]), headers={"HX-Request": "true"})
        assert b'hx-trigger="every 1s"' in answer.content
    look = UsageEvidence.objects.get()
    assert woken == [look.pk]
    assert AuditEvent.objects.filter(action="key.look_into_trail", outcome="requested").count() == 1


def test_without_javascript_the_page_reloads_itself_until_it_is_done(
    key: AccessKey, operator: User, client_for: Callable[[User], Client], woken: list[int]
) -> None:
    client = client_for(operator)
    page = client.post(reverse("evidence-new", args=[key.uuid]), follow=True)
    assert page.redirect_chain == [(reverse("key-evidence", args=[key.uuid]), 302)]
    assert b'http-equiv="refresh"' in page.content
    UsageEvidence.objects.update(state=RequestState.FAILED, error="The role lacks cloudtrail:LookupEvents.")
    page = client.get(reverse("key-evidence", args=[key.uuid]))
    assert b"could not be read: The role lacks" in page.content
    assert b'http-equiv="refresh"' not in page.content


def test_who_may_not_ask_sees_why(key: AccessKey, viewer: User, client_for: Callable[[User], Client], woken: list[int]) -> None:
    client = client_for(viewer)
    assert client.post(reverse("evidence-new", args=[key.uuid])).status_code == 403
    assert b"Look into CloudTrail<span" in client.get(reverse("key", args=[key.uuid])).content
    assert not UsageEvidence.objects.exists()


def test_a_root_key_is_not_asked_about(operator: User, client_for: Callable[[User], Client], woken: list[int]) -> None:
    estate(1)
    root = AccessKey.objects.filter(principal__is_root=True)[0]
    assert client_for(operator).post(reverse("evidence-new", args=[root.uuid])).status_code == 409


def test_a_key_over_its_age_shows_how_to_rotate_it_and_a_young_one_does_not(
    key: AccessKey, viewer: User, client_for: Callable[[User], Client]
) -> None:
    client = client_for(viewer)
    assert b"Create a second key" in client.get(reverse("key", args=[key.uuid])).content
    young = AccessKey.objects.get(principal__name="user-0001")
    assert b"Create a second key" not in client.get(reverse("key", args=[young.uuid])).content


def test_the_dialog_that_disables_one_key_says_what_will_break(
    key: AccessKey, operator: User, client_for: Callable[[User], Client]
) -> None:
    client, used = client_for(operator), AccessKey.objects.get(principal__name="user-0001")
    for row, verdict in ((key, "Nothing is known to break."), (used, "In use, will break.")):
        form = {"key": str(row.uuid), "action": "disable"}
        assert verdict in client.post(reverse("plan-new"), form, headers={"HX-Request": "true"}).content.decode()
