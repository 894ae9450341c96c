"""Without a mail server mails are printed, and nobody can set a password with what a log holds."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.core.mail import EmailMessage, EmailMultiAlternatives, get_connection
from django.test import Client
from django.urls import reverse

from hygiene.environment import env

LINK = "http://127.0.0.1:8000/auth/password/reset/key/3-c8x1a9-0123456789abcdef/"


def test_without_a_mail_server_this_is_what_prints_mails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EMAIL_URL", raising=False)
    assert env.mail("EMAIL_URL") == {"EMAIL_BACKEND": "hygiene.printed_mail.EmailBackend"}


@pytest.mark.parametrize("is_html", [False, True])
def test_every_part_is_printed_without_its_link(capsys: pytest.CaptureFixture[str], is_html: bool) -> None:
    kind = EmailMultiAlternatives if is_html else EmailMessage
    message = kind("Set your password", f"Follow {LINK} soon.", "a@example.com", ["b@example.com"])
    if isinstance(message, EmailMultiAlternatives):
        message.attach_alternative(f'<a href="{LINK}">Set it</a>', "text/html")
    get_connection("hygiene.printed_mail.EmailBackend").send_messages([message])
    printed = capsys.readouterr().out
    assert "Set your password" in printed
    assert "0123456789abcdef" not in printed.replace("=\n", "")
    assert printed.count("[one-time]") == 1 + is_html


@pytest.mark.django_db
def test_a_forgotten_password_leaves_no_link_in_the_log(
    client: Client, settings: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.EMAIL_BACKEND = "hygiene.printed_mail.EmailBackend"  # type: ignore[attr-defined]  # pytest-django's settings take any name
    User.objects.create_user("ana", "ana@example.com", "x")
    client.post(reverse("account_reset_password"), {"email": "ana@example.com"})
    printed = capsys.readouterr().out.replace("=\n", "")
    assert "/auth/password/reset/key/" in printed
    assert "[one-time]" in printed
