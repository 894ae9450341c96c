"""The page of a run: who decides sees the frozen plan first, and its headline names every state that there is."""

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

from hygiene.models import AccessKey, Action, Plan, Remediation, State
from hygiene.services import change_rules, remediation
from hygiene.services.plans import make_plan
from hygiene.services.run_words import states
from tests.factories import estate

pytestmark = pytest.mark.django_db
As = Callable[[User], Client]


@pytest.fixture
def ask(operator: User, administrator: User, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Plan]:
    """A disable of all keys of users that waits for one approval."""
    monkeypatch.setattr("hygiene.tasks.execute_remediation.delay", lambda *_: None)

    def make(users: int = 5, *, include_in_use: bool = True) -> Plan:
        estate(users)
        now = timezone.now()
        change_rules.save({"approvals_disable": 1}, actor=administrator, now=now)
        plan = make_plan(keys=AccessKey.objects.filter(principal__is_root=False), action=Action.DISABLE, actor=operator, now=now)
        count = plan.items.filter(disposition__in=["will_do", *(["in_use"] if include_in_use else [])]).count()
        remediation.confirm(plan=plan, actor=operator, reason="leaver", typed=str(count), include_in_use=include_in_use, now=now)
        return plan

    return make


def text(client: Client, plan: Plan) -> str:
    page = client.get(reverse("run", args=[plan.uuid])).content.decode().partition('id="main"')[2]
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def test_who_decides_sees_the_groups_and_the_use_of_every_key_before_the_buttons(
    ask: Callable[..., Plan], approver: User, client_for: As
) -> None:
    said = text(client_for(approver), ask())
    before, _, after = said.partition("Approve 4 changes")
    assert after
    for words in (
        "2 never used, or no use in 90+ days",
        "2 used in the last 90 days, latest 3 h ago",
        "1 Already disabled. AKIA",
        "of user-0001 in data-lake: Active, used today, 30 days old. In use, will break.",
        "of user-0002 in data-lake: Active, last used 203 days ago",
        "Nothing is known to break.",
    ):
        assert words in before
    assert "Left out" not in said
    assert "break" not in before.partition("1 Already disabled.")[2]


def test_the_use_is_that_of_the_frozen_plan(ask: Callable[..., Plan], approver: User, client_for: As) -> None:
    plan = ask()
    AccessKey.objects.filter(principal__name="user-0002").update(last_used_at=timezone.now(), last_used_state="used")
    assert "of user-0002 in data-lake: Active, last used 203 days ago" in text(client_for(approver), plan)


def test_what_who_asked_left_out_is_told_apart(ask: Callable[..., Plan], approver: User, client_for: As) -> None:
    said = text(client_for(approver), ask(include_in_use=False))
    assert "Approve 2 changes" in said
    assert re.search(r"2 used in the last 90 days.*left out by who asked", said)


def test_the_queries_do_not_grow_with_the_keys(ask: Callable[..., Plan], approver: User, client_for: As) -> None:
    client, plan = client_for(approver), ask(15)
    url = reverse("run", args=[plan.uuid])
    client.get(url)
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as captured:
            client.get(url)
        counts.append(len(captured))
        kept = plan.items.values_list("pk", flat=True)[:4]
        plan.items.exclude(pk__in=list(kept)).delete()
    assert counts[0] == counts[1]


def test_the_plan_is_not_repeated_once_nothing_waits_for_approval(ask: Callable[..., Plan], approver: User, client_for: As) -> None:
    plan = ask()
    client_for(approver).post(reverse("run-deny", args=[plan.uuid]), {"comment": "No."})
    said = text(client_for(approver), plan)
    assert "4 of 4 ended 4 denied" in said
    assert "Left out 1" in said
    assert " 0 " not in said.partition("ended")[2][:60]


def test_every_state_has_its_word_and_none_is_left_out(ask: Callable[..., Plan]) -> None:
    plan = ask()
    row = Remediation.objects.filter(plan=plan).first()
    assert row is not None
    Remediation.objects.filter(plan=plan).exclude(pk=row.pk).delete()
    found = {}
    for state in State:
        Remediation.objects.filter(pk=row.pk).update(state=state)
        ((count, found[str(state)]),) = states(plan)
        assert count == 1
    assert found == {
        **dict.fromkeys(("requested", "approved"), "waiting"),
        "awaiting_approval": "awaiting approval",
        **dict.fromkeys(("claimed", "checked", "calling", "verifying", "unknown"), "running"),
        **dict.fromkeys(("succeeded", "succeeded_observed"), "done"),
        "failed": "failed",
        "refused": "refused",
        "not_applied": "not applied",
        "needs_human": "in need of a person",
        **{word: word for word in ("denied", "cancelled", "expired")},
    }


def test_what_waits_for_its_day_is_scheduled(ask: Callable[..., Plan]) -> None:
    plan = ask()
    plan.run_at = timezone.now() + timedelta(days=14)
    plan.save()
    Remediation.objects.filter(plan=plan).update(state=State.REQUESTED, due_at=plan.run_at)
    plan.remediations.filter(user_name="user-0000").update(state=State.CHECKED)
    assert states(plan) == [(1, "running"), (3, "scheduled")]


def settled(client: Client, row: Remediation, **fields: object) -> str:
    Remediation.objects.filter(pk=row.pk).update(**fields)
    return client.get(f"{reverse('remediation', args=[row.uuid])}?part=key", headers={"HX-Request": "true"}).content.decode()


def test_a_toast_after_a_disable_offers_to_undo_it(ask: Callable[..., Plan], operator: User, viewer: User, client_for: As) -> None:
    row = ask().remediations.filter(user_name="user-0000").get()
    AccessKey.objects.filter(access_key_id=row.access_key_id).update(status="inactive")
    fields = {"state": State.SUCCEEDED, "result": "Disabled: AWS confirmed it.", "called_at": timezone.now()}
    page = settled(client_for(operator), row, **fields)
    toast = page.partition('class="toast"')[2]
    assert f"{row.access_key_id[:4]}…{row.access_key_id[-4:]}</a> is disabled. AWS confirmed it." in toast
    assert f'<form method="post" action="{reverse("undo", args=[row.uuid])}"' in toast
    assert "csrfmiddlewaretoken" in toast
    assert "<form" not in settled(client_for(viewer), row).partition('class="toast"')[2]
    undone = client_for(operator).post(reverse("undo", args=[row.uuid]), headers={"HX-Request": "true"})
    assert (undone.status_code, f'id="key-action-{row.this_key.uuid}"' in undone.content.decode()) == (200, True)
    assert Remediation.objects.get(action=Action.ENABLE).undo_of == row


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"state": State.REFUSED, "result": "Used just now, since you looked."}, "was not disabled. Used just now, since you looked."),
        ({"state": State.NEEDS_HUMAN, "result": "Nobody knows."}, "needs a person. Nobody knows."),
        ({"state": State.SUCCEEDED_OBSERVED, "action": Action.ENABLE}, "is active again. AWS did not answer, but shows the change."),
    ],
)
def test_a_toast_of_another_outcome_says_it_and_offers_nothing(
    ask: Callable[..., Plan], operator: User, client_for: As, fields: dict[str, object], words: str
) -> None:
    row = ask().remediations.filter(user_name="user-0000").get()
    toast = settled(client_for(operator), row, **fields).partition('class="toast"')[2]
    assert words in toast
    assert "<form" not in toast
