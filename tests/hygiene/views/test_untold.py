"""What was not read is not told as good: lists without rows, counts of what cannot be told, findings of root keys, facets, exports."""

from __future__ import annotations

import csv
import io
import json
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

from accounts.models import Account
from hygiene.domain.wording import day
from hygiene.models import AccessKey, AccountStatus, Finding, FindingOutcome, Principal, RequestState, UsageEvidence
from hygiene.services import advice, permissions
from tests.factories import estate

pytestmark = pytest.mark.django_db
ClientFor = Callable[[User], Client]
HTMX = {"HX-Request": "true"}
SANDBOX = '<a href="/accounts/771433802256/">sandbox-07</a> does not report'


def text(client: Client, name: str, search: str = "", **more: object) -> str:
    return client.get(reverse(name, **more) + search).content.decode()  # type: ignore[arg-type]


def choices(client: Client, page: str, search: str) -> dict[str, int]:
    """What an opened facet offers: value and number of rows."""
    html = client.get(reverse(page) + search, headers=HTMX).content.decode()
    return {value: int(count) for value, count in re.findall(r'value="([^"]+)".*?class="n">([\d,]+)<', html, re.DOTALL)}


def rows(client: Client, page: str, search: str) -> int:
    return int(client.get(reverse(page) + search).context["table"].paginator.count)


def words(html: str) -> str:
    """The page's text on one line."""
    return " ".join(re.sub(r"<[^>]+>", "", html).split())


# What cannot be told


def test_findings_that_cannot_be_told_name_the_accounts_that_do_not_report(client_for: ClientFor, viewer: User) -> None:
    estate(2)
    page = text(client_for(viewer), "findings", "?view=unknown")
    assert "Every rule could be told" not in page
    assert f"{SANDBOX}: its rules cannot be told." in page
    Account.objects.filter(name="sandbox-07").update(is_polled=False)
    assert "Every rule could be told in the accounts that are polled." in text(client_for(viewer), "findings", "?view=unknown")


def test_rules_count_accounts_that_do_not_report_beside_what_cannot_be_told(client_for: ClientFor, viewer: User) -> None:
    estate(2)
    client = client_for(viewer)
    of = {row.rule.code: row for row in client.get(reverse("rules")).context["rows"]}
    assert (of["key.too_old"].silent, of["account.unreachable"].silent, of["key.unused_90"].silent) == (1, 0, 0)
    assert "0 and 1 account that does not report" in words(text(client, "rules"))
    assert "1 account that does not report" in words(text(client, "rule", args=["key.too_old"]))


def test_an_account_with_findings_that_cannot_be_told_is_not_counted_twice(client_for: ClientFor, viewer: User) -> None:
    account, _ = estate(2)
    AccountStatus.objects.filter(account=account).update(last_outcome="access_lost")
    Finding.objects.open().filter(account=account, rule="key.too_old").update(outcome=FindingOutcome.UNKNOWN)
    of = {row.rule.code: row for row in client_for(viewer).get(reverse("rules")).context["rows"]}
    assert (of["key.too_old"].unknown, of["key.too_old"].silent) == (1, 1)
    assert (of["root.virtual_mfa"].unknown, of["root.virtual_mfa"].silent) == (0, 2)


def test_a_rule_whose_facts_nobody_looked_for_says_so_instead_of_none(client_for: ClientFor, viewer: User) -> None:
    estate(2)
    client = client_for(viewer)
    page = text(client, "rule", args=["key.shared"])
    assert "not looked for yet in 2 keys" in page
    assert "<dd>0<small>cannot be told" not in page
    for key in AccessKey.objects.filter(principal__is_root=False):
        now = timezone.now()
        UsageEvidence.objects.create(key=key, requested_by=viewer, requested_at=now, finished_at=now, state=RequestState.DONE, regions=[])
    assert "not looked for yet" not in text(client, "rule", args=["key.shared"])


@pytest.mark.parametrize(
    ("code", "unread", "said"),
    [
        ("ssh_key.old", {"ssh_keys": None}, "2 users"),
        ("service_credential.long_lived", {"service_credentials": None}, "2 users"),
        ("user.direct_policy", {"policies": None}, "2 users"),
        ("key.admin", {"policies": None, "is_admin": None}, "2 keys"),
    ],
)
def test_each_rule_knows_the_facts_that_it_waits_for(
    code: str, unread: dict[str, None], said: str, client_for: ClientFor, viewer: User
) -> None:
    estate(2)
    Principal.objects.update(ssh_keys=[], service_credentials=[], policies=[], is_admin=False)
    assert "not looked for yet" not in text(client_for(viewer), "rule", args=[code])
    Principal.objects.update(**unread)
    page = text(client_for(viewer), "rule", args=[code])
    assert (f"not looked for yet in {said}" in page) == ("<dd>on<small>" in page)


