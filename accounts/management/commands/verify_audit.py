"""`manage.py verify_audit`: walk the audit chain."""

from __future__ import annotations

import re
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import audit


class Command(BaseCommand):
    """Exit 0: the whole chain holds. 1: it does not, with the first broken place. 2: wrong arguments."""

    help = "Walk the audit chain and name the first place where it was tampered with."

    def add_arguments(self, parser: CommandParser) -> None:
        """An anchor shows that nothing was cut off at the end."""
        parser.add_argument("--anchor", action="append", default=[], metavar="NUMBER:HASH", help="as an earlier run printed it")

    def handle(self, *args: Any, **options: Any) -> None:
        """Reads only."""
        anchors = {}
        for word in options["anchor"]:
            found = re.fullmatch(r"(\d+):([0-9a-f]{64})", word)
            if found is None:
                raise CommandError(f"{word!r} is no anchor: give NUMBER:HASH.", returncode=2)
            anchors[int(found[1])] = found[2]
        broken = audit.broken_at(anchors)
        if broken:
            raise CommandError(broken)
        sequence, value = audit.last()
        self.stdout.write(f"The chain of {sequence} events holds. Anchor: {sequence}:{value}" if sequence else "There are no events yet.")
