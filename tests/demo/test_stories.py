"""What the demo tells once its accounts were read: a campaign, a plan that waits for an approver, a change window, a protected tag."""

from __future__ import annotations

from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.core.management import call_command
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Account
from demo import stories
from hygiene.models import Plan, Protection, Remediation, State
from hygiene.services import approvals, campaign_mail, campaigns
from tests.factories import poll, populate, register
from tests.fakes import FakeAwsAccount

pytestmark = pytest.mark.django_db


def test_a_campaign_and_a_plan_that_waits_are_told_once(settings: Settings) -> None:
    settings.DEMO = True
    call_command("create_roles", stdout=StringIO())
    call_command("create_demo_users", password="demo", stdout=StringIO())
    now = timezone.now()
    for place, users in enumerate((10, 15, 40)):
        world = FakeAwsAccount(f"{100_000_000_000 + place}", now=now)
        populate(world, users)
        poll(register(world.account_id, f"account-{place}", now=now, owner_email="" if users == 40 else "team-data@example.com"), world)
    for _ in range(2):
        stories.tell(now=now)
    campaign = Plan.objects.get(run_at__isnull=False)
    assert (campaign.remediations.count(), campaign.grace_days) == (4, 10)
    waiting = list(approvals.waiting_for(User.objects.get(username="j.okafor")))
    assert [plan.approvals_needed for plan in waiting][:1] == [1]
    assert Remediation.objects.filter(plan=waiting[0], state=State.AWAITING_APPROVAL).count() == 6  # one more than one person may
    for pk in campaigns.tend(now=now):
        campaign_mail.send(pk, now=lambda: now)
    assert [message.to for message in mail.outbox] == [["team-data@example.com"]]
    assert (Account.objects.exclude(change_window="").count(), Protection.objects.count()) == (1, 1)
