"""One laboratory for tests that fork and kill workers, on the database that this run is about, and one demo in real processes."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from tests.demo_process import start_demo, until
from tests.faults.laboratory import Laboratory
from tests.faults.laboratory import laboratory as opened
from tests.faults.long_form import FULL, figures
from tests.faults.processes import ACCOUNT, Estate


@contextlib.contextmanager
def empty_database(folder: Path) -> Iterator[str]:
    """DATABASE_URL of an empty database beside that of the run: on its PostgreSQL, or a file."""
    address = os.environ.get("DATABASE_URL", "")
    if not address.startswith("postgres"):
        yield f"sqlite:///{folder}/laboratory.sqlite3"
        return
    name = f"faults_{os.getpid()}"
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')  # type: ignore[call-overload,unused-ignore]  # a name made here
        try:
            yield urlunsplit(urlsplit(address)._replace(path=f"/{name}"))
        finally:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')  # type: ignore[call-overload,unused-ignore]  # as above


@pytest.fixture(scope="session")
def laboratory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laboratory]:
    folder = tmp_path_factory.mktemp("laboratory")
    with (
        empty_database(folder) as database,
        opened(folder, database, serial=1, users=400 if FULL else 40, accounts=420 if FULL else 24) as found,
    ):
        yield found


@pytest.fixture(scope="session")
def estate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    demo = start_demo(tmp_path_factory.mktemp("faults"))
    try:
        query = (
            "select count(*) from hygiene_poll p join accounts_account a on a.id = p.account_id"
            " where a.account_id = ? and p.finished_at is not null"
        )
        until(lambda: bool(demo.rows(query, ACCOUNT)[0][0]), seconds=60, what="the first poll")
        yield Estate(demo)
    finally:
        demo.end()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What was done to workers in this run."""
    if FULL and figures():
        terminalreporter.section("workers killed and frozen")
        terminalreporter.write_line("\n".join(figures()))
