"""Rows that are written many at a time are the rows that Django would have written."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.db import IntegrityError, transaction

from accounts.models import Account
from hygiene.models import Principal
from hygiene.services import bulk
from tests.factories import register

pytestmark = pytest.mark.django_db
AWKWARD = 'tab\t, "quotes", back\\slash, \\N and Zo\u00eb\'s {brace}'


@pytest.fixture
def account(now: datetime) -> Account:
    return register("111122223333", "data-lake", now=now)


def _row(account: Account, now: datetime, **values: object) -> dict[str, object]:
    return {"account_id": account.pk, "arn": "arn:a", "name": AWKWARD, "first_seen_at": now, "last_seen_at": now, **values}


def test_rows_come_back_as_they_were_given_with_defaults_for_the_rest(account: Account, now: datetime) -> None:
    bulk.insert(Principal, [_row(account, now, certificates=[{"slot": 1}]), _row(account, now, arn="arn:b")])
    first, second = Principal.objects.order_by("arn")
    assert (first.name, first.certificates, first.first_seen_at, first.tags) == (AWKWARD, [{"slot": 1}], now, None)
    assert (second.certificates, second.warnings, second.extra, second.gone_at, second.severity) == (None, [], {}, None, 0)
    assert first.uuid != second.uuid


def test_numbers_given_out_belong_to_nobody_else(account: Account, now: datetime) -> None:
    ids = bulk.new_ids(Principal, 3)
    by_django = Principal.objects.create(account=account, arn="arn:d", name="d", first_seen_at=now, last_seen_at=now)
    bulk.insert(Principal, [_row(account, now, id=pk, arn=f"arn:{pk}") for pk in ids])
    assert len({*ids, by_django.pk, *bulk.new_ids(Principal, 2)}) == 6
    assert sorted(Principal.objects.values_list("pk", flat=True)) == sorted([*ids, by_django.pk])


def test_only_the_named_fields_of_the_named_rows_change(account: Account, now: datetime) -> None:
    rows = [
        Principal.objects.create(account=account, arn=f"arn:{n}", name="old", first_seen_at=now, last_seen_at=now, tags={"a": "b"})
        for n in range(3)
    ]
    later = now + timedelta(hours=1)
    told = [{"id": row.pk, "name": AWKWARD, "tags": None, "warnings": [AWKWARD], "gone_at": later} for row in rows[:2]]
    bulk.update(Principal, told, ("name", "tags", "warnings", "gone_at"))
    changed = Principal.objects.order_by("pk")[0]
    assert (changed.name, changed.tags, changed.warnings, changed.gone_at, changed.last_seen_at) == (AWKWARD, None, [AWKWARD], later, now)
    assert Principal.objects.get(pk=rows[2].pk).name == "old"


def test_what_the_table_forbids_is_djangos_own_error(account: Account, now: datetime) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        bulk.insert(Principal, [_row(account, now), _row(account, now)])
