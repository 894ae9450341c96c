"""The page of a root user lets a worker look at its credentials, and shows what it found."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from hygiene.domain.facts import OrganizationRole
from hygiene.models import AccountStatus, RequestState, RootInspection
from tests.factories import estate

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_is_woken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hygiene.tasks.inspect_root.delay", lambda *_: None)


def test_what_was_found_is_on_the_page(operator: User, client_for: Callable[[User], Client]) -> None:
    account, _ = estate(1)
    AccountStatus.objects.filter(account=account).update(organization_role=OrganizationRole.MEMBER)
    client, page = client_for(operator), reverse("root-user", args=[account.account_id])
    assert client.post(reverse("root-inspect", args=[account.account_id]))["Location"] == page
    running = client.get(page).content
    assert b"Looking at root" in running
    assert b'http-equiv="refresh"' in running
    part = client.get(f"{page}?part=inspection", headers={"HX-Request": "true"}).content
    assert part.strip().startswith(b'<div class="stack" id="root-inspection"')
    found = {
        "keys": [{"id": "AKIAROOTROOTROOTROOT", "status": "Active", "created_at": "2020-01-01T00:00:00+00:00", "use": "no use on record"}],
        "has_password": True,
        "certificates": [],
        "mfa_devices": ["arn:aws:iam::204811779021:mfa/root"],
    }
    RootInspection.objects.update(state=RequestState.DONE, finished_at=timezone.now(), result=found)
    shown = client.get(page).content.decode()
    assert "AKIA…ROOT" in shown
    assert "Active, created 2020-01-01, no use on record" in shown
    assert "arn:aws:iam::204811779021:mfa/root" in shown


def test_a_management_account_is_refused_with_its_reason(operator: User, client_for: Callable[[User], Client]) -> None:
    account, _ = estate(1)
    AccountStatus.objects.filter(account=account).update(organization_role=OrganizationRole.MANAGEMENT)
    client = client_for(operator)
    assert client.post(reverse("root-inspect", args=[account.account_id])).status_code == 409
    assert b"central root access never reaches it" in client.get(reverse("root-user", args=[account.account_id])).content
    assert not RootInspection.objects.exists()
