"""The queue as a file: like every other list, with the rows of the page and nobody else's."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Account, ScopeGrant
from hygiene.models import AccessKey, Action, Remediation
from hygiene.services import exports, remediation
from hygiene.services.plans import make_plan
from hygiene.views import exporting
from tests.factories import estate

pytestmark = pytest.mark.django_db
ClientFor = Callable[[User], Client]


@pytest.fixture
def change(operator: User) -> Remediation:
    """A change that waits for a worker."""
    estate(5)
    key = AccessKey.objects.filter(status="active", last_used_state="never", principal__is_root=False)[0]
    plan = make_plan(keys=[key], action=Action.DISABLE, actor=operator, now=timezone.now())
    return remediation.confirm(plan=plan, actor=operator, now=timezone.now(), reason="other", note="=1+1", ticket="", typed="")[0]


def exported(client: Client, style: str) -> bytes:
    answer = client.get(reverse("queue") + f"?format={style}")
    assert answer["Content-Type"] == exporting.TYPES[style]
    return answer.getvalue()


def test_the_queue_answers_every_format(change: Remediation, client_for: ClientFor, viewer: User) -> None:
    client = client_for(viewer)
    (row,) = json.loads(exported(client, "json"))
    assert tuple(row) == exports.COLUMNS["queue"]
    assert (row["target_id"], row["action"], row["state"]) == (change.target_id, "disable", "requested")
    assert (row["requested_by"], row["note"], row["finished_at"]) == ("operator", "=1+1", None)
    lines = exported(client, "csv").decode().splitlines()
    assert len(lines) == 2
    assert '"\'=1+1"' in lines[1]
    assert exported(client, "xlsx")[:2] == b"PK"


def test_the_exported_queue_ends_at_the_scope(change: Remediation, client_for: ClientFor, viewer: User) -> None:
    ScopeGrant.objects.create(user=viewer, account=Account.objects.get(name="sandbox-07"))
    assert json.loads(exported(client_for(viewer), "json")) == []


def test_without_a_role_there_is_no_file(change: Remediation, client_for: ClientFor, person: Callable[..., User]) -> None:
    assert client_for(person(None, username="nobody")).get(reverse("queue") + "?format=csv").status_code == 403
