"""The 26-week trend of a rule: what is open at the end of each week, which weeks are gaps, and whose findings count."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Account, ScopeGrant
from hygiene.models import DailyPosture, Finding
from hygiene.services.rule_trend import weeks
from hygiene.views.charts import weeks_chart
from tests.factories import estate

pytestmark = pytest.mark.django_db
RULE = "key.never_used"
WEEK = timedelta(weeks=1)


def measured(account: Account, now: datetime, *weeks_ago: int) -> None:
    for ago in weeks_ago:
        DailyPosture.objects.get_or_create(account=account, day=(now - WEEK * ago).date(), defaults={"measured_at": now})


def opened(account: Account, now: datetime, *, weeks_ago: float, resolved_weeks_ago: float | None = None, outcome: str = "fail") -> None:
    """One more finding, as the first one of the rule, with its own dates."""
    row = Finding.objects.filter(account=account, rule=RULE)[0]
    row.pk, row.subject, row.outcome = None, f"key:x{Finding.objects.count()}", outcome
    row.uuid = Finding._meta.get_field("uuid").get_default()
    row.opened_at = now - WEEK * weeks_ago
    row.resolved_at = None if resolved_weeks_ago is None else now - WEEK * resolved_weeks_ago
    row.save(force_insert=True)


def test_a_week_counts_what_was_open_at_its_end_and_weeks_without_data_are_left_out(viewer: User) -> None:
    account, _ = estate(5)
    now = timezone.now()
    of_today = Finding.objects.open().filter(account=account, rule=RULE).count()
    opened(account, now, weeks_ago=9.5)
    opened(account, now, weeks_ago=3.5, resolved_weeks_ago=1.5)
    opened(account, now, weeks_ago=3.5, outcome="exempt")
    measured(account, now, 4, 3, 2, 1)
    found = weeks(RULE, viewer, now=now)
    assert [week.day for week in found] == [(now - WEEK * ago).date() for ago in (4, 3, 2, 1, 0)]
    assert [week.open for week in found] == [1, 2, 2, 1, 1 + of_today]
    assert of_today > 0


def test_before_the_first_poll_there_is_no_week(viewer: User) -> None:
    assert weeks(RULE, viewer, now=timezone.now()) == ()
    assert weeks_chart(()) is None


def test_before_the_first_finding_nothing_is_said_although_the_account_was_read(viewer: User) -> None:
    account, _ = estate(5)
    now = timezone.now()
    measured(account, now, *range(1, 20))
    assert [week.day for week in weeks(RULE, viewer, now=now)] == [now.date()]
    opened(account, now, weeks_ago=2.5)
    assert [week.open for week in weeks(RULE, viewer, now=now)][:2] == [1, 1]
    assert len(weeks(RULE, viewer, now=now)) == 3


def test_a_gap_breaks_the_line(viewer: User) -> None:
    account, _ = estate(5)
    now = timezone.now()
    measured(account, now, 9, 8, 1)
    opened(account, now, weeks_ago=9.5)
    chart = weeks_chart(weeks(RULE, viewer, now=now))
    assert chart is not None
    assert [len(part.split()) for part in chart.lines[0][1]] == [2, 2]


def test_only_accounts_in_scope_count(viewer: User) -> None:
    account, _ = estate(5)
    now = timezone.now()
    measured(account, now, 1)
    ScopeGrant.objects.create(user=viewer, account=Account.objects.get(name="sandbox-07"))
    assert weeks(RULE, viewer, now=now) == ()


def test_the_page_shows_the_line_and_the_same_numbers_as_a_table(client_for: Callable[[User], Client], viewer: User) -> None:
    account, _ = estate(5)
    now = timezone.now()
    client, url = client_for(viewer), reverse("rule", args=[RULE])
    assert "A trend needs two weeks with data since the first finding of the rule." in client.get(url).content.decode()
    measured(account, now, 3, 1)
    Finding.objects.filter(rule=RULE).update(opened_at=now - WEEK * 1.5)
    Account.objects.filter(pk=account.pk).update(updated_at=now)  # as any change here does: kept counts are counted anew
    page = client.get(url).content.decode()
    count = Finding.objects.failing().filter(rule=RULE).count()
    assert '<polyline class="line-a"' in page
    assert page.count(f'data-label="Open findings" class="num">{count}<') == 2
    assert page.count('data-label="Open findings" class="num">') == 2  # nothing is said of the week before the first finding
