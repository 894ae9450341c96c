"""Which columns a list shows: the usual ones, those asked for in the address, and none whose value the filter line fixes."""

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

from accounts import audit
from accounts.models import Account
from hygiene.models import AccessKey
from hygiene.services.columns import COLUMNS
from hygiene.services.exemptions import Cover, Terms
from hygiene.services.exemptions import make as make_exemptions
from hygiene.tables import AccountTable, AuditTable, ExemptionTable, FindingTable, KeyTable, RootTable, UserTable
from tests.factories import estate

pytestmark = pytest.mark.django_db
ClientFor = Callable[[User], Client]
BUDGET = 12
TABLES = {
    "keys": KeyTable,
    "users": UserTable,
    "root-users": RootTable,
    "accounts": AccountTable,
    "findings": FindingTable,
    "exemptions": ExemptionTable,
    "audit": AuditTable,
}


@pytest.fixture
def auditor(auditor: User) -> User:
    """Somebody who sees all lists, each with a row."""
    estate(5)
    key, now = AccessKey.objects.filter(principal__is_root=False).select_related("account", "principal")[0], timezone.now()
    make_exemptions(
        [Cover(key=key)],
        Terms(rules=["key.never_used"], reason="a device", accepted_by="olga", ends_on=now.date().replace(year=now.year + 1), ticket=""),
        actor=auditor,
        now=now,
    )
    audit.record(action="key.disable", outcome="succeeded", now=now, account=key.account, target="AKIA", before={"status": "active"})
    return auditor


def shown(html: str) -> list[str]:
    """Names of the columns of the first row."""
    row = re.search(r"<tbody.*?<tr(.*?)</tr>", html, re.DOTALL)
    return re.findall(r'data-column="(\w+)"', row[1]) if row else []


def offered(html: str) -> dict[str, bool]:
    """Columns that can be chosen, and whether they are ticked."""
    return {name: bool(on) for name, on in re.findall(r'name="cols" value="(\w+)"( checked)?', html)}


@pytest.mark.parametrize("name", TABLES)
def test_every_column_can_be_asked_for_within_the_budget(name: str, client_for: ClientFor, auditor: User) -> None:
    client, url = client_for(auditor), reverse(name)
    choices = offered(client.get(url).content.decode())
    assert len(choices) >= 6
    assert not all(choices.values())
    with CaptureQueriesContext(connection) as captured:
        html = client.get(url, {"cols": ",".join(choices)}).content.decode()
    assert set(choices) <= set(shown(html))
    assert len([query for query in captured if "SAVEPOINT" not in query["sql"]]) <= BUDGET
    assert re.findall(r'role="cell"[^>]*>\s*(?:—|-|None)?\s*</td>', html) == []


@pytest.mark.parametrize("name", TABLES)
def test_columns_that_are_asked_for_are_the_only_ones_beside_the_fixed(name: str, client_for: ClientFor, auditor: User) -> None:
    client, url = client_for(auditor), reverse(name)
    one = next(name for name, is_on in offered(client.get(url).content.decode()).items() if not is_on)
    html = client.get(url, {"cols": one}).content.decode()
    fixed = [column for column in TABLES[name].fixed if column != "select"]
    assert set(shown(html)) == {*fixed, one}
    assert "The usual ones" in html
    assert f"cols={one}" in client.get(url, {"cols": [one], "q": "x"}).content.decode()


@pytest.mark.parametrize(
    ("name", "word", "column"),
    [
        ("users", "mfa:off", "mfa"),
        ("users", "account:data-lake", "account"),
        ("accounts", "env:prod", "environment"),
        ("accounts", "owner:team-data@example.com", "owner"),
        ("findings", "account:data-lake", "account"),
        ("exemptions", "by:olga", "accepted_by"),
        ("audit", "action:key.disable", "action"),
        ("audit", "result:succeeded", "outcome"),
    ],
)
def test_a_column_whose_value_the_filter_fixes_is_hidden_until_asked_for(
    name: str, word: str, column: str, client_for: ClientFor, auditor: User
) -> None:
    client, url = client_for(auditor), reverse(name)
    assert column in shown(client.get(url).content.decode())
    assert column not in shown(client.get(url, {"q": word}).content.decode())
    assert column in shown(client.get(url, {"q": word, "cols": column}).content.decode())


@pytest.mark.parametrize("name", TABLES)
def test_an_export_of_the_shown_columns_says_what_they_say(name: str, client_for: ClientFor, auditor: User) -> None:
    client, url, table = client_for(auditor), reverse(name), TABLES[name]
    answer = client.get(url, {"format": "csv", "columns": "visible"})
    header = next(csv.reader(io.StringIO(answer.getvalue().decode())))
    assert 0 < len(header) < len(COLUMNS[table.kind])
    assert {column for names in table.exports.values() for column in names} <= set(COLUMNS[table.kind])
    assert set(table.exports) <= set(table.base_columns)


def test_a_column_asked_for_is_shown_on_narrow_screens_too(client_for: ClientFor, auditor: User) -> None:
    client = client_for(auditor)
    assert 'class="optional-column" data-label="Owner"' in client.get(reverse("users")).content.decode()
    assert "optional-column" not in client.get(reverse("users"), {"cols": "owner"}).content.decode()


def test_the_use_of_two_root_keys_is_that_of_the_one_used_last(client_for: ClientFor, auditor: User) -> None:
    key = AccessKey.objects.select_related("principal").get(principal__is_root=True)
    older = {"created_at": timezone.now() - timedelta(days=3000), "last_used_at": None, "last_used_state": "never", "twin": 1}
    values = {name: getattr(key, name) for name in ("account", "principal", "status", "status_observed_at", "first_seen_at")}
    AccessKey.objects.create(**values, **older)
    html = client_for(auditor).get(reverse("root-users"), {"q": "data-lake"}).content.decode()
    assert "last used 2 days ago" in html.partition('data-column="last_used"')[2].partition("</td>")[0]


def test_central_root_access_is_told_as_its_organization_said(client_for: ClientFor, auditor: User) -> None:
    client, status = client_for(auditor), Account.objects.get(name="data-lake").status
    words = []
    for role, features in (("member", ["RootCredentialsManagement"]), ("member", []), ("member", None), ("management", []), ("none", None)):
        status.organization_role, status.organization_id, status.central_root_features = role, "o-1", features
        status.save()
        html = client.get(reverse("root-users"), {"cols": "central", "q": "data-lake"}).content.decode()
        words.append(re.findall(r'data-column="central"><span class="two"><b class="">([^<]*)</b><small>([^<]*)', html)[0])
    assert words == [
        ("on", "for its organization"),
        ("off", "for its organization"),
        ("unknown", "not read"),
        ("n/a", "management account"),
        ("n/a", "in no organization"),
    ]
