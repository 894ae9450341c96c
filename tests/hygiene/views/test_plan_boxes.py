"""The numbers of a plan's dialog are those of what would be done with its boxes as they stand, and so is what must be typed."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from hygiene.models import AccessKey, Action, Finding, FindingOutcome, Plan, Remediation
from hygiene.services import change_rules, summaries
from hygiene.services.boxes import Boxes
from hygiene.services.plans import make_plan
from hygiene.services.remediation import Invalid, confirm
from tests.factories import estate

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def client(operator: User, client_for: Callable[[User], Client], monkeypatch: pytest.MonkeyPatch) -> Client:
    """An operator's, with an estate of two keys without recent use, two in use and one that is disabled."""
    monkeypatch.setattr("hygiene.tasks.execute_remediation.delay", lambda *_: None)
    estate(5)
    return client_for(operator)


def all_that_match(client: Client, **headers: str) -> str:
    said = {"all": "1", "q": "-is:root", "action": "disable"}
    return client.post(reverse("plan-new"), said, headers=headers, follow=True).content.decode()


def numbers(page: str) -> tuple[str, str, str]:
    """Of the heading, of the button, and what must be typed."""
    heading, button = re.search(r"Disable (\d+) access keys?<", page), re.search(r"Disable (\d+) keys?</button>", page)
    typed = re.search(r"Type (\d+) to confirm", page)
    assert heading is not None
    assert button is not None
    return heading[1], button[1], typed[1] if typed else ""


def test_at_first_the_numbers_leave_out_the_keys_in_use_that_are_not_included(client: Client) -> None:
    page = all_that_match(client, **HTMX)
    assert 'name="include_in_use"' in page
    assert " checked" not in page.partition('id="include-in-use"')[2].partition(">")[0]
    assert numbers(page) == ("2", "2", "")
    confirmed = client.post(reverse("plan-confirm", args=[Plan.objects.get().uuid]), {"reason": "unused"}, headers=HTMX)
    assert (confirmed.status_code, Remediation.objects.count()) == (200, 2)


def test_the_numbers_follow_the_box_and_nothing_else_happens(client: Client) -> None:
    all_that_match(client, **HTMX)
    url = reverse("plan", args=[Plan.objects.get().uuid])
    said = {"include_in_use": "1", "in_dialog": "1", "ticket": "SEC-9", "reason": "leaver"}
    page = client.post(url, said, headers=HTMX).content.decode()
    assert page.lstrip().startswith('<form class="dialog-form" id="plan-form"')
    assert numbers(page) == ("4", "4", "4")
    assert 'value="SEC-9"' in page
    assert "2 of these keys are in use, so the count is asked for." in page
    assert numbers(client.post(url, {"in_dialog": "1"}, headers=HTMX).content.decode()) == ("2", "2", "")
    assert not Remediation.objects.exists()
    assert Plan.objects.get().confirmed_at is None


def test_without_scripts_both_numbers_are_named_and_a_button_draws_them_anew(client: Client) -> None:
    page = all_that_match(client)
    uuid = Plan.objects.get().uuid
    assert "2 without, 4 with the keys in use." in page
    assert f'formaction="{reverse("plan", args=[uuid])}">Update the numbers</button>' in page
    updated = client.post(reverse("plan", args=[uuid]), {"include_in_use": "1"}).content.decode()
    assert "<h1" in updated
    assert numbers(updated) == ("4", "4", "4")


def test_what_was_refused_is_drawn_with_the_number_of_the_boxes_as_posted(client: Client) -> None:
    all_that_match(client, **HTMX)
    url = reverse("plan-confirm", args=[Plan.objects.get().uuid])
    wrong = client.post(url, {"include_in_use": "1", "typed": "2", "reason": "unused"}, headers=HTMX)
    page = wrong.content.decode()
    assert (wrong.status_code, numbers(page)) == (422, ("4", "4", "4"))
    assert "Type 4 to confirm." in page
    assert " checked" in page.partition('id="include-in-use"')[2].partition(">")[0]
    assert client.post(url, {"include_in_use": "1", "typed": "4", "reason": "unused"}, headers=HTMX).status_code == 200
    assert Remediation.objects.count() == 4


def test_a_plan_of_keys_in_use_alone_asks_to_include_them(client: Client) -> None:
    said = {"all": "1", "q": "-is:root last-used:<30", "action": "disable"}
    page = client.post(reverse("plan-new"), said, headers=HTMX).content.decode()
    assert numbers(page) == ("0", "0", "")
    answer = client.post(reverse("plan-confirm", args=[Plan.objects.get().uuid]), {"reason": "leaver"}, headers=HTMX)
    assert (answer.status_code, "Include the keys in use" in answer.content.decode()) == (422, True)


