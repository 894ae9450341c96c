"""The pages of exemptions: the list and its filters, making them from every place, and who may not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Account, AuditEvent, ScopeGrant
from hygiene.domain.wording import day
from hygiene.models import AccessKey, Exemption, Principal
from hygiene.services import exemptions
from hygiene.services.exemptions import Cover, Terms
from tests.factories import estate

pytestmark = pytest.mark.django_db
NEW = "/exemptions/new/"


@pytest.fixture
def key(db: None) -> AccessKey:
    estate(5)
    return AccessKey.objects.select_related("account", "principal").get(principal__name="user-0000")


@pytest.fixture
def woken(monkeypatch: pytest.MonkeyPatch) -> list[list[int]]:
    found: list[list[int]] = []
    monkeypatch.setattr("hygiene.tasks.judge_exemptions.delay", found.append)
    return found


def answers(**changes: Any) -> dict[str, Any]:
    values: dict[str, Any] = {
        "save": "1",
        "rules": ["key.never_used"],
        "reason": "Kept for the yearly restore test.",
        "accepted_by": "cto@example.com",
        "ends_on": (timezone.localdate() + timedelta(days=90)).isoformat(),
    }
    return {**values, **changes}


def stored(actor: User, cover: Cover, *, days: int = 90, reason: str = "Agreed.") -> Exemption:
    terms = Terms(["key.never_used"], reason, "cto@example.com", timezone.localdate() + timedelta(days=days), "SEC-1")
    return exemptions.make([cover], terms, actor=actor, now=timezone.now())[0]


def test_a_key_is_exempted_from_its_page(key: AccessKey, client_for: Callable[[User], Client], approver: User) -> None:
    client = client_for(approver)
    assert f"{NEW}?key={key.uuid}" in client.get(reverse("key", args=[key.uuid])).content.decode()
    form = client.get(NEW, {"key": str(key.uuid)}).content.decode()
    assert 'value="key.never_used"' in form
    assert (timezone.localdate() + timedelta(days=90)).isoformat() in form
    made = client.post(NEW, answers(key=str(key.uuid)), follow=True)
    row = Exemption.objects.get()
    assert made.redirect_chain[-1][0] == reverse("exemption", args=[row.uuid])
    assert (row.key, row.created_by) == (key, approver)
    assert AuditEvent.objects.get(action="exemption.make").actor == approver


def test_users_accounts_and_tags_are_exempted_too(
    key: AccessKey, client_for: Callable[[User], Client], administrator: User, woken: list[list[int]]
) -> None:
    client = client_for(administrator)
    for what in ({"user": str(key.principal.uuid)}, {"account": key.account.account_id}, {"tag": "app=lake"}):
        assert client.get(NEW, what).status_code == 200
        assert client.post(NEW, answers(**what)).status_code == 302
    assert list(Exemption.objects.order_by("pk").values_list("scope", flat=True)) == ["user", "account", "tag"]
    assert woken == [[Exemption.objects.get(scope="tag").pk]]
    page = client.get(reverse("account", args=[key.account.account_id])).content.decode()
    assert f"{NEW}?account={key.account.account_id}" in page
    assert f"{NEW}?user={key.principal.uuid}" in client.get(reverse("user", args=[key.principal.uuid])).content.decode()


def test_a_posted_selection_shows_the_form_first_and_makes_one_for_each_key(
    key: AccessKey, client_for: Callable[[User], Client], approver: User
) -> None:
    keys = [str(row.uuid) for row in AccessKey.objects.filter(principal__is_root=False)[:3]]
    client = client_for(approver)
    form = client.post(NEW, {"key": keys})
    assert form.status_code == 200
    assert Exemption.objects.count() == 0
    assert form.content.decode().count('name="key"') == 3
    assert client.post(NEW, answers(key=keys))["Location"] == reverse("exemptions")
    assert Exemption.objects.count() == 3
    assert AuditEvent.objects.filter(action="exemption.make").count() == 3


def test_what_is_missing_is_said_beside_its_field(key: AccessKey, client_for: Callable[[User], Client], approver: User) -> None:
    far = (timezone.localdate() + timedelta(days=400)).isoformat()
    page = client_for(approver).post(NEW, answers(key=str(key.uuid), reason="", rules=[], ends_on=far))
    assert page.status_code == 422
    assert "Choose what is accepted" in page.content.decode()
    page = client_for(approver).post(NEW, answers(key=str(key.uuid), reason="", ends_on=far))
    assert "Say why the risk is accepted." in page.content.decode()
    assert "at most 365 days" in page.content.decode()
    assert Exemption.objects.count() == 0


def test_an_exemption_of_every_rule_names_none(key: AccessKey, client_for: Callable[[User], Client], approver: User) -> None:
    client_for(approver).post(NEW, answers(key=str(key.uuid), rules=[], is_every_rule="on"))
    assert Exemption.objects.get().rules == []


def test_it_is_extended_and_withdrawn_with_a_reason(key: AccessKey, client_for: Callable[[User], Client], approver: User) -> None:
    row, client = stored(approver, Cover(key=key)), client_for(approver)
    extend, withdraw = (reverse(f"exemption-{name}", args=[row.uuid]) for name in ("extend", "withdraw"))
    later = timezone.localdate() + timedelta(days=120)
    assert client.post(extend, {"ends_on": later.isoformat(), "reason": ""}).status_code == 422
    assert client.post(extend, {"ends_on": "soon", "reason": "x"}).status_code == 422
    assert client.post(extend, {"ends_on": later.isoformat(), "reason": "The move is late."}).status_code == 302
    row.refresh_from_db()
    assert timezone.localdate(row.ends_at) == later
    missing = client.post(withdraw, {"reason": ""})
    assert missing.status_code == 422
    assert "Say why it is withdrawn." in missing.content.decode()
    assert client.post(withdraw, {"reason": "Moved to a role."}).status_code == 302
    row.refresh_from_db()
    assert row.end_reason == "withdrawn"
    assert "ended already" in client.post(withdraw, {"reason": "again"}).content.decode()


@pytest.mark.parametrize("name", ["exemption-extend", "exemption-withdraw"])
def test_a_change_needs_the_method_the_sign_in_the_role_and_the_scope(
    name: str, key: AccessKey, client_for: Callable[[User], Client], approver: User, operator: User, administrator: User
) -> None:
    row = stored(approver, Cover(key=key))
    url = reverse(name, args=[row.uuid])
    assert client_for(approver).get(url).status_code == 405
    assert Client().post(url)["Location"].startswith("/auth/login/")
    assert client_for(operator).post(url).status_code == 403
    ScopeGrant.objects.create(user=administrator, account=Account.objects.get(name="sandbox-07"))
    assert client_for(administrator).post(url, {"reason": "x"}).status_code == 404
    assert client_for(approver).post(reverse(name, args=[uuid4()])).status_code == 404
    row.refresh_from_db()
    assert row.ended_at is None


def test_making_one_needs_the_sign_in_the_role_and_the_scope(
    key: AccessKey, client_for: Callable[[User], Client], approver: User, operator: User
) -> None:
    assert Client().post(NEW, answers(key=str(key.uuid)))["Location"].startswith("/auth/login/")
    refused = client_for(operator).post(NEW, answers(key=str(key.uuid)))
    assert refused.status_code == 403
    assert "approver or administrator" in refused.content.decode()
    button = client_for(operator).get(reverse("key", args=[key.uuid])).content.decode()
    assert "this needs the role approver or administrator" in button
    client = client_for(approver)
    assert client.delete(NEW).status_code == 405
    for wrong in ({"key": str(uuid4())}, {"key": "no-uuid"}, {"account": "000000000000"}, {}):
        assert client.post(NEW, answers(**wrong)).status_code == 404, wrong
    ScopeGrant.objects.create(user=approver, account=Account.objects.get(name="sandbox-07"))
    for hidden in ({"key": str(key.uuid)}, {"user": str(key.principal.uuid)}, {"account": key.account.account_id}):
        assert client.post(NEW, answers(**hidden)).status_code == 404, hidden
    assert client.post(NEW, answers(tag="app=lake")).status_code == 422
    assert Exemption.objects.count() == 0


def test_the_list_has_its_views_its_filters_and_its_exports(
    key: AccessKey, client_for: Callable[[User], Client], approver: User, viewer: User
) -> None:
    stored(approver, Cover(key=key), days=9, reason="Ends soon.")
    stored(approver, Cover(principal=key.principal), reason="Stays.")
    gone = stored(approver, Cover(account=key.account))
    exemptions.withdraw(gone, "done", actor=approver, now=timezone.now())
    client, url = client_for(viewer), reverse("exemptions")

    def count(search: str) -> int:
        context: Any = client.get(url + search).context
        assert context["notes"] == [], search
        return int(context["table"].paginator.count)

    found = {
        "": 2,
        "?view=ending": 1,
        "?view=ended": 1,
        "?view=all": 3,
        "?q=scope:key": 1,
        "?q=rule:never-used": 2,
        "?q=rule:unused": 0,
        "?q=account:data-lake+user:user-0000": 2,
        "?q=stays": 1,
        "?q=ends:<14": 1,
        "?q=is:mine": 0,
        "?q=ticket:SEC-1+by:cto@example.com&sort=-ends": 2,
    }
    assert {search: count(search) for search in found} == found
    rows = b"".join(client.get(url + "?view=all&format=csv")).decode().splitlines()
    assert rows[0].startswith('"scope","account_id"')
    assert len(rows) == 4


def test_nobody_sees_exemptions_of_accounts_out_of_scope(
    key: AccessKey, client_for: Callable[[User], Client], approver: User, viewer: User
) -> None:
    row = stored(approver, Cover(key=key))
    ScopeGrant.objects.create(user=viewer, account=Account.objects.get(name="sandbox-07"))
    client = client_for(viewer)
    assert "user-0000" not in client.get(reverse("exemptions")).content.decode()
    assert client.get(reverse("exemption", args=[row.uuid])).status_code == 404


def test_the_page_of_an_exemption_names_who_what_why_and_until_when(
    key: AccessKey, client_for: Callable[[User], Client], approver: User, viewer: User
) -> None:
    row = stored(approver, Cover(key=key), reason="Kept for the restore test.")
    page = client_for(viewer).get(reverse("exemption", args=[row.uuid])).content.decode()
    for words in ("Kept for the restore test.", "cto@example.com", "SEC-1", "Never used", "approver", "this needs the role approver"):
        assert words in page, words
    assert Principal.objects.filter(name="user-0000").exists()


def test_an_exemption_needs_an_end_and_says_it_as_every_page_says_days(
    key: AccessKey, client_for: Callable[[User], Client], approver: User
) -> None:
    client = client_for(approver)
    page = client.post(NEW, answers(key=str(key.uuid), ends_on=""))
    assert (page.status_code, "an exemption never runs without one" in page.content.decode()) == (422, True)
    ends_on = timezone.localdate() + timedelta(days=5)
    page = client.post(NEW, answers(key=str(key.uuid), ends_on=ends_on.isoformat()), follow=True)
    assert f"The exemption holds until {ends_on.day} {ends_on:%b %Y}." in page.content.decode()


def test_the_reminder_of_a_short_exemption_is_announced_for_half_of_its_time(
    key: AccessKey, client_for: Callable[[User], Client], approver: User
) -> None:
    client = client_for(approver)
    short, long = stored(approver, Cover(key=key), days=5), stored(approver, Cover(principal=key.principal), days=90)
    page = client.get(reverse("exemption", args=[short.uuid])).content.decode()
    assert f"not yet, goes out on {day(short.ends_at - (short.ends_at - short.created_at) / 2)}" in page
    page = client.get(reverse("exemption", args=[long.uuid])).content.decode()
    assert f"not yet, goes out on {day(long.ends_at - timedelta(days=14))}" in page
