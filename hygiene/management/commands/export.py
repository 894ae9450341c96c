"""`manage.py export`: the whole inventory, streamed to standard output or a file."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from hygiene.services import exports, policies


class Command(BaseCommand):
    """Exports one kind of rows with the columns of the contract."""

    help = "Export keys, users, accounts, findings or the audit log."

    def add_arguments(self, parser: CommandParser) -> None:
        """What, how, where to."""
        parser.add_argument("kind", choices=sorted(exports.COLUMNS))
        parser.add_argument("--format", choices=exports.FORMATS, default="json")
        parser.add_argument("--output", type=Path, help="file to write; it appears only when it is whole")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write every row; a file that cannot be written is one sentence."""
        kind, output = options["kind"], options["output"]
        found = exports.rows(kind, policy=policies.load().installation, now=timezone.now())
        pieces = exports.render(found, exports.COLUMNS[kind], options["format"])
        if output is None:
            for piece in pieces:
                self.stdout.write(piece, ending="")
            return
        try:
            with tempfile.NamedTemporaryFile("w", dir=output.parent, delete=False, encoding="utf-8", newline="") as file:
                file.writelines(pieces)
            Path(file.name).replace(output)
        except OSError as error:
            raise CommandError(f"{output} cannot be written: {error.strerror}.") from error
        sys.stderr.write(f"Wrote {output}.\n")
