"""`manage.py verify_audit`: walk the audit chain."""

from __future__ import annotations

import re
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import audit_chain


class Command(BaseCommand):
    """Exit 0: the whole chain holds. 1: it does not, with the first broken place. 2: wrong arguments."""

    help = "Walk the audit chain and name the first place where it was tampered with."

    def add_arguments(self, parser: CommandParser) -> None:
        """An anchor shows that nothing was cut off at the end."""
        parser.add_argument("--anchor", action="append", default=[], metavar="NUMBER:HASH", help="as a digest or an earlier run printed it")

    def handle(self, *args: Any, **options: Any) -> None:
        """Reads only."""
        found = audit_chain.walk([_anchor(word) for word in options["anchor"]])
        if found.broken:
            raise CommandError(found.broken)
        down = audit_chain.guards_down()
        if down:
            raise CommandError(f"The chain holds, but the database does not refuse changes of it: {', '.join(down)} is missing or off.")
        begin, (sequence, value) = audit_chain.checkpoint(), found.last
        if begin is not None:
            self.stdout.write(f"Events 1 to {begin.sequence} were removed by the retention rule, last on {begin.made_at:%Y-%m-%d}.")
        if not sequence:
            self.stdout.write("There are no events yet.")
            return
        count = sequence - found.first + 1
        agree = f" and agrees with {found.anchors} anchor{'s' if found.anchors != 1 else ''}" if found.anchors else ""
        self.stdout.write(f"The chain of {count} events holds{agree}. Anchor: {sequence}:{value}")


def _anchor(word: str) -> audit_chain.Anchor:
    found = re.fullmatch(r"\s*(\d+):([0-9a-f]{64})\s*", word)
    if found is None:
        raise CommandError(f"{word!r} is no anchor: give NUMBER:HASH.", returncode=2)
    return int(found[1]), found[2]
