"""`manage.py create_demo_users`: logins of the demo, one for each role. Refused outside the demo."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group, User
from django.core.management.base import BaseCommand, CommandError, CommandParser

PEOPLE = {
    "n.adeyemi": ("Ngozi", "Adeyemi", "operator"),
    "j.okafor": ("Jide", "Okafor", "approver"),
    "t.haas": ("Tomas", "Haas", "approver"),
    "a.moreau": ("Anne", "Moreau", "administrator"),
    "m.larsen": ("Mette", "Larsen", "viewer"),
    "p.ibarra": ("Pilar", "Ibarra", "auditor"),
}


class Command(BaseCommand):
    """Makes the demo's people, all with one password."""

    help = "Make one login for each role (demo only)."

    def add_arguments(self, parser: CommandParser) -> None:
        """The password all demo logins get."""
        parser.add_argument("--password", required=True)

    def handle(self, *args: Any, **options: Any) -> None:
        """Idempotent; sets the password again."""
        if not settings.DEMO:
            raise CommandError("Demo logins are made only in the demo (DEMO=1). Use createsuperuser, or ask an administrator.")
        for username, (first, last, role) in PEOPLE.items():
            group = Group.objects.filter(name=role).first()
            if group is None:
                raise CommandError("The roles do not exist yet. Run create_roles first.")
            user, _ = User.objects.get_or_create(username=username)
            user.first_name, user.last_name, user.email = first, last, f"{username}@example.com"
            user.set_password(options["password"])
            user.save()
            user.groups.set([group])
            self.stdout.write(f"{username}\t{role}")
