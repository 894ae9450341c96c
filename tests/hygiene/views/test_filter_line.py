"""The filter line's helpers: facets with counts that write into it, and suggestions for the word that is being typed."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Account, ScopeGrant
from tests.factories import estate

pytestmark = pytest.mark.django_db
ClientFor = Callable[[User], Client]
HTMX = {"HX-Request": "true"}


def choices(client: Client, page: str, search: str) -> dict[str, int]:
    """What an opened facet offers: value and number of rows."""
    html = client.get(reverse(page) + search, headers=HTMX).content.decode()
    assert "<html" not in html
    return {value: int(count) for value, count in re.findall(r'value="([^"]+)".*?class="n">([\d,]+)<', html, re.DOTALL)}


def test_an_opened_facet_counts_the_current_result(client_for: ClientFor, auditor: User) -> None:
    estate(10)
    client = client_for(auditor)
    assert choices(client, "keys", "?facet=status") == {"status:active": 9, "status:disabled": 2}
    assert choices(client, "keys", "?q=age:>90&facet=status") == {"status:active": 5, "status:disabled": 2}


def test_a_facet_leaves_out_its_own_words_when_it_counts(client_for: ClientFor, auditor: User) -> None:
    estate(10)
    assert choices(client_for(auditor), "keys", "?q=status:disabled&facet=status") == {"status:active": 9, "status:disabled": 2}


def test_a_facet_of_values_can_be_searched(client_for: ClientFor, auditor: User) -> None:
    estate(5)
    client = client_for(auditor)
    assert choices(client, "keys", "?facet=account&find=lake") == {"account:204811779021": 6}
    assert choices(client, "keys", "?facet=account&find=nothing") == {}


FACETS = {
    "keys": ("rule", "account", "owner", "status", "age", "last-used"),
    "users": ("rule", "account", "owner", "password", "mfa"),
    "findings": ("rule", "sev", "account"),
    "accounts": ("env", "owner", "is"),
    "root-users": ("rule", "env"),
    "queue": ("action", "status", "reason", "by", "account"),
    "exemptions": ("scope", "by"),
    "audit": ("result", "action", "by"),
}


def test_every_facet_opens_within_the_budget_and_without_scripts(client_for: ClientFor, auditor: User) -> None:
    estate(2)
    client, wrong = client_for(auditor), []
    for page, key in [(page, key) for page, keys in FACETS.items() for key in keys]:
        with CaptureQueriesContext(connection) as captured:
            html = client.get(reverse(page) + f"?facet={key}").content.decode()
        count = len([query for query in captured if "SAVEPOINT" not in query["sql"]])
        if count > 13 or f'id="facet-{key}" open' not in html:
            wrong.append((page, key, count))
    assert wrong == []


def test_what_a_facet_posts_becomes_the_filter_line(client_for: ClientFor, auditor: User) -> None:
    client = client_for(auditor)
    picked = client.get(reverse("keys") + "?view=action&q=s3&pick=account:a&pick=account:b&pick=account:")
    assert picked["Location"] == "/keys/?view=action&q=s3+account%3Aa%2Cb"
    assert client.get(reverse("keys") + "?q=s3&pick=account:")["Location"] == "/keys/?q=s3"


def test_an_applied_facet_shows_its_value_in_the_button(client_for: ClientFor, auditor: User) -> None:
    page = client_for(auditor).get(reverse("keys") + "?q=status:disabled").content.decode()
    assert re.search(r"Status: <b>Disabled</b>", page)


def offered(client: Client, page: str, word: str) -> list[str]:
    html = client.get(reverse("suggest"), {"page": page, "word": word}).content.decode()
    return re.findall(r'data-word="([^"]*)"', html.replace("&gt;", ">").replace("&quot;", "'"))


SUGGESTED = [
    ("keys", "acc", ["account:", "account-owner:"]),
    ("keys", "-sta", ["-status:"]),
    ("keys", "status:d", ["status:disabled", "status:deleted"]),
    ("keys", "status:active,d", ["status:active,disabled", "status:active,deleted"]),
    ("keys", "account:lak", ["account:data-lake"]),
    ("keys", "account:2048", ["account:data-lake"]),
    ("keys", "user:user-0001", ["user:user-0001"]),
    ("keys", "owner:team", ["owner:team-data@example.com"]),
    ("keys", "tag:app", ["tag:app=lake"]),
    ("keys", "rule:never", ["rule:never-used"]),
    ("keys", "age:>9", ["age:>90"]),
    ("keys", "nothing:x", []),
    ("keys", "freetext", []),
    ("users", "mfa:o", ["mfa:on", "mfa:off"]),
    ("accounts", "account:sand", ["account:sandbox-07"]),
    ("findings", "sev:hi", ["sev:high", "sev:high+"]),
]


def test_suggestions_follow_the_word(client_for: ClientFor, auditor: User) -> None:
    estate(2)
    client, wrong = client_for(auditor), []
    for page, word, offers in SUGGESTED:
        found = offered(client, page, word)
        if [name for name in found if name in offers] != offers or bool(found) != bool(offers):
            wrong.append((page, word, found))
    assert wrong == []


def test_suggestions_name_nothing_outside_the_scope(client_for: ClientFor, operator: User) -> None:
    estate(2)
    ScopeGrant.objects.create(user=operator, account=Account.objects.get(name="sandbox-07"))
    client = client_for(operator)
    assert (offered(client, "keys", "account:data"), offered(client, "keys", "user:user")) == ([], [])


def test_suggestions_are_for_lists_and_for_people_who_may_look(client_for: ClientFor, auditor: User, person: Callable[..., User]) -> None:
    client = client_for(auditor)
    assert client.get(reverse("suggest"), {"page": "settings", "word": "a"}).status_code == 404
    assert client.post(reverse("suggest")).status_code == 405
    assert client_for(person(None)).get(reverse("suggest"), {"page": "keys", "word": "a"}).status_code == 403
