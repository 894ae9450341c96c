"""Large exports: a worker makes the file from frozen rows, the queue has it, only the person who asked can fetch it, for a day."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from openpyxl import load_workbook

from accounts.models import Account, ScopeGrant
from hygiene.models import AccessKey, ExportJob, ExportState
from hygiene.services import background_exports, exports
from hygiene.tasks import make_export
from tests.factories import estate

pytestmark = pytest.mark.django_db
ClientFor = Callable[[User], Client]


@pytest.fixture(autouse=True)
def woken(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    found: list[int] = []
    monkeypatch.setattr("hygiene.tasks.make_export.delay", found.append)
    return found


def ask(client: Client, page: str = "keys", address: str = "?q=status:active&format=csv") -> ExportJob:
    assert client.post(reverse("export-new"), {"page": page, "address": address})["Location"] == reverse("queue")
    return ExportJob.objects.latest("pk")


def fetched(client: Client, job: ExportJob) -> bytes:
    answer = client.get(reverse("export-file", args=[job.uuid]))
    assert answer.status_code == 200
    return answer.getvalue()


def test_the_file_says_what_the_list_says(client_for: ClientFor, viewer: User) -> None:
    estate(5)
    client = client_for(viewer)
    job = ask(client, address="?q=status:active&sort=-age&format=csv")
    assert "5 rows as CSV" in client.get(reverse("queue")).content.decode()
    make_export(job.pk)
    lines = list(csv.reader(io.StringIO(fetched(client, job).decode())))
    direct = client.get(reverse("keys") + "?q=status:active&sort=-age&format=csv").getvalue().decode()
    assert lines[0][:2] == ["# Key Hygiene", "Query: status:active"]
    assert lines[1:] == list(csv.reader(io.StringIO(direct)))
    assert "Download" in client.get(reverse("queue")).content.decode()


def test_rows_are_those_when_it_was_asked_for(client_for: ClientFor, viewer: User) -> None:
    estate(5)
    client = client_for(viewer)
    job = ask(client)
    AccessKey.objects.filter(principal__is_root=False).update(status="inactive")
    make_export(job.pk)
    rows = list(csv.DictReader(io.StringIO(fetched(client, job).decode().partition("\r\n")[2])))
    assert (len(rows), {row["status"] for row in rows if row["is_root"] == "false"}) == (5, {"inactive"})


def test_shown_columns_and_spreadsheets_are_kept(client_for: ClientFor, viewer: User) -> None:
    estate(2)
    job = ask(client_for(viewer), address="?cols=status&format=xlsx&columns=visible")
    make_export(job.pk)
    book = load_workbook(io.BytesIO(fetched(client_for(viewer), job)))
    assert [cell.value for cell in next(book.worksheets[0].iter_rows())] == ["user_name", "user_arn", "is_root", "access_key_id", "status"]


@pytest.mark.parametrize("page", ["keys", "users", "root-users", "accounts", "findings", "exemptions", "audit"])
def test_every_list_can_be_made_in_the_background(page: str, client_for: ClientFor, auditor: User) -> None:
    estate(2)
    job = ask(client_for(auditor), page, "?format=json")
    make_export(job.pk)
    assert fetched(client_for(auditor), job).startswith(b"[")


def test_the_scope_holds_for_what_a_worker_makes(client_for: ClientFor, operator: User) -> None:
    estate(2)
    ScopeGrant.objects.create(user=operator, account=Account.objects.get(name="sandbox-07"))
    assert ask(client_for(operator)).rows == 0


def test_nobody_else_fetches_it_and_nobody_before_it_is_ready(client_for: ClientFor, viewer: User, operator: User) -> None:
    estate(2)
    job = ask(client_for(viewer))
    url = reverse("export-file", args=[job.uuid])
    assert client_for(viewer).get(url).status_code == 404
    make_export(job.pk)
    assert client_for(operator).get(url).status_code == 404
    assert "as CSV" not in client_for(operator).get(reverse("queue")).content.decode()


@pytest.mark.parametrize("asked", [{"page": "settings", "address": "?format=csv"}, {"page": "keys", "address": "?format=pdf"}, {}])
def test_what_is_no_export_of_a_list_is_refused(asked: dict[str, str], client_for: ClientFor, viewer: User) -> None:
    client = client_for(viewer)
    assert client.post(reverse("export-new"), asked).status_code == 400
    assert client.get(reverse("export-new")).status_code == 405
    assert client.post(reverse("export-new"), {"page": "audit", "address": "?format=csv"}).status_code == 302


def test_a_lost_wake_up_is_made_good_and_old_files_are_let_go(client_for: ClientFor, viewer: User) -> None:
    estate(2)
    job, now = ask(client_for(viewer)), timezone.now()
    assert background_exports.due(now=now) == []
    assert background_exports.due(now=now + timedelta(minutes=2)) == [job.pk]
    make_export(job.pk)
    assert background_exports.let_go(now=now + timedelta(hours=25)) == 1
    job.refresh_from_db()
    assert (job.state, bytes(job.content)) == (ExportState.GONE, b"")


def test_a_failure_is_said_in_the_queue(client_for: ClientFor, viewer: User, monkeypatch: pytest.MonkeyPatch) -> None:
    estate(2)
    job = ask(client_for(viewer))
    monkeypatch.setattr(exports, "render", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        make_export(job.pk)
    assert "failed: ZeroDivisionError" in client_for(viewer).get(reverse("queue")).content.decode()


def test_a_long_list_offers_a_worker_and_a_short_one_a_link(client_for: ClientFor, viewer: User, monkeypatch: pytest.MonkeyPatch) -> None:
    estate(2)
    assert reverse("export-new") not in client_for(viewer).get(reverse("keys")).content.decode()
    monkeypatch.setattr(background_exports, "LARGE", 1)
    assert reverse("export-new") in client_for(viewer).get(reverse("keys")).content.decode()
