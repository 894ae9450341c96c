"""Mails with a one-time link by which a person sets a password.

The link is made where it is sent, and kept nowhere: not in a row, in a message of the queue, in the audit log or in another log.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.contrib.auth.models import User
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.urls import reverse

from accounts import audit
from hygiene.models import Invitation, NoticeState
from hygiene.services import mailing
from hygiene.services.refused import Conflict

PRINTED = "hygiene.printed_mail.EmailBackend"
WAKE_AFTER = timedelta(seconds=60)


def can_mail() -> bool:
    """Whether mails leave the house. Where they are printed in a log, one with a link is of no use: the link is not printed."""
    return settings.EMAIL_BACKEND != PRINTED


def days_good() -> int:
    """For how many days a link is good, if it is not used before."""
    return int(settings.PASSWORD_RESET_TIMEOUT // 86_400)


@transaction.atomic
def ask(person: User, *, actor: User, now: datetime) -> Invitation:
    """Claim the mail; the caller wakes the sender. Raises Conflict if nothing can be mailed to the person."""
    if not can_mail():
        raise Conflict(
            f"Mails do not leave this installation. Make the link on the server: manage.py password_link {person.get_username()}"
        )
    if not person.is_active:
        raise Conflict(f"{person.get_username()} is deactivated.")
    if not person.email:
        raise Conflict(f"{person.get_username()} has no e-mail address.")
    row, _ = Invitation.objects.update_or_create(
        user=person, defaults={"asked_at": now, "try_at": None, "state": NoticeState.CLAIMED, "sent_at": None, "error": ""}
    )
    _record(person, "requested", now, actor=actor)
    return row


def due(*, now: datetime) -> list[int]:
    """Mails whose wake-up was lost, or that waited for the mail server.

    One that a sender took is not among them, whatever became of the sender.
    """
    waiting = Invitation.objects.filter(mailing.ready(now), asked_at__lte=now - WAKE_AFTER)
    return list(waiting.order_by("pk").values_list("pk", flat=True))


def send(user_pk: int, *, now: Callable[[], datetime]) -> None:
    """Send one claimed mail, at most once; it counts as uncertain from before the mail server is called until that has answered.

    If that cannot be asked the mail waits (`mailing`), and has a new link when it is sent.
    """
    mine = Invitation.objects.filter(mailing.ready(now()), pk=user_pk)
    asked_at = mine.values_list("asked_at", flat=True).first()
    if asked_at is None or not mine.filter(asked_at=asked_at).update(state=NoticeState.UNCERTAIN):
        return
    person = User.objects.get(pk=user_pk)
    delivered = mailing.Delivered(NoticeState.FAILED, "The person is deactivated.")
    if person.is_active:
        delivered = mailing.settle(mailing.deliver(_message(person)), asked_at=asked_at, now=now())
    with transaction.atomic():
        Invitation.objects.filter(pk=user_pk, asked_at=asked_at).update(**delivered.fields(now()))
        mailing.put_off(delivered, now=now())
        if delivered.is_settled:
            _record(person, str(delivered.state), now(), message=delivered.error)


def print_link(person: User, *, now: datetime) -> str:
    """A link for whoever works on the server, to be handed over by them. Raises Conflict for somebody deactivated."""
    if not person.is_active:
        raise Conflict(f"{person.get_username()} is deactivated.")
    _record(person, "printed", now, actor_name="manage.py")
    return link(person)


def link(person: User) -> str:
    """An address that sets the person's password, once, and until `days_good` are over."""
    key = default_token_generator.make_token(person)
    return f"{settings.SITE_ROOT}{reverse('account_reset_password_from_key', kwargs={'uidb36': user_pk_to_url_str(person), 'key': key})}"


def _message(person: User) -> EmailMultiAlternatives:
    context = {
        "name": person.get_full_name() or person.get_username(),
        "username": person.get_username(),
        "is_new": not person.has_usable_password(),
        "days": days_good(),
        "link": link(person),
        "site": settings.SITE_ROOT,
    }
    return mailing.compose("invitation", context, to=person.email)


def _record(person: User, outcome: str, now: datetime, **values: Any) -> None:
    audit.record(action="person.invite", outcome=outcome, now=now, target=person.get_username(), **values)
