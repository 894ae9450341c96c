"""The queue as a list: its views, its filter line, its columns and exports, and what stands beside it."""

from __future__ import annotations

import csv
import io
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

from accounts.models import Account, ScopeGrant
from hygiene.models import AccessKey, Action, Plan, Remediation, SavedView, State
from hygiene.services import policies
from hygiene.services.columns import COLUMNS
from hygiene.services.plans import make_plan
from tests.factories import estate

pytestmark = pytest.mark.django_db
ClientFor = Callable[[User], Client]
STATES = (State.SUCCEEDED, State.FAILED, State.AWAITING_APPROVAL, State.CALLING, State.REQUESTED)


@pytest.fixture
def changes(operator: User) -> dict[str, Remediation]:
    """One change in each kind of state, and one that waits for its day, all of user keys in data-lake."""
    estate(15)
    now, found = timezone.now(), {}
    keys = AccessKey.objects.filter(principal__is_root=False).select_related("account", "principal").order_by("pk")
    for key, state in zip(keys, (*STATES, "scheduled"), strict=False):
        day = now + timedelta(days=14) if state == "scheduled" else None
        plan = make_plan(keys=[key], action=Action.DISABLE, actor=operator, now=now)
        Plan.objects.filter(pk=plan.pk).update(confirmed_at=now, run_at=day, approvals_needed=1, change_hash="x")
        found[str(state)] = Remediation.objects.create(
            plan=plan,
            account=key.account,
            principal=key.principal,
            key=key,
            target_id=key.access_key_id or "",
            access_key_id=key.access_key_id or "",
            user_name=key.principal.name,
            user_arn=key.principal.arn,
            action=Action.DISABLE,
            state=State.APPROVED if state == "scheduled" else state,
            reason="leaver" if state == State.FAILED else "unused",
            ticket="SEC-7" if state == State.FAILED else "",
            requested_by=operator,
            requested_by_name=operator.username,
            requested_at=now,
            due_at=day or now,
            finished_at=now if state in (State.SUCCEEDED, State.FAILED) else None,
            result="AccessDenied by AWS." if state == State.FAILED else "",
        )
    return found


def shown(client: Client, search: str = "") -> set[str]:
    """Names of the users whose changes are listed."""
    html = client.get(reverse("queue") + search).content.decode()
    return set(re.findall(r'data-column="subject"><span class="two"><b class="">([^<]+)', html))


def names(changes: dict[str, Remediation], *states: str) -> set[str]:
    return {changes[state].user_name for state in states}


@pytest.mark.parametrize(
    ("search", "states"),
    [
        ("", ("awaiting_approval", "calling", "requested", "scheduled")),
        ("?view=scheduled", ("scheduled",)),
        ("?view=running", ("calling",)),
        ("?view=done", ("succeeded", "failed")),
        ("?view=all", ("succeeded", "failed", "awaiting_approval", "calling", "requested", "scheduled")),
        ("?view=all&q=status:failed", ("failed",)),
        ("?view=all&q=status:approval,running", ("awaiting_approval", "calling")),
        ("?view=all&q=reason:leaver+ticket:SEC-7", ("failed",)),
        ("?view=all&q=SEC-7", ("failed",)),
        ("?view=all&q=-status:waiting+-status:running", ("succeeded", "failed")),
        ("?view=all&q=account:sandbox-07", ()),
        ("?view=done&q=by:operator+action:disable", ("succeeded", "failed")),
        ("?view=done&q=by:me", ()),
        ("?view=done&q=is:untried", ("failed",)),
    ],
)
def test_views_and_words_select_changes(
    search: str, states: tuple[str, ...], changes: dict[str, Remediation], client_for: ClientFor, auditor: User
) -> None:
    assert shown(client_for(auditor), search) == names(changes, *states)


def test_what_waits_for_me_is_what_others_asked_and_i_may_decide(
    changes: dict[str, Remediation], client_for: ClientFor, approver: User, operator: User
) -> None:
    waiting = changes["awaiting_approval"]
    page = client_for(approver).get(reverse("queue") + "?view=me").content.decode()
    assert waiting.user_name in page
    assert f'href="{reverse("run", args=[waiting.plan.uuid])}">Review' in page
    assert 'Waiting for me <span class="n">1</span>' in page
    assert shown(client_for(operator), "?view=me") == set()
    assert "Nothing waits for your decision." in client_for(operator).get(reverse("queue") + "?view=me").content.decode()


