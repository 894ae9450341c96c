"""Mails where no mail server is set: printed on standard output, which is a log, so without the links that set a password."""

from __future__ import annotations

from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.core.mail.backends import console

from hygiene.environment import without_one_time_links


class EmailBackend(console.EmailBackend):
    """Django's console backend, for logs that others may read. `manage.py password_link` makes a link on the server."""

    def write_message(self, message: EmailMessage) -> None:
        """Print one mail; its links that set a password are cut short in every part."""
        message.body = without_one_time_links(str(message.body))
        if isinstance(message, EmailMultiAlternatives):
            parts, message.alternatives = message.alternatives, []
            for content, mimetype in parts:
                message.attach_alternative(without_one_time_links(str(content)), mimetype)
        super().write_message(message)
