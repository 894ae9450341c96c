"""The overview: every number is that of the list behind it, in every scope; what is unknown or exempt is said apart."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Account
from hygiene.domain.policy import resolve
from hygiene.models import AccessKey, AccountStatus, Action, DailyPosture, KeyEvent
from hygiene.services import change_rules, exemption_ends, remediation
from hygiene.services.exemptions import Cover, Terms
from hygiene.services.exemptions import make as make_exemptions
from hygiene.services.plans import make_plan
from tests.factories import estate, poll, populate, register
from tests.fakes import FakeAwsAccount

pytestmark = pytest.mark.django_db
ClientFor = Callable[[User], Client]
REPORTING = {"": 2, "ou:Root/Prod": 1, "ou:Root/Lab": 1, "tag:team=net": 1, "mine": 1, "300000000003,204811779021": 2}


@pytest.fixture
def two_units() -> None:
    """`data-lake` in Root/Prod, `edge` in Root/Lab with other users, `sandbox-07` silent."""
    estate(5)
    Account.objects.filter(name="data-lake").update(organizational_unit="Root/Prod")
    world = FakeAwsAccount("300000000003", now=timezone.now() - timedelta(minutes=5))
    populate(world, 10)
    poll(
        register(
            "300000000003", "edge", now=world.now, organizational_unit="Root/Lab", tags={"team": "net"}, owner_email="edge@example.com"
        ),
        world,
    )


def rows_behind(client: Client, url: str) -> int:
    return int(client.get(unescape(url)).context["table"].paginator.count)


def test_each_number_is_the_number_of_rows_behind_its_link(two_units: None, client_for: ClientFor, person: Callable[..., User]) -> None:
    client = client_for(person("operator", username="edge"))
    for scope, reporting in REPORTING.items():
        context: Any = client.get(reverse("overview"), {"scope": scope}).context
        for figure in context["figures"][1:]:
            assert figure.value == rows_behind(client, figure.url), (scope, figure.name)
        assert context["found"].root_accounts == rows_behind(client, context["figures"][0].url)
        assert context["found"].totals["active_keys"] == rows_behind(client, context["links"]["active"])
        assert {step.view for step in context["steps"] if step.action} == {"never-used"}
        assert context["found"].reporting == reporting


def test_cells_of_the_grid_lead_to_their_rows_and_unknown_is_dashed(two_units: None, client_for: ClientFor, viewer: User) -> None:
    client = client_for(viewer)
    answer = client.get(reverse("overview"))
    grid = {row.site.account.name: row.cells for row in answer.context["rows"]}
    for name in ("edge", "data-lake"):
        for cell in grid[name][2:6]:
            assert int(cell.text.split(" / ")[0]) == rows_behind(client, cell.url), (name, cell.label)
    assert [cell.text for cell in grid["sandbox-07"]] == ["?"] * 6 + ["never"]
    assert answer.content.decode().count('<span class="sr">unknown</span>') == 6
    assert grid["edge"][1].text == "off"


def test_a_word_that_is_no_scope_shows_everything_and_says_so(two_units: None, client_for: ClientFor, viewer: User) -> None:
    page = client_for(viewer).get(reverse("overview"), {"scope": "everything"})
    assert "All accounts are shown" in page.content.decode()
    assert page.context["found"].expected == 3


def test_what_is_exempt_stands_beside_its_number(client_for: ClientFor, operator: User) -> None:
    estate(10)
    now, key = timezone.now(), AccessKey.objects.filter(failing_rules__icontains="key.never_used")[0]
    accepted = Terms(["key.never_used"], "Kept.", "cto@example.com", timezone.localdate() + timedelta(days=3))
    row = make_exemptions([Cover(key=key)], accepted, actor=operator, now=now)[0]
    exemption_ends.reevaluate(row, policies=lambda _: resolve(), now=now)
    client = client_for(operator)
    answer = client.get(reverse("overview"))
    never = answer.context["figures"][1]
    assert (never.value, never.base.endswith(", 1 exempt")) == (1, True)
    assert rows_behind(client, answer.context["links"]["exempt"]) == answer.context["work"].exempt == 1
    assert "1 exemption will end soon" in answer.content.decode()


def test_a_week_is_compared_and_days_make_a_line(client_for: ClientFor, viewer: User) -> None:
    account, _ = estate(5)
    today = timezone.now().date()
    DailyPosture.objects.filter(account=account).update(day=today)  # it was polled yesterday, in the first minutes of a day
    for days in (14, 7, 1):
        DailyPosture.objects.create(
            account=account, day=today - timedelta(days=days), measured_at=timezone.now(), never_used=4, unused_90=1, active_keys=5
        )
    answer = client_for(viewer).get(reverse("overview"))
    never, idle = answer.context["figures"][1:3]
    assert (never.change, never.tone) == ("3 fewer in 7 days", "is-better")
    assert (idle.change, idle.tone) == ("1 more in 7 days", "is-worse")
    assert len(never.line.split()) == 4
    assert [point.accounts for point in answer.context["points"]] == [1, 1, 1, 1]


def test_a_root_key_whose_use_is_not_known_is_not_called_unused(client_for: ClientFor, viewer: User) -> None:
    estate(2)
    client, root = client_for(viewer), AccessKey.objects.filter(principal__is_root=True)
    root.update(last_used_at=None, last_used_state="unknown")
    assert "last use unknown. No policy limits what it can do." in client.get(reverse("overview")).content.decode()
    root.update(last_used_state="never")
    assert "no use on record. No policy limits what it can do." in client.get(reverse("overview")).content.decode()


def test_a_banner_warns_of_production_accounts_without_a_report_for_a_day(client_for: ClientFor, viewer: User) -> None:
    account, _ = estate(5)
    client = client_for(viewer)
    assert "without a report for over 24 hours" not in client.get(reverse("overview")).content.decode()
    AccountStatus.objects.filter(account=account).update(report_generated_at=timezone.now() - timedelta(hours=25))
    page = client.get(reverse("overview")).content.decode()
    assert "1 account without a report for over 24 hours" in page
    Account.objects.update(is_polled=False)
    assert "without a report" not in client.get(reverse("overview")).content.decode()


def test_the_checklist_is_for_those_who_set_up_and_goes_when_done(client_for: ClientFor, administrator: User, viewer: User) -> None:
    assert "Connect accounts" in client_for(viewer).get(reverse("overview")).content.decode()
    estate(5)
    assert client_for(viewer).get(reverse("overview")).context["checklist"] == []
    client = client_for(administrator)
    items = {item.title: item.is_done for item in client.get(reverse("overview")).context["checklist"]}
    assert items == {
        "Connect accounts": True,
        "First poll": True,
        "Check owners": True,
        "Choose a policy": False,
        "Send a digest to yourself": False,
    }
    change_rules.save({"approval_hours": 48}, actor=administrator, now=timezone.now())
    administrator.digest_deliveries.create(
        address=administrator.email, week="2026-W48", state="sent", claimed_at=timezone.now(), lease_expires_at=timezone.now()
    )
    assert client.get(reverse("overview")).context["checklist"] == []


def test_requests_of_others_and_failed_changes_come_before_what_is_unused(
    client_for: ClientFor, operator: User, approver: User, administrator: User
) -> None:
    estate(5)
    now = timezone.now()
    change_rules.save({"approvals_disable": 1}, actor=administrator, now=now)
    key = AccessKey.objects.select_related("account__status", "principal").get(last_used_at__isnull=True, principal__name="user-0000")
    plan = make_plan(keys=[key], action=Action.DISABLE, actor=operator, now=now)
    made = remediation.confirm(plan=plan, actor=operator, now=now, reason="unused", ticket="", note="", typed="", include_in_use=False)
    titles = [step.title for step in client_for(approver).get(reverse("overview")).context["steps"]]
    assert titles[:3] == ["Root key in data-lake", "1 request waits for your approval", "1 active key was never used"]
    type(made[0]).objects.update(state="failed", finished_at=now)
    titles = [step.title for step in client_for(operator).get(reverse("overview")).context["steps"]]
    assert titles[1] == "1 change failed or needs a person"


def test_the_button_of_a_step_opens_a_plan_for_those_who_may(client_for: ClientFor, operator: User, viewer: User) -> None:
    estate(5)
    page = client_for(operator).get(reverse("overview")).content.decode()
    assert re.search(r'id="next-never-used">Disable…', page)
    seen = client_for(viewer).get(reverse("overview")).content.decode()
    assert "next-never-used" not in seen
    assert "See keys" in seen


def test_keys_that_are_gone_are_the_eliminated_ones_and_changes_are_told(client_for: ClientFor, viewer: User) -> None:
    account, world = estate(5)
    world.users["user-0000"].keys.clear()
    world.now = timezone.now() + timedelta(hours=5)
    poll(account, world)
    client = client_for(viewer)
    answer = client.get(reverse("overview"))
    assert (answer.context["work"].eliminated, answer.context["work"].eliminated_lately) == (1, 1)
    assert rows_behind(client, answer.context["links"]["eliminated"]) == 1
    assert "<b>1 key eliminated</b>" in answer.content.decode()
    event = KeyEvent.objects.get(kind="gone")
    assert f"{event.summary}: " in answer.content.decode()
