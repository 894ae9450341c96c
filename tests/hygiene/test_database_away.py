"""Commands without a database: one sentence, without the password, and exit 1."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hygiene.supervisor import free_port

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "s3cret/word"


def run(*words: str, database: str, **settings: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "SECRET_KEY": "x" * 50, "DATABASE_URL": database, **settings}
    return subprocess.run([sys.executable, "manage.py", *words], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("words", [("poll",), ("export", "keys"), ("sweep",), ("send_digest",), ("migrate",)])
def test_a_database_that_is_down_is_one_sentence(words: tuple[str, ...]) -> None:
    done = run(*words, database=f"postgres://hygiene:s3cret%2Fword@127.0.0.1:{free_port()}/hygiene")
    assert done.returncode == 1
    assert done.stderr.startswith("The database cannot be reached: ")
    assert "refused" in done.stderr
    assert done.stderr.endswith(" Check DATABASE_URL and that it runs.\n")
    assert len(done.stderr.splitlines()) == 1
    assert PASSWORD not in done.stderr


def test_a_file_that_cannot_be_opened_is_one_sentence(tmp_path: Path) -> None:
    done = run("sweep", database=f"sqlite:///{tmp_path}")
    expected = "The database cannot be reached: unable to open database file. Check DATABASE_URL and that it runs.\n"
    assert (done.returncode, done.stderr) == (1, expected)


def test_a_database_without_tables_is_not_told_as_away(tmp_path: Path) -> None:
    done = run("sweep", database=f"sqlite:///{tmp_path}/file.sqlite3")
    assert done.returncode == 1
    assert done.stderr.startswith("The database failed: no such table: ")
    assert done.stderr.endswith("Check that `manage.py migrate` was run, and try again.\n")


@pytest.mark.parametrize(("words", "settings"), [(("sweep", "--traceback"), {}), (("sweep",), {"DEBUG": "true"})])
def test_whoever_looks_for_the_cause_gets_the_traceback(tmp_path: Path, words: tuple[str, ...], settings: dict[str, str]) -> None:
    done = run(*words, database=f"sqlite:///{tmp_path}", **settings)
    assert done.returncode == 1
    assert "Traceback" in done.stderr
