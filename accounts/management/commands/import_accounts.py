"""`manage.py import_accounts FILE`: create and update accounts from CSV or JSON."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from accounts.registry import COLUMNS, ImportRefused, import_accounts, read_rows


class Command(BaseCommand):
    """Exit 0: all imported. 1: nothing imported, every bad row named. 2: wrong arguments."""

    help = f"Create and update accounts from a CSV or JSON file with the columns {', '.join(COLUMNS)}."

    def add_arguments(self, parser: CommandParser) -> None:
        """The file."""
        parser.add_argument("file", help="a CSV file, or a JSON list of objects; - for standard input")

    def handle(self, *args: Any, **options: Any) -> None:
        """Read, check everything, import all or nothing."""
        name = str(options["file"])
        try:
            raw = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
            text = raw.decode("utf-8-sig")
        except OSError as error:
            raise CommandError(f"{name} cannot be read: {error.strerror}.", returncode=2) from error
        except UnicodeDecodeError as error:
            raise CommandError(f"{name} is not UTF-8 (byte {error.start}).", returncode=2) from error
        try:
            rows = read_rows(text, is_json=name.endswith(".json") or text.lstrip()[:1] in ("[", "{"))
            done = import_accounts(rows, now=timezone.now())
        except ImportRefused as refused:
            for problem in refused.problems:
                self.stderr.write(f"line {problem.line}: {problem.problem}")
            raise CommandError(f"Nothing was imported: {len(refused.problems)} problem(s) in {name}.") from refused
        self.stdout.write(f"{done.created} created, {done.updated} updated, {done.unchanged} unchanged.")
