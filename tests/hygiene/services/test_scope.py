"""Scopes: which accounts a word means, the same in Python, in SQL and in the filter line."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Account
from hygiene.domain.policy import resolve
from hygiene.models import AccessKey, DailyPosture
from hygiene.services import exemption_ends, posture
from hygiene.services.exemptions import Cover, Terms
from hygiene.services.exemptions import make as make_exemptions
from hygiene.services.scope import NotAScope, accounts_of, choices, scope_of
from tests.factories import estate, register

pytestmark = pytest.mark.django_db
WORDS = ["", "mine", "ou:Root/Prod", "ou:Root", "ou:Root/Pro", "tag:app=lake", "tag:app=other", "111111111111, 222222222222"]


@pytest.fixture
def three(viewer: User) -> list[str]:
    now = timezone.now()
    register("111111111111", "one", now=now, organizational_unit="Root/Prod", owner_email=viewer.email.upper())
    register("222222222222", "two", now=now, organizational_unit="Root/Prod/Data", tags={})
    register("333333333333", "three", now=now, organizational_unit="Root/Production", tags={"app": "lake", "team": "a b"})
    return ["one", "two", "three"]


@pytest.mark.parametrize(("word", "names"), list(zip(WORDS, ["123", "1", "12", "123", "", "13", "", "12"], strict=True)))
def test_a_word_means_the_same_accounts_everywhere(
    word: str, names: str, three: list[str], viewer: User, client_for: Callable[[User], Client]
) -> None:
    scope = scope_of(word, viewer)
    expected = sorted(three[int(place) - 1] for place in names)
    assert sorted(accounts_of(scope, viewer).values_list("name", flat=True)) == expected
    assert sorted(account.name for account in Account.objects.all() if scope.holds(account)) == expected
    page = client_for(viewer).get(reverse("accounts"), {"q": scope.filter_words})
    assert page.context["notes"] == []
    assert sorted(row.record.name for row in page.context["table"].rows) == expected


@pytest.mark.parametrize("word", ["everything", "ou:", "tag:app", "tag:a__b=c", "1234", "111111111111,22", "x" * 600])
def test_what_means_no_scope_is_refused_with_a_sentence(word: str, viewer: User) -> None:
    with pytest.raises(NotAScope, match="organizational unit"):
        scope_of(word, viewer)


def test_choices_are_the_units_above_and_the_tags_that_exist(three: list[str]) -> None:
    words = [word for word, _ in choices(Account.objects.all())]
    assert words[:2] == ["", "mine"]
    assert "ou:Root" in words
    assert "ou:Root/Prod/Data" in words
    assert words[-2:] == ["tag:app=lake", "tag:team=a b"]


def test_what_is_exempt_is_in_no_figure_but_counted_apart(operator: User, client_for: Callable[[User], Client]) -> None:
    account, _ = estate(10)
    now, policy = timezone.now(), resolve()
    before = posture.figures(operator, policy=policy, now=now)
    key = AccessKey.objects.filter(failing_rules__icontains="key.never_used")[0]
    accepted = Terms(["key.never_used"], "Kept for a rebuild.", "cto@example.com", timezone.localdate() + timedelta(days=30))
    row = make_exemptions([Cover(key=key)], accepted, actor=operator, now=now)[0]
    exemption_ends.reevaluate(row, policies=lambda _: policy, now=now)
    after = posture.figures(operator, policy=policy, now=now)
    assert (after.never_used, after.unused_90, after.over_age) == (before.never_used - 1, before.unused_90, before.over_age)
    apart = AccessKey.objects.filter(posture.exempt_in("never_used", policy=policy, now=now))
    assert list(apart) == [key]
    listed = client_for(operator).get(reverse("keys") + "?view=never-used")
    assert listed.context["table"].paginator.count == after.never_used
    today = DailyPosture.objects.get(account=account, day=now.date())
    assert (today.exempt, today.never_used) == (1, after.never_used)
