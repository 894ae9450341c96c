"""/healthz/live, /healthz/ready and /metrics: for machines, without sign-in, and truthful about each part."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import Account
from hygiene.celery_settings import beat_schedule, task_queues
from hygiene.models import Heartbeat
from hygiene.services import health
from hygiene.views import health as views

pytestmark = pytest.mark.django_db


@pytest.fixture
def broker_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "broker_answers", lambda: True)


@pytest.fixture
def whole(broker_is_up: None) -> None:
    for name in health.BEATS:
        health.beat(name, now=timezone.now())


def test_live_needs_no_sign_in_and_no_database(client: Client, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(0):
        answer = client.get("/healthz/live")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_ready_says_ok_for_each_part(client: Client, whole: None) -> None:
    answer = client.get("/healthz/ready")
    assert answer.status_code == 200
    assert answer.json() == {"status": "ok", "parts": dict.fromkeys(("database", "migrations", "broker", *health.BEATS), "ok")}


@pytest.mark.parametrize("name", health.BEATS)
def test_a_silent_part_is_named(client: Client, whole: None, name: str) -> None:
    Heartbeat.objects.filter(name=name).update(beaten_at=timezone.now() - timedelta(seconds=91))
    answer = client.get("/healthz/ready")
    assert answer.status_code == 503
    assert [part for part, state in answer.json()["parts"].items() if state != "ok"] == [name]
    assert answer.json()["parts"][name].startswith("silent since ")


def test_a_part_that_never_came_up_is_named(client: Client, whole: None) -> None:
    Heartbeat.objects.filter(name="worker:remediate").delete()
    answer = client.get("/healthz/ready")
    assert (answer.status_code, answer.json()["parts"]["worker:remediate"]) == (503, "never seen")


def test_a_broker_that_does_not_answer_is_named(client: Client, whole: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "broker_answers", lambda: False)
    answer = client.get("/healthz/ready")
    assert (answer.status_code, answer.json()["parts"]["broker"]) == (503, "no answer")


def test_a_database_that_does_not_answer_is_named(client: Client, broker_is_up: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*args: object, **kwargs: object) -> None:
        raise DatabaseError("gone")

    monkeypatch.setattr(health, "MigrationExecutor", fails)
    answer = client.get("/healthz/ready")
    assert (answer.status_code, answer.json()["parts"]) == (503, {"database": "no answer", "broker": "ok"})


def test_migrations_that_are_missing_are_counted(client: Client, whole: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'hygiene'")
    answer = client.get("/healthz/ready")
    assert answer.status_code == 503
    assert answer.json()["parts"]["migrations"].endswith(" not applied")


@pytest.mark.parametrize("path", ["/healthz/live", "/healthz/ready", "/metrics"])
def test_nothing_can_be_posted(client: Client, path: str) -> None:
    assert client.post(path).status_code == 405


@pytest.mark.parametrize(("path", "is_redirected"), [("/healthz/live", False), ("/metrics", False), ("/keys/", True)])
def test_machines_on_the_inner_network_are_not_sent_to_https(
    client: Client, settings: pytest.MonkeyPatch, path: str, is_redirected: bool
) -> None:
    settings.SECURE_SSL_REDIRECT = True  # type: ignore[attr-defined]  # pytest-django's settings take any name
    assert (client.get(path).status_code == 301) is is_redirected


def test_beat_sends_a_heartbeat_to_every_queue() -> None:
    schedule: dict[str, Any] = dict(beat_schedule)
    sent = {str(entry["args"][0]) for entry in schedule.values() if entry["task"] == "hygiene.tasks.beat_of_worker"}
    assert sent == {queue.name for queue in task_queues}
    assert {f"worker:{name}" for name in sent} | {"beat"} == set(health.BEATS)


@pytest.mark.parametrize(
    ("setting", "header"), [("", "Bearer "), ("", ""), ("right", ""), ("right", "Bearer wrong"), ("right", "Bearer é")]
)
def test_metrics_are_refused_without_the_token(client: Client, settings: pytest.MonkeyPatch, setting: str, header: str) -> None:
    settings.METRICS_TOKEN = setting  # type: ignore[attr-defined]  # pytest-django's settings take any name
    answer = client.get("/metrics", headers={"Authorization": header})
    assert answer.status_code == 403
    assert b"hygiene_" not in answer.content


def test_metrics_count_what_is_there(client: Client, settings: pytest.MonkeyPatch, whole: None) -> None:
    settings.METRICS_TOKEN = "right"  # type: ignore[attr-defined]  # pytest-django's settings take any name
    Account.objects.create(
        account_id="111122223333",
        name="prod",
        read_role_arn="arn:aws:iam::111122223333:role/r",
        external_id="x" * 20,
        created_at=timezone.now(),
        updated_at=timezone.now(),
    )
    answer = client.get("/metrics", headers={"Authorization": "Bearer right"})
    text = answer.content.decode()
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain; version=0.0.4")
    assert "hygiene_accounts 1.0" in text
    assert "hygiene_polls_unfinished 0.0" in text
    assert 'hygiene_heartbeat_age_seconds{name="worker:poll"}' in text


@pytest.mark.parametrize(
    ("header", "status"), [("Bearer right", 200), ("bearer right", 200), ("BEARER  right", 200), ("right", 403), ("Basic right", 403)]
)
def test_metrics_want_the_scheme_in_any_case(client: Client, settings: pytest.MonkeyPatch, header: str, status: int) -> None:
    settings.METRICS_TOKEN = "right"  # type: ignore[attr-defined]  # pytest-django's settings take any name
    assert client.get("/metrics", headers={"Authorization": header}).status_code == status