# Lists without rows


@pytest.mark.parametrize(
    "search", ["?q=account:sandbox-07", "?q=account:SANDBOX-*", "?q=account:771433802256+owner:me", "?view=root&q=account:sand*"]
)
@pytest.mark.parametrize("name", ["keys", "users"])
def test_a_list_that_is_empty_since_its_account_was_never_read_says_so(name: str, search: str, client_for: ClientFor, viewer: User) -> None:
    estate(2)
    page = text(client_for(viewer), name, search)
    assert f"{SANDBOX}: nothing is known of its {name}." in page
    assert ("No key matches" in page, "No user matches" in page) == (False, False)
    assert "Clear filters" in page


def test_other_filters_that_match_nothing_blame_no_account(client_for: ClientFor, viewer: User) -> None:
    estate(2)
    page = text(client_for(viewer), "keys", "?q=account:data-lake+user:nobody")
    assert "No key matches this filter." in page
    assert "does not report" not in page


def test_where_no_account_reports_every_empty_list_names_them(client_for: ClientFor, viewer: User) -> None:
    estate(2)
    AccountStatus.objects.filter(account__name="data-lake").update(report_generated_at=timezone.now() - timedelta(days=3))
    page = text(client_for(viewer), "keys", "?view=never-used")
    assert "data-lake</a> does not report: of its keys only what was read on" in page
    assert f"{SANDBOX}: nothing is known of its keys." in page
    assert "No active key is without use." not in page


# Root keys


def test_the_page_of_a_root_key_has_the_findings_of_its_root_user(client_for: ClientFor, viewer: User) -> None:
    estate(2)
    key, client = AccessKey.objects.get(principal__is_root=True), client_for(viewer)
    page = text(client, "key", args=[key.uuid])
    assert 'href="/rules/root.key_present/"' in page
    assert "No rule fails here" not in page
    assert Finding.objects.open().get(rule="root.key_present").explanation in page
    with CaptureQueriesContext(connection) as captured:
        text(client, "key", args=[key.uuid])
    assert len([query for query in captured if "SAVEPOINT" not in query["sql"]]) <= 12


@pytest.mark.parametrize("word", ["root.key_present", "key-present", "root.*", "root.key-present"])
def test_root_keys_are_found_by_the_rules_of_their_root_user(word: str, client_for: ClientFor, viewer: User) -> None:
    estate(2)
    found = client_for(viewer).get(reverse("keys") + f"?q=rule:{word}").context["table"].page.object_list
    assert [row.record.principal.is_root for row in found] == [True]


def test_the_facet_of_findings_offers_each_rule_with_the_number_of_its_rows(client_for: ClientFor, viewer: User) -> None:
    estate(5)
    client = client_for(viewer)
    offered = choices(client, "keys", "?facet=rule")
    assert offered["rule:root.key-present"] == 1
    for word, count in offered.items():
        assert rows(client, "keys", f"?q={word}") == count, word


def test_findings_of_an_account_that_was_never_read_are_not_none(client_for: ClientFor, viewer: User) -> None:
    estate(2)
    client = client_for(viewer)
    assert "Not known: this account does not report." in text(client, "root-user", args=["771433802256"])
    key = AccessKey.objects.get(principal__name="user-0001")
    assert "No rule fails here, as far as is known." in text(client, "key", args=[key.uuid])
    AccountStatus.objects.update(report_generated_at=timezone.now() - timedelta(days=3))
    Finding.objects.filter(principal=key.principal).delete()
    for page in (text(client, "key", args=[key.uuid]), text(client, "user", args=[key.principal.uuid])):
        assert "No rule fails here" not in page
        assert "Not known: this account does not report." in page


# When a key was disabled


DISABLED = [
    ({"disabled_here_at": 3}, "since {3}, 11 days left"),
    ({"first_inactive_at": 3}, "seen disabled since {3}, 11 days left"),
    ({"first_inactive_at": 9}, "seen disabled since {9}, before that unknown, 5 days left"),
    ({"first_inactive_at": 9, "disabled_here_at": 3}, "since {3}, 11 days left"),
]


