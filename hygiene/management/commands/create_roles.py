"""`manage.py create_roles`: make or mend the groups of roles."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group, Permission
from django.core.management.base import BaseCommand

from hygiene.people import ROLES


class Command(BaseCommand):
    """Makes one group for each role and gives it exactly the role's permissions."""

    help = "Make or mend the groups viewer, operator, approver, administrator and auditor."

    def handle(self, *args: Any, **options: Any) -> None:
        """Idempotent."""
        for role, names in ROLES.items():
            group, _ = Group.objects.get_or_create(name=role)
            codes = [name.split(".")[1] for name in names]
            group.permissions.set(Permission.objects.filter(codename__in=codes, content_type__app_label__in=("accounts", "hygiene")))
        self.stdout.write(f"Roles are ready: {', '.join(ROLES)}.")
