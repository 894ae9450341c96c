"""`manage.py export`: the whole inventory, streamed to standard output or a file."""

from __future__ import annotations

import os
import stat
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TextIO

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from hygiene.services import exports, policies

OPEN_ALREADY = ("/dev/fd/", "/dev/stdout", "/dev/stderr", "/proc/")  # names of files that this process has open


class Command(BaseCommand):
    """Exports one kind of rows with all columns of `services.columns`. Exit 1: it cannot be written. 2: wrong arguments."""

    help = "Export keys, users, accounts, findings, exemptions, the queue or the audit log."

    def add_arguments(self, parser: CommandParser) -> None:
        """What, how, where to."""
        parser.add_argument("kind", choices=sorted(exports.COLUMNS))
        parser.add_argument("--format", choices=exports.FORMATS, default="json")
        parser.add_argument("--output", metavar="FILE", help="file to write; it appears only when it is whole")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write every row; a file that cannot be written is one sentence."""
        kind, output = options["kind"], options["output"]
        is_stream = output is not None and _is_stream(str(output))
        found = exports.rows(kind, policy=policies.load().installation, now=timezone.now())
        pieces = exports.render(found, exports.COLUMNS[kind], options["format"])
        try:
            if output is None:
                self._print(pieces)
                return
            if is_stream:
                with Path(output).open("a", encoding="utf-8", newline="") as stream:
                    stream.writelines(pieces)
            else:
                _replace(Path(os.path.realpath(output)), pieces)
        except BrokenPipeError:  # whoever read it has enough
            sys.exit(1)
        except OSError as error:
            raise CommandError(f"{output or 'Standard output'} cannot be written: {error.strerror}.") from error
        sys.stderr.write(f"Wrote {output}.\n")

    def _print(self, pieces: Iterable[str]) -> None:
        """To standard output. What it does not take is thrown away, so that nothing is tried again when the process ends."""
        try:
            for piece in pieces:
                self.stdout.write(piece, ending="")
            self.stdout.flush()
        except OSError:
            _forget(sys.stdout)
            raise


def _is_stream(output: str) -> bool:
    """Whether it is written straight into, as a pipe or a device; a file is replaced when all is there. Wrong for anything else."""
    if not output.strip():
        raise CommandError("--output must name a file.", returncode=2)
    try:
        mode = Path(output).stat().st_mode
    except FileNotFoundError:
        mode = stat.S_IFREG
    except OSError as error:
        raise CommandError(f"{output} cannot be written: {error.strerror}.") from error
    if stat.S_ISDIR(mode):
        raise CommandError(f"{output} is a directory; --output must name a file.", returncode=2)
    if stat.S_ISCHR(mode) or stat.S_ISFIFO(mode):
        return True
    if not stat.S_ISREG(mode):
        raise CommandError(f"{output} is no file, pipe or terminal.", returncode=2)
    return output.startswith(OPEN_ALREADY)


def _replace(target: Path, pieces: Iterable[str]) -> None:
    """The file with this content, or as it was before, and nothing beside it."""
    with tempfile.NamedTemporaryFile("w", dir=target.parent, delete=False, encoding="utf-8", newline="") as file:
        try:
            file.writelines(pieces)
            file.flush()
            Path(file.name).replace(target)
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise


def _forget(stream: TextIO) -> None:
    """Let what is still in its buffer go nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
