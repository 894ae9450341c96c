"""What administrators see of the installation on the settings page: who sees it, what it says, and that no secret is in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from hygiene.services import policies, policy_changes
from hygiene.views.installation import lines

pytestmark = pytest.mark.django_db
ClientFor = Callable[[User], Client]
NAMES = (
    "OIDC_ISSUER",
    "EMAIL_URL",
    "METRICS_TOKEN",
    "AUDIT_RETENTION_DAYS",
    "DIGEST_SCHEDULE",
    "POLICY_PROFILE",
)


def said() -> dict[str, str]:
    return {line.setting: line.value for line in lines()}


def test_administrators_see_every_setting_by_its_name_and_others_do_not(
    client_for: ClientFor, administrator: User, operator: User, viewer: User
) -> None:
    page = client_for(administrator).get(reverse("settings")).content.decode()
    assert all(f"<small>{name}" in page for name in NAMES)
    for user in (operator, viewer):
        assert "<small>OIDC_ISSUER" not in client_for(user).get(reverse("settings")).content.decode()


def test_what_is_off_or_not_set_is_said(settings: Any) -> None:
    settings.SOCIALACCOUNT_PROVIDERS, settings.METRICS_TOKEN, settings.AUDIT_RETENTION_DAYS = {}, "", 0
    settings.EMAIL_BACKEND = "hygiene.printed_mail.EmailBackend"
    found = said()
    assert found["OIDC_ISSUER"] == "off"
    assert found["METRICS_TOKEN"] == "not set, so metrics are closed"
    assert found["AUDIT_RETENTION_DAYS"] == "kept for ever"
    assert found["EMAIL_URL"] == "printed in the log, none is sent"


def test_what_is_set_is_said_without_its_secret(settings: Any, client_for: ClientFor, administrator: User) -> None:
    app = {"provider_id": "sso", "name": "Okta", "client_id": "c-1", "secret": "s3cret-1", "settings": {"server_url": "https://id.example"}}
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": [app]}}
    settings.METRICS_TOKEN, settings.EMAIL_HOST_PASSWORD, settings.AUDIT_RETENTION_DAYS = "s3cret-2", "s3cret-3", 400
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    found = said()
    assert (found["OIDC_ISSUER"], found["METRICS_TOKEN"], found["AUDIT_RETENTION_DAYS"]) == ("on: Okta", "set", "kept for 400 days")
    assert found["EMAIL_URL"] == "handed to a mail server"
    assert "s3cret" not in client_for(administrator).get(reverse("settings")).content.decode()


def test_a_profile_that_somebody_chose_is_said_to_come_from_the_policy_page(administrator: User) -> None:
    assert "nobody has chosen one" in lines()[-1].note
    policy_changes.set_profile("cis-3.0", actor=administrator, now=timezone.now())
    policies.forget()
    assert "chosen on the policy page" in lines()[-1].note
