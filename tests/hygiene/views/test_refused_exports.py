"""A filter line that is not understood makes no file, since a file with every row would pass for what was asked for."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from hygiene.models import ExportJob
from tests.factories import estate

pytestmark = pytest.mark.django_db
ClientFor = Callable[[User], Client]
LINES = {
    "agee:>90": "“agee:” is not a filter here, so it was left out.",
    "foo:bar": "“foo:” is not a filter here, so it was left out.",
    "age:>x": "“age:>x” is not a number of days, so it was left out.",
    "status:": "“status:” has no value, so it was left out.",
}


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("style", ["csv", "xlsx", "json"])
def test_a_line_that_is_not_understood_makes_no_file(client_for: ClientFor, viewer: User, line: str, style: str) -> None:
    estate(2)
    client = client_for(viewer)
    page = client.get(reverse("keys"), {"q": line})
    (note,) = page.context["notes"]
    assert note == LINES[line]
    answer = client.get(reverse("keys"), {"q": f"status:active {line}", "format": style})
    assert (page.status_code, answer.status_code) == (200, 400)
    if style == "json":
        assert answer.json() == {"error": note}
    else:
        assert (answer["Content-Type"], answer.content.decode()) == ("text/plain; charset=utf-8", f"{note}\n")
    assert "Content-Disposition" not in answer


def test_each_word_that_is_not_understood_is_told(client_for: ClientFor, viewer: User) -> None:
    answer = client_for(viewer).get(reverse("keys"), {"q": "agee:>90 foo:bar", "format": "csv"})
    assert answer.content.decode() == f"{LINES['agee:>90']}\n{LINES['foo:bar']}\n"


@pytest.mark.parametrize("page", ["keys", "users", "root-users", "accounts", "findings", "exemptions", "audit", "queue"])
def test_every_list_refuses_it(client_for: ClientFor, auditor: User, page: str) -> None:
    assert client_for(auditor).get(reverse(page), {"q": "foo:bar", "format": "json"}).json() == {"error": LINES["foo:bar"]}
    assert client_for(auditor).get(reverse(page), {"q": "", "format": "json"}).status_code == 200


def test_a_worker_is_not_asked_for_it(client_for: ClientFor, viewer: User) -> None:
    estate(2)
    answer = client_for(viewer).post(reverse("export-new"), {"page": "keys", "address": "?q=foo:bar&format=csv"})
    assert answer.status_code == 400
    assert LINES["foo:bar"] in answer.content.decode()
    assert not ExportJob.objects.exists()
