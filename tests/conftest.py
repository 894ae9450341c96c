"""Fixtures that every test may use: the moment it is, people with roles, and closed sockets."""

from __future__ import annotations

import fcntl
import io
import os
import socket
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.core.management.commands import migrate
from django.db import connection
from django.test import Client

from hygiene.services import policies

LOOPBACK = ("127.", "localhost", "::1")
PASSWORD = "correct-horse-battery"
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # Playwright's sync API runs an event loop in the test's thread


@pytest.fixture(autouse=True, scope="session")
def only_loopback() -> Iterator[None]:
    """No test opens a connection to another machine."""
    original = socket.socket.connect

    def connect(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not str(address[0]).startswith(LOOPBACK):
            raise OSError(f"tests may not connect to {address}")
        original(self, address)

    setattr(socket.socket, "connect", connect)  # noqa: B010  # mypy knows the method as final
    yield
    setattr(socket.socket, "connect", original)  # noqa: B010  # as above


@pytest.fixture(scope="session")
def one_migration(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], None]]:
    """Of several processes on SQLite the first one migrates; the others copy what came of it. To be called once migrated."""
    if connection.vendor != "sqlite" or "PYTEST_XDIST_WORKER" not in os.environ:
        yield lambda: None
        return
    kept = tmp_path_factory.getbasetemp().parent / "migrated.sqlite3"
    with kept.with_suffix(".lock").open("w") as lock, pytest.MonkeyPatch.context() as patch:
        fcntl.flock(lock, fcntl.LOCK_EX)

        def copy(*_: Any, **__: Any) -> None:
            with closing(sqlite3.connect(kept)) as source:
                connection.ensure_connection()
                source.backup(connection.connection)

        def migrated() -> None:
            if not kept.exists():
                with closing(sqlite3.connect(kept)) as target:
                    connection.connection.backup(target)
            patch.undo()
            fcntl.flock(lock, fcntl.LOCK_UN)

        if kept.exists():
            patch.setattr(migrate.Command, "handle", copy)
        yield migrated


@pytest.fixture(scope="session")
def django_db_setup(one_migration: Callable[[], None], django_db_setup: None, django_db_blocker: Any) -> None:
    """A database with the roles, as every installation has them.

    Tests that commit empty their tables afterwards, the roles' and the audit log's too, which PostgreSQL refuses outside of tests.
    """
    with django_db_blocker.unblock():
        one_migration()
        call_command("create_roles", stdout=io.StringIO())
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                for table in ("accounts_auditevent", "accounts_auditanchor", "accounts_auditcheckpoint"):
                    cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER {table}_no_truncate")


@pytest.fixture(autouse=True)
def fresh_policy() -> None:
    """No test sees the policy that another one set."""
    policies.forget()


@pytest.fixture
def now() -> datetime:
    """The moment that tests call now: a Monday morning."""
    return datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


@pytest.fixture
def person(db: None) -> Callable[..., User]:
    """Makes people: `person("operator")`, `person("operator", username="bob")`, `person(None)` for somebody without a role."""

    def make(role: str | None, *, username: str = "", **fields: Any) -> User:
        if role and not Group.objects.filter(name=role).exists():
            call_command("create_roles", stdout=io.StringIO())
        user = User.objects.create_user(username or role or "nobody", f"{username or role or 'nobody'}@example.com", PASSWORD, **fields)
        if role:
            user.groups.add(Group.objects.get(name=role))
        return user

    return make


@pytest.fixture
def viewer(person: Callable[..., User]) -> User:
    """Somebody who may look."""
    return person("viewer")


@pytest.fixture
def operator(person: Callable[..., User]) -> User:
    """Somebody who may request changes."""
    return person("operator")


@pytest.fixture
def approver(person: Callable[..., User]) -> User:
    """Somebody who may approve the requests of others."""
    return person("approver")


@pytest.fixture
def administrator(person: Callable[..., User]) -> User:
    """Somebody who may change accounts."""
    return person("administrator")


@pytest.fixture
def auditor(person: Callable[..., User]) -> User:
    """Somebody who may read everything."""
    return person("auditor")


@pytest.fixture
def client_for() -> Callable[[User], Client]:
    """A signed-in test client."""

    def make(user: User) -> Client:
        client = Client()
        client.force_login(user, backend="hygiene.sign_in.RolesBackend")
        return client

    return make
