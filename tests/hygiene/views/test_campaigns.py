"""Campaigns by their pages: from the dialog to the queue, another day, none, and the owner's answer; the change window of an account."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Account, AuditEvent, ScopeGrant
from hygiene.models import AccessKey, Action, Alert, NoticeKind, OwnerNotice, Plan, State
from hygiene.services import campaigns
from hygiene.services.plans import make_plan
from tests.factories import estate

pytestmark = pytest.mark.django_db
As = Callable[[User], Client]
OWNER = "team-data@example.com"


@pytest.fixture
def woken(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    found: list[int] = []
    monkeypatch.setattr("hygiene.tasks.execute_remediation.delay", found.append)
    return found


@pytest.fixture
def plan(operator: User, woken: list[int]) -> Plan:
    """Two never-used keys in a dialog."""
    estate(10)
    keys = AccessKey.objects.filter(status="active", last_used_state="never", principal__is_root=False)
    return make_plan(keys=list(keys[:2]), action=Action.DISABLE, actor=operator, now=timezone.now())


@pytest.fixture
def campaign(plan: Plan, operator: User, client_for: As) -> Plan:
    """The two keys, to be disabled in 14 days; owners are warned."""
    said = {"reason": "unused", "when": "later", "in_days": "14"}
    assert client_for(operator).post(reverse("plan-confirm", args=[plan.uuid]), said).status_code == 302
    campaigns.tend(now=timezone.now())
    return Plan.objects.get(pk=plan.pk)


@pytest.fixture
def owner(person: Callable[..., User]) -> User:
    user = person(None, username="team")
    user.email = OWNER
    user.save()
    return user


def test_the_dialog_offers_a_day_and_the_queue_shows_the_campaign(plan: Plan, operator: User, client_for: As, woken: list[int]) -> None:
    client = client_for(operator)
    page = client.get(reverse("plan", args=[plan.uuid])).content.decode()
    for words in ("with notice to owners", 'name="in_days"', "Mail owners once it is done"):
        assert words in page
    wrong = client.post(reverse("plan-confirm", args=[plan.uuid]), {"reason": "unused", "when": "later", "in_days": ""})
    assert (wrong.status_code, "a number of days from 1 to 90" in wrong.content.decode()) == (422, True)
    client.post(reverse("plan-confirm", args=[plan.uuid]), {"reason": "unused", "when": "later", "in_days": "14"})
    campaigns.tend(now=timezone.now())
    page = client.get(reverse("queue") + "?view=scheduled").content.decode()
    day = (timezone.now() + timedelta(days=14)).strftime("%b %Y")
    assert f"Disable 2 keys from {Plan.objects.get().run_at:%-d} {day}" in page
    page = client.get(reverse("run", args=[plan.uuid])).content.decode()
    for words in ("1 owner at once", "Stop the campaign", "Another day"):
        assert words in page
    key = AccessKey.objects.filter(plan_items__plan=plan)[0]
    assert "disabling from" in client.get(reverse("key", args=[key.uuid])).content.decode()
    assert woken == []


def test_a_campaign_is_moved_and_stopped_by_its_buttons(campaign: Plan, operator: User, approver: User, client_for: As) -> None:
    client = client_for(operator)
    day = timezone.localdate() + timedelta(days=30)
    assert client.post(reverse("campaign-move", args=[campaign.uuid]), {"run_on": day.isoformat()}).status_code == 302
    campaign.refresh_from_db()
    assert campaign.run_at is not None
    assert campaign.run_at.date() == day
    for wrong in ("2020-01-01", "soon"):
        answer = client.post(reverse("campaign-move", args=[campaign.uuid]), {"run_on": wrong})
        assert (answer.status_code, "Choose a day from tomorrow on" in answer.content.decode()) == (422, True)
    assert client.post(reverse("campaign-stop", args=[campaign.uuid])).status_code == 422
    assert client_for(approver).post(reverse("campaign-stop", args=[campaign.uuid]), {"reason": "Audit week."}).status_code == 302
    assert set(campaign.remediations.values_list("state", flat=True)) == {State.CANCELLED}
    assert client.post(reverse("campaign-stop", args=[campaign.uuid]), {"reason": "Again."}).status_code == 409
    assert client.post(reverse("campaign-move", args=[campaign.uuid]), {"run_on": day.isoformat()}).status_code == 409


def test_a_campaign_out_of_scope_or_missing_is_not_there(
    campaign: Plan, operator: User, person: Callable[..., User], client_for: As
) -> None:
    other = client_for(person("operator", username="other"))
    day = (timezone.localdate() + timedelta(days=30)).isoformat()
    assert other.post(reverse("campaign-move", args=[campaign.uuid]), {"run_on": day}).status_code == 403
    assert other.post(reverse("campaign-stop", args=[campaign.uuid]), {"reason": "x"}).status_code == 403
    ScopeGrant.objects.create(user=operator, account=Account.objects.get(name="sandbox-07"))
    for name in ("campaign-move", "campaign-stop"):
        assert client_for(operator).post(reverse(name, args=[campaign.uuid])).status_code == 404
        assert client_for(operator).post(reverse(name, args=[uuid4()])).status_code == 404


def test_an_owner_answers_on_the_page_that_the_mail_leads_to(
    campaign: Plan, owner: User, operator: User, client_for: As, woken: list[int]
) -> None:
    notice, client = OwnerNotice.objects.get(kind=NoticeKind.FIRST), client_for(owner)
    url = reverse("campaign-answer", args=[notice.uuid])
    page = client.get(f"{url}?answer=disable_now").content.decode()
    for words in ("These keys of yours will be disabled, not before", 'value="disable_now" checked', "It is in use"):
        assert words in page
    rows = list(campaign.remediations.order_by("pk"))
    assert set(campaign.remediations.values_list("state", flat=True)) == {State.REQUESTED}
    assert client.post(url, {"answer": "in_use"}).status_code == 422
    assert client.post(url, {"answer": "in_use", "change": [str(rows[0].uuid)], "note": "Nightly."}).status_code == 302
    assert client.post(url, {"answer": "disable_now", "change": [str(rows[1].uuid)]}).status_code == 302
    rows[0].refresh_from_db()
    assert rows[0].state == State.CANCELLED
    run = client_for(operator).get(reverse("run", args=[campaign.uuid])).content.decode()
    assert "Left the campaign: its owner says that it is in use: Nightly." in run
    assert client_for(operator).get(url).status_code == 404
    assert client_for(operator).post(url, {"answer": "in_use"}).status_code == 404
    assert client.get(reverse("campaign-answer", args=[uuid4()])).status_code == 404
    assert Client().post(url).status_code == 302


def test_disable_it_now_leads_an_owner_who_may_to_the_plan_and_leaves_word_for_the_others(
    plan: Plan, owner: User, operator: User, client_for: As
) -> None:
    key = AccessKey.objects.filter(plan_items__plan=plan)[0]
    notice = OwnerNotice.objects.create(key=key, owner=OWNER, kind=NoticeKind.ASK, claimed_at=timezone.now())
    url = reverse("owner-answer", args=[notice.uuid])
    assert client_for(owner).post(url, {"answer": "disable_now"})["Location"] == url
    assert "asks to disable" in Alert.objects.get().sentence
    owner.groups.add(*operator.groups.all())
    answer = client_for(User.objects.get(pk=owner.pk)).post(url, {"answer": "disable_now"}, follow=True)
    assert "Disable AKIA" in answer.content.decode()
    assert Plan.objects.order_by("-pk")[0].created_by == owner


def test_the_change_window_of_an_account_is_set_by_an_administrator(
    plan: Plan, administrator: User, operator: User, client_for: As
) -> None:
    account = Account.objects.get(name="data-lake")
    url, client = reverse("account-window", args=[account.account_id]), client_for(administrator)
    page = client.get(url).content.decode()
    assert ("When campaigns may act in this account." in page, "Something is not right" in page) == (True, False)
    assert client.post(url, {"change_window": " mon-fri  09:00-17:00 Europe/London ; sat 10:00-12:00"}).status_code == 302
    account.refresh_from_db()
    assert account.change_window == "mon-fri 09:00-17:00 Europe/London; sat 10:00-12:00"
    assert "mon-fri 09:00-17:00" in client.get(reverse("account", args=[account.account_id])).content.decode()
    wrong = client.post(url, {"change_window": "at night"})
    page = wrong.content.decode()
    assert (wrong.status_code, wrong["Content-Type"]) == (422, "text/html; charset=utf-8")
    for words in ("looks like", 'value="at night"', 'aria-describedby="window-error"', "Change window of data-lake"):
        assert words in page
    assert AuditEvent.objects.filter(action="account.change_window").count() == 1
    assert client_for(operator).post(url, {"change_window": ""}).status_code == 403
    assert client.post(reverse("account-window", args=["000000000000"])).status_code == 404
