"""Links to set a password: mailed once by the worker, good once, and kept nowhere."""

from __future__ import annotations

import io
import logging
import re
import smtplib
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
import structlog
from django.contrib.auth.models import User
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from accounts.models import AuditEvent
from hygiene import environment
from hygiene.models import Invitation
from hygiene.services import invitations
from hygiene.services.refused import Conflict
from hygiene.tasks import send_invitation
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db
NEW = "a-quite-new-password"


@pytest.fixture
def invited(person: Callable[..., User], administrator: User, now: datetime) -> User:
    found = person("viewer", username="nora", first_name="Nora")
    found.set_unusable_password()
    found.save()
    invitations.ask(found, actor=administrator, now=now)
    return found


def link_in(text: str) -> str:
    found = re.search(r"https?://[^/]+(/auth/password/reset/key/\S+)", text)
    assert found is not None
    return found[1]


def outcomes() -> list[tuple[str, str]]:
    return list(AuditEvent.objects.filter(action="person.invite").order_by("sequence").values_list("outcome", "actor_name"))


def test_the_mail_goes_out_once_and_its_link_sets_a_password_once(invited: User) -> None:
    send_invitation(invited.pk)
    send_invitation(invited.pk)
    assert (len(mail.outbox), mail.outbox[0].to, Invitation.objects.get().state) == (1, ["nora@example.com"], "sent")
    assert outcomes() == [("requested", "administrator"), ("sent", "Key Hygiene")]
    body = str(mail.outbox[0].body)
    for words in ("added you to Key Hygiene", "works once, and for 3 days", "sign in as nora"):
        assert words in body
    sent = mail.outbox[0]
    assert isinstance(sent, EmailMultiAlternatives)
    assert link_in(body) in str(sent.alternatives[0][0])
    client, link = Client(), link_in(body)
    form = client.get(link)["Location"]
    page = client.get(form).content.decode()
    assert ("Set a password" in page, link.split("-", 1)[1] in page) == (True, False)
    assert b"too short" in client.post(form, {"password1": "short", "password2": "short"}).content
    done = client.post(form, {"password1": NEW, "password2": NEW}, follow=True)
    assert b"Your password is set" in done.content
    assert User.objects.get(pk=invited.pk).check_password(NEW)
    again = Client().get(link)
    assert b"This link does not work any more" in again.content
    signed_in = client.post(reverse("account_login"), {"login": "nora", "password": NEW})
    assert signed_in.status_code == 302


def test_the_link_is_in_no_row_and_no_log(invited: User, settings: Settings) -> None:
    send_invitation(invited.pk)
    link = link_in(str(mail.outbox[0].body))
    token = link.rstrip("/").rsplit("/", 1)[1].split("-", 1)[1]
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608  # names of our own tables
            assert token not in repr(cursor.fetchall()), table
    config = environment.logging("json", "INFO")
    handler = logging.StreamHandler(written := io.StringIO())
    formatter = dict(config["formatters"]["structured"])
    handler.setFormatter(formatter.pop("()")(**formatter))
    logger = logging.getLogger("django_structlog")
    logger.addHandler(handler)
    before, level = structlog.get_config(), logger.level
    logger.setLevel(logging.INFO)
    try:
        Client().get(link, {"next": "secret"})
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
        structlog.configure(**before)
    assert "request_finished" in written.getvalue()
    assert "/password/reset/key/" in written.getvalue()
    assert token not in written.getvalue()
    assert "secret" not in written.getvalue()


def test_a_mail_server_that_refuses_or_is_silent_is_told(invited: User, monkeypatch: pytest.MonkeyPatch, now: datetime) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise smtplib.SMTPRecipientsRefused({"nora@example.com": (550, b"unknown")})

    monkeypatch.setattr("django.core.mail.EmailMultiAlternatives.send", refuse)
    send_invitation(invited.pk)
    row = Invitation.objects.get()
    assert (row.state, "refused" in row.error, row.sent_at) == ("failed", True, None)
    assert invitations.due(now=now + timedelta(days=1)) == []


def test_a_lost_wake_up_is_made_good_and_a_deactivated_person_gets_nothing(invited: User, now: datetime) -> None:
    assert invitations.due(now=now + timedelta(seconds=59)) == []
    assert invitations.due(now=now + timedelta(seconds=60)) == [invited.pk]
    User.objects.update(is_active=False)
    send_invitation(invited.pk)
    assert (mail.outbox, Invitation.objects.get().error) == ([], "The person is deactivated.")


def test_what_cannot_be_mailed_is_refused(invited: User, administrator: User, settings: Settings, now: datetime) -> None:
    settings.EMAIL_BACKEND = invitations.PRINTED
    with pytest.raises(Conflict, match=r"manage\.py password_link nora"):
        invitations.ask(invited, actor=administrator, now=now)
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    invited.email = ""
    with pytest.raises(Conflict, match="no e-mail address"):
        invitations.ask(invited, actor=administrator, now=now)
    invited.is_active = False
    with pytest.raises(Conflict, match="deactivated"):
        invitations.ask(invited, actor=administrator, now=now)


def test_where_mails_stay_in_the_house_the_page_says_how_a_link_is_made(
    invited: User, administrator: User, client_for: Callable[[User], Client], settings: Settings
) -> None:
    settings.EMAIL_BACKEND = invitations.PRINTED
    client = client_for(administrator)
    assert "manage.py password_link nora" in client.get(reverse("person", args=[invited.pk])).content.decode()
    answer = client.post(reverse("person-invite", args=[invited.pk]))
    assert (answer.status_code, "manage.py password_link nora" in answer.content.decode()) == (409, True)
    added = client.post(reverse("person-new"), {"username": "omar", "email": "omar@example.com", "roles": "viewer", "sees": "all"})
    assert (added.status_code, Invitation.objects.filter(user__username="omar").exists()) == (302, False)


def test_the_command_prints_a_link_that_works(person: Callable[..., User]) -> None:
    nora, out = person("viewer", username="nora"), io.StringIO()
    call_command("password_link", "nora", stdout=out)
    client = Client()
    form = client.get(link_in(out.getvalue()))["Location"]
    client.post(form, {"password1": NEW, "password2": NEW})
    nora.refresh_from_db()
    assert (nora.check_password(NEW), nora.check_password(PASSWORD)) == (True, False)
    assert outcomes() == [("printed", "manage.py")]
    for name, words in (("nobody", "nobody called nobody"), ("nora", "deactivated")):
        User.objects.update(is_active=False)
        with pytest.raises(CommandError, match=words):
            call_command("password_link", name)