@pytest.mark.parametrize(("days", "said"), DISABLED)
def test_a_key_is_not_said_to_be_disabled_since_the_day_it_was_first_seen(days: dict[str, int], said: str, viewer: User) -> None:
    estate(5)
    now = timezone.now()
    fields = {"first_seen_at": 9, "first_inactive_at": 9, **days}
    AccessKey.objects.filter(status="inactive").update(**{name: now - timedelta(days=age) for name, age in fields.items()})
    key = AccessKey.objects.get(status="inactive")
    dates = {str(age): day(now - timedelta(days=age)) for age in (3, 9)}
    wanted = re.sub(r"\{(\d)\}", lambda found: dates[found[1]], said)
    assert [step.text for step in advice.lifecycle(key, now=now) if step.is_current] == [wanted]


def test_a_key_that_nobody_disabled_here_still_waits_and_is_deleted_early_only(operator: User) -> None:
    estate(5)
    now = timezone.now()
    key = AccessKey.objects.get(status="inactive")
    assert permissions.days_left(key, now) == 14
    key.first_seen_at = key.first_inactive_at = now - timedelta(days=20)
    refusal = permissions.wait_refusal(key, now)
    assert refusal is not None
    assert "counts as early" in refusal.sentence
    assert permissions.is_early(key, now)


# Facets


@pytest.mark.parametrize("page", ["keys", "users"])
def test_owners_of_the_facet_are_those_of_the_column_and_the_filter(page: str, client_for: ClientFor, viewer: User) -> None:
    estate(5)
    mine = {"user-0000": "ann@example.com", "user-0001": "Ann@example.com"}
    for name, owner in mine.items():
        Principal.objects.filter(name=name).update(owner=owner)
    client = client_for(viewer)
    offered = choices(client, page, "?facet=owner")
    assert offered["owner:ann@example.com"] == 2
    assert set(offered) == {"owner:ann@example.com", "owner:team-data@example.com"}
    for word, count in offered.items():
        assert rows(client, page, f"?q={word}") == count, word
    Account.objects.update(owner_email="")
    offered = choices(client, page, "?facet=owner&find=")
    assert offered["owner:none"] == rows(client, page, "?q=owner:none") > 0
    assert choices(client, page, "?facet=owner&find=ann") == {"owner:ann@example.com": 2}


def test_a_rule_that_is_off_is_no_choice_and_writing_it_is_answered_with_a_note(client_for: ClientFor, viewer: User) -> None:
    estate(2)
    client = client_for(viewer)
    page = text(client, "keys", "?q=rule:unused-90")
    assert "“rule:unused-90” is off in this profile" in page
    assert "is off in this profile" not in text(client, "keys", "?q=rule:unused")
    assert 'value="rule:key.unused-90"' not in text(client, "keys")
    assert 'value="rule:key.unused"' in text(client, "keys")


# The overview and exports


def test_the_accounts_that_report_lead_to_just_those_that_should(client_for: ClientFor, viewer: User) -> None:
    estate(2)
    Account.objects.create(account_id="300000000003", name="paused", is_polled=False, created_at=timezone.now(), updated_at=timezone.now())
    client = client_for(viewer)
    link = re.search(r'<a href="([^"]+)">1 of 2 accounts reporting</a>', text(client, "overview"))
    assert link is not None
    assert client.get(link[1]).context["table"].paginator.count == 2


def test_a_list_that_was_not_read_is_unknown_in_a_table_and_one_of_nothing_is_empty(client_for: ClientFor, viewer: User) -> None:
    estate(2)
    Principal.objects.filter(name="user-0000").update(ssh_keys=None, tags=None, groups=None)
    Principal.objects.filter(name="user-0001").update(ssh_keys=[], tags={}, groups=[])
    client = client_for(viewer)
    answers = [client.get(reverse("users") + f"?format={style}") for style in ("csv", "json")]
    table, array = (b"".join(answer.streaming_content).decode() for answer in answers)  # type: ignore[attr-defined]  # streamed
    cells = {row["user_name"]: [row[name] for name in ("ssh_keys", "tags", "groups")] for row in csv.DictReader(io.StringIO(table))}
    assert cells == {"user-0000": ["unknown"] * 3, "user-0001": [""] * 3}
    values = {row["user_name"]: [row[name] for name in ("ssh_keys", "tags", "groups")] for row in json.loads(array)}
    assert values == {"user-0000": [None] * 3, "user-0001": [[], [], []]}
