"""Who is in an account, with the keys of each."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from hygiene.models import AccessKey, Principal
from hygiene.services import holders
from tests.factories import estate

pytestmark = pytest.mark.django_db


def test_everybody_present_holds_their_present_keys_in_the_order_they_were_seen() -> None:
    account, _ = estate(5)
    found = {holder.principal.name: [key.pk for key in holder.keys] for holder in holders.of_account(account)}
    assert set(found) == set(Principal.objects.filter(account=account).values_list("name", flat=True))
    assert found["user-0004"] == sorted(AccessKey.objects.filter(principal__name="user-0004").values_list("pk", flat=True))
    assert len(found["user-0004"]) == 2


def test_who_is_gone_is_left_out_with_what_they_held() -> None:
    account, _ = estate(5)
    Principal.objects.filter(name="user-0004").update(gone_at=timezone.now())
    AccessKey.objects.filter(principal__name="user-0001").update(gone_at=timezone.now())
    found = {holder.principal.name: holder.keys for holder in holders.of_account(account)}
    assert "user-0004" not in found
    assert found["user-0001"] == []


def test_no_query_joins_keys_to_principals() -> None:
    """Until PostgreSQL has statistics of a new account it would compare each key with each principal: 3 s for 5,000 users."""
    account, _ = estate(5)
    with CaptureQueriesContext(connection) as captured:
        holders.of_account(account)
    assert len(captured) == 2
    assert not [query["sql"] for query in captured if " JOIN " in query["sql"]]
