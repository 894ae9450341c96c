"""Mails: made of templates, and handed to the mail server at most once. While that is away they wait, and one tries every 5 minutes.

A mail waits only if the server cannot have it: the connection did not come about, or it was refused for now (RFC 5321, replies 4yz).
After a day a mail that still waits has failed; a warning of a campaign waits until all its warnings start again (`grace`).
"""

from __future__ import annotations

import logging
import smtplib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage, EmailMultiAlternatives, get_connection
from django.db.models import Q
from django.template.loader import render_to_string

from hygiene.models import Invitation, NoticeState, OwnerNotice

RETRY_AFTER = timedelta(minutes=5)
TRIED_FOR = timedelta(days=1)
REFUSALS = (smtplib.SMTPResponseException, smtplib.SMTPRecipientsRefused, smtplib.SMTPNotSupportedError)
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Delivered:
    """What became of a mail; `claimed` means that it waits. `is_server_away`: so will every other mail."""

    state: NoticeState
    error: str = ""
    is_server_away: bool = False

    @property
    def is_settled(self) -> bool:
        """Whether nothing more is done for this mail."""
        return self.state != NoticeState.CLAIMED

    def fields(self, now: datetime) -> dict[str, Any]:
        """What the mail's row is to hold."""
        sent_at = now if self.state == NoticeState.SENT else None
        return {"state": self.state, "error": self.error, "sent_at": sent_at, "try_at": None if self.is_settled else now + RETRY_AFTER}


def text_of(template: str, context: dict[str, Any]) -> str:
    """A template of plain text: nothing of it is escaped."""
    return render_to_string(template, context, using="text")


def compose(name: str, context: dict[str, Any], *, to: str) -> EmailMultiAlternatives:
    """The mail of the templates `emails/NAME-subject.txt`, `-body.txt` and `-body.html` to one address."""
    subject, body = text_of(f"{name}-subject.txt", context), text_of(f"{name}-body.txt", context)
    headers = {"Auto-Submitted": "auto-generated"}
    message = EmailMultiAlternatives(" ".join(subject.split()), body, settings.DEFAULT_FROM_EMAIL, [to], headers=headers)
    message.attach_alternative(render_to_string(f"emails/{name}-body.html", context), "text/html")
    return message


def ready(now: datetime) -> Q:
    """Claimed mails that do not wait for another try."""
    return Q(state=NoticeState.CLAIMED) & (Q(try_at__isnull=True) | Q(try_at__lte=now))


def deliver(message: EmailMessage) -> Delivered:
    """Hand a mail over: sent, failed, uncertain, or still to be sent, with the reason. Never raises for the mail server."""
    connection = get_connection()
    try:
        connection.open()
    except (smtplib.SMTPException, OSError) as error:
        return Delivered(NoticeState.CLAIMED, f"The mail server cannot be asked: {words(error)}", is_server_away=True)
    message.connection = connection
    try:
        message.send()
    except REFUSALS as error:
        if _is_for_now(error):
            return Delivered(NoticeState.CLAIMED, f"The mail server does not take it now: {words(error)}")
        return Delivered(NoticeState.FAILED, f"The mail server refused it: {words(error)}")
    except (smtplib.SMTPException, OSError) as error:
        return Delivered(NoticeState.UNCERTAIN, f"The mail server gave no clear answer: {words(error)}")
    finally:
        close(connection)
    return Delivered(NoticeState.SENT)


def settle(delivered: Delivered, *, asked_at: datetime, now: datetime) -> Delivered:
    """The same, but failed if the mail has waited for a day."""
    if delivered.is_settled or now - asked_at < TRIED_FOR:
        return delivered
    return Delivered(NoticeState.FAILED, f"{delivered.error} It was tried for a day.", delivered.is_server_away)


def put_off(delivered: Delivered, *, now: datetime) -> None:
    """Where the server is away the other mails wait as well, so that only one of them finds out whether it is back."""
    if delivered.error and not delivered.is_settled:
        logger.warning("A mail waits: %s", delivered.error)
    if delivered.is_server_away:
        for rows in (OwnerNotice.objects, Invitation.objects):
            rows.filter(ready(now)).update(try_at=now + RETRY_AFTER)


def words(error: Exception) -> str:
    """What the server said, in one line."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, text = next(iter(error.recipients.values()))
        return f"{code} {_text(text)}"
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{error.smtp_code} {_text(error.smtp_error)}"
    return str(error) or type(error).__name__


def close(connection: Any) -> None:
    """End the connection; what the mail server says to that matters to nobody."""
    try:
        connection.close()
    except (smtplib.SMTPException, OSError):
        return


def _is_for_now(error: Exception) -> bool:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return all(400 <= code < 500 for code, _ in error.recipients.values())
    return isinstance(error, smtplib.SMTPResponseException) and 400 <= error.smtp_code < 500


def _text(said: bytes | str) -> str:
    return said.decode(errors="replace") if isinstance(said, bytes) else said
