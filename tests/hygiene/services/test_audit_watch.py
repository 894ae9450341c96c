"""The daily walk over the audit chain."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from accounts import audit, audit_chain
from accounts.models import AuditEvent
from hygiene.models import Alert
from hygiene.services import audit_watch

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def events(now: datetime) -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            for table in audit_chain.GUARDED:
                cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
    audit.record_many(audit.Entry(action=f"test.{place}", outcome="succeeded", now=now) for place in range(3))


def tamper(statement: str) -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("ALTER TABLE accounts_auditevent DISABLE TRIGGER USER")
        cursor.execute(statement)
        if connection.vendor == "postgresql":
            cursor.execute("ALTER TABLE accounts_auditevent ENABLE TRIGGER USER")


def test_the_chain_is_walked_once_a_day_and_the_walk_is_an_event(now: datetime) -> None:
    told = audit_watch.check(now=now)
    assert told is not None
    assert (told.outcome, told.message) == ("succeeded", "Events 1 to 3 hold, and agree with 0 anchors.")
    assert audit_watch.check(now=now + timedelta(hours=23)) is None
    again = audit_watch.check(now=now + timedelta(hours=24))
    assert again is not None
    assert again.message == "Events 1 to 4 hold, and agree with 0 anchors."
    assert not Alert.objects.exists()


def test_a_chain_that_does_not_hold_is_an_alert_and_an_event(now: datetime) -> None:
    tamper("UPDATE accounts_auditevent SET outcome = 'failed' WHERE sequence = 2")
    told = audit_watch.check(now=now)
    assert told is not None
    assert told.outcome == "failed"
    assert Alert.objects.get().sentence.startswith("The audit log does not hold. Event 2 ")
    assert AuditEvent.objects.filter(action="alert.audit_broken").count() == 1


def test_the_page_says_when_the_chain_was_walked(now: datetime, auditor: User) -> None:
    told = audit_watch.check(now=now)
    assert told is not None
    client = Client()
    client.force_login(auditor, backend="hygiene.sign_in.RolesBackend")
    page = client.get("/audit/").content.decode()
    assert f"/audit/{told.uuid}/" in page
    assert "Verified" in page
