"""`manage.py export`: a whole file or none, and one sentence when it cannot be written."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from hygiene.management.commands import export
from hygiene.services import exports
from tests.factories import estate

ROOT = Path(__file__).resolve().parents[2]
STDOUT = "/proc/self/fd/1"  # unlike /dev/stdout it cannot be replaced, whatever is wrong with the command
LONG = """
import sys, django
django.setup()
from django.core.management import execute_from_command_line
from hygiene.services import exports, policies
exports.render = lambda *_: ("x" * 999 + "\\n" for _ in range({lines}))
policies.load = lambda: type("Book", (), {{"installation": None}})
execute_from_command_line(["manage.py", "export", *sys.argv[1:]])
"""


def run(shell: str, *, lines: int = 1000) -> subprocess.CompletedProcess[str]:
    """A shell line in which `$EXPORT` is the command with so many lines of a thousand characters; it needs no database."""
    program = LONG.format(lines=lines)
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings", "PROGRAM": program, "PYTHON": sys.executable}
    words = ["bash", "-o", "pipefail", "-c", shell.replace("$EXPORT", '"$PYTHON" -c "$PROGRAM" keys')]
    return subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def written(output: Any) -> str:
    out = StringIO()
    call_command("export", "keys", output=output, stdout=out)
    return out.getvalue()


def refused(output: Any) -> tuple[int, str]:
    with pytest.raises(CommandError) as error:
        call_command("export", "keys", output=output)
    return error.value.returncode, str(error.value)


@pytest.mark.django_db
def test_a_file_is_replaced_also_behind_a_link(tmp_path: Path) -> None:
    estate(2)
    target, link = tmp_path / "keys.json", tmp_path / "link.json"
    target.write_text("old")
    link.symlink_to(target)
    written(str(link))
    assert link.is_symlink()
    assert len(json.loads(target.read_text())) == 3
    dangling = tmp_path / "dangling.json"
    dangling.symlink_to(tmp_path / "new.json")
    written(dangling)
    assert dangling.is_symlink()
    assert (tmp_path / "new.json").read_text() == target.read_text()
    assert len(list(tmp_path.iterdir())) == 4


@pytest.mark.django_db
def test_what_is_no_file_is_a_wrong_argument(tmp_path: Path) -> None:
    assert refused(str(tmp_path)) == (2, f"{tmp_path} is a directory; --output must name a file.")
    assert refused("") == refused(" ") == (2, "--output must name a file.")
    assert refused("/dev/null/x")[0] == 1
    assert refused(str(tmp_path / "none" / "keys.json")) == (1, f"{tmp_path}/none/keys.json cannot be written: No such file or directory.")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.django_db
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_file_that_cannot_be_finished_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def breaks(*_: Any) -> Iterator[str]:
        yield "[" * 100_000
        raise error

    (tmp_path / "keys.json").write_text("old")
    monkeypatch.setattr(exports, "render", breaks)
    with pytest.raises(CommandError if isinstance(error, OSError) else KeyboardInterrupt):
        call_command("export", "keys", output=str(tmp_path / "keys.json"))
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("keys.json", "old")]


def test_a_limit_of_the_file_size_is_one_sentence(tmp_path: Path) -> None:
    done = run(f"ulimit -f 100; $EXPORT --output {tmp_path}/keys.json")
    assert (done.returncode, done.stderr) == (1, f"CommandError: {tmp_path}/keys.json cannot be written: File too large.\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("where", ["", f"--output {STDOUT}"])
def test_a_reader_that_has_enough_ends_it_quietly(where: str) -> None:
    done = run(f"$EXPORT {where} | head -1")
    assert (done.returncode, done.stdout, done.stderr) == (1, "x" * 999 + "\n", "")


@pytest.mark.parametrize("lines", [1, 1000])
def test_a_full_standard_output_is_one_sentence(lines: int) -> None:
    done = run("$EXPORT > /dev/full", lines=lines)
    assert (done.returncode, done.stderr) == (1, "CommandError: Standard output cannot be written: No space left on device.\n")


def test_pipes_and_what_is_open_already_are_written_into(tmp_path: Path) -> None:
    done = run(f"cd {tmp_path}; mkfifo pipe; cat pipe > got & cd - > /dev/null; $EXPORT --output {tmp_path}/pipe; wait", lines=3)
    assert (done.returncode, done.stderr) == (0, f"Wrote {tmp_path}/pipe.\n")
    assert len((tmp_path / "got").read_text()) == 3000
    assert sorted(path.name for path in tmp_path.iterdir()) == ["got", "pipe"]
    run(f"echo before > {tmp_path}/log; $EXPORT --output {STDOUT} >> {tmp_path}/log", lines=1)
    assert (tmp_path / "log").read_text() == "before\n" + "x" * 999 + "\n"
    done = run(f"ulimit -f 100; $EXPORT --output {STDOUT} >> {tmp_path}/log")
    assert (done.returncode, done.stderr) == (1, f"CommandError: {STDOUT} cannot be written: File too large.\n")


@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/stderr", "/dev/full", "/dev/fd/1", STDOUT])
def test_devices_are_never_replaced(name: str) -> None:
    assert export._is_stream(name)
