"""Every page: it answers, for the right people, within its budget of queries, whatever the number of rows."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from openpyxl import load_workbook

from accounts import audit
from accounts.models import Account, AuditEvent, ScopeGrant
from hygiene.models import AccessKey, Finding, Plan, Principal
from hygiene.services import exports, policies
from hygiene.services.exemptions import Cover, Terms
from hygiene.services.exemptions import make as make_exemptions
from tests.factories import estate, poll

pytestmark = pytest.mark.django_db
BUDGET = 12
LISTS = {
    "keys": ["", "?view=action", "?view=never-used", "?view=ready", "?q=age:>90+-is:root&sort=-age", "?sort=last_used&page=99"],
    "users": ["", "?view=no-mfa", "?q=mfa:off&sort=-last_used"],
    "root-users": ["", "?view=key"],
    "accounts": ["", "?view=silent", "?sort=-report"],
    "rules": [""],
    "findings": ["", "?view=unknown", "?view=fixed", "?view=all&sort=-opened"],
    "queue": ["", "?view=done&sort=-finished", "?view=all&q=status:failed"],
    "exemptions": ["", "?view=all&sort=-ends", "?q=rule:unused"],
    "audit": ["", "?view=changes"],
    "overview": [""],
}


def queries(client: Client, url: str) -> int:
    """Of a process that has just begun: nothing kept, neither the policy nor counts."""
    policies.forget()
    cache.clear()
    with CaptureQueriesContext(connection) as captured:
        response = client.get(url)
    assert response.status_code == 200, url
    return len([query for query in captured if "SAVEPOINT" not in query["sql"]])


@pytest.mark.parametrize(("name", "search"), [(name, search) for name, searches in LISTS.items() for search in searches])
def test_a_list_stays_within_its_budget(name: str, search: str, client_for: Callable[[User], Client], auditor: User) -> None:
    estate(5)
    client = client_for(auditor)
    assert queries(client, reverse(name) + search) <= BUDGET


@pytest.mark.slow
def test_the_budget_is_the_same_for_three_and_for_three_thousand_rows(client_for: Callable[[User], Client], auditor: User) -> None:
    account, world = estate(5)
    for _ in range(3):
        audit.record(action="key.disable", outcome="succeeded", now=world.now, account=account, target="AKIA")
    client = client_for(auditor)
    urls = [reverse(name) + search for name, searches in LISTS.items() for search in searches]
    few = {url: queries(client, url) for url in urls}
    _multiply(account, 3000)
    many = {url: queries(client, url) for url in urls}
    assert {url: count for url, count in many.items() if count > BUDGET} == {}
    assert {url: (few[url], count) for url, count in many.items() if count > few[url] + 1} == {}


def _multiply(account: Account, count: int) -> None:
    """Copies of a user, its key and findings, and of an audit event."""
    user = Principal.objects.filter(account=account, is_root=False).first()
    key = AccessKey.objects.filter(principal=user).first()
    assert user is not None
    assert key is not None
    fields = {
        "account": account,
        "first_seen_at": user.first_seen_at,
        "last_seen_at": user.last_seen_at,
        "password_state": "enabled",
        "mfa_state": "off",
    }
    users = Principal.objects.bulk_create(
        Principal(arn=f"arn:aws:iam::{account.account_id}:user/copy-{n}", name=f"copy-{n}", severity=40, **fields) for n in range(count)
    )
    copied = {
        field: getattr(key, field)
        for field in (
            "account",
            "status",
            "status_observed_at",
            "created_at",
            "last_used_state",
            "first_seen_at",
            "severity",
            "failing_rules",
        )
    }
    keys = AccessKey.objects.bulk_create(
        AccessKey(principal=row, access_key_id=f"AKIACOPY{n:012d}", **copied) for n, row in enumerate(users)
    )
    Finding.objects.bulk_create(
        Finding(
            account=account,
            principal=row,
            key=keys[n],
            subject=f"key:{keys[n].pk}",
            rule="key.never_used",
            profile="default",
            outcome="fail",
            severity=40,
            explanation="x",
            opened_at=user.first_seen_at,
            last_seen_at=user.first_seen_at,
        )
        for n, row in enumerate(users)
    )
    last = AuditEvent.objects.count()
    AuditEvent.objects.bulk_create(
        AuditEvent(sequence=last + n, occurred_at=user.first_seen_at, actor_name="n", action="key.disable", outcome="succeeded")
        for n in range(1, count + 1)
    )


def test_pages_of_one_thing_answer_within_the_budget(client_for: Callable[[User], Client], operator: User) -> None:
    account, _ = estate(5)
    client = client_for(operator)
    event = audit.record(action="key.disable", outcome="requested", now=account.created_at, actor=operator, account=account)
    policies.current()  # read once in five seconds by each process, not once a page
    for url in (
        *(reverse("key", args=[key.uuid]) for key in AccessKey.objects.all()),
        *(reverse("user", args=[user.uuid]) for user in Principal.objects.filter(is_root=False)),
        *(
            reverse(page, args=[number])
            for page in ("account", "root-user")
            for number in Account.objects.values_list("account_id", flat=True)
        ),
        reverse("audit-event", args=[event.uuid]),
        *(reverse("rule", args=[code]) for code in set(Finding.objects.values_list("rule", flat=True))),
        reverse("search") + "?q=user",
        reverse("settings"),
    ):
        assert queries(client, url) <= BUDGET, url


@pytest.mark.parametrize("kind", ["keys", "users", "accounts", "findings", "exemptions", "audit"])
def test_exports_have_the_contracts_columns(kind: str, client_for: Callable[[User], Client], auditor: User) -> None:
    account, _ = estate(5)
    audit.record(action="key.disable", outcome="requested", now=account.created_at, account=account, target="=HYPERLINK(1)")
    accepted = Terms([], "=1+1", "cto@example.com", timezone.localdate() + timedelta(days=30))
    make_exemptions([Cover(account=account)], accepted, actor=auditor, now=timezone.now())
    client = client_for(auditor)
    found = json.loads(b"".join(client.get(reverse(kind) + "?format=json")))
    assert found
    assert all(tuple(row) == exports.COLUMNS[kind] for row in found)
    text = b"".join(client.get(reverse(kind) + "?format=csv")).decode()
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == len(found)
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row.values())


def test_an_export_has_the_rows_of_the_page(client_for: Callable[[User], Client], viewer: User) -> None:
    estate(10)
    found = json.loads(b"".join(client_for(viewer).get(reverse("keys") + "?q=age:>90+-is:root&format=json")))
    assert {row["age_days"] > 90 for row in found} == {True}
    assert len(found) == AccessKey.objects.filter(principal__is_root=False).count() - 4


def test_nobody_sees_accounts_out_of_scope(client_for: Callable[[User], Client], viewer: User) -> None:
    account, world = estate(5)
    other = Account.objects.get(name="sandbox-07")
    ScopeGrant.objects.create(user=viewer, account=other)
    poll(account, world)
    client = client_for(viewer)
    for name, searches in LISTS.items():
        for search in searches:
            page = client.get(reverse(name) + search).content.decode()
            assert "data-lake" not in page, name
            assert "2048 1177 9021" not in page, name
    hidden = [reverse("key", args=[AccessKey.objects.filter(account=account)[0].uuid]), reverse("account", args=[account.account_id])]
    hidden += [reverse("root-user", args=[account.account_id]), reverse("user", args=[Principal.objects.filter(is_root=False)[0].uuid])]
    assert [client.get(url).status_code for url in hidden] == [404] * 4


def test_an_account_that_cannot_be_read_is_unknown_not_zero(client_for: Callable[[User], Client], viewer: User) -> None:
    estate(5)
    client = client_for(viewer)
    page = client.get(reverse("accounts") + "?view=silent").content.decode()
    assert "sandbox-07" in page
    assert "access lost" in page
    assert page.count(">unknown<") >= 3
    assert "1 of 2 accounts reporting" in client.get(reverse("overview")).content.decode()


def test_words_that_mean_nothing_are_noted_and_the_rest_is_kept(client_for: Callable[[User], Client], viewer: User) -> None:
    estate(5)
    page = (
        client_for(viewer).get(reverse("keys"), {"q": "color:red age:old sev:worst rule:nothing tag:__x user:user-0000"}).content.decode()
    )
    for words in ("“color:” is not a filter here", "is not a number of days", "“sev:worst” is not known", "is not a rule", "is not a tag"):
        assert words in page
    assert "user-0000" in page
    assert "user-0001" not in page


CASES: list[tuple[str, str, int]] = [
    ("keys", "status:disabled", 1),
    ("keys", "last-used:never -is:root", 2),
    ("keys", "last-used:>200", 1),
    ("keys", "last-used:<=1", 2),
    ("keys", "rule:never-used", 1),
    ("keys", "rule:never-used,unused status:active", 2),
    ("keys", "sev:critical", 1),
    ("keys", "sev:high+ -is:root", 2),
    ("keys", "account:data-*", 6),
    ("keys", "account:204811779021 user:user-0004", 2),
    ("keys", "owner:team-data@example.com", 6),
    ("keys", "owner:none", 0),
    ("keys", "tag:app=lake env:prod region:eu-west-1 service:s3", 1),
    ("keys", "is:stale-data", 0),
    ("keys", "status:deleted", 0),
    ("keys", "password:yes", 1),
    ("users", "password:yes mfa:off", 1),
    ("users", "rule:password.no_mfa", 1),
    ("accounts", "is:stale-data", 1),
    ("accounts", "partition:aws env:prod tag:app", 2),
    ("findings", "rule:root.* sev:critical", 2),
    ("findings", "status:unknown", 0),
]


@pytest.mark.parametrize(("name", "text", "count"), CASES)
def test_the_filter_line_selects(name: str, text: str, count: int, client_for: Callable[[User], Client], viewer: User) -> None:
    estate(5)
    context: Any = client_for(viewer).get(reverse(name), {"q": text}).context
    assert (context["notes"], context["table"].paginator.count) == ([], count)


def test_a_list_is_a_spreadsheet_with_the_contracts_columns(client_for: Callable[[User], Client], viewer: User) -> None:
    estate(5)
    answer = client_for(viewer).get(reverse("keys") + "?q=status:active&format=xlsx")
    book = load_workbook(io.BytesIO(answer.content), read_only=True)
    assert tuple(cell.value for cell in next(book["Access keys"].rows)) == exports.COLUMNS["keys"]
    about = {row[0].value: row[1].value for row in book["about"].rows}
    assert about["Query"] == "status:active"
    assert str(about["Newest data"]).endswith("Z")
    book.close()


def test_columns_are_chosen_in_the_address_and_a_pinned_one_is_hidden(client_for: Callable[[User], Client], viewer: User) -> None:
    estate(5)
    client = client_for(viewer)
    usual = client.get(reverse("keys")).content.decode()
    assert 'data-column="status"' in usual
    assert 'data-column="region"' not in usual
    assert 'data-column="status"' not in client.get(reverse("keys") + "?q=status:active").content.decode()
    chosen = client.get(reverse("keys") + "?q=status:active&cols=status&cols=region").content.decode()
    assert 'data-column="status"' in chosen
    assert 'data-column="region"' in chosen
    assert 'data-column="owner"' not in chosen


def test_only_keys_that_may_be_changed_have_a_box(client_for: Callable[[User], Client], operator: User, viewer: User) -> None:
    estate(5)
    page = client_for(operator).get(reverse("keys")).content.decode()
    assert page.count("data-select data-status") == AccessKey.objects.filter(principal__is_root=False).count()
    assert "A root key is never changed in bulk." in page
    assert "data-bulk" not in client_for(viewer).get(reverse("keys")).content.decode()


def test_all_that_match_become_one_plan_without_root(client_for: Callable[[User], Client], operator: User) -> None:
    estate(5)
    client = client_for(operator)
    answer = client.post(reverse("plan-new"), {"action": "disable", "all": "1", "q": "status:active", "view": ""})
    assert answer.status_code == 302
    expected = AccessKey.objects.filter(principal__is_root=False, status="active").count()
    assert Plan.objects.get().items.count() == expected
    assert client.post(reverse("plan-new"), {"action": "disable", "all": "1", "q": "user:nobody"}).status_code == 404


def test_the_theme_button_goes_back_to_the_page_as_it_is_filtered_now(client_for: Callable[[User], Client], viewer: User) -> None:
    client, said = client_for(viewer), {"theme": "dark", "next": "/keys/"}
    url = "http://testserver/keys/?q=age%3A%3E90"
    assert client.post(reverse("preferences-theme"), said, headers={"Referer": url})["Location"] == url
    for elsewhere in ("https://evil.example/keys/", ""):
        assert client.post(reverse("preferences-theme"), said, headers={"Referer": elsewhere})["Location"] == "/keys/"


def test_the_density_button_keeps_the_theme(client_for: Callable[[User], Client], viewer: User) -> None:
    client = client_for(viewer)
    client.post(reverse("preferences-theme"), {"theme": "dark", "next": "/keys/"})
    answer = client.post(reverse("preferences-theme"), {"density": "compact", "next": "/keys/"})
    assert answer["Location"] == "/keys/"
    assert 'data-theme="dark" data-density="compact"' in client.get(reverse("keys")).content.decode()
