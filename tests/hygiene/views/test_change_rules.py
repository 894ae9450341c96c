"""Pages on which administrators set the rules of changes and the protected list; every change of them is audited."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from accounts.models import AuditEvent
from hygiene.models import Protection
from hygiene.services import change_rules
from hygiene.services.refused import NotAllowed

pytestmark = pytest.mark.django_db
As = Callable[[User], Client]
ARN = "arn:aws:iam::111122223333:user/break-glass"


def test_rules_are_shown_with_their_bounds_and_saved(administrator: User, client_for: As) -> None:
    client, url = client_for(administrator), reverse("rules-of-changes")
    page = client.get(url).content.decode()
    for words in ("Approvals before a deletion", "7 to 365, default 14", "Freeze days", reverse("rules-of-changes")):
        assert words in page or words == url
    given = {"approvals_disable": "1", "delete_wait_days": "30", "freeze_days": "2026-12-24..2026-12-26\n2027-01-01"}
    assert client.post(url, given).status_code == 302
    rules = change_rules.load()
    assert (rules.approvals_disable, rules.delete_wait_days, rules.approvals_root) == (1, 30, 2)
    assert rules.freeze_days == (date(2026, 12, 24), date(2026, 12, 25), date(2026, 12, 26), date(2027, 1, 1))
    assert "2026-12-24..2026-12-26\n2027-01-01" in client.get(url).content.decode()
    event = AuditEvent.objects.get(action="policy.change_rules")
    assert (event.actor_name, event.before["delete_wait_days"], event.after["delete_wait_days"]) == ("administrator", 14, 30)
    assert "30 days between disable and delete" in client.get(reverse("settings")).content.decode()


def test_a_wrong_value_is_said_beside_its_field_and_nothing_is_kept(administrator: User, client_for: As) -> None:
    given = {"delete_wait_days": "3", "approvals_delete": "2", "freeze_days": "Christmas"}
    answer = client_for(administrator).post(reverse("rules-of-changes"), given)
    page = answer.content.decode()
    assert answer.status_code == 422
    for words in ("a whole number from 7 to 365", "Freeze days are dates such as", "Christmas"):
        assert words in page
    assert (change_rules.load(), AuditEvent.objects.count()) == (change_rules.ChangeRules(), 0)


@pytest.mark.parametrize("role", ["viewer", "operator", "approver", "auditor", None])
def test_only_an_administrator_sets_them(person: Callable[..., User], client_for: As, role: str | None) -> None:
    somebody = person(role, username="somebody")
    client = client_for(somebody)
    assert client.post(reverse("rules-of-changes"), {"approvals_delete": "0"}).status_code == 403
    assert client.post(reverse("protected"), {"kind": "arn", "value": ARN, "reason": "x"}).status_code == 403
    assert client.post(reverse("unprotect", args=[uuid4()])).status_code == 403
    assert (change_rules.load().approvals_delete, Protection.objects.count()) == (1, 0)
    assert Client().post(reverse("rules-of-changes")).status_code == 302


def test_the_service_asks_for_the_role_too(operator: User) -> None:
    with pytest.raises(NotAllowed):
        change_rules.save({"approvals_delete": 0}, actor=operator, now=operator.date_joined)


def test_the_protected_list_is_kept_and_audited(administrator: User, approver: User, client_for: As) -> None:
    client, url = client_for(administrator), reverse("protected")
    assert client.post(url, {"kind": "arn", "value": f" {ARN} ", "reason": "Break glass."}).status_code == 302
    row = Protection.objects.get()
    assert (row.value, row.set_by_name) == (ARN, "administrator")
    again = client.post(url, {"kind": "arn", "value": ARN, "reason": "Again."})
    assert (again.status_code, "protected already" in again.content.decode()) == (422, True)
    page = client_for(approver).get(url).content.decode()
    assert ("Break glass." in page, "Remove" in page.split("</thead>")[1]) == (True, False)
    assert client.post(reverse("unprotect", args=[row.uuid])).status_code == 302
    assert client.post(reverse("unprotect", args=[row.uuid])).status_code == 404
    assert client.get(reverse("unprotect", args=[row.uuid])).status_code == 405
    assert set(AuditEvent.objects.values_list("action", flat=True)) == {"protection.add", "protection.remove"}


@pytest.mark.parametrize(
    ("kind", "value"), [("arn", "break-glass"), ("account", "1111-2222-3333"), ("key", "AKIA…EGXD"), ("tag", " "), ("colour", "red")]
)
def test_what_would_protect_nothing_is_not_taken(administrator: User, client_for: As, kind: str, value: str) -> None:
    answer = client_for(administrator).post(reverse("protected"), {"kind": kind, "value": value, "reason": "Break glass."})
    assert (answer.status_code, Protection.objects.count()) == (422, 0)
