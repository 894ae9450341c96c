"""A database of the benchmarks' own: made on the PostgreSQL that is there, dropped at the end; a SQLite file where there is none."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg

LOCAL = "postgres://postgres@127.0.0.1:5432/postgres"


def server() -> str | None:
    """Address of a PostgreSQL server: that of DATABASE_URL, or the one on this machine. None when none answers."""
    given = os.environ.get("DATABASE_URL", "")
    address = given if given.startswith("postgres") else LOCAL
    try:
        psycopg.connect(address, connect_timeout=2).close()
    except psycopg.Error:
        return None
    return address


@contextlib.contextmanager
def temporary(name: str) -> Iterator[str]:
    """DATABASE_URL of an empty database that lives as long as the block."""
    address = server()
    if address is None:
        with tempfile.TemporaryDirectory() as folder:
            yield f"sqlite:///{Path(folder) / name}.sqlite3"
        return
    unique = f"{name}_{os.getpid()}"
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{unique}"')  # type: ignore[call-overload,unused-ignore]  # a name made here
        try:
            yield urlunsplit(urlsplit(address)._replace(path=f"/{unique}"))
        finally:
            connection.execute(f'DROP DATABASE "{unique}" WITH (FORCE)')  # type: ignore[call-overload,unused-ignore]  # as above