def test_a_row_says_how_far_it_is_and_why_it_failed(changes: dict[str, Remediation], client_for: ClientFor, auditor: User) -> None:
    page = client_for(auditor).get(reverse("queue") + "?view=all").content.decode()
    for words in ("AccessDenied by AWS.", "as AWS confirmed", "1 approval needed", "disabling…", "Leaver, SEC-7"):
        assert words in page
    assert reverse("run", args=[changes["failed"].plan.uuid]) in page


@pytest.mark.parametrize(("search", "is_live"), [("", True), ("?view=running", True), ("?view=done", False), ("?view=scheduled", False)])
def test_only_what_moves_is_asked_for_again(
    search: str, is_live: bool, changes: dict[str, Remediation], client_for: ClientFor, auditor: User
) -> None:
    page = client_for(auditor).get(reverse("queue") + search).content.decode()
    assert ('hx-select="#table"' in page) == is_live
    if is_live:
        assert f'hx-get="{reverse("queue")}{search}"' in page


def test_a_quiet_queue_asks_for_nothing_and_says_so(client_for: ClientFor, auditor: User) -> None:
    page = client_for(auditor).get(reverse("queue")).content.decode()
    assert "Nothing waits and nothing is running." in page
    assert 'hx-select="#table"' not in page


@pytest.mark.parametrize("search", ["", "?view=me", "?view=scheduled", "?view=done&q=status:failed"])
def test_the_queue_stays_within_its_budget(
    search: str, changes: dict[str, Remediation], client_for: ClientFor, administrator: User, approver: User
) -> None:
    for person in (administrator, approver):
        client = client_for(person)
        policies.current()  # read once in five seconds by each process, not once a page
        with CaptureQueriesContext(connection) as captured:
            assert client.get(reverse("queue") + search).status_code == 200
        assert len([query for query in captured if "SAVEPOINT" not in query["sql"]]) <= 12


def test_facets_count_and_columns_are_chosen(changes: dict[str, Remediation], client_for: ClientFor, auditor: User) -> None:
    client, url = client_for(auditor), reverse("queue")
    facet = client.get(url, {"view": "all", "facet": "status"}, headers={"HX-Request": "true"}).content.decode()
    assert re.search(r'value="status:failed".*?class="n">1<', facet, re.DOTALL)
    wanted = "ticket,note,due,finished,request,environment,unit,tags"
    page = client.get(url, {"view": "all", "cols": wanted}).content.decode()
    assert [name for name in wanted.split(",") if f'data-column="{name}"' not in page] == []
    assert 'data-column="account"' not in page


def test_the_queue_is_exported_and_kept_as_a_view(changes: dict[str, Remediation], client_for: ClientFor, auditor: User) -> None:
    client, url = client_for(auditor), reverse("queue")
    answer = client.get(url, {"view": "done", "q": "status:failed", "format": "csv"})
    rows = list(csv.DictReader(io.StringIO(answer.getvalue().decode())))
    assert [list(rows[0]), len(rows)] == [list(COLUMNS["queue"]), 1]
    assert (rows[0]["state"], rows[0]["ticket"], rows[0]["requested_by"]) == ("failed", "SEC-7", "operator")
    client.post(reverse("view-save"), {"page": "queue", "name": "Failures", "q": "status:failed", "view": "done", "density": "compact"})
    saved = SavedView.objects.get()
    assert shown(client, f"?view=done&q=status:failed&saved={saved.uuid}") == names(changes, "failed")


def test_changes_outside_the_scope_are_not_there(changes: dict[str, Remediation], client_for: ClientFor, operator: User) -> None:
    ScopeGrant.objects.create(user=operator, account=Account.objects.get(name="sandbox-07"))
    client = client_for(operator)
    assert shown(client, "?view=all") == set()
    assert 'All changes <span class="n">0</span>' in client.get(reverse("queue")).content.decode()


def test_words_of_the_queue_are_suggested(changes: dict[str, Remediation], client_for: ClientFor, auditor: User) -> None:
    page = client_for(auditor).get(reverse("suggest"), {"page": "queue", "word": "status:fa"}, headers={"HX-Request": "true"})
    assert "status:failed" in page.content.decode()
