"""An owner is asked by mail, once, and answers on a page of their own. No link changes anything by itself."""

from __future__ import annotations

import smtplib
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Account, AuditEvent
from hygiene.models import AccessKey, NoticeState, OwnerNotice, Principal
from hygiene.services import notices
from tests.factories import estate

pytestmark = pytest.mark.django_db
OWNER = "team-data@example.com"


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> AccessKey:
    monkeypatch.setattr("hygiene.tasks.send_owner_notices.delay", lambda *_: None)
    estate(5)
    return AccessKey.objects.select_related("account", "principal").get(principal__name="user-0000")


@pytest.fixture
def notice(key: AccessKey, operator: User) -> OwnerNotice:
    return notices.ask(key, actor=operator, now=timezone.now())


@pytest.fixture
def owner(person: Callable[..., User]) -> User:
    user = person("viewer", username="olga")
    user.email = OWNER.upper()
    user.save()
    return user


def test_the_mail_names_the_key_in_short_and_has_three_links(key: AccessKey, notice: OwnerNotice) -> None:
    assert notices.send(notice.pk, now=timezone.now).state == NoticeState.SENT
    sent = mail.outbox[0]
    assert sent.to == [OWNER]
    assert str(key.access_key_id) not in str(sent.body)
    assert str(sent.body).count(reverse("owner-answer", args=[notice.uuid])) == 3
    html = str(sent.alternatives[0][0]) if isinstance(sent, EmailMultiAlternatives) else ""
    assert html.count("?answer=") == 3


def test_it_is_sent_once_however_often_it_is_woken(notice: OwnerNotice) -> None:
    for _ in range(3):
        notices.send(notice.pk, now=timezone.now)
    assert len(mail.outbox) == 1
    assert notices.due(now=timezone.now() + timedelta(hours=1)) == []


def test_a_lost_wake_up_is_found_but_a_mail_that_may_have_left_is_not_sent_again(
    notice: OwnerNotice, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert notices.due(now=timezone.now() + timedelta(seconds=61)) == [notice.pk]

    def lose(*_: object, **__: object) -> int:
        raise smtplib.SMTPServerDisconnected("gone")

    monkeypatch.setattr("django.core.mail.EmailMultiAlternatives.send", lose)
    assert notices.send(notice.pk, now=timezone.now).state == NoticeState.UNCERTAIN
    assert notices.due(now=timezone.now() + timedelta(hours=1)) == []


def test_an_owner_is_not_asked_twice_in_a_day(key: AccessKey, operator: User, client_for: Callable[[User], Client]) -> None:
    client, asked = client_for(operator), {"key": str(key.uuid), "ask": "1"}
    assert client.post(reverse("owners-ask"), asked).headers["Location"] == reverse("key", args=[key.uuid])
    client.post(reverse("owners-ask"), asked)
    assert OwnerNotice.objects.count() == 1
    notices.ask(key, actor=operator, now=timezone.now() + timedelta(hours=25))


def test_a_key_without_an_owner_says_so(key: AccessKey, operator: User, client_for: Callable[[User], Client]) -> None:
    Account.objects.update(owner_email="")
    Principal.objects.update(owner="")
    client = client_for(operator)
    assert b"nobody to ask" in client.get(reverse("owners-ask"), {"key": str(key.uuid)}).content
    client.post(reverse("owners-ask"), {"key": str(key.uuid), "ask": "1"})
    assert OwnerNotice.objects.count() == 0
    assert b"no owner with a mail address" in client.get(reverse("key", args=[key.uuid])).content


def test_a_link_changes_nothing_and_a_post_keeps_the_answer(
    key: AccessKey, notice: OwnerNotice, owner: User, client_for: Callable[[User], Client], operator: User
) -> None:
    client, page = client_for(owner), reverse("owner-answer", args=[notice.uuid])
    assert b'value="in_use" checked' in client.get(f"{page}?answer=in_use").content
    notice.refresh_from_db()
    assert notice.answer == ""
    assert client.post(page, {"answer": "perhaps"}).status_code == 422
    assert client.post(page, {"answer": "in_use", "note": "nightly job"}).status_code == 302
    assert AuditEvent.objects.filter(action="owner.ask", outcome="answered", actor=owner).exists()
    shown = client_for(operator).get(reverse("key", args=[key.uuid])).content.decode()
    assert "“It is in use”, says olga: nightly job" in shown
    assert "In use, will break." in shown


def test_for_anybody_else_there_is_no_such_page(notice: OwnerNotice, operator: User, client_for: Callable[[User], Client]) -> None:
    client, page = client_for(operator), reverse("owner-answer", args=[notice.uuid])
    assert client.get(page).status_code == 404
    assert client.post(page, {"answer": "in_use"}).status_code == 404
    assert Client().get(page).status_code == 302
    notice.refresh_from_db()
    assert notice.answer == ""
