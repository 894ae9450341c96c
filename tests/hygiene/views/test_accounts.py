"""The page of one account: who may change its owner and tags, and what a poll says when it is over."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Account, AuditEvent, ScopeGrant
from hygiene.models import PollTrigger
from hygiene.services import schedule
from tests.factories import estate

pytestmark = pytest.mark.django_db
ClientFor = Callable[[User], Client]


def test_owner_environment_and_tags_are_changed_with_an_audit_row(client_for: ClientFor, administrator: User) -> None:
    account, _ = estate(2)
    client, url = client_for(administrator), reverse("account-details", args=[account.account_id])
    values = {"owner_email": "new@example.com", "environment": "staging", "tags": "app = lake\n\nteam=a=b"}
    assert client.post(url, values).status_code == 302
    account.refresh_from_db()
    assert (account.owner_email, account.environment, account.tags) == ("new@example.com", "staging", {"app": "lake", "team": "a=b"})
    event = AuditEvent.objects.get(action="account.change")
    assert (event.before["environment"], event.after["environment"]) == ("prod", "staging")
    assert "team=a=b" in client.get(reverse("account", args=[account.account_id])).content.decode()


@pytest.mark.parametrize(
    "wrong", [{"owner_email": "nobody"}, {"tags": "lake"}, {"tags": "=lake"}, {"tags": "app=lake\napp=sea"}, {"environment": "x" * 65}]
)
def test_what_is_no_owner_or_tag_is_said_and_nothing_is_saved(wrong: dict[str, str], client_for: ClientFor, administrator: User) -> None:
    account, _ = estate(0)
    url = reverse("account-details", args=[account.account_id])
    answer = client_for(administrator).post(url, {"owner_email": "", "environment": "", "tags": "", **wrong})
    assert answer.status_code == 422
    assert "Nothing was saved yet" in answer.content.decode()
    assert Account.objects.get(pk=account.pk).environment == "prod"


def test_details_need_the_method_the_role_and_the_account(client_for: ClientFor, administrator: User, operator: User) -> None:
    account, _ = estate(0)
    url = reverse("account-details", args=[account.account_id])
    assert client_for(administrator).get(url).status_code == 405
    assert client_for(operator).post(url).status_code == 403
    assert Client().post(url).status_code == 302
    assert client_for(administrator).post(reverse("account-details", args=["000000000000"])).status_code == 404
    ScopeGrant.objects.create(user=administrator, account=Account.objects.get(name="sandbox-07"))
    assert client_for(administrator).post(url).status_code == 404


def test_a_finished_poll_says_which_report_aws_served_and_when_the_next_can_be_made(client_for: ClientFor, operator: User) -> None:
    account, _ = estate(2)
    now = timezone.now()
    request, polls = schedule.request_polls([account], user=operator, trigger=PollTrigger.MANUAL, now=now)
    client, url = client_for(operator), reverse("poll-progress", args=[request.uuid])
    running = client.get(url, headers={"HX-Request": "true"}).content.decode()
    assert "0 of 1 account" in running
    assert 'role="status"' not in running
    request.polls.update(finished_at=now, outcome="complete", report_generated_at=now)
    done = client.get(url, headers={"HX-Request": "true"}).content.decode()
    assert "AWS served its report of" in done
    assert "the next can be made from" in done
    assert 'role="status"' in done
    assert len(polls) == 1
