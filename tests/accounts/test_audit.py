"""The audit chain: whatever is done to it behind the product's back is found, and PostgreSQL refuses most of it."""

from __future__ import annotations

from datetime import datetime
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from accounts import audit
from accounts.models import AuditEvent

pytestmark = pytest.mark.django_db
on_postgres = pytest.mark.skipif(connection.vendor != "postgresql", reason="triggers are PostgreSQL's")


@pytest.fixture
def chain(now: datetime) -> tuple[int, str]:
    """Five events; their anchor."""
    audit.record_many(audit.Entry(action=f"test.{place}", outcome="succeeded", now=now) for place in range(5))
    return audit.last()


def tamper(*statements: str) -> None:
    """As somebody with the database's own rights would, past the triggers."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("ALTER TABLE accounts_auditevent DISABLE TRIGGER USER")
        for statement in statements:
            cursor.execute(statement)


def verify(*anchors: tuple[int, str]) -> str:
    out = StringIO()
    call_command("verify_audit", anchor=[f"{number}:{value}" for number, value in anchors], stdout=out)
    return out.getvalue()


def test_an_untouched_chain_holds_and_prints_its_anchor(chain: tuple[int, str]) -> None:
    assert verify(chain) == f"The chain of 5 events holds. Anchor: 5:{chain[1]}\n"


@pytest.mark.parametrize(
    ("statements", "words"),
    [
        (["UPDATE accounts_auditevent SET outcome = 'failed' WHERE sequence = 3"], "Event 3 .* was changed"),
        (["DELETE FROM accounts_auditevent WHERE sequence = 3"], "Event 3 is missing"),
        (["DELETE FROM accounts_auditevent WHERE sequence = 1"], "Event 1 is missing"),
        (
            [
                "UPDATE accounts_auditevent SET sequence = 99 WHERE sequence = 2",
                "UPDATE accounts_auditevent SET sequence = 2 WHERE sequence = 3",
                "UPDATE accounts_auditevent SET sequence = 3 WHERE sequence = 99",
            ],
            "Event 2 .* does not follow event 1",
        ),
        (["DELETE FROM accounts_auditevent WHERE sequence > 3"], "Events after 3 are missing"),
        (["DELETE FROM accounts_auditevent"], "Events after 0 are missing"),
    ],
)
def test_tampering_is_found_and_named(chain: tuple[int, str], statements: list[str], words: str) -> None:
    tamper(*statements)
    with pytest.raises(CommandError, match=words):
        verify(chain)


def test_an_inserted_event_is_found(chain: tuple[int, str], now: datetime) -> None:
    tamper("UPDATE accounts_auditevent SET sequence = sequence + 100 WHERE sequence > 2")
    AuditEvent.objects.create(sequence=3, previous_hash="", hash="0" * 64, occurred_at=now, actor_name="x", action="x", outcome="x")
    with pytest.raises(CommandError, match=r"Event 3 .* does not follow event 2"):
        verify(chain)


def test_an_anchor_that_is_none_is_a_wrong_argument() -> None:
    with pytest.raises(CommandError) as error:
        call_command("verify_audit", anchor=["yesterday"])
    assert error.value.returncode == 2


@on_postgres
@pytest.mark.postgres
@pytest.mark.parametrize("statement", ["UPDATE accounts_auditevent SET outcome = 'x'", "DELETE FROM accounts_auditevent"])
def test_postgresql_refuses_to_change_the_log(chain: tuple[int, str], statement: str) -> None:
    with pytest.raises(DatabaseError, match="only added"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert AuditEvent.objects.count() == 5


@on_postgres
@pytest.mark.postgres
def test_postgresql_refuses_to_empty_the_log(chain: tuple[int, str]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE accounts_auditevent ENABLE TRIGGER accounts_auditevent_no_truncate")
    with pytest.raises(DatabaseError, match="only added"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("TRUNCATE accounts_auditevent CASCADE")
