"""The audit chain: whatever is done to it behind the product's back is found, and PostgreSQL refuses most of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from accounts import audit, audit_chain
from accounts.models import AuditAnchor, AuditCheckpoint, AuditEvent

pytestmark = pytest.mark.django_db
on_postgres = pytest.mark.skipif(connection.vendor != "postgresql", reason="triggers are PostgreSQL's")
TABLES = ("accounts_auditevent", "accounts_auditanchor", "accounts_auditcheckpoint")


@pytest.fixture(autouse=True)
def guarded(db: None) -> None:
    """As in production: the run's fixtures switch one trigger of each table off."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            for table in TABLES:
                cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


@pytest.fixture
def chain(now: datetime) -> tuple[int, str]:
    """Five events; their anchor."""
    audit.record_many(audit.Entry(action=f"test.{place}", outcome="succeeded", now=now) for place in range(5))
    return audit.last()


def tamper(*statements: str) -> None:
    """As somebody with the database's own rights would, past the triggers."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            for table in TABLES:
                cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        for statement in statements:
            cursor.execute(statement)
        if connection.vendor == "postgresql":
            for table in TABLES:
                cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def verify(*anchors: tuple[int, str]) -> str:
    out = StringIO()
    call_command("verify_audit", anchor=[f"{number}:{value}" for number, value in anchors], stdout=out)
    return out.getvalue()


def test_an_untouched_chain_holds_and_prints_its_anchor(chain: tuple[int, str]) -> None:
    assert verify() == f"The chain of 5 events holds. Anchor: 5:{chain[1]}\n"
    assert verify(chain) == f"The chain of 5 events holds and agrees with 1 anchor. Anchor: 5:{chain[1]}\n"


SWAPPED_ROWS = [
    "UPDATE accounts_auditevent SET sequence = 99 WHERE sequence = 2",
    "UPDATE accounts_auditevent SET sequence = 2 WHERE sequence = 3",
    "UPDATE accounts_auditevent SET sequence = 3 WHERE sequence = 99",
]


@pytest.mark.parametrize(
    ("statements", "words"),
    [
        (["UPDATE accounts_auditevent SET outcome = 'failed' WHERE sequence = 3"], "Event 3 .* was changed"),
        (["UPDATE accounts_auditevent SET actor_name = 'somebody' WHERE sequence = 1"], "Event 1 .* was changed"),
        (["UPDATE accounts_auditevent SET hash = previous_hash WHERE sequence = 5"], "Event 5 .* was changed"),
        (["UPDATE accounts_auditevent SET id = id + 1000 WHERE sequence = 2"], "Event 3 .* does not follow event 2"),
        (["DELETE FROM accounts_auditevent WHERE sequence = 3"], "Event 3 is missing"),
        (["DELETE FROM accounts_auditevent WHERE sequence = 1"], "Event 1 is missing"),
        (SWAPPED_ROWS, "Event 2 .* does not follow event 1"),
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


def _written_anew() -> None:
    """As somebody would who knows how the hashes are made: every link fits again."""
    previous = ""
    for event in list(AuditEvent.objects.order_by("sequence")):
        event.previous_hash, event.actor_name = previous, "somebody else"
        event.hash = previous = audit.hash_of(event)
        tamper(
            f"UPDATE accounts_auditevent SET previous_hash = '{event.previous_hash}', hash = '{event.hash}',"  # noqa: S608  # as an attacker
            f" actor_name = 'somebody else' WHERE sequence = {event.sequence}"
        )


def test_a_chain_written_anew_is_shown_by_an_anchor_that_went_out_in_a_mail(chain: tuple[int, str], now: datetime) -> None:
    given = audit.give_anchor("ana@example.com", now=now)
    assert given == f"{chain[0]}:{chain[1]}"
    assert "agrees with 1 anchor." in verify()
    _written_anew()
    with pytest.raises(CommandError, match=r"Event 5 .* is not the one that its anchor names"):
        verify()
    tamper("DELETE FROM accounts_auditanchor")
    assert "holds" in verify()
    with pytest.raises(CommandError, match=r"Event 5 .* is not the one that its anchor names"):
        verify(chain)


def test_events_cut_off_at_the_end_are_shown_by_an_anchor_that_went_out(chain: tuple[int, str], now: datetime) -> None:
    audit.give_anchor("ana@example.com", now=now)
    tamper("DELETE FROM accounts_auditevent WHERE sequence > 2")
    with pytest.raises(CommandError, match="Events after 2 are missing: an anchor names event 5"):
        verify()


def test_nothing_to_anchor_gives_no_anchor(now: datetime) -> None:
    assert (audit.give_anchor("ana@example.com", now=now), AuditAnchor.objects.count()) == ("", 0)


def test_an_anchor_that_is_none_is_a_wrong_argument() -> None:
    with pytest.raises(CommandError) as error:
        call_command("verify_audit", anchor=["yesterday"])
    assert error.value.returncode == 2


@pytest.fixture
def years(now: datetime) -> list[AuditEvent]:
    """One event a hundred days over a thousand days, the newest today."""
    return [audit.record(action=f"test.{age}", outcome="succeeded", now=now - timedelta(days=age)) for age in range(1000, -1, -100)]


def test_the_retention_rule_leaves_a_chain_that_verifies_and_says_so(years: list[AuditEvent], now: datetime) -> None:
    assert audit_chain.trim(keep_days=365, now=now) == 7
    assert AuditEvent.objects.order_by("sequence").values_list("action", flat=True)[0] == "test.300"
    told = AuditEvent.objects.get(action="audit.trim")
    assert told.message == f"Events 1 to 7, the last of {now - timedelta(days=400):%d %b %Y}, are older than 365 days."
    assert verify() == (
        f"Events 1 to 7 were removed by the retention rule, last on 2026-11-23.\nThe chain of 5 events holds. Anchor: 12:{told.hash}\n"
    )
    assert audit_chain.trim(keep_days=365, now=now) == 0
    assert audit_chain.trim(keep_days=365, now=now + timedelta(days=66)) == 0, "a clock that runs ahead of the newest event"
    audit.record(action="test.later", outcome="succeeded", now=now + timedelta(days=66))
    assert audit_chain.trim(keep_days=365, now=now + timedelta(days=66)) == 1
    assert verify((7, years[6].hash)).count("removed by the retention rule") == 1


def test_for_ever_is_for_ever(years: list[AuditEvent], now: datetime) -> None:
    assert (audit_chain.trim(keep_days=0, now=now), AuditEvent.objects.count()) == (0, 11)


def test_a_long_backlog_goes_in_steps(years: list[AuditEvent], now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_chain, "MOST_AT_ONCE", 4)
    assert [audit_chain.trim(keep_days=365, now=now) for _ in range(3)] == [4, 3, 0]
    assert "Events 1 to 7 were removed" in verify()


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("DELETE FROM accounts_auditevent WHERE action = 'test.300'", "Event 8 is missing"),
        ("DELETE FROM accounts_auditevent WHERE sequence = 12", "no event says that the retention rule did it"),
        ("UPDATE accounts_auditcheckpoint SET hash = 'x'", "does not follow event 7"),
        ("DELETE FROM accounts_auditcheckpoint", "Event 1 is missing"),
        ("UPDATE accounts_auditevent SET sequence = 5 WHERE sequence = 8", "Event 5 was put back"),
    ],
)
def test_tampering_with_what_was_kept_is_found(years: list[AuditEvent], now: datetime, statement: str, words: str) -> None:
    audit_chain.trim(keep_days=365, now=now)
    tamper(statement)
    with pytest.raises(CommandError, match=words):
        verify()


def test_removal_that_only_looks_like_the_retention_rule_is_found(chain: tuple[int, str], now: datetime) -> None:
    second = AuditEvent.objects.get(sequence=2)
    AuditCheckpoint.objects.create(sequence=2, hash=second.hash, removed=2, made_at=now)
    tamper("DELETE FROM accounts_auditevent WHERE sequence <= 2")
    with pytest.raises(CommandError, match="Events up to 2 were removed, and no event says"):
        verify()


def refused(statement: str) -> None:
    with pytest.raises(DatabaseError, match="only added"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


@on_postgres
@pytest.mark.postgres
@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("statement", ["UPDATE {} SET hash = 'x'", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
def test_postgresql_refuses_to_change_the_log(years: list[AuditEvent], now: datetime, table: str, statement: str) -> None:
    audit.give_anchor("ana@example.com", now=now)
    audit_chain.trim(keep_days=365, now=now)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    refused(statement.format(table))
    assert (AuditEvent.objects.count(), AuditAnchor.objects.count(), AuditCheckpoint.objects.count()) == (5, 1, 1)


@on_postgres
@pytest.mark.postgres
@pytest.mark.parametrize("trigger", audit_chain.GUARDS)
def test_a_trigger_that_is_off_is_found(chain: tuple[int, str], trigger: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {next(table for table in TABLES if trigger.startswith(table))} DISABLE TRIGGER {trigger}")
    with pytest.raises(CommandError, match=f"does not refuse changes of it: {trigger} is missing or off"):
        verify()
