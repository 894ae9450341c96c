"""Counts beside lists: used again while nothing changed, and never after something that one did oneself."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from pytest_django import Settings

from accounts import audit
from accounts.models import Account, ScopeGrant
from hygiene.models import AccessKey
from hygiene.services import counting
from hygiene.services.counting import Counts
from tests.factories import estate

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def kept_for_a_minute(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    settings.COUNTS_KEPT_SECONDS = 60
    monkeypatch.setattr(counting, "SHARE", 0)
    counting.forget()
    yield
    counting.forget()


def counted(user: User) -> int:
    return Counts(user).of("keys", AccessKey.objects.visible_to(user).count)


def test_the_same_data_is_counted_once(auditor: User) -> None:
    estate(2)
    counted(auditor)
    assert Counts(auditor).of("keys", lambda: -1) > 0


def test_a_new_key_is_counted(auditor: User) -> None:
    account, world = estate(2)
    before = counted(auditor)
    key = AccessKey.objects.filter(account=account).first()
    assert key is not None
    AccessKey.objects.create(
        account=account,
        principal=key.principal,
        access_key_id="AKIANEWNEWNEWNEWNEWN",
        status="active",
        status_observed_at=world.now,
        first_seen_at=world.now,
    )
    assert counted(auditor) == before + 1


def test_what_somebody_did_is_counted_at_once_even_where_counting_is_dear(auditor: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "SHARE", 1e9)
    account, world = estate(2)
    counted(auditor)
    audit.record(action="key.disable", outcome="succeeded", now=world.now, account=account, target="AKIA")
    assert Counts(auditor).of("keys", lambda: -1) == -1


def test_a_dear_count_may_stay_behind_the_polls_for_a_moment(auditor: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "SHARE", 1e9)
    account, _ = estate(2)
    before = counted(auditor)
    AccessKey.objects.filter(account=account).delete()
    assert counted(auditor) == before


def test_two_people_with_different_scopes_never_share_a_count(operator: User, viewer: User) -> None:
    estate(2)
    everything = counted(viewer)
    ScopeGrant.objects.create(user=operator, account=Account.objects.get(name="sandbox-07"))
    assert (everything > 0, counted(operator)) == (True, 0)


def test_zero_seconds_means_always_counted(auditor: User, settings: Settings) -> None:
    settings.COUNTS_KEPT_SECONDS = 0
    numbers = iter((1, 2))
    assert [Counts(auditor).of("keys", lambda: next(numbers)) for _ in range(2)] == [1, 2]
