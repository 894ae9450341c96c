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

from accounts.models import Account, AuditEvent
from hygiene.models import DigestDelivery, DigestSubscription, SavedView
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


def test_scope_format_rhythm_and_a_view_are_chosen_in_the_form(client_for: Callable[[User], Client], viewer: User, operator: User) -> None:
    account, _ = estate(5)
    Account.objects.filter(pk=account.pk).update(organizational_unit="Root/Prod")
    made = {"page": "keys", "query": "age:>90", "created_at": timezone.now()}
    mine = SavedView.objects.create(user=viewer, name="Old", **made)
    others = SavedView.objects.create(user=operator, name="Secret", **made)
    client = client_for(viewer)
    values = {"is_on": "on", "weekday": "4", "at": "17:30", "time_zone": "UTC", "frequency": "daily", "is_plain": "on"}
    values["scope"] = "ou:Root/Prod"
    assert client.post(reverse("digest-settings"), {**values, "saved_view": mine.pk}).status_code == 302
    row = DigestSubscription.objects.get(user=viewer)
    assert (row.frequency, row.is_plain, row.scope, row.saved_view, row.is_own) == ("daily", True, "ou:Root/Prod", mine, True)
    page = client.get(reverse("digest")).content.decode()
    assert "OLD" in page
    assert "1 of 1 accounts reporting" in page
    numbers = {**values, "scope": "accounts", "accounts": "204811779021, 771433802256"}
    assert client.post(reverse("digest-settings"), numbers).status_code == 302
    assert DigestSubscription.objects.get(user=viewer).scope == "204811779021,771433802256"
    stranger = client.post(reverse("digest-settings"), {**numbers, "accounts": f"{account.account_id},999999999999"})
    assert (stranger.status_code, "999999999999 is no account that you see here." in stranger.content.decode()) == (422, True)
    for wrong in ({**numbers, "accounts": "12"}, {**values, "scope": "ou:Elsewhere"}, {**values, "saved_view": others.pk}):
        assert client.post(reverse("digest-settings"), wrong).status_code == 422
    assert "Secret" not in client.get(reverse("digest")).content.decode()


def test_the_address_of_the_settings_leads_to_the_page_with_the_form(client_for: Callable[[User], Client], viewer: User) -> None:
    assert client_for(viewer).get(reverse("digest-settings"))["Location"] == reverse("digest")


def test_the_preview_of_an_empty_scope_says_that_nothing_is_mailed(client_for: Callable[[User], Client], viewer: User) -> None:
    estate(5)
    client = client_for(viewer)
    assert "Nothing is mailed" not in client.get(reverse("digest")).content.decode()
    DigestSubscription.objects.filter(user=viewer).update(scope="999999999999")
    assert "Nothing is mailed: the digest is about 1 chosen account" in client.get(reverse("digest")).content.decode()


def test_an_administrator_sets_the_default_of_a_role(client_for: Callable[[User], Client], administrator: User, viewer: User) -> None:
    digests.subscription_of(viewer, now=timezone.now())
    client = client_for(administrator)
    values = {"role": "viewer", "weekday": "2", "at": "06:15", "time_zone": "Europe/London", "frequency": "weekly", "scope": ""}
    assert client.post(reverse("digest-default"), values).status_code == 302
    row = DigestSubscription.objects.get(user=viewer)
    assert (row.is_on, row.weekday, row.hour, row.minute, row.time_zone) == (False, 2, 6, 15, "Europe/London")
    assert AuditEvent.objects.get(action="digest.default").after["hour"] == 6
    assert client.post(reverse("digest-default"), {**values, "role": "owner"}).status_code == 400
    assert client.post(reverse("digest-default"), {**values, "time_zone": "Mars"}).status_code == 422
    assert "Defaults of roles" in client.get(reverse("digest")).content.decode()
    assert "Defaults of roles" not in client_for(viewer).get(reverse("digest")).content.decode()


def test_an_auditor_previews_the_digest_of_anybody_and_nobody_else_does(
    client_for: Callable[[User], Client], auditor: User, viewer: User, operator: User
) -> None:
    estate(5)
    for user in (viewer, operator):
        digests.subscription_of(user, now=timezone.now())
    page = client_for(auditor).get(reverse("digest") + "?for=operator").content.decode()
    assert "operator@example.com" in page
    assert "Send to me now" not in page
    assert client_for(auditor).get(reverse("digest-frame") + "?for=operator").status_code == 200
    assert client_for(auditor).get(reverse("digest") + "?for=nobody-here").status_code == 404
    for name in ("digest", "digest-frame"):
        assert client_for(viewer).get(reverse(name) + "?for=operator").status_code == 403


@pytest.mark.parametrize("name", ["digest-send", "digest-settings", "digest-default"])
def test_a_post_needs_the_method_the_sign_in_and_the_role(
    name: str, client_for: Callable[[User], Client], person: Callable[..., User]
) -> None:
    nobody = client_for(person(None))
    assert nobody.post(reverse(name)).status_code == 403
    assert nobody.get(reverse(name)).status_code == (403 if name == "digest-settings" else 405)
    assert Client().post(reverse(name)).status_code == 302
    assert DigestDelivery.objects.count() == 0


def test_the_link_of_a_mail_stops_it_by_a_post_alone(viewer: User) -> None:
    row = digests.subscription_of(viewer, now=timezone.now())
    url, client = reverse("digest-unsubscribe", args=[row.uuid]), Client(enforce_csrf_checks=True)
    assert "Stop the digest?" in client.get(url).content.decode()
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
