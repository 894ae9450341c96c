"""Selected keys: asking their owners, exempting them, exporting them; and rows that cannot be selected say why."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Account, ScopeGrant
from hygiene.models import AccessKey, NoticeState, OwnerNotice
from hygiene.tasks import send_owner_notices
from tests.factories import estate

pytestmark = pytest.mark.django_db
ClientFor = Callable[[User], Client]


@pytest.fixture
def woken(monkeypatch: pytest.MonkeyPatch) -> list[list[int]]:
    """Lists of questions that a sender was woken for."""
    found: list[list[int]] = []
    monkeypatch.setattr("hygiene.tasks.send_owner_notices.delay", found.append)
    return found


def user_keys() -> list[str]:
    return [str(uuid) for uuid in AccessKey.objects.filter(principal__is_root=False).order_by("pk").values_list("uuid", flat=True)]


def test_owners_are_named_first_and_asked_once_each(
    client_for: ClientFor, operator: User, woken: list[list[int]], django_capture_on_commit_callbacks: Callable[..., object]
) -> None:
    estate(5)
    client, keys = client_for(operator), user_keys()[:3]
    page = client.post(reverse("owners-ask"), {"key": keys}).content.decode()
    assert "Ask 1 owner" in page
    assert OwnerNotice.objects.count() == 0
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[attr-defined]  # a context manager
        assert client.post(reverse("owners-ask"), {"key": keys, "ask": "1"}).status_code == 302
    assert [len(pks) for pks in woken] == [3]
    send_owner_notices(woken[0])
    assert [(len(mail.outbox), message.subject) for message in mail.outbox] == [(1, "[keys] Are these 3 access keys in use?")]
    assert mail.outbox[0].body.count("It is in use:") == 3
    assert set(OwnerNotice.objects.values_list("state", flat=True)) == {NoticeState.SENT}


def test_an_owner_who_was_just_asked_is_left_out(client_for: ClientFor, operator: User, woken: list[list[int]]) -> None:
    estate(2)
    client = client_for(operator)
    asked = {"key": user_keys(), "ask": "1"}
    client.post(reverse("owners-ask"), asked)
    assert "2 keys left out" in client.post(reverse("owners-ask"), asked, follow=True).content.decode()
    assert OwnerNotice.objects.count() == 2


@pytest.mark.parametrize("url", ["owners-ask", "keys-export"])
def test_keys_of_others_missing_keys_and_no_keys_are_not_there(url: str, client_for: ClientFor, operator: User) -> None:
    estate(2)
    ScopeGrant.objects.create(user=operator, account=Account.objects.get(name="sandbox-07"))
    client, more = client_for(operator), {"format": "csv"}
    answers = [client.post(reverse(url), {**more, "key": key}).status_code for key in ([user_keys()[0]], ["no-uuid"], [])]
    assert answers == [404, 404, 404]


def test_root_keys_are_never_among_the_chosen(client_for: ClientFor, operator: User) -> None:
    estate(2)
    root = AccessKey.objects.get(principal__is_root=True)
    assert client_for(operator).post(reverse("owners-ask"), {"key": str(root.uuid)}).status_code == 404
    page = client_for(operator).post(reverse("owners-ask"), {"all": "1"}).content.decode()
    assert page.count('name="key"') == 2


def test_a_selection_is_exported_and_so_is_all_that_matches(client_for: ClientFor, operator: User) -> None:
    estate(5)
    client = client_for(operator)
    one = client.post(reverse("keys-export"), {"key": user_keys()[:1], "format": "csv"})
    everything = client.post(reverse("keys-export"), {"all": "1", "q": "status:disabled", "format": "csv"})
    found = [list(csv.DictReader(io.StringIO(answer.getvalue().decode()))) for answer in (one, everything)]
    assert [len(rows) for rows in found] == [1, 1]
    assert found[1][0]["status"] == "inactive"
    assert client.post(reverse("keys-export"), {"all": "1", "format": "pdf"}).status_code == 400
    assert client.get(reverse("keys-export")).status_code == 405


def test_all_that_match_can_be_exempted(client_for: ClientFor, approver: User) -> None:
    estate(5)
    page = client_for(approver).post(reverse("exemption-new"), {"all": "1", "q": "status:disabled"}).content.decode()
    assert page.count('name="key"') == 1


def lines(client: Client, search: str) -> list[list[str]]:
    answer = client.get(reverse("keys") + search)
    return list(csv.reader(io.StringIO(answer.getvalue().decode())))


def test_an_export_says_what_it_is_of_when_asked(client_for: ClientFor, auditor: User) -> None:
    estate(2)
    plain, headed = (lines(client_for(auditor), f"?q=status:active&format=csv{more}") for more in ("", "&about=1"))
    assert plain[0][0] == "account_id"
    assert headed[0][:3] == ["# Key Hygiene", "Query: status:active", "View: all"]
    assert headed[1:] == plain


def test_an_export_can_keep_to_the_shown_columns(client_for: ClientFor, auditor: User) -> None:
    estate(2)
    found = lines(client_for(auditor), "?cols=region,status&format=csv&columns=visible")
    assert found[0] == ["user_name", "user_arn", "is_root", "access_key_id", "status", "last_used_region"]


def test_a_row_without_a_box_says_why(client_for: ClientFor, operator: User, viewer: User) -> None:
    estate(2)
    page = client_for(operator).get(reverse("keys")).content.decode()
    assert re.search(r'class="no-box" title="A root key is never changed in bulk."', page)
    seen = client_for(viewer).get(reverse("keys")).content.decode()
    assert "data-select " not in seen
    assert "no-box" not in seen


def test_columns_that_are_asked_for_are_shown(client_for: ClientFor, auditor: User) -> None:
    estate(5)
    wanted = "created,region,service,mfa,password,reach,other_key,tags,exempt,disabled,first_seen,data_age"
    page = client_for(auditor).get(reverse("keys") + f"?cols={wanted}").content.decode()
    assert [name for name in wanted.split(",") if f'data-column="{name}"' not in page] == []
    assert 'data-column="owner"' not in page


def test_all_that_match_says_how_many_keys_in_how_many_accounts_a_plan_would_hold(
    client_for: ClientFor, operator: User, viewer: User
) -> None:
    estate(5)
    client = client_for(operator)
    page = client.get(reverse("keys")).content.decode()
    assert 'all 5<span class="wide-only"> that match, in 1 account</span>' in page
    assert page.count("data-select ") == 5
    other = Account.objects.get(name="sandbox-07")
    AccessKey.objects.filter(principal__name="user-0000").update(account=other)
    assert "all 5<span" in client.get(reverse("keys")).content.decode()
    assert "in 2 accounts" in client.get(reverse("keys")).content.decode()
    assert "data-bulk" not in client.get(reverse("keys") + "?q=is:root").content.decode()
    assert "data-bulk" not in client_for(viewer).get(reverse("keys")).content.decode()


@pytest.mark.parametrize("search", ["", "?view=action", "?q=status:active"])
def test_the_list_keeps_its_budget_with_the_bar(search: str, client_for: ClientFor, operator: User) -> None:
    estate(5)
    client = client_for(operator)
    with CaptureQueriesContext(connection) as captured:
        assert "data-bulk" in client.get(reverse("keys") + search).content.decode()
    assert len([query for query in captured if "SAVEPOINT" not in query["sql"]]) <= 12


def test_who_may_exempt_but_not_change_selects_too_and_sees_what_needs_another_role(client_for: ClientFor, approver: User) -> None:
    estate(5)
    page = client_for(approver).get(reverse("keys")).content.decode()
    assert page.count("data-select ") == 5
    bar = page.partition('id="bulk"')[2].partition("</form>")[0]
    assert 'formaction="/exemptions/new/"' in bar
    assert 'value="disable" aria-disabled="true" title="This needs the role operator."' in bar
    assert 'formaction="/keys/ask-owners/"' not in bar
