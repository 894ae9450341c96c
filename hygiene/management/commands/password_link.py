"""`manage.py password_link USERNAME`: a one-time link to set a password, for installations whose mails do not leave the house."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from hygiene.services import invitations
from hygiene.services.refused import Conflict


class Command(BaseCommand):
    """Prints the link and keeps it nowhere. Who makes one is an audit event."""

    help = "Print a one-time link by which a person sets a password. Hand it over yourself; it is good until it is used, for some days."

    def add_arguments(self, parser: CommandParser) -> None:
        """Whose password."""
        parser.add_argument("username")

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit 1 for somebody who is not there or is deactivated."""
        person = User.objects.filter(username=options["username"]).first()
        if person is None:
            raise CommandError(f"There is nobody called {options['username']}.")
        try:
            self.stdout.write(invitations.print_link(person, now=timezone.now()))
        except Conflict as error:
            raise CommandError(str(error)) from error
