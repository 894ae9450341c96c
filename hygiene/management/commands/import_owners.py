"""`manage.py import_owners FILE`: who owns which users, from a list that people keep."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from hygiene.services import policies
from hygiene.services.owner_import import COLUMNS, ImportRefused, import_owners, read_rows


class Command(BaseCommand):
    """Exit 0: all imported. 1: nothing imported, every bad row named. 2: wrong arguments."""

    help = f"Import owners of users from a CSV file with columns of {', '.join(COLUMNS)}; one of the first three in each row."

    def add_arguments(self, parser: CommandParser) -> None:
        """The file, and whether it is the whole list."""
        parser.add_argument("file", help="a CSV file; - for standard input")
        parser.add_argument("--replace", action="store_true", help="the file is the whole list: entries that are not in it go")

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
            book = policies.load()
            done = import_owners(read_rows(text), replace=options["replace"], policies=book.for_account, now=timezone.now())
        except ImportRefused as refused:
            for line, problem in refused.problems:
                self.stderr.write(f"line {line}: {problem}")
            raise CommandError(f"Nothing was imported: {len(refused.problems)} problem(s) in {name}.") from refused
        counts = f"{done.created} created, {done.updated} updated, {done.unchanged} unchanged, {done.removed} removed"
        self.stdout.write(f"{counts}. {done.users} users have another owner now.")
