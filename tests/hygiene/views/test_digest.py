"""The digest's pages: who may, what a press does, and stopping it from a mail."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks

from accounts.models import AuditEvent
from hygiene.models import DigestDelivery, DigestSubscription
from hygiene.services import digests
from tests.factories import estate

pytestmark = pytest.mark.django_db


@pytest.fixture
def woken(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    found: list[int] = []
    monkeypatch.setattr("hygiene.tasks.send_digest.delay", found.append)
    return found


def test_the_preview_is_a_frame_with_its_own_policy(client_for: Callable[[User], Client], viewer: User) -> None:
    estate(5)
    client = client_for(viewer)
    page = client.get(reverse("digest"))
    assert "sandbox" in page.content.decode()
    frame = client.get(reverse("digest-frame"))
    assert frame["Content-Security-Policy"] == "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; sandbox"
    assert frame["X-Frame-Options"] == "SAMEORIGIN"
    assert "style=" in frame.content.decode()


def test_send_to_me_now_claims_a_row_and_wakes_a_worker_once_a_minute(
    client_for: Callable[[User], Client],
    viewer: User,
    woken: list[int],
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    client = client_for(viewer)
    for _ in range(2):
        with django_capture_on_commit_callbacks(execute=True):
            assert client.post(reverse("digest-send")).status_code == 302
    assert woken == [DigestDelivery.objects.get().pk]
    assert AuditEvent.objects.get(action="digest.send").actor == viewer
    assert "less than a minute ago" in client.get(reverse("digest")).content.decode()


def test_settings_are_saved_with_an_audit_row_or_say_what_is_wrong(client_for: Callable[[User], Client], viewer: User) -> None:
    client = client_for(viewer)
    values = {"is_on": "on", "weekday": "4", "at": "17:30", "time_zone": "Europe/London"}
    assert client.post(reverse("digest-settings"), values).status_code == 302
    row = DigestSubscription.objects.get(user=viewer)
    assert (row.weekday, row.hour, row.minute, row.time_zone, row.send_when_unchanged) == (4, 17, 30, "Europe/London", False)
    assert AuditEvent.objects.get(action="digest.settings").after["hour"] == 17
    wrong = client.post(reverse("digest-settings"), {**values, "time_zone": "Mars/Base"})
    assert wrong.status_code == 422
    assert "IANA name" in wrong.content.decode()


@pytest.mark.parametrize("name", ["digest-send", "digest-settings"])
def test_a_post_needs_the_method_the_sign_in_and_the_role(
    name: str, client_for: Callable[[User], Client], person: Callable[..., User]
) -> None:
    nobody = client_for(person(None))
    assert nobody.post(reverse(name)).status_code == 403
    assert nobody.get(reverse(name)).status_code == 405
    assert Client().post(reverse(name)).status_code == 302
    assert DigestDelivery.objects.count() == 0


def test_the_link_of_a_mail_stops_it_by_a_post_alone(viewer: User) -> None:
    row = digests.subscription_of(viewer, now=timezone.now())
    url, client = reverse("digest-unsubscribe", args=[row.uuid]), Client(enforce_csrf_checks=True)
    assert "Stop the weekly digest?" in client.get(url).content.decode()
    row.refresh_from_db()
    assert row.is_on
    assert "is stopped" in client.post(url, {"List-Unsubscribe": "One-Click"}).content.decode()
    row.refresh_from_db()
    assert not row.is_on
    assert client.get(reverse("digest-unsubscribe", args=[uuid4()])).status_code == 404


def test_history_shows_ones_own_and_everything_to_an_auditor(
    client_for: Callable[[User], Client], viewer: User, operator: User, auditor: User
) -> None:
    digests.claim_now(operator, now=timezone.now())
    assert "to operator@example.com" not in client_for(viewer).get(reverse("digest")).content.decode()
    assert "to operator@example.com" in client_for(auditor).get(reverse("digest")).content.decode()