def test_a_key_that_needs_a_tick_is_counted_once_it_is_ticked(client: Client, operator: User) -> None:
    now = timezone.now()
    keys = AccessKey.objects.filter(principal__name__in=("user-0000", "user-0002"))
    Finding.objects.filter(key__in=keys.filter(principal__name="user-0000")).update(outcome=FindingOutcome.EXEMPT)
    plan = make_plan(keys=keys, action=Action.DISABLE, actor=operator, now=now)
    first = summaries.summarize(plan, now=now)
    assert first.button == "Disable 1 key"
    assert [group.fate for group in first.groups] == ["will be disabled", "only with a tick below"]
    assert summaries.summarize(plan, now=now, boxes=Boxes(ticked=frozenset({"exempt"}))).button == "Disable 2 keys"


def test_approvals_are_those_of_what_would_be_done(client: Client, operator: User, administrator: User) -> None:
    now = timezone.now()
    change_rules.save({"account_day_disable": 3, "account_day_share": 0}, actor=administrator, now=now)
    keys = AccessKey.objects.filter(status="active", principal__is_root=False)
    plan = make_plan(keys=keys, action=Action.DISABLE, actor=operator, now=now, is_all_matching=True)
    assert summaries.summarize(plan, now=now).warnings == ()
    (said,) = summaries.summarize(plan, now=now, boxes=Boxes(include_in_use=True)).warnings
    assert "data-lake: 4 changes, more than 3 in 24 hours" in said


def test_the_count_of_many_keys_out_of_use_says_that_they_are_many(operator: User) -> None:
    estate(65)
    now = timezone.now()
    keys = AccessKey.objects.filter(status="active", principal__is_root=False).exclude(last_used_at__gt=now - timedelta(days=90))
    plan = make_plan(keys=keys, action=Action.DISABLE, actor=operator, now=now)
    said = summaries.summarize(plan, now=now)
    assert (said.typed, said.typed_why) == ("26", "These are more than 25 keys, so the count is asked for.")


def test_the_queries_of_a_dialog_do_not_grow_with_its_keys(operator: User) -> None:
    estate(65)
    now, counts = timezone.now(), []
    for most in (3, 40):
        plan = make_plan(keys=AccessKey.objects.filter(principal__is_root=False)[:most], action=Action.DISABLE, actor=operator, now=now)
        with CaptureQueriesContext(connection) as captured:
            assert all(line.words for group in summaries.summarize(plan, now=now).groups for line in group.lines)
        counts.append(len(captured))
    assert counts[0] == counts[1]


@pytest.mark.parametrize(
    ("action", "days", "sentence"),
    [("disable", 91, "Give a number of days from 1 to 90."), ("delete", 3, "Only a disable can wait.")],
)
def test_only_the_part_that_applies_is_said_of_days(client: Client, operator: User, action: str, days: int, sentence: str) -> None:
    now = timezone.now()
    key = AccessKey.objects.get(status="inactive") if action == "delete" else AccessKey.objects.get(principal__name="user-0000")
    AccessKey.objects.filter(status="inactive").update(disabled_here_at=now - timedelta(days=40))
    plan = make_plan(keys=[key], action=Action(action), actor=operator, now=now)
    with pytest.raises(Invalid) as refused:
        confirm(plan=plan, actor=operator, reason="unused", typed=(key.access_key_id or "")[-4:], in_days=days, now=now)
    assert refused.value.errors == {"in_days": sentence}


def test_after_a_change_only_what_is_true_now_is_shown(client: Client, operator: User) -> None:
    key = AccessKey.objects.get(principal__name="user-0000")
    plan = make_plan(keys=[key], action=Action.DISABLE, actor=operator, now=timezone.now())
    AccessKey.objects.filter(pk=key.pk).update(status="inactive")
    answer = client.post(reverse("plan-confirm", args=[plan.uuid]), {"reason": "unused"}, headers=HTMX)
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "Already disabled." in page
    assert [words for words in ("will be disabled", "Nothing is known to break", "never used", "Disable AKIA") if words in page] == []
    assert f'id="key-action-{key.uuid}"' in page


def test_a_key_alone_has_no_boxes(client: Client, operator: User) -> None:
    now = timezone.now()
    plan = make_plan(
        keys=[AccessKey.objects.get(principal__name="user-0001")], action=Action.DISABLE, actor=operator, now=now, is_all_matching=True
    )
    said = summaries.summarize(plan, now=now)
    assert (said.button, said.has_boxes, len(said.typed)) == ("Disable 1 key", False, 4)
